//! What is handed out goes through a registry with the programs that people have for that: oras, skopeo, wkg.

use super::{COMPONENT, dist, json};
use mc_wasi_tests::minio::tool;
use mc_wasi_tests::process::succeed;
use mc_wasi_tests::registry::Registry;
use mc_wasi_tests::stock::isolate;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const NAME: &str = "tools/mc-replicate-resync-backlog";
const TAG: &str = env!("CARGO_PKG_VERSION");

/// Runs a program in a folder that is its home, too, and expects success.
fn run(folder: &Path, program: impl AsRef<OsStr>, words: &[&str]) {
    let mut command = Command::new(program);
    isolate(&mut command, folder);
    let _ = succeed(command.current_dir(folder).args(words));
}

#[test]
fn oras_pulls_the_component_as_a_file_of_its_name() {
    let registry = Registry::start();
    registry.push(&dist("oci"), NAME, TAG);
    let folder = TempDir::new().expect("a folder");
    let from = format!("{}/{NAME}:{TAG}", registry.address());
    run(folder.path(), tool("bin/oras"), &["pull", "--plain-http", "--no-tty", &from]);
    let pulled = fs::read(folder.path().join(COMPONENT)).expect("the component is pulled");
    assert!(pulled == mc_wasi::COMPONENT, "the same bytes come back");
}

#[test]
fn skopeo_copies_artifact_and_image_to_a_registry_and_back_unchanged() {
    let registry = Registry::start();
    for layout in ["oci", "image"] {
        let folder = TempDir::new().expect("a folder");
        let from = format!("oci:{}:{TAG}", dist(layout).display());
        let there = format!("docker://{}/tools/{layout}:{TAG}", registry.address());
        let back = format!("oci:back:{TAG}");
        let copy = ["--insecure-policy", "copy", "--all"];
        run(
            folder.path(),
            "skopeo",
            &[&copy[..], &["--dest-tls-verify=false", &from, &there]].concat(),
        );
        run(
            folder.path(),
            "skopeo",
            &[&copy[..], &["--src-tls-verify=false", &there, &back]].concat(),
        );
        let index = fs::read(folder.path().join("back/index.json")).expect("a layout comes back");
        let index: serde_json::Value = serde_json::from_slice(&index).expect("JSON");
        let sent = json(&format!("{layout}/index.json"));
        assert_eq!(index["manifests"][0]["digest"], sent["manifests"][0]["digest"], "{layout}");
    }
}

#[test]
fn a_registry_that_refuses_is_named_with_what_it_says() {
    let registry = Registry::read_only();
    let refused = registry.publish();
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success());
    let begin = format!("xtask: {} did not take mc-replicate-resync-backlog: ", registry.address());
    assert!(told.starts_with(&begin) && told.contains("Method not allowed"), "{told}");
    assert!(told.contains("skopeo login"), "what to do: {told}");
}
