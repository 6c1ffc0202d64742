//! Packages of Debian's and Red Hat's form, both by nfpm from one description, and archives with the program alone,
//! which `cargo binstall` and krew unpack.

use crate::archive::{File, gzip, tar};
use crate::files::{sha256, write};
use crate::platforms::Platform;
use crate::revision::Revision;
use crate::sbom::SUPPLIER;
use component_build::NAME;
use resync_core::command::{ABOUT, PLUGIN};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use xtask::python;
use xtask::sh::{Result, root, run};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where a package has the program; the unit of `docs/` has it where an administrator puts one by hand.
const BY_PACKAGE: &str = "/usr/bin/mc-wasi";
const BY_HAND: &str = "/usr/local/bin/mc-wasi";

/// The variable with the address below which the archives of the release will be.
const ADDRESS: &str = "MC_WASI_RELEASE";

/// Where no address is known yet: krew takes the archive from the disk then (`--archive`).
const NOWHERE: &str = "https://releases.example.net/mc-wasi";

const UNITS: &str = "/usr/lib/systemd/system";

/// Makes both packages of `dist/`, for an architecture as Go calls it.
pub fn of_linux(dist: &Path, architecture: &str, program: &[u8]) -> Result {
    let staged = tempfile::tempdir().map_err(|error| error.to_string())?;
    let staged = staged.path();
    let stage = |name: &str, bytes: &[u8]| write(staged, name, bytes);
    stage("mc-wasi", program)?;
    let page = fs::read(dist.join(format!("man/{PLUGIN}.1"))).map_err(|e| e.to_string())?;
    stage("man.gz", &gzip(&page)?)?;
    let unit = root().join(format!("docs/{PLUGIN}.service"));
    let unit = fs::read_to_string(unit).map_err(|error| error.to_string())?;
    if !unit.contains(BY_HAND) {
        return Err(format!("docs/{PLUGIN}.service does not start {BY_HAND}"));
    }
    stage("service", unit.replace(BY_HAND, BY_PACKAGE).as_bytes())?;
    for form in ["deb", "rpm"] {
        let description = description(dist, staged, architecture, form);
        stage("nfpm.json", description.to_string().as_bytes())?;
        run(Command::new(python::program("nfpm"))
            .args(["package", "--packager", form, "--config"])
            .arg(staged.join("nfpm.json"))
            .arg("--target")
            .arg(dist)
            .env("SOURCE_DATE_EPOCH", &Revision::get()?.seconds))?;
    }
    Ok(())
}

/// What nfpm makes a package of.
fn description(dist: &Path, staged: &Path, architecture: &str, form: &str) -> Value {
    let zsh = if form == "deb" { "vendor-completions" } else { "site-functions" };
    let mut contents = Vec::new();
    let mut put = |from: &Path, to: String, mode: u32| {
        contents.push(json!({"src": from, "dst": to, "file_info": {"mode": mode}}));
    };
    put(&staged.join("mc-wasi"), BY_PACKAGE.to_owned(), 0o755);
    put(&staged.join("man.gz"), format!("/usr/share/man/man1/{PLUGIN}.1.gz"), 0o644);
    put(&staged.join("service"), format!("{UNITS}/{PLUGIN}.service"), 0o644);
    let docs = root().join("docs");
    put(&docs.join(format!("{PLUGIN}.timer")), format!("{UNITS}/{PLUGIN}.timer"), 0o644);
    put(&root().join("LICENSE"), "/usr/share/doc/mc-wasi/copyright".to_owned(), 0o644);
    for name in ["mc-wasi", PLUGIN] {
        let completions = dist.join("completions");
        let bash = format!("/usr/share/bash-completion/completions/{name}");
        put(&completions.join(format!("{name}.bash")), bash, 0o644);
        put(&completions.join(format!("_{name}")), format!("/usr/share/zsh/{zsh}/_{name}"), 0o644);
        let fish = format!("/usr/share/fish/vendor_completions.d/{name}.fish");
        put(&completions.join(format!("{name}.fish")), fish, 0o644);
    }
    contents
        .push(json!({"type": "symlink", "src": "mc-wasi", "dst": format!("/usr/bin/{PLUGIN}")}));
    // What the unit reads holds keys.
    contents.push(json!({"type": "dir", "dst": "/etc/mc-wasi", "file_info": {"mode": 0o700}}));
    json!({
        "name": "mc-wasi", "arch": architecture, "platform": "linux", "version": VERSION,
        "release": "1", "section": "utils", "priority": "optional",
        "maintainer": SUPPLIER, "vendor": SUPPLIER,
        "description": ABOUT, "license": env!("CARGO_PKG_LICENSE"), "disable_globbing": true,
        "contents": contents, "rpm": {"buildhost": "localhost"},
    })
}

/// Makes the archive of a platform and returns its name.
pub fn archive(dist: &Path, platform: &Platform, program: &[u8]) -> Result<String> {
    let name = format!("mc-wasi-{}.tar.gz", platform.target);
    let license = fs::read(root().join("LICENSE")).map_err(|error| error.to_string())?;
    let files = [
        File { name: platform.file(), mode: 0o755, bytes: program },
        File { name: "LICENSE", mode: 0o644, bytes: &license },
    ];
    write(dist, &name, &gzip(&tar(&files)?)?)?;
    Ok(name)
}

/// The manifest of the kubectl plugin, for krew.
pub fn krew(dist: &Path, archives: &[(&Platform, String)]) -> Result {
    let address = std::env::var(ADDRESS).ok().filter(|address| !address.is_empty());
    let address = address.unwrap_or_else(|| NOWHERE.to_owned());
    let mut platforms = Vec::new();
    for (platform, archive) in archives {
        let bytes = fs::read(dist.join(archive)).map_err(|error| format!("{archive}: {error}"))?;
        platforms.push(json!({
            "selector": {"matchLabels": {"os": platform.os, "arch": platform.architecture}},
            "uri": format!("{}/{archive}", address.trim_end_matches('/')),
            "sha256": sha256(&bytes),
            "files": [{"from": platform.file(), "to": "."}, {"from": "LICENSE", "to": "."}],
            "bin": platform.file(),
        }));
    }
    let manifest = json!({
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": NAME},
        "spec": {
            "version": format!("v{VERSION}"),
            "shortDescription": "Trigger a MinIO replication backlog",
            "description": format!("{ABOUT}.\nIt runs as a WebAssembly component that holds no keys."),
            "platforms": platforms,
        },
    });
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| error.to_string())?;
    // JSON is YAML, which is what krew reads.
    write(dist, &format!("krew/{NAME}.yaml"), text.as_bytes())
}
