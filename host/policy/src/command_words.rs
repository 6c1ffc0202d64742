//! The two words of the command: `mc-wasi [FLAGS] replicate resync-backlog [FLAGS] TARGET`.
//!
//! mc takes its global flags before the first command word, between the two and after them. The
//! component takes flags and TARGET only, so the two words are found and taken out here.

use resync_core::command::{ABOUT, COMMAND, Flag, is_plugin};

/// What the user wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// The command, with the words that are left for the component.
    Run(Vec<String>),
    /// `--version`.
    Version,
    /// The list of commands, at the level of these words.
    Commands(Vec<String>),
    /// A word that is not a command, and those it may have been meant for.
    Unknown {
        /// The word.
        word: String,
        /// Known words like it.
        like: Vec<&'static str>,
    },
}

/// Whose a command line is where this program stands in front of MinIO's own `mc`, under its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// The command of this program.
    Ours,
    /// A list of commands to which this one belongs.
    Both,
    /// Everything else, also what is mistyped: `mc` knows more words that it may have been meant for.
    Theirs,
}

/// Reads the words after `argv[0]`. A program called by the name of the command needs no words for
/// it.
pub fn read(program: &str, words: &[String]) -> Intent {
    if is_plugin(program) {
        return match words {
            [word] if matches!(flag_name(word), Some("version" | "v")) => Intent::Version,
            _ => Intent::Run(words.to_vec()),
        };
    }
    walk(words).0
}

/// Reads the words after an `argv[0]` that is `mc`.
pub fn share(words: &[String]) -> Share {
    match walk(words) {
        (Intent::Run(_), found) if found == COMMAND.len() => Share::Ours,
        // What stands after `--` is neither read here nor a list.
        (Intent::Commands(_), 1) if !words.iter().any(|word| word == "--") => Share::Both,
        _ => Share::Theirs,
    }
}

/// What is wanted, and how many words of the command were found.
fn walk(words: &[String]) -> (Intent, usize) {
    let mut rest = Vec::with_capacity(words.len());
    let (mut found, mut sound) = (0, true);
    let mut queue = words.iter().peekable();
    while let Some(word) = queue.next() {
        let expected = COMMAND.get(found).copied();
        let Some(expected) = expected.filter(|_| word != "--") else {
            rest.push(word.clone());
            rest.extend(queue.by_ref().cloned());
            break;
        };
        if let Some(name) = flag_name(word) {
            if found == 0 && matches!(name, "version" | "v") {
                return (Intent::Version, found);
            }
            rest.push(word.clone());
            sound &= Flag::find(name).is_some();
            let is_value =
                |next: &&String| Flag::find(name).is_some_and(|flag| flag.takes_word(next));
            if !word.contains('=') {
                rest.extend(queue.next_if(is_value).cloned());
            }
        } else if word == expected {
            found += 1;
        } else {
            return (Intent::Unknown { word: word.clone(), like: like(word, expected) }, found);
        }
    }
    // The component names a flag that does not exist.
    if found == COMMAND.len() || !sound {
        return (Intent::Run(rest), found);
    }
    let level = COMMAND.iter().take(found).map(ToString::to_string).collect();
    (Intent::Commands(level), found)
}

/// `mc`'s own list of the commands of `replicate`, with this one after its last. One that has it already, as that
/// of AIStor, is left as it is.
pub fn listed_by_mc(text: &str) -> String {
    let line = format!("  {}  {ABOUT}", COMMAND[1]);
    let mut lines: Vec<&str> = text.lines().collect();
    let commands = lines.iter().position(|line| line.trim() == "COMMANDS:");
    let is_command = |line: &&str| line.starts_with(' ') && !line.trim().is_empty();
    let first = commands.map_or(lines.len(), |at| at + 1);
    let end = first + lines.iter().skip(first).take_while(|line| is_command(line)).count();
    let known = |line: &&str| line.split([' ', ',']).any(|word| word == COMMAND[1]);
    if lines.iter().take(end).skip(first).any(known) {
        return text.to_owned();
    }
    lines.insert(end, &line);
    lines.join("\n") + "\n"
}

/// The name in a word that is a flag.
fn flag_name(word: &str) -> Option<&str> {
    let name = word.strip_prefix('-')?;
    let name = name.strip_prefix('-').unwrap_or(name);
    (!name.is_empty()).then(|| name.split('=').next().unwrap_or(name))
}

/// Letters to be changed, at most, in a word that was mistyped.
const TYPOS: usize = 2;

