//! Builds the component and hands its path to the host, which embeds it, with what the host says of
//! itself: the commit it was built from and the version of wasmtime.
//!
//! The component has a target directory of its own, since the outer cargo holds the lock of the usual
//! one. It is built again when something in [`INPUTS`] changes: its sources, its contract, the
//! manifest, the lock file or the toolchain.

#[path = "src/settings.rs"]
mod settings;

use component_build::{INPUTS, REVISION, TARGET};
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

fn main() {
    let root = root();
    let inputs = INPUTS.iter().map(|input| root.join(input));
    for watched in inputs.chain(component_build::commit_watch(&root)) {
        println!("cargo::rerun-if-changed={}", watched.display());
    }
    println!("cargo::rerun-if-env-changed={REVISION}");
    match component(&root) {
        Ok(component) => {
            println!("cargo::rustc-env=MC_WASI_COMPONENT={}", component.display());
            println!("cargo::rustc-env=MC_WASI_CODE={}", code(&component).display());
        }
        Err(error) => {
            println!("cargo::error={error}");
            exit(1);
        }
    }
    let commit = component_build::commit(&root).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=MC_WASI_COMMIT={commit}");
    let wasmtime =
        component_build::locked_version(&root, "wasmtime").unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=MC_WASI_WASMTIME={wasmtime}");
}

fn component(root: &Path) -> Result<PathBuf, String> {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    if !has_target(&rustc) {
        return Err(format!(
            "the Rust target {TARGET} is missing; add it with: rustup target add {TARGET}"
        ));
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    component_build::build(root, &target_dir(&out).join("component"))
}

/// Compiles the component for the processor that the program is for, whichever of its kind that is, and returns the
/// file of the code. Without a compiler for it the file is empty, and the program compiles the component itself.
fn code(component: &Path) -> PathBuf {
    let file = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("component.code");
    let make = || {
        let mut config = settings::settings();
        config.target(&env::var("TARGET").unwrap_or_default())?;
        wasmtime::Engine::new(&config)?.precompile_component(&std::fs::read(component)?)
    };
    let code = make().unwrap_or_else(|error: wasmtime::Error| {
        println!("cargo::warning=the program will compile the component itself: {error:#}");
        Vec::new()
    });
    if let Err(error) = std::fs::write(&file, code) {
        println!("cargo::error={}: {error}", file.display());
    }
    file
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
