//! The hostile components of `tests/guests`, built once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::minio::workspace_root;

/// The file of a component.
///
/// # Panics
/// When the components do not build, or there is none of this name.
#[must_use]
pub fn guest(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let file = BUILT.get_or_init(build).join(format!("{name}.wasm"));
    assert!(file.is_file(), "there is no tests/guests/examples/{name}.rs");
    file
}

/// The names of all.
///
/// # Panics
/// When the folder cannot be read.
#[must_use]
pub fn names() -> Vec<String> {
    let folder = workspace_root().join("tests/guests/examples");
    let entries = std::fs::read_dir(folder).expect("tests/guests/examples");
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

fn build() -> PathBuf {
    let root = workspace_root();
    let target = root.join("target/guests");
    run(Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root.join("tests/guests"))
        .args(["build", "--release", "--locked", "--quiet", "--examples"])
        .args(["--target", "wasm32-wasip2", "--target-dir"])
        .arg(&target));
    target.join(Path::new("wasm32-wasip2/release/examples"))
}

fn run(command: &mut Command) {
    // Flags and wrappers of the outer build are for the outer target.
    for name in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER"] {
        command.env_remove(name);
    }
    let status = command.status().expect("cargo starts");
    assert!(
        status.success(),
        "the hostile components do not build; they need: rustup target add wasm32-wasip2"
    );
}
