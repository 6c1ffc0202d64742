//! Makes `dist/`: everything that is handed out, from one set of component bytes.

mod oci;
mod sbom;
mod shells;

use crate::sh::{Result, built, cargo, headline, root, run};
use component_build::{NAME, REVISION};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The most a component may weigh: it is pulled by every pod and embedded in every binary.
const MAX_COMPONENT: usize = 700_000;

/// Makes `dist/` anew.
pub fn dist() -> Result {
    let dist = root().join("dist");
    let _ = fs::remove_dir_all(&dist);
    headline("The component, built twice from clean: here, and from a copy elsewhere");
    let component = component()?;
    println!("{} bytes, sha256 {}", component.len(), sha256(&component));
    headline("The host with these bytes in it");
    let host = host(&component)?;
    headline("dist/");
    write(&dist, &format!("{NAME}.wasm"), &component)?;
    write(&dist, &format!("{NAME}.wit.wasm"), &wit()?)?;
    write(&dist, "mc-wasi", &fs::read(host).map_err(|error| error.to_string())?)?;
    executable(&dist.join("mc-wasi"))?;
    for (name, text) in shells::all()? {
        write(&dist, &name, &text)?;
    }
    write(&dist, "sbom.cdx.json", sbom::of_component()?.as_bytes())?;
    write(&dist, "mc-wasi.cdx.json", sbom::of_host()?.as_bytes())?;
    oci::layout(&dist.join("oci"), &component)?;
    write(&dist, "SHA256SUMS", sums(&dist)?.as_bytes())?;
    run(Command::new("ls").arg("-l").arg(&dist))
}

/// The component. Two builds from clean, in different folders, must give the same bytes.
fn component() -> Result<Vec<u8>> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    // A copy has no git to ask.
    let revision = component_build::revision(&root()).unwrap_or_default();
    let copy = folder.path().join("copy");
    copy_sources(&copy)?;
    let build = |source: &Path, target: &str| -> Result<Vec<u8>> {
        let target = folder.path().join(target);
        let path = component_build::build_as(source, &target, Some(&revision))?;
        fs::read(path).map_err(|error| error.to_string())
    };
    let (here, elsewhere) = (build(&root(), "here")?, build(&copy, "elsewhere")?);
    if here != elsewhere {
        let (here, elsewhere) = (sha256(&here), sha256(&elsewhere));
        return Err(format!("the build is not reproducible: {here} here, {elsewhere} elsewhere"));
    }
    if here.len() > MAX_COMPONENT {
        return Err(format!("the component has {} bytes, {MAX_COMPONENT} at most", here.len()));
    }
    Ok(here)
}

/// Copies what git knows of the workspace.
fn copy_sources(to: &Path) -> Result {
    let list = Command::new("git").current_dir(root()).args(["ls-files", "-z"]).output();
    let list = list.map_err(|error| format!("git: {error}"))?.stdout;
    for name in String::from_utf8_lossy(&list).split('\0').filter(|name| !name.is_empty()) {
        let from = root().join(name);
        if from.is_file() {
            write(to, name, &fs::read(from).map_err(|error| format!("{name}: {error}"))?)?;
        }
    }
    Ok(())
}

/// The host binary, stripped, with exactly this component in it.
fn host(component: &[u8]) -> Result<PathBuf> {
    let revision = component_build::revision(&root()).unwrap_or_default();
    run(cargo("build --release").env(REVISION, revision))?;
    let stripped = root().join("target/mc-wasi.stripped");
    run(Command::new("strip").arg("-o").arg(&stripped).arg(built("mc-wasi")))
        .map_err(|error| format!("{error}; install binutils"))?;
    let binary = fs::read(&stripped).map_err(|error| error.to_string())?;
    if !binary.windows(component.len()).any(|window| window == component) {
        return Err("mc-wasi embeds another component than the one built from clean".to_owned());
    }
    Ok(stripped)
}

/// `wit/` as a package in one file, which tools take in the place of the folder.
fn wit() -> Result<Vec<u8>> {
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) =
        resolve.push_dir(root().join("wit")).map_err(|error| format!("wit: {error:#}"))?;
    wit_component::encode(&resolve, package).map_err(|error| format!("wit: {error:#}"))
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result {
    let path = folder.join(name);
    let parent = path.parent().map(fs::create_dir_all);
    parent.transpose().map_err(|error| error.to_string())?;
    fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

fn executable(path: &Path) -> Result {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(path, mode).map_err(|error| error.to_string())
}

/// `sha256sum` of every file, in the form `sha256sum --check` reads.
fn sums(dist: &Path) -> Result<String> {
    let mut lines = Vec::new();
    let mut folders = vec![dist.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| error.to_string())? {
            let path = entry.map_err(|error| error.to_string())?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(dist).unwrap_or(&path).display().to_string();
            let bytes = fs::read(&path).map_err(|error| error.to_string())?;
            lines.push(format!("{}  {name}\n", sha256(&bytes)));
        }
    }
    lines.sort_by(|a, b| a[64..].cmp(&b[64..]));
    Ok(lines.concat())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
