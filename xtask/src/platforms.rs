//! Everything that is handed out, made as it is handed out and proved on each platform: what `cargo xtask test` does
//! not do, because four programs that are optimized as a whole take an hour and more.

use crate::{hosts, tools};
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};
use xtask::sh::{Result, build_all, built, cargo, headline, root, run};

/// Makes `dist/`, runs its tests, and tries what is in it on other platforms.
///
/// A program for arm64 runs under qemu and one for Windows under Wine; nothing here runs one for macOS.
pub fn all() -> Result {
    tools::wasm_target()?;
    headline("Tools: qemu, Wine, wkg, krew");
    tools::platforms()?;
    hosts::all()?;
    build_all()?;
    run(&mut Command::new(built("xtask-dist")))?;
    headline("The crates that programs may build on, as a registry would get them");
    packages()?;
    headline("Tests of dist/");
    run(&mut cargo("test --release --locked --package mc-wasi --test e2e dist::"))?;
    headline("On every platform that this machine can be");
    run(&mut Command::new(built("platforms")))
}

/// Makes the crates as a registry would get them, and compiles each from that.
///
/// `cargo package` verifies the second against the first in a registry that it makes in the target folder. It takes
/// what is in a registry to stay as it is: what it has unpacked and compiled of a version, it does not look at again.
/// Both are removed first, or the second would be verified against the first as it was in an earlier run.
fn packages() -> Result {
    let target = root().join("target/packages");
    let at_home = || env::home_dir().map(|home| home.join(".cargo"));
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(at_home);
    let sources = home.ok_or("no home folder: set CARGO_HOME")?.join("registry/src");
    let registries = fs::read_dir(sources).into_iter().flatten().flatten();
    // The name is the host's, and a hash; a registry in a folder has no host.
    let local = registries.filter(|it| it.file_name().as_encoded_bytes().starts_with(b"-"));
    let unpacked =
        local.map(|it| it.path().join(concat!("resync-core-", env!("CARGO_PKG_VERSION"))));
    for earlier in unpacked.chain([target.clone()]).filter(|folder| folder.exists()) {
        fs::remove_dir_all(&earlier).map_err(|error| format!("{}: {error}", earlier.display()))?;
    }
    let words = "package --locked --allow-dirty --package resync-core --package mc-wasi-policy";
    run(cargo(words).arg("--target-dir").arg(target))
}
