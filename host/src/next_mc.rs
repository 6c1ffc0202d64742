//! The `mc` behind this one. Linked or installed as `mc`, this program is `mc replicate resync-backlog` and hands
//! every other command line over to the next `mc` of `PATH`.
//!
//! That one takes the place of this process, so that terminal, signals, completion and exit status are its own. None
//! is asked twice: the files of `PATH` are gone through in their order, each once however many links it has, and only
//! those after this one are looked at. So copies of this program hand over from one to the next. What `PATH` cannot
//! show, a script that calls `mc` again, is known by how often a line was handed over.

use mc_wasi_policy::command_words::{self, Share};
use resync_core::report::Message;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const NAME: &str = "mc";

/// Names the `mc` to hand over to, whatever `PATH` says.
const CHOSEN: &str = "MC_WASI_MC";

/// How often a command line was handed over already, by this process or those that started it.
const HANDED_OVER: &str = "MC_WASI_HANDED_OVER";

/// `mc` starts further ones only with `find --exec`, and nobody nests that. A few copies of this program in `PATH`
/// are possible, more than these are a circle.
const CIRCLE: u32 = 10;

/// What a shell sets for a program that it asks for completions. Of these `mc` knows more than this program.
const COMPLETION: &str = "COMP_LINE";

/// What has become of a command line.
pub(crate) enum Fate {
    /// It is for this program.
    Ours,
    /// The next `mc` has said this, to which the command of this program belongs, and ended so.
    Listed(String, u8),
}

/// Hands over what is not for this program, and only returns with what is, or in a circle.
///
/// # Errors
/// There is no other `mc`, or it cannot be run.
pub(crate) fn hand_over(words: &[OsString]) -> Result<Fate, Message> {
    let Some((own_name, rest)) = words.split_first() else { return Ok(Fate::Ours) };
    if Path::new(own_name).file_name() != Some(OsStr::new(NAME)) {
        return Ok(Fate::Ours);
    }
    let text: Vec<String> = rest.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let completes = std::env::var_os(COMPLETION).is_some();
    let share = if completes { Share::Theirs } else { command_words::share(&text) };
    if share == Share::Ours {
        return Ok(Fate::Ours);
    }
    let next = next()?;
    let times = std::env::var(HANDED_OVER).ok().and_then(|times| times.parse().ok()).unwrap_or(0);
    let unable =
        |cause: String| Message::fatal(format!("Unable to run `{}`.", next.display()), cause);
    if times >= CIRCLE {
        return Err(unable(format!(
            "It calls this program again, and was called from here {times} times. {CHOSEN} names another one."
        )));
    }
    let mut command = Command::new(&next);
    command.arg0(own_name).args(rest).env(HANDED_OVER, (times + 1).to_string());
    let failed = |error: std::io::Error| unable(format!("{error}. {CHOSEN} names another one."));
    if share == Share::Theirs {
        return Err(failed(command.exec()));
    }
    let ended =
        command.stdin(Stdio::inherit()).stderr(Stdio::inherit()).output().map_err(failed)?;
    let said = String::from_utf8_lossy(&ended.stdout);
    let said =
        if ended.status.success() { command_words::listed_by_mc(&said) } else { said.into() };
    let status = ended.status.code().and_then(|status| u8::try_from(status).ok());
    Ok(Fate::Listed(said, status.unwrap_or(1)))
}

/// The file to hand over to.
fn next() -> Result<PathBuf, Message> {
    // The link of the kernel leads to the file also after an update has put another one in its place.
    let own = fs::metadata("/proc/self/exe")
        .or_else(|_| std::env::current_exe().and_then(fs::metadata))
        .map_err(|error| Message::fatal("Unable to find the next `mc`.", error.to_string()))?;
    let Some(chosen) = std::env::var_os(CHOSEN).filter(|chosen| !chosen.is_empty()) else {
        return after(&own, std::env::var_os("PATH"));
    };
    let chosen = PathBuf::from(chosen);
    let wrong = match executable(&chosen) {
        Ok(found) if is_same(&found, &own) => "It is this program itself.".to_owned(),
        Ok(_) => return Ok(chosen),
        Err(cause) => cause,
    };
    let message = format!("Unable to run `{}`, which {CHOSEN} names.", chosen.display());
    Err(Message::fatal(message, wrong))
}

/// The `mc` of `PATH` after this one.
fn after(own: &Metadata, path: Option<OsString>) -> Result<PathBuf, Message> {
    let path = path.unwrap_or_default();
    let mut unfit = Vec::new();
    let mut found: Vec<(PathBuf, Metadata)> = Vec::new();
    // What is in the folder of the moment must not become a command, as in mc itself.
    for file in
        std::env::split_paths(&path).filter(|dir| dir.is_absolute()).map(|dir| dir.join(NAME))
    {
        match executable(&file) {
            Ok(data) if found.iter().any(|(_, known)| is_same(known, &data)) => {}
            Ok(data) => found.push((file, data)),
            Err(cause) if fs::symlink_metadata(&file).is_ok() => {
                unfit.push(format!("{}: {cause}", file.display()));
            }
            Err(_) => {}
        }
    }
    let behind = found.iter().position(|(_, data)| is_same(data, own)).map_or(0, |at| at + 1);
    if let Some((file, _)) = found.into_iter().nth(behind) {
        return Ok(file);
    }
    let looked = if path.is_empty() {
        "PATH is not set or empty".to_owned()
    } else if unfit.is_empty() {
        format!("PATH is {}", path.to_string_lossy())
    } else {
        unfit.join("; ")
    };
    Err(Message::fatal(
        "There is no other `mc` to run this.",
        format!(
            "Under this name mc-wasi adds `replicate resync-backlog` to the next `mc` of PATH; {looked}. {CHOSEN} names one that is elsewhere."
        ),
    ))
}

/// What is known of a file that can be run.
fn executable(file: &Path) -> Result<Metadata, String> {
    let data = fs::metadata(file).map_err(|error| error.to_string())?;
    if !data.is_file() {
        return Err("It is not a file.".to_owned());
    }
    if data.permissions().mode() & 0o111 == 0 {
        return Err("It is not executable.".to_owned());
    }
    Ok(data)
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}
