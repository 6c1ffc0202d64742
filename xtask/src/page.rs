//! The page of `web/`, put together: its own files, jco's shim for browsers, and the component made a module.
//!
//! There is no other build step. What comes out is a folder of static files.

use crate::sh::{Result, root, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What suspends the component while it waits.
const SUSPENDS: [&str; 2] =
    ["wasi:io/poll@0.2.6#poll", "wasi:io/poll@0.2.6#[method]pollable.block"];

/// What a program calls that may wait.
const WAITS: [&str; 2] =
    ["wasi:cli/run@0.2.6#run", "mc-wasi:replicate/resync@0.2.0#[method]job.next"];

/// The packages of WASI that it imports.
const IMPORTS: [&str; 5] = ["cli", "clocks", "http", "io", "random"];

/// Makes the page for `component` in `folder`, in place of what is there.
///
/// # Errors
/// What is missing, with the command that brings it.
pub fn make(component: &Path, folder: &Path) -> Result {
    let packages = packages()?;
    let _ = fs::remove_dir_all(folder);
    copy(&root().join("web"), folder)?;
    copy(&packages.join("preview2-shim/dist/browser"), &folder.join("shim"))?;
    let license = packages.join("preview2-shim/LICENSE");
    fs::copy(&license, folder.join("shim/LICENSE")).map_err(told(&license))?;
    module(component, &folder.join("component"), |package| match package {
        // Requests go through the page's own file, which signs them.
        "http" => "../http.js".to_owned(),
        other => format!("../shim/{other}.js"),
    })
}

/// Makes a module of `component` in `folder` that suspends while it waits. `shim` says where, seen from
/// there, it finds a package of WASI.
///
/// # Errors
/// What is missing, with the command that brings it.
pub fn module(component: &Path, folder: &Path, shim: impl Fn(&str) -> String) -> Result {
    let mut command = Command::new("node");
    command.arg(packages()?.join("jco/dist/jco.js"));
    command.args(["transpile", "--quiet", "--no-typescript", "--name", "resync"]);
    command.args(["--async-mode", "jspi", "--async-imports"]).args(SUSPENDS);
    command.arg("--async-exports").args(WAITS);
    for package in IMPORTS {
        command.arg("--map").arg(format!("wasi:{package}/*={}#*", shim(package)));
    }
    run(command.arg("-o").arg(folder).arg(component))
}

/// jco and its shims.
fn packages() -> Result<PathBuf> {
    let packages = root().join("target/tools/node/node_modules/@bytecodealliance");
    if packages.is_dir() {
        return Ok(packages);
    }
    Err(format!("{} is missing: cargo xtask tools", packages.display()))
}

/// The files of a folder that has no folders in it.
fn copy(from: &Path, to: &Path) -> Result {
    fs::create_dir_all(to).map_err(told(to))?;
    for file in files(from)? {
        let name = file.file_name().unwrap_or_default();
        fs::copy(&file, to.join(name)).map_err(told(&file))?;
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(told(folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()).map_err(told(folder)));
    paths.filter(|path| !path.as_ref().is_ok_and(|path| path.is_dir())).collect()
}

fn told(path: &Path) -> impl Fn(std::io::Error) -> String + '_ {
    move |error| format!("{}: {error}", path.display())
}
