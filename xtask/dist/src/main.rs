//! `cargo xtask dist`: makes `dist/`, everything that is handed out, from one set of component bytes.
//!
//! The host is built in the profile `dist`, which takes many minutes. `--as-tested` takes the one that the tests
//! run instead: they look at what is in `dist/`, not at how fast it is.

mod files;
mod oci;
mod sbom;
mod shells;

use component_build::{MAX_BYTES, NAME};
use files::{executable, sha256, sums, write};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use xtask::sh::{Result, build_all, build_handed_out, built, handed_out, headline, root, run};

fn main() -> ExitCode {
    let as_tested = std::env::args().skip(1).any(|word| word == "--as-tested");
    match dist(as_tested) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn dist(as_tested: bool) -> Result {
    let dist = root().join("dist");
    let _ = fs::remove_dir_all(&dist);
    headline("The component, built twice from clean: here, and from a copy elsewhere");
    let component = component()?;
    println!("{} bytes, sha256 {}", component.len(), sha256(&component));
    headline("The host with these bytes in it");
    let host = host(&component, as_tested)?;
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
    if here.len() > MAX_BYTES {
        return Err(format!("the component has {} bytes, {MAX_BYTES} at most", here.len()));
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
fn host(component: &[u8], as_tested: bool) -> Result<PathBuf> {
    let built = if as_tested {
        build_all()?;
        built("mc-wasi")
    } else {
        build_handed_out()?;
        handed_out()
    };
    let stripped = root().join("target/mc-wasi.stripped");
    run(Command::new("strip").arg("-o").arg(&stripped).arg(built))
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
