//! What pods wait in: an image with `sleep` and the libraries that it needs, in the form of `docker save`. The one
//! that clusters have for this is nowhere to be had without their registry.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::process::succeed;

const PROGRAM: &str = "/bin/sleep";

/// Writes an archive with the image under this name.
pub(super) fn write(archive: &Path, name: &str) {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path().join("root");
    copy(PROGRAM, &root);
    for library in libraries() {
        copy(&library, &root);
    }
    tar(&folder.path().join("layer.tar"), &root, &["."]);
    fs::remove_dir_all(&root).expect("the folder");
    let layer = fs::read(folder.path().join("layer.tar")).expect("the layer");
    let digest: String = Sha256::digest(&layer).iter().map(|byte| format!("{byte:02x}")).collect();
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "config": { "Entrypoint": [PROGRAM, "infinity"] },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{digest}")] },
    });
    let manifest =
        json!([{ "Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"] }]);
    for (name, document) in [("config.json", config), ("manifest.json", manifest)] {
        fs::write(folder.path().join(name), document.to_string()).expect("a document");
    }
    tar(archive, folder.path(), &["manifest.json", "config.json", "layer.tar"]);
}

/// The files that `ldd` says it is loaded with.
fn libraries() -> Vec<String> {
    let listed = succeed(Command::new("ldd").arg(PROGRAM));
    let path =
        |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(str::to_owned);
    listed.lines().filter_map(path).collect()
}

/// Copies what a path leads to.
fn copy(path: &str, root: &Path) {
    let to = root.join(path.trim_start_matches('/'));
    fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
    fs::copy(path, &to).unwrap_or_else(|error| panic!("{path}: {error}"));
}

/// Puts files of a folder into an archive.
pub(super) fn tar(archive: &Path, folder: &Path, files: &[&str]) {
    let mut command = Command::new("tar");
    command.arg("--create").arg("--file").arg(archive).arg("--directory").arg(folder).args(files);
    let _ = succeed(&mut command);
}
