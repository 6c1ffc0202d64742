//! What is handed out goes through a registry with the programs that people have for that: oras, skopeo, wkg.

use super::{COMPONENT, dist, json};
use mc_wasi_tests::minio::{tool, workspace_root};
use mc_wasi_tests::registry::Registry;
use mc_wasi_tests::stock::isolate;
use mc_wasi_tests::wit_component::{self, DecodedWasm};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const NAME: &str = "tools/mc-replicate-resync-backlog";
const TAG: &str = env!("CARGO_PKG_VERSION");

/// Runs a program in a folder that is its home, too, and expects success.
fn run(folder: &Path, program: impl AsRef<OsStr>, words: &[&str]) {
    let mut command = Command::new(program.as_ref());
    isolate(&mut command, folder);
    let output = command.current_dir(folder).args(words).output();
    let output = output.unwrap_or_else(|error| {
        panic!("{}: {error}; install it: cargo xtask tools", program.as_ref().display())
    });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
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

/// The task that pushes everything, as a user would run it.
fn publish(registry: &str) -> std::process::Output {
    let task = workspace_root().join("target/release/xtask-dist");
    let mut command = Command::new(task);
    command.args(["publish", registry, "--plain-http"]).output().expect("cargo build --release")
}

#[test]
fn a_registry_that_refuses_is_named_with_what_it_says() {
    let registry = Registry::read_only();
    let refused = publish(registry.address());
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success());
    let begin = format!("xtask: {} did not take mc-replicate-resync-backlog: ", registry.address());
    assert!(told.starts_with(&begin) && told.contains("Method not allowed"), "{told}");
    assert!(told.contains("skopeo login"), "what to do: {told}");
}

#[test]
#[ignore = "wkg takes minutes to build: cargo xtask platforms"]
fn wkg_gets_the_component_and_the_contract_that_were_published() {
    let registry = Registry::start();
    let published = publish(registry.address());
    assert!(published.status.success(), "{}", String::from_utf8_lossy(&published.stderr));
    let folder = TempDir::new().expect("a folder");
    let settings = format!(
        "[namespace_registries]\nmc-wasi = {{ registry = \"{0}\", metadata = {{ preferredProtocol = \"oci\", \
         oci = {{ registry = \"{0}\", namespacePrefix = \"\" }} }} }}\n\
         [registry.\"{0}\".oci]\nprotocol = \"http\"\n",
        registry.address()
    );
    fs::write(folder.path().join("config.toml"), settings).expect("settings");
    let get = |name: &str, file: &str| {
        let name = format!("{name}@{TAG}");
        let words = ["get", "--config", "config.toml", "--format", "wasm", "-o", file, &name];
        run(folder.path(), tool("bin/wkg"), &words);
        fs::read(folder.path().join(file)).expect("it is got")
    };
    let contract = get("mc-wasi:replicate", "./contract.wasm");
    let Ok(DecodedWasm::WitPackage(resolve, package)) = wit_component::decode(&contract) else {
        panic!("no package")
    };
    assert_eq!(resolve.packages[package].name.to_string(), format!("mc-wasi:replicate@{TAG}"));
    let from = format!("{}/mc-replicate-resync-backlog:{TAG}", registry.address());
    let words = ["oci", "pull", "--insecure", registry.address(), &from, "-o", "pulled.wasm"];
    run(folder.path(), tool("bin/wkg"), &words);
    let pulled = fs::read(folder.path().join("pulled.wasm")).expect("it is pulled");
    assert!(pulled == mc_wasi::COMPONENT, "the same bytes come back");
    // As a package the component has a namespace, which is a folder of the registry.
    registry.push(&dist("oci"), "mc-wasi/mc-replicate-resync-backlog", TAG);
    let got = get("mc-wasi:mc-replicate-resync-backlog", "./component.wasm");
    assert!(got == mc_wasi::COMPONENT, "the same bytes come back");
}
