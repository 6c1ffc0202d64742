//! A clock that is wrong: Debian's faketime, for one process.

use std::process::Command;

use crate::mcwasi::{McWasi, Ran};

/// Runs `mc-wasi replicate resync-backlog` under a clock of its own: what faketime takes, such as
/// `+20m`, or `+0 x100` for one that runs a hundred times too fast.
///
/// # Panics
/// When faketime is not installed.
pub fn run(mc: &McWasi, clock: &str, words: &[&str]) -> Ran {
    let real = mc.command([&["replicate", "resync-backlog"], words].concat());
    let mut command = Command::new("faketime");
    command.args(["--exclude-monotonic", "-f", clock]).arg(real.get_program());
    // Its own programs are found by PATH.
    command.args(real.get_args()).env_clear().env("PATH", "/usr/bin:/bin");
    command.envs(real.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.output().expect("faketime is missing; install it with: apt-get install faketime").into()
}
