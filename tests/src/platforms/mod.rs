//! What is handed out does its job on other platforms, or as near to that as this machine comes: the programs of
//! `dist/` under qemu and Wine, installed by krew, and the contract as `wkg` gets it.
//!
//! `cargo xtask platforms` makes `dist/` and starts the program that uses this. It is no part of the daily tests,
//! because it takes what is handed out, for every platform, which is an hour of compiling.

mod programs;
mod registry;
mod windows;

use crate::fake::{Backlog, FakeServer, Options};
use crate::minio::workspace_root;
use crate::process::succeed;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Checks everything.
///
/// # Panics
/// When something does not hold.
pub fn hold() {
    for (claim, holds) in [
        ("the programs for Linux need nothing of the system", programs::need_nothing as fn()),
        ("the program for arm64 does its job under qemu", programs::under_qemu),
        ("the program for macOS is signed as it is", programs::signed_for_macos),
        ("krew installs the plugin from its manifest", programs::by_krew),
        ("wkg gets the component and the contract that were published", registry::by_wkg),
    ] {
        holds();
        say(claim);
    }
    let windows = windows::Windows::new();
    for (claim, holds) in windows::CLAIMS {
        holds(&windows);
        say(claim);
    }
}

fn say(claim: &str) {
    // Whoever reads this may be gone.
    let _ = writeln!(io::stdout(), "✓ {claim}");
}

/// A file of `dist/`.
fn dist(name: &str) -> PathBuf {
    let file = workspace_root().join("dist").join(name);
    assert!(file.exists(), "{} is missing: cargo xtask platforms", file.display());
    file
}

/// The archive of a platform, unpacked.
fn unpacked(target: &str) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let archive = dist(&format!("mc-wasi-{target}.tar.gz"));
    let _ = succeed(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder.path()));
    folder
}

const WORDS: [&str; 3] = ["replicate", "resync-backlog", "myaistor/mybucket"];

fn job(command: &mut Command) -> (Output, (u64, u64)) {
    let server = FakeServer::start(Options::with_backlog(Backlog::demo()));
    let output = command.args(WORDS).env("MC_HOST_myaistor", server.alias_url()).output();
    (output.unwrap_or_else(|error| panic!("{command:?}: {error}")), server.triggers())
}

fn triggers_everything(command: &mut Command) {
    let (output, triggers) = job(command);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), triggers), (Some(1), (148, 0)), "{told}");
}