fn like(word: &str, known: &'static str) -> Vec<&'static str> {
    let close = known.starts_with(word) || strsim::levenshtein(word, known) <= TYPOS;
    if close && !word.is_empty() { vec![known] } else { Vec::new() }
}

/// The text of [`Intent::Commands`].
pub fn commands(program: &str, level: &[String]) -> String {
    let (name, about, list) = match level {
        [] => (
            program.to_owned(),
            "MinIO replication tools in a WebAssembly sandbox",
            format!("  {:<16}{}", COMMAND[0], "configure server side bucket replication"),
        ),
        _ => (
            format!("{program} {}", COMMAND[0]),
            "configure server side bucket replication",
            format!("  {:<16}{ABOUT}", COMMAND[1]),
        ),
    };
    format!(
        "NAME:
  {name} - {about}

USAGE:
  {name} COMMAND [COMMAND FLAGS | -h] [ARGUMENTS...]

COMMANDS:
{list}

Use \"{program} replicate resync-backlog --help\" for its flags.
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(line: &str) -> Intent {
        called_as("mc-wasi", line)
    }

    fn called_as(program: &str, line: &str) -> Intent {
        read(program, &line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    fn run(rest: &str) -> Intent {
        Intent::Run(rest.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn a_program_of_the_commands_name_is_the_command() {
        for program in ["mc-replicate-resync-backlog", "kubectl-mc_replicate_resync_backlog"] {
            assert_eq!(called_as(program, "--json a/b"), run("--json a/b"));
            assert_eq!(called_as(program, "--version"), Intent::Version);
        }
        assert_eq!(called_as("other-resync-backlog", "mirror"), intent("mirror"));
    }

    #[test]
    fn the_command_words_are_taken_out_wherever_flags_stand() {
        assert_eq!(intent("replicate resync-backlog a/b"), run("a/b"));
        assert_eq!(
            intent("--json replicate -C dir resync-backlog a/b -c 5"),
            run("--json -C dir a/b -c 5")
        );
        assert_eq!(
            intent("-C replicate replicate resync-backlog --help"),
            run("-C replicate --help")
        );
        assert_eq!(intent("replicate resync-backlog -- replicate"), run("-- replicate"));
        for depth in ["--summary", "--summary 2", "--summary=2"] {
            let line = format!("{depth} replicate {depth} resync-backlog a/b");
            assert_eq!(intent(&line), run(&format!("{depth} {depth} a/b")));
        }
    }

    #[test]
    fn what_is_not_a_command_is_named_with_what_it_may_have_been() {
        assert_eq!(
            intent("replicate resync a/b"),
            Intent::Unknown { word: "resync".into(), like: vec!["resync-backlog"] }
        );
        assert_eq!(
            intent("replciate resync-backlog a/b"),
            Intent::Unknown { word: "replciate".into(), like: vec!["replicate"] }
        );
        assert_eq!(intent("mirror"), Intent::Unknown { word: "mirror".into(), like: vec![] });
        assert_eq!(intent(""), Intent::Commands(vec![]));
        assert_eq!(intent("replicate --help"), Intent::Commands(vec!["replicate".into()]));
        assert_eq!(intent("--version"), Intent::Version);
        assert_eq!(intent("--bogus"), run("--bogus"));
    }

    #[test]
    fn in_front_of_mc_only_the_command_itself_is_taken() {
        let share =
            |line: &str| share(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        for ours in [
            "replicate resync-backlog a/b",
            "--json -C replicate replicate --debug resync-backlog --help",
            "replicate resync-backlog --bogus a/b",
        ] {
            assert_eq!(share(ours), Share::Ours, "{ours}");
        }
        for both in ["replicate", "replicate --help", "--json replicate -h"] {
            assert_eq!(share(both), Share::Both, "{both}");
        }
        for theirs in [
            "",
            "--help",
            "--version",
            "ls replicate resync-backlog",
            "replicate resync start a/b",
            "replicate resync-backlgo a/b",
            "replicate --bogus",
            "-C replicate resync-backlog a/b",
            "--resolve replicate resync-backlog",
            "-- replicate resync-backlog a/b",
            "replicate -- resync-backlog a/b",
        ] {
            assert_eq!(share(theirs), Share::Theirs, "{theirs}");
        }
    }

    #[test]
    fn the_list_of_mc_gets_the_command_after_its_last_and_never_twice() {
        let mcs = "NAME:\n  mc replicate - x\n\nCOMMANDS:\n  add         add\n  remove, rm  remove\n  \nFLAGS:\n  --json\n";
        let both = listed_by_mc(mcs);
        let added = format!("  remove, rm  remove\n  resync-backlog  {ABOUT}\n  \nFLAGS:");
        assert!(both.contains(&added), "{both}");
        assert_eq!(listed_by_mc(&both), both);
        assert_eq!(
            listed_by_mc("another list\n"),
            format!("another list\n  resync-backlog  {ABOUT}\n")
        );
    }
}
