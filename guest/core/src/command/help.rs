//! The help text and the list of flags, in the layout of mc.

use crate::command::args::Env;
use crate::command::flags::{ABOUT, Class, FLAGS, Flag, Takes};
use crate::command::name::command_name;

/// `--help`, and the answer to a wrong number of arguments.
pub(super) fn help(program: &str, env: Env<'_>) -> String {
    let command = command_name(program);
    let flags = flag_lines(env, "  ");
    format!(
        "NAME:
  {command} - {ABOUT}

USAGE:
  {command} TARGET

FLAGS:
{flags}  
REQUIRED PERMISSIONS:
  admin:ReplicationDiff and, on the objects, s3:GetObject. --clear-checksum also needs s3:PutObject on
  the objects, and s3:GetBucketObjectLockConfiguration and s3:GetEncryptionConfiguration on the bucket,
  to see that nothing gets locked or encrypted.

EVENTS:
  Each version triggered causes an event s3:ObjectAccessed:Head, and each copy of --clear-checksum
  s3:ObjectCreated:Copy, for old versions too.

EXAMPLES:
  1. Trigger replication for all backlogged objects of the bucket \"mybucket\"
     $ {command} myaistor/mybucket

  2. Trigger replication for backlogged objects below a prefix
     $ {command} myaistor/mybucket/path/to/prefix

  3. Preview the backlog without triggering anything
     $ {command} myaistor/mybucket --dry-run
     $ {command} myaistor/mybucket --dry-run --summary 2

  4. Limit the load on the cluster to 5 requests at a time and 20 objects per second
     $ {command} myaistor/mybucket --concurrent 5 --rate-limit 20

  5. Only versions that wait for one of several replication targets
     $ {command} myaistor/mybucket --arn 'arn:minio:replication::0f3c…:mybucket'

  6. Replace checksums that keep objects from being replicated, after a test on a single object
     $ {command} myaistor/mybucket --clear-checksum --validate
     $ {command} myaistor/mybucket --clear-checksum

  7. Only object versions that failed and are older than a day
     $ {command} myaistor/mybucket --status FAILED --only puts --older-than 1d

  8. The first of four runs that share one backlog
     $ {command} myaistor/mybucket --shard 0/4

  9. Only what failed in an earlier run, whose output with --json is in a file
     $ {command} myaistor/mybucket --from run.jsonl
"
    )
}

/// What follows a usage error.
pub(super) fn supported_flags(env: Env<'_>) -> String {
    format!("SUPPORTED FLAGS:\n{}", flag_lines(env, "   "))
}

fn flag_lines(env: Env<'_>, indent: &str) -> String {
    let shown: Vec<(String, String)> = FLAGS
        .iter()
        .filter(|flag| flag.class != Class::Hidden)
        .map(|flag| (names(flag), description(flag, env)))
        .collect();
    // mc aligns the texts two columns after the longest flag.
    let column = shown.iter().map(|(names, _)| names.len()).max().unwrap_or(0) + 2;
    shown.iter().map(|(names, text)| format!("{indent}{names:column$}{text}\n")).collect()
}

fn names(flag: &Flag) -> String {
    let value = match flag.takes {
        Takes::Switch => "",
        Takes::Value | Takes::Values => " value",
        Takes::Number => " [value]",
    };
    let mut names = format!("--{}{value}", flag.long);
    if !flag.short.is_empty() {
        let dashes = if flag.short.len() == 1 { "-" } else { "--" };
        names.push_str(&format!(", {dashes}{}{value}", flag.short));
    }
    names
}

fn description(flag: &Flag, env: Env<'_>) -> String {
    let mut text = flag.help.to_owned();
    if flag.long == "config-dir" {
        let default = env("MC_CONFIG_DIR")
            .or_else(|| env("HOME").map(|home| format!("{home}/.mc")))
            .unwrap_or_else(|| "~/.mc".to_owned());
        text.push_str(&format!(" (default: {default:?})"));
    } else if !flag.default.is_empty() {
        text.push_str(&format!(" (default: {})", flag.default));
    }
    if !flag.env.is_empty() {
        text.push_str(&format!(" [${}]", flag.env));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_list_is_aligned_as_in_mc() {
        let help = help("mc", &|name| (name == "HOME").then(|| "/home/me".to_owned()));
        for line in [
            "  mc replicate resync-backlog - trigger replication for backlogged objects",
            "  --config-dir value, -C value     path to configuration folder (default: \"/home/me/.mc\") [$MC_CONFIG_DIR]",
            "  --disable-pager, --dp            disable mc internal pager and print to raw stdout [$MC_DISABLE_PAGER]",
            "  --concurrent value, -c value     number of concurrent HeadObject operations, 1 to 1000 (default: 10)",
            "  --help, -h                       show help",
        ] {
            assert!(help.lines().any(|known| known == line), "{line}\n---\n{help}");
        }
        assert!(!help.contains("deadline"), "hidden flags stay hidden");
    }
}
