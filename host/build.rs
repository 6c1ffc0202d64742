//! Builds the component and hands its path to the host, which embeds it.
//!
//! It has a target directory of its own, since the outer cargo holds the lock of the usual one. Only
//! a change below `guest/` or `wit/`, or of the lock file, builds it again.

use component_build::{INPUTS, REVISION, TARGET};
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

fn main() {
    let root = root();
    for watched in INPUTS {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    println!("cargo::rerun-if-env-changed={REVISION}");
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    if !has_target(&rustc) {
        println!(
            "cargo::error=the Rust target {TARGET} is missing; add it with: rustup target add {TARGET}"
        );
        exit(1);
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let component = match component_build::build(&root, &target_dir(&out).join("component")) {
        Ok(component) => component,
        Err(error) => {
            println!("cargo::error={error}");
            exit(1);
        }
    };
    println!("cargo::rustc-env=MC_WASI_COMPONENT={}", component.display());
    let revision = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    let revision = revision.ok().filter(|output| output.status.success());
    let revision = revision.and_then(|output| String::from_utf8(output.stdout).ok());
    println!(
        "cargo::rustc-env=MC_WASI_REVISION={}",
        revision.as_deref().map_or("unknown", str::trim)
    );
}

fn root() -> PathBuf {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    manifest.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// The outer target directory: `OUT_DIR` is `<target>/<profile>/build/<package>/out`, with the
/// triple in front of the profile when cross-compiling.
fn target_dir(out: &Path) -> PathBuf {
    out.ancestors().nth(4).map(Path::to_path_buf).unwrap_or_default()
}

/// Whether the standard library for the target is there. Without it the build would fail with
/// "can't find crate for `core`" and no remedy.
fn has_target(rustc: &str) -> bool {
    let libdir =
        Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    libdir.ok().and_then(|output| String::from_utf8(output.stdout).ok()).is_some_and(|dir| {
        std::fs::read_dir(dir.trim()).is_ok_and(|mut entries| entries.next().is_some())
    })
}
