//! Completions and man page, from the one table of flags.

use clap::{Arg, ArgAction, Command};
use clap_complete::{Generator, Shell, generate};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use resync_core::command::{ABOUT, Class, EXIT_STATUSES, FLAGS, PLUGIN, Takes, variables};
use xtask::sh::Result;

/// Every file with its name.
pub fn all() -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for mut command in [program(), leaf(PLUGIN)] {
        let name = command.get_name().to_owned();
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell] {
            let mut text = Vec::new();
            generate(shell, &mut command, &name, &mut text);
            files.push((format!("completions/{}", shell.file_name(&name)), text));
        }
    }
    files.push((format!("man/{PLUGIN}.1"), man()?));
    Ok(files)
}

/// `mc-wasi` with its words.
fn program() -> Command {
    Command::new("mc-wasi")
        .disable_help_subcommand(true)
        .version(env!("CARGO_PKG_VERSION"))
        .about("MinIO replication tools in a WebAssembly sandbox")
        .subcommand(
            Command::new("replicate")
                .disable_help_subcommand(true)
                .about("configure server side bucket replication")
                .subcommand(leaf("resync-backlog")),
        )
}

/// The command as a shell sees it. The parser's own form of a switch, with an optional value, would
/// be offered as one that needs a value.
fn leaf(name: &'static str) -> Command {
    let mut command = Command::new(name)
        .about(ABOUT)
        .disable_help_flag(true)
        .arg(Arg::new("TARGET").required(true).help("alias/bucket[/prefix]"));
    for flag in FLAGS.iter().filter(|flag| flag.class != Class::Hidden) {
        let mut arg =
            Arg::new(flag.long).long(flag.long).help(flag.help).action(match flag.takes {
                // A value that may be left out would be offered as one that is needed.
                Takes::Switch | Takes::Number => ArgAction::SetTrue,
                Takes::Value => ArgAction::Set,
                Takes::Values => ArgAction::Append,
            });
        let mut letters = flag.short.chars();
        arg = match (letters.next(), letters.next()) {
            (Some(letter), None) => arg.short(letter),
            (Some(_), Some(_)) => arg.visible_alias(flag.short),
            _ => arg,
        };
        if matches!(flag.takes, Takes::Value | Takes::Values) {
            arg = arg.value_name("value");
        }
        command = command.arg(arg);
    }
    command
}

/// The man page: clap's sections, and after them what a flag table does not know.
fn man() -> Result<Vec<u8>> {
    let optional = |arg: Arg| arg.action(ArgAction::Set).num_args(0..=1).value_name("value");
    let numbers = FLAGS.iter().filter(|flag| flag.takes == Takes::Number);
    let command = numbers.fold(leaf(PLUGIN), |leaf, flag| leaf.mut_arg(flag.long, optional));
    let man = Man::new(command).title("MC-REPLICATE-RESYNC-BACKLOG");
    let mut out = Vec::new();
    let rendered = (|| {
        man.render_title(&mut out)?;
        man.render_name_section(&mut out)?;
        man.render_synopsis_section(&mut out)?;
        man.render_description_section(&mut out)?;
        man.render_options_section(&mut out)?;
        let mut roff = Roff::new();
        roff.control("SH", ["ENVIRONMENT"]);
        for variable in variables() {
            let default = if variable.default.is_empty() {
                String::new()
            } else {
                format!(" (default: {})", variable.default)
            };
            roff.control("TP", []);
            roff.text([roman(variable.name)]);
            roff.text([roman(format!("{}{default}", variable.does))]);
        }
        roff.control("SH", ["EXIT STATUS"]);
        for (status, meaning) in EXIT_STATUSES {
            roff.control("TP", []);
            roff.text([roman(status)]);
            roff.text([roman(meaning)]);
        }
        roff.control("SH", ["MORE"]);
        roff.text([roman(
            "mc-wasi replicate resync-backlog --help shows examples and the permissions that are needed.",
        )]);
        roff.to_writer(&mut out)
    })();
    rendered.map_err(|error: std::io::Error| error.to_string())?;
    Ok(out)
}
