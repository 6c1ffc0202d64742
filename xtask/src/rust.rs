//! What the compiler needs for targets other than this machine.

use crate::sh::{Result, output, root, run};
use std::process::Command;

/// Adds a target to the pinned toolchain, where it is missing.
pub fn target(name: &str) -> Result {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(root()).args(["--print", "target-libdir", "--target", name]);
    let libdir = output(&mut rustc);
    if libdir
        .is_some_and(|dir| std::fs::read_dir(dir.trim()).is_ok_and(|mut dir| dir.next().is_some()))
    {
        return Ok(());
    }
    run(Command::new("rustup").current_dir(root()).args(["target", "add", name]))
        .map_err(|error| format!("{error}; install rustup from https://rustup.rs, or add the target {name} with your package manager"))
}
