//! Every flag, defined once: the parser, the help text, the usage errors and the completions all
//! come from this table. Names, aliases, variables and wording of the global flags are mc's.

use clap::{Arg, ArgAction, Command};

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing, or `=true` / `=false` as Go's flag package allows.
    Switch,
    /// One value; the last one counts.
    Value,
    /// One value each time it is given.
    Values,
    /// A number or nothing, which stands for the default; the last one counts. The word after it is
    /// its value if it is all digits, which TARGET never is.
    Number,
}

/// One flag.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// Long name without dashes.
    pub long: &'static str,
    /// One-letter or second name without dashes, empty when there is none.
    pub short: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// The variable that sets it, empty when there is none.
    pub env: &'static str,
    /// Help text, mc's where mc has the flag.
    pub help: &'static str,
    /// The default as the help shows it, empty when none is shown.
    pub default: &'static str,
    /// What it concerns.
    pub class: Class,
}

impl Flag {
    /// The flag with this long name or short name.
    pub fn find(name: &str) -> Option<&'static Self> {
        FLAGS
            .iter()
            .find(|flag| flag.long == name || (!flag.short.is_empty() && flag.short == name))
    }

    /// Whether the word after it is its value.
    pub fn takes_word(&self, word: &str) -> bool {
        match self.takes {
            Takes::Switch => false,
            Takes::Value | Takes::Values => true,
            Takes::Number => !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()),
        }
    }
}

/// What a flag concerns, and so who serves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The component itself.
    Job,
    /// Output: the component too, but global in mc.
    Output,
    /// Configuration or network: only a host that says so can serve it.
    Host,
    /// As `Host`, and not shown in the help.
    Hidden,
}

const fn flag(
    long: &'static str,
    short: &'static str,
    takes: Takes,
    env: &'static str,
    class: Class,
    help: &'static str,
) -> Flag {
    Flag { long, short, takes, env, help, default: "", class }
}

