//! Hosts that are not ours, at the versions that stand in `tests/stock`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use xtask::python;
use xtask::sh::{Result, root, run, tool};

/// The wasmtime command, wasmtime-py, jco on Node, Deno and Bun, and what drives browsers.
pub fn all() -> Result {
    wasmtime()?;
    python::install("tests/stock/python/requirements.txt")?;
    jco()?;
    npm("runtimes")?;
    npm("browsers")
}

/// The program itself: the wheel's own command starts Python first, and pip does not make this one a
/// file that can be run.
fn wasmtime() -> Result {
    let program = tool("wasmtime");
    if !python::install("tests/stock/wasmtime/requirements.txt")? && program.is_file() {
        return Ok(());
    }
    let brought = python::library("wasmtime_cli/wasmtime")?;
    let place = |error| format!("{}: {error}", program.display());
    let _ = fs::remove_file(&program);
    program.parent().map_or(Ok(()), fs::create_dir_all).map_err(place)?;
    fs::copy(brought, &program).map_err(place)?;
    fs::set_permissions(&program, Permissions::from_mode(0o755)).map_err(place)
}

/// jco on Node, which also makes the component a module for everything else that runs JavaScript.
pub fn jco() -> Result {
    npm("node")
}

/// The packages of a folder of `tests/stock`.
fn npm(name: &str) -> Result {
    let (from, to) =
        (root().join("tests/stock").join(name), root().join("target/tools").join(name));
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

fn same(from: &Path, to: &Path, name: &str) -> bool {
    let (from, to) = (fs::read(from.join(name)).ok(), fs::read(to.join(name)).ok());
    from.is_some() && from == to
}

fn copy(from: &Path, to: &Path, name: &str) -> Result {
    fs::create_dir_all(to).map_err(|error| error.to_string())?;
    fs::copy(from.join(name), to.join(name)).map(|_| ()).map_err(|error| format!("{name}: {error}"))
}
