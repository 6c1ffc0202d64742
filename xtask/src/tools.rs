//! Brings what the build and the tests need and the machine may lack.

use crate::{fuzz, hosts};
use std::path::{Path, PathBuf};
use std::process::Command;
use xtask::rust;
use xtask::sh::{Result, cargo, is_root, output, root, run, tool};

/// What people get packages of the component model with.
const WKG: &str = "0.16.1";

/// What people get plugins of kubectl with.
const KREW: &str = "sigs.k8s.io/krew/cmd/krew@v0.4.3";

/// Everything the tests need.
pub fn all() -> Result {
    wasm_target()?;
    go_tools()?;
    hosts::all()?;
    debian(&[
        "tinyproxy",
        "faketime",
        "docker-registry",
        "nginx",
        "haproxy",
        "squid",
        "microsocks",
        "openssl",
        "skopeo",
        "runc",
        "rpm",
        "chromium",
        "firefox-esr",
    ])?;
    fuzz::tool()
}

/// What `cargo xtask platforms` needs beside that.
pub fn platforms() -> Result {
    go_tools()?;
    debian(&["docker-registry", "skopeo", "runc", "rpm", "wine", "qemu-aarch64:qemu-user"])?;
    go_program(KREW, &bin())?;
    // Cargo asks whether it is there. It copies a few files: what optimizing it takes is saved.
    let words = format!("install --quiet --locked --root target/tools wkg@{WKG}");
    run(cargo(&words).env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"))
}

/// What the tests and the benchmark need of Go.
pub fn servers() -> Result {
    wasm_target()?;
    go_tools()
}

/// Programs, each of the Debian package of its name, or of `program:package`. Only root can install one.
pub fn debian(programs: &[&str]) -> Result {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    // Debian's users do not have it among their folders.
    path.push(":/usr/sbin");
    let is_there =
        |program: &str| std::env::split_paths(&path).any(|dir| dir.join(program).is_file());
    let named =
        programs.iter().map(|program| program.split_once(':').unwrap_or((program, program)));
    let missing: Vec<&str> =
        named.filter(|(program, _)| !is_there(program)).map(|(_, package)| package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(" ");
    let needed = |error| format!("{error}; the tests need it: sudo apt-get install {missing}");
    if !is_root() {
        return Err(needed(format!("missing: {missing}")));
    }
    // The lists of a fresh machine are empty or old.
    run(Command::new("apt-get").arg("update")).map_err(needed)?;
    run(Command::new("apt-get")
        .args(["install", "-y", "--no-install-recommends"])
        .args(missing.split(' ')))
    .map_err(needed)
}

/// The Rust target of the component.
pub fn wasm_target() -> Result {
    rust::target("wasm32-wasip2")
}

/// MinIO and mc, at the versions of `tests/tools.txt`, dex, and the Go peer.
fn go_tools() -> Result {
    for module in lines("tests/tools.txt")? {
        go_program(&module, &bin())?;
    }
    for (folder, package) in [("dex", "github.com/dexidp/dex/cmd/dex"), ("peer", ".")] {
        let program = tool(folder).display().to_string();
        let mut go = Command::new("go");
        go.current_dir(root().join("tests").join(folder)).args(["build", "-o", &program, package]);
        run(&mut go).map_err(needs_go)?;
    }
    Ok(())
}

/// What a list names, one thing a line; `#` begins a comment.
pub fn lines(list: &str) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(root().join(list));
    let text = text.map_err(|error| format!("{list}: {error}"))?;
    let named = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    Ok(named.map(str::to_owned).collect())
}

/// Installs a Go program into the folder, unless it is there in this version.
pub fn go_program(module: &str, folder: &Path) -> Result {
    let (path, version) = module.split_once('@').ok_or(format!("{module}: not module@version"))?;
    let name = path.rsplit('/').next().unwrap_or(path);
    if has_version(&folder.join(name), version) {
        return Ok(());
    }
    run(Command::new("go").current_dir(root()).args(["install", module]).env("GOBIN", folder))
        .map_err(needs_go)
}

fn needs_go(error: String) -> String {
    format!("{error}; Go 1.24 or newer is needed: https://go.dev/dl/")
}

fn bin() -> PathBuf {
    root().join("target/tools/bin")
}

/// Whether the binary is of this version, by what Go wrote into it.
fn has_version(binary: &Path, version: &str) -> bool {
    let info = output(Command::new("go").args(["version", "-m"]).arg(binary));
    info.is_some_and(|info| {
        info.lines().any(|line| line.trim_start().starts_with("mod") && line.contains(version))
    })
}