/// All flags in the order of the help: mc's global ones first.
pub const FLAGS: &[Flag] = &[
    flag(
        "config-dir",
        "C",
        Takes::Value,
        "MC_CONFIG_DIR",
        Class::Host,
        "path to configuration folder",
    ),
    flag("quiet", "q", Takes::Switch, "MC_QUIET", Class::Output, "disable progress bar display"),
    flag(
        "disable-pager",
        "dp",
        Takes::Switch,
        "MC_DISABLE_PAGER",
        Class::Output,
        "disable mc internal pager and print to raw stdout",
    ),
    flag("no-color", "", Takes::Switch, "MC_NO_COLOR", Class::Output, "disable color theme"),
    flag("json", "", Takes::Switch, "MC_JSON", Class::Output, "enable JSON lines formatted output"),
    flag("debug", "", Takes::Switch, "MC_DEBUG", Class::Output, "enable debug output"),
    flag(
        "resolve",
        "",
        Takes::Values,
        "MC_RESOLVE",
        Class::Host,
        "resolves HOST[:PORT] to an IP address. Example: minio.local:9000=10.10.75.1",
    ),
    flag(
        "insecure",
        "",
        Takes::Switch,
        "MC_INSECURE",
        Class::Host,
        "disable SSL certificate verification",
    ),
    flag(
        "limit-upload",
        "",
        Takes::Value,
        "MC_LIMIT_UPLOAD",
        Class::Host,
        "limits uploads to a maximum rate in KiB/s, MiB/s, GiB/s. (default: unlimited)",
    ),
    flag(
        "limit-download",
        "",
        Takes::Value,
        "MC_LIMIT_DOWNLOAD",
        Class::Host,
        "limits downloads to a maximum rate in KiB/s, MiB/s, GiB/s. (default: unlimited)",
    ),
    flag(
        "custom-header",
        "H",
        Takes::Values,
        "",
        Class::Host,
        "add custom HTTP header to the request. 'key:value' format.",
    ),
    flag(
        "component",
        "",
        Takes::Value,
        "",
        Class::Host,
        "run this WebAssembly component instead of the built-in one",
    ),
    flag(
        "print-grant",
        "",
        Takes::Switch,
        "",
        Class::Host,
        "print what the component may do, and do nothing",
    ),
    flag(
        "conn-read-deadline",
        "",
        Takes::Value,
        "",
        Class::Hidden,
        "custom connection READ deadline",
    ),
    flag(
        "conn-write-deadline",
        "",
        Takes::Value,
        "",
        Class::Hidden,
        "custom connection WRITE deadline",
    ),
    flag(
        "arn",
        "",
        Takes::Value,
        "",
        Class::Job,
        "only versions that are backlogged for this target ARN",
    ),
    flag(
        "older-than",
        "",
        Takes::Value,
        "",
        Class::Job,
        "only versions last modified this long ago or longer (for example 7d10h)",
    ),
    flag(
        "newer-than",
        "",
        Takes::Value,
        "",
        Class::Job,
        "only versions last modified less than this long ago (for example 1d12h30m)",
    ),
    flag(
        "status",
        "",
        Takes::Value,
        "",
        Class::Job,
        "only versions with this replication status, PENDING or FAILED",
    ),
    flag(
        "only",
        "",
        Takes::Value,
        "",
        Class::Job,
        "only puts, deletes (delete markers) or purges (permanent deletions)",
    ),
    flag(
        "shard",
        "",
        Takes::Value,
        "",
        Class::Job,
        "only shard I of N (for example 0/4), by a hash of the key: N runs share a backlog",
    ),
    flag(
        "clear-checksum",
        "",
        Takes::Switch,
        "",
        Class::Job,
        "replace object checksums by copying objects to themselves",
    ),
    Flag {
        default: "10",
        ..flag(
            "concurrent",
            "c",
            Takes::Value,
            "",
            Class::Job,
            "number of concurrent HeadObject operations, 1 to 1000",
        )
    },
    Flag {
        default: "0",
        ..flag(
            "rate-limit",
            "",
            Takes::Value,
            "",
            Class::Job,
            "maximum number of objects to process per second, 0 is unlimited",
        )
    },
    flag(
        "validate",
        "",
        Takes::Switch,
        "",
        Class::Job,
        "test --clear-checksum on a single object and exit",
    ),
    flag(
        "dry-run",
        "",
        Takes::Switch,
        "",
        Class::Job,
        "preview which objects would be processed, without triggering anything",
    ),
    Flag {
        default: "1",
        ..flag(
            "summary",
            "",
            Takes::Number,
            "",
            Class::Job,
            "with --dry-run, show a table by prefix, so many levels deep, instead of a line per version",
        )
    },
    flag(
        "from",
        "",
        Takes::Value,
        "",
        Class::Job,
        "only the versions in this file, or - for standard input, without listing: lines of --json, of mc replicate backlog --full --json, or bucket,key,version",
    ),
    flag(
        "wait",
        "",
        Takes::Value,
        "",
        Class::Job,
        "wait up to this long (for example 10m) for triggered objects to be replicated, and report what is left",
    ),
    flag(
        "verify-listing",
        "",
        Takes::Switch,
        "",
        Class::Job,
        "list once more at the end, for what a listing that ended early did not show",
    ),
    Flag {
        default: "64MiB",
        ..flag(
            "memory",
            "",
            Takes::Value,
            "",
            Class::Job,
            "memory for listed versions that wait for their turn; when it is full, the server waits, too",
        )
    },
    Flag {
        default: "100000",
        ..flag(
            "max-queue",
            "",
            Takes::Value,
            "",
            Class::Job,
            "versions that may wait for replication at a time, so that the server's queue does not overflow; 0 for any number",
        )
    },
    flag("help", "h", Takes::Switch, "", Class::Output, "show help"),
];

/// The clap command made from the table.
pub(super) fn command() -> Command {
    let mut command = Command::new("resync-backlog")
        .about(ABOUT)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .no_binary_name(true);
    for flag in FLAGS {
        let mut arg = Arg::new(flag.long).long(flag.long).help(flag.help);
        arg = match flag.takes {
            Takes::Switch => arg
                .action(ArgAction::Append)
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true"),
            _ => arg.action(ArgAction::Append).allow_hyphen_values(true),
        };
        let mut letters = flag.short.chars();
        if let (Some(letter), None) = (letters.next(), letters.next()) {
            arg = arg.short(letter);
        } else if !flag.short.is_empty() {
            arg = arg.alias(flag.short);
        }
        command = command.arg(arg.hide(flag.class == Class::Hidden));
    }
    command.arg(Arg::new("TARGET").action(ArgAction::Append).help("alias/bucket[/prefix]"))
}

/// The one line that says what the command does.
pub const ABOUT: &str = "trigger replication for backlogged objects";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_makes_a_sound_clap_command() {
        command().debug_assert();
    }

    #[test]
    fn names_and_short_names_are_unique() {
        let mut names: Vec<&str> = FLAGS
            .iter()
            .flat_map(|flag| [flag.long, flag.short])
            .filter(|n| !n.is_empty())
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
