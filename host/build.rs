//! Builds the component and hands its path to the host, which embeds it.
//!
//! It has a target directory of its own, since the outer cargo holds the lock of the usual one. Only
//! a change below `guest/` or `wit/`, or of the lock file, builds it again.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

const TARGET: &str = "wasm32-wasip2";

fn main() {
    let root = root();
    for watched in ["guest", "wit", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    if !has_target(&rustc) {
        println!(
            "cargo::error=the Rust target {TARGET} is missing; add it with: rustup target add {TARGET}"
        );
        exit(1);
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let target_dir = target_dir(&out).join("component");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(&root)
        .args(["build", "--quiet", "--package", "mc-replicate-resync-backlog"])
        .args(["--target", TARGET, "--profile", "component", "--target-dir"])
        .arg(&target_dir)
        // Flags and wrappers of the outer build are for the outer target.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CARGO_BUILD_TARGET")
        .status();
    if !status.is_ok_and(|status| status.success()) {
        println!("cargo::error=the component did not build: see the errors above");
        exit(1);
    }
    let component = target_dir.join(TARGET).join("component/mc_replicate_resync_backlog.wasm");
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
