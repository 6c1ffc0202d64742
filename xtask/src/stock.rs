//! Hosts that are not ours, at the versions that stand in `tests/stock`.

use crate::sh::{Result, output, root, run, tool};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The wasmtime command, jco on Node, wasmtime-py.
pub fn hosts() -> Result {
    wasmtime()?;
    jco()?;
    wasmtime_py()
}

/// Only what the tests use of the wasmtime command: half the time to build it.
const WASMTIME_FEATURES: &str =
    "run,cranelift,component-model,wasi-http,parallel-compilation,backtrace,logging";

fn wasmtime() -> Result {
    let version = pinned("tests/stock/wasmtime/version.txt")?;
    let installed = output(Command::new(tool("wasmtime")).arg("--version")).unwrap_or_default();
    if installed.split_whitespace().nth(1) == Some(&version) {
        return Ok(());
    }
    let folder = root().join("target/tools");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo)
        .current_dir(root())
        .args(["install", "--locked", "--force", &format!("wasmtime-cli@{version}"), "--root"])
        .arg(&folder)
        .args(["--no-default-features", "--features", WASMTIME_FEATURES])
        // What it is made of is of no use afterwards.
        .env("CARGO_TARGET_DIR", folder.join("build")))?;
    fs::remove_dir_all(folder.join("build")).map_err(|error| error.to_string())
}

fn jco() -> Result {
    let (from, to) = (root().join("tests/stock/node"), root().join("target/tools/node"));
    if same(&from, &to, "package-lock.json") && to.join("node_modules/.package-lock.json").is_file()
    {
        return Ok(());
    }
    copy(&from, &to, "package.json")?;
    copy(&from, &to, "package-lock.json")?;
    run(Command::new("npm").current_dir(&to).args(["ci", "--no-audit", "--no-fund"])).map_err(
        |error| format!("{error}; Node 20 or newer with npm is needed: https://nodejs.org"),
    )
}

fn wasmtime_py() -> Result {
    let (from, to) = (root().join("tests/stock/python"), root().join("target/tools/python"));
    if same(&from, &to, "requirements.txt") {
        return Ok(());
    }
    let needed = |error| format!("{error}; Python 3.9 or newer with venv is needed");
    run(Command::new("python3").args(["-m", "venv"]).arg(&to)).map_err(needed)?;
    let pip = to.join("bin/pip");
    run(Command::new(pip).args(["install", "--quiet", "-r"]).arg(from.join("requirements.txt")))?;
    copy(&from, &to, "requirements.txt")
}

fn pinned(file: &str) -> Result<String> {
    let text = fs::read_to_string(root().join(file)).map_err(|error| format!("{file}: {error}"))?;
    Ok(text.trim().to_owned())
}

fn same(from: &Path, to: &Path, name: &str) -> bool {
    let (from, to) = (fs::read(from.join(name)).ok(), fs::read(to.join(name)).ok());
    from.is_some() && from == to
}

fn copy(from: &Path, to: &Path, name: &str) -> Result {
    fs::create_dir_all(to).map_err(|error| error.to_string())?;
    fs::copy(from.join(name), to.join(name)).map(|_| ()).map_err(|error| format!("{name}: {error}"))
}
