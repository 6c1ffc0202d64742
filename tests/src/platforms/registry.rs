//! What was published, as people of the component model get it.

use super::dist;
use crate::minio::tool;
use crate::process::succeed;
use crate::registry::Registry;
use crate::stock::isolate;
use crate::wit_component::{self, DecodedWasm};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const TAG: &str = env!("CARGO_PKG_VERSION");

/// Runs `wkg` in a folder that is its home, too.
fn wkg(folder: &Path, words: &[&str]) {
    let mut command = Command::new(tool("bin/wkg"));
    isolate(&mut command, folder);
    let _ = succeed(command.current_dir(folder).args(words));
}

pub(super) fn by_wkg() {
    let registry = Registry::start();
    let component = fs::read(dist("mc-replicate-resync-backlog.wasm")).expect("the component");
    let published = registry.publish();
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
        wkg(folder.path(), &words);
        fs::read(folder.path().join(file)).expect("it is got")
    };
    let contract = get("mc-wasi:replicate", "./contract.wasm");
    let Ok(DecodedWasm::WitPackage(resolve, package)) = wit_component::decode(&contract) else {
        panic!("no package")
    };
    assert_eq!(resolve.packages[package].name.to_string(), format!("mc-wasi:replicate@{TAG}"));
    let from = format!("{}/mc-replicate-resync-backlog:{TAG}", registry.address());
    let words = ["oci", "pull", "--insecure", registry.address(), &from, "-o", "pulled.wasm"];
    wkg(folder.path(), &words);
    let pulled = fs::read(folder.path().join("pulled.wasm")).expect("it is pulled");
    assert!(pulled == component, "the same bytes come back");
    // As a package the component has a namespace, which is a folder of the registry.
    registry.push(&dist("oci"), "mc-wasi/mc-replicate-resync-backlog", TAG);
    let got = get("mc-wasi:mc-replicate-resync-backlog", "./component.wasm");
    assert!(got == component, "the same bytes come back");
}
