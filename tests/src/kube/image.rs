//! An image without a registry: a program and the libraries that it needs, in the form of `docker save`.
//!
//! The image that users make stands on a small distribution, which nobody can fetch here; what the program finds in
//! it are the same libraries and authorities.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// The authorities of Debian's `ca-certificates`.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Writes an archive with one image, whose program is in the folder that it is called in.
pub(super) fn write(archive: &Path, name: &str, program: &Path, command: &[&str]) {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path().join("root");
    let file = program.file_name().expect("a file").display().to_string();
    let place =
        command.first().map_or_else(|| format!("/usr/local/bin/{file}"), |path| (*path).to_owned());
    copy(program, &root, &place);
    for library in libraries(program) {
        copy(Path::new(&library), &root, &library);
    }
    if Path::new(AUTHORITIES).is_file() {
        copy(Path::new(AUTHORITIES), &root, AUTHORITIES);
    }
    tar(&folder.path().join("layer.tar"), &root, &["."]);
    fs::remove_dir_all(&root).expect("the folder");
    let layer = fs::read(folder.path().join("layer.tar")).expect("the layer");
    let digest: String = Sha256::digest(&layer).iter().map(|byte| format!("{byte:02x}")).collect();
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "config": { "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Entrypoint": command },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{digest}")] },
    });
    let manifest =
        json!([{ "Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"] }]);
    for (name, document) in [("config.json", config), ("manifest.json", manifest)] {
        fs::write(folder.path().join(name), document.to_string()).expect("a document");
    }
    tar(archive, folder.path(), &["manifest.json", "config.json", "layer.tar"]);
}

/// The files that `ldd` says a program is loaded with.
fn libraries(program: &Path) -> Vec<String> {
    let output = Command::new("ldd").arg(program).output().expect("ldd");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let path =
        |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(str::to_owned);
    text.lines().filter_map(path).collect()
}

/// Copies what a path leads to.
fn copy(from: &Path, root: &Path, place: &str) {
    let to = root.join(place.trim_start_matches('/'));
    fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
    fs::copy(from, &to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
}

fn tar(archive: &Path, folder: &Path, files: &[&str]) {
    let mut command = Command::new("tar");
    command.arg("--create").arg("--file").arg(archive).arg("--directory").arg(folder).args(files);
    assert!(command.status().expect("tar").success(), "{command:?}");
}
