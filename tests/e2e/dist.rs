//! What `cargo xtask dist` made is complete, and is what was tested.

mod image;
mod packages;
mod registry;

use crate::MC_WASI;
use mc_wasi_tests::fake::{Backlog, FakeServer, Options};
use mc_wasi_tests::minio::workspace_root;
use mc_wasi_tests::registry::Registry;
use mc_wasi_tests::stock::{Host, Stage};
use mc_wasi_tests::wasm_metadata;
use mc_wasi_tests::wit_component::{self, DecodedWasm};
use resync_core::command::{Class, FLAGS};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const COMPONENT: &str = "mc-replicate-resync-backlog.wasm";

/// A file of `dist/`, which must hold the component of this build.
fn dist(name: &str) -> PathBuf {
    let folder = workspace_root().join("dist");
    let remedy = "make it with:\n\n    cargo xtask dist\n";
    let component = fs::read(folder.join(COMPONENT));
    let component = component.unwrap_or_else(|_| panic!("dist/ is missing; {remedy}"));
    assert!(component == mc_wasi::COMPONENT, "dist/ is of another build; {remedy}");
    folder.join(name)
}

fn read(name: &str) -> Vec<u8> {
    let path = dist(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(name: &str) -> String {
    String::from_utf8(read(name)).expect("text")
}

fn json(name: &str) -> Value {
    serde_json::from_slice(&read(name)).expect("JSON")
}

#[test]
fn the_component_is_small_and_says_what_it_is() {
    let component = read(COMPONENT);
    assert!(component.len() <= component_build::MAX_BYTES, "{} bytes", component.len());
    let payload = wasm_metadata::Payload::from_binary(&component).expect("metadata");
    let metadata = payload.metadata();
    assert_eq!(metadata.name.as_deref(), Some("mc-replicate-resync-backlog"));
    let said = |field: Option<String>| field.unwrap_or_default();
    assert_eq!(said(metadata.licenses.as_ref().map(ToString::to_string)), "Apache-2.0");
    assert_eq!(said(metadata.version.as_ref().map(ToString::to_string)), env!("CARGO_PKG_VERSION"));
    assert!(said(metadata.authors.as_ref().map(ToString::to_string)).contains("mc-wasi"));
    let revision = said(metadata.revision.as_ref().map(ToString::to_string));
    assert!(revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit()), "{revision}");
    let producers = metadata.producers.as_ref().expect("producers");
    let made =
        |by| producers.get(by).map(|tools| tools.iter().map(|(name, _)| name.clone()).collect());
    assert_eq!(made("language"), Some(vec!["Rust".to_owned()]));
    assert!(
        made("processed-by").is_some_and(|tools: Vec<String>| tools.contains(&"rustc".to_owned()))
    );
    let text = String::from_utf8_lossy(&component);
    let machine = workspace_root().display().to_string();
    let home = std::env::var("HOME").unwrap_or_default();
    for folder in [machine, format!("{home}/.cargo"), format!("{home}/.rustup")] {
        assert!(!text.contains(&folder), "{folder} is in the component");
    }
}

#[test]
fn its_wit_is_a_package_with_the_same_interface() {
    let decoded = wit_component::decode(&read("mc-replicate-resync-backlog.wit.wasm"));
    let Ok(DecodedWasm::WitPackage(resolve, package)) = decoded else { panic!("no package") };
    let package = &resolve.packages[package];
    assert_eq!(package.name.to_string(), "mc-wasi:replicate@0.2.0");
    let resync = &resolve.interfaces[package.interfaces["resync"]];
    assert!(resync.docs.contents.is_some() && !resync.types.is_empty());
    assert!(resync.functions.keys().any(|name| name == "[method]job.next"));
    let Ok(DecodedWasm::Component(resolve, world)) = wit_component::decode(&read(COMPONENT)) else {
        panic!("no component")
    };
    let exports = &resolve.worlds[world].exports;
    let exports: BTreeSet<String> = exports.keys().map(|key| resolve.name_world_key(key)).collect();
    let expected = ["wasi:cli/run@0.2.6", "mc-wasi:replicate/resync@0.2.0"];
    assert_eq!(exports, BTreeSet::from(expected.map(str::to_owned)));
}

#[test]
fn the_sums_are_right_and_name_every_file() {
    let sums = dist("SHA256SUMS");
    let folder = sums.parent().expect("dist");
    let output = Command::new("sha256sum")
        .current_dir(folder)
        .args(["--check", "--strict", "SHA256SUMS"])
        .output()
        .expect("sha256sum");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let sums = text("SHA256SUMS");
    for name in [
        COMPONENT,
        "mc-wasi",
        "sbom.cdx.json",
        "oci/index.json",
        "man/mc-replicate-resync-backlog.1",
    ] {
        assert!(sums.lines().any(|line| line.ends_with(&format!("  {name}"))), "{name}");
    }
}

#[test]
fn the_host_in_it_runs_the_component_in_it() {
    let server = FakeServer::start(Options::with_backlog(Backlog::demo()));
    let output = Command::new(dist("mc-wasi"))
        .args(["replicate", "resync-backlog", "myaistor/mybucket"])
        .env_clear()
        .env("MC_HOST_myaistor", server.alias_url())
        .output()
        .expect("mc-wasi starts");
    assert_eq!((output.status.code(), server.triggers()), (Some(1), (148, 0)));
    let binary = read("mc-wasi");
    let component = mc_wasi::COMPONENT;
    assert!(binary.windows(component.len()).any(|window| window == component));
}

#[test]
fn the_bills_of_materials_name_every_crate_that_is_linked_once_and_no_other() {
    let wasmtime = component_build::locked_version(&workspace_root(), "wasmtime");
    let wasmtime = format!("pkg:cargo/wasmtime@{}", wasmtime.expect("a version"));
    for (name, has, lacks) in [
        ("sbom.cdx.json", "pkg:cargo/serde_json@", "pkg:cargo/wasmtime@"),
        // Of a macro: it runs in the compiler.
        ("sbom.cdx.json", "pkg:github/rust-lang/rust@", "pkg:cargo/syn@"),
        ("sbom.cdx.json", "pkg:cargo/wit-bindgen@", "pkg:cargo/wit-parser@"),
        ("mc-wasi.cdx.json", wasmtime.as_str(), "pkg:cargo/proptest@"),
        ("mc-wasi.cdx.json", "pkg:cargo/ring@", "pkg:cargo/serde_derive@"),
    ] {
        let bill = json(name);
        assert_eq!(
            (&bill["bomFormat"], &bill["specVersion"]),
            (&"CycloneDX".into(), &"1.5".into())
        );
        let components = bill["components"].as_array().expect("components");
        let listed: Vec<&str> = components.iter().filter_map(|c| c["purl"].as_str()).collect();
        let unique: BTreeSet<&str> = listed.iter().copied().collect();
        assert_eq!(unique.len(), listed.len(), "{name}");
        assert!(listed.iter().any(|purl| purl.starts_with(has)), "{name} lacks {has}");
        assert!(!listed.iter().any(|purl| purl.starts_with(lacks)), "{name} has {lacks}");
        for dependency in bill["dependencies"].as_array().expect("dependencies") {
            for on in dependency["dependsOn"].as_array().expect("a list") {
                let listed = components.iter().any(|component| component["bom-ref"] == *on);
                assert!(listed, "{on} is not listed");
            }
        }
        for component in components {
            assert_ne!(component["licenses"][0]["expression"], "", "{component}");
        }
    }
}

#[test]
fn the_bills_of_materials_say_what_a_buyer_asks_for() {
    let mut serial_numbers = BTreeSet::new();
    for (name, artifact) in [("sbom.cdx.json", COMPONENT), ("mc-wasi.cdx.json", "mc-wasi")] {
        let bill = json(name);
        let metadata = &bill["metadata"];
        let time = metadata["timestamp"].as_str().expect("a time");
        assert!(time.len() == 20 && time.ends_with('Z'), "{time}");
        let tools = metadata["tools"]["components"].as_array().expect("tools");
        assert!(tools.iter().any(|tool| tool["name"] == "cargo" && tool["version"] != ""));
        let hash = &metadata["component"]["hashes"][0];
        assert_eq!(
            (&hash["alg"], hash["content"].as_str()),
            (&"SHA-256".into(), Some(sum_of(artifact).as_str()))
        );
        let serial_number = bill["serialNumber"].as_str().expect("a serial number").to_owned();
        assert!(
            serial_number.starts_with("urn:uuid:") && serial_number.len() == 45,
            "{serial_number}"
        );
        assert!(serial_numbers.insert(serial_number), "two bills have one number");
        for component in bill["components"].as_array().expect("components") {
            assert_ne!(
                component["supplier"]["name"].as_str().unwrap_or_default(),
                "",
                "{component}"
            );
            let from_registry =
                component["purl"].as_str().is_some_and(|purl| purl.starts_with("pkg:cargo/"))
                    && !["resync-core", "mc-wasi-policy"]
                        .contains(&component["name"].as_str().unwrap_or_default());
            let hash = component["hashes"][0]["content"].as_str().unwrap_or_default();
            assert!(!from_registry || hash.len() == 64, "{component}");
        }
    }
    let host = json("mc-wasi.cdx.json");
    let inner = host["components"].as_array().and_then(|all| {
        all.iter().find(|component| component["name"] == "mc-replicate-resync-backlog")
    });
    assert_eq!(
        inner.expect("the component is in the host")["hashes"][0]["content"],
        sum_of(COMPONENT)
    );
}

/// What `SHA256SUMS` has for a file.
fn sum_of(name: &str) -> String {
    let sums = text("SHA256SUMS");
    let line = sums.lines().find(|line| line.ends_with(&format!("  {name}")));
    line.and_then(|line| line.split(' ').next()).expect("a sum").to_owned()
}

#[test]
fn bash_completes_words_and_flags() {
    let complete = |file: &str, words: &[&str]| {
        let script = format!(
            "source {}; COMP_WORDS=({}); COMP_CWORD={}; \
             \"$(complete -p {} | sed 's/.*-F \\([^ ]*\\) .*/\\1/')\" {} '{}' '{}'; echo \"${{COMPREPLY[@]}}\"",
            dist(&format!("completions/{file}")).display(),
            words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
            words.len() - 1,
            words[0],
            words[0],
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let output = Command::new("bash").args(["-c", &script]).output().expect("bash");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(complete("mc-wasi.bash", &["mc-wasi", "repl"]).trim(), "replicate");
    let words = ["mc-wasi", "replicate", "resync-backlog", "--dr"];
    assert_eq!(complete("mc-wasi.bash", &words).trim(), "--dry-run");
    let words = ["mc-replicate-resync-backlog", "--clear"];
    assert_eq!(complete("mc-replicate-resync-backlog.bash", &words).trim(), "--clear-checksum");
}

#[test]
fn every_shell_and_the_man_page_know_every_flag() {
    let names = ["mc-wasi", "mc-replicate-resync-backlog"];
    let files = names.iter().flat_map(|name| {
        [format!("{name}.bash"), format!("_{name}"), format!("{name}.fish"), format!("_{name}.ps1")]
    });
    let files = files.map(|file| format!("completions/{file}"));
    for file in files.chain(["man/mc-replicate-resync-backlog.1".to_owned()]) {
        let text = text(&file).replace("\\-", "-");
        for flag in FLAGS.iter().filter(|flag| flag.class != Class::Hidden) {
            assert!(text.contains(flag.long), "{file} does not know --{}", flag.long);
        }
        assert!(!text.contains("conn-read-deadline"), "{file}: hidden flags stay hidden");
    }
}

#[test]
fn the_artifact_goes_through_a_registry_and_runs_after_the_pull() {
    let registry = Registry::start();
    registry.push(&dist("oci"), "tools/mc-replicate-resync-backlog", "0.2.0");

    let manifest = registry.manifest("tools/mc-replicate-resync-backlog", "0.2.0");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    let layers = manifest["layers"].as_array().expect("layers");
    assert_eq!((layers.len(), &layers[0]["mediaType"]), (1, &"application/wasm".into()));
    let config = registry.pull("tools/mc-replicate-resync-backlog", &manifest["config"]);
    let config: Value = serde_json::from_slice(&config).expect("JSON");
    assert_eq!((&config["architecture"], &config["os"]), (&"wasm".into(), &"wasip2".into()));
    assert_eq!(config["layerDigests"][0], layers[0]["digest"]);
    assert!(config["created"].as_str().is_some_and(|time| time.ends_with('Z')), "{config}");
    assert_eq!(layers[0]["annotations"]["org.opencontainers.image.title"], COMPONENT);
    let exports = config["component"]["exports"].as_array().expect("exports");
    assert!(exports.contains(&"mc-wasi:replicate/resync@0.2.0".into()), "{exports:?}");

    let pulled = registry.pull("tools/mc-replicate-resync-backlog", &layers[0]);
    assert!(pulled == mc_wasi::COMPONENT, "the same bytes come back");
    let stage = Stage::new(Host::Wasmtime, MC_WASI, &pulled);
    let server = FakeServer::start(Options::with_backlog(Backlog::demo()));
    let ran = stage.run(&server.alias_url(), &["myaistor/mybucket"]);
    assert_eq!((ran.status, server.triggers()), (1, (148, 0)), "{}", ran.stderr);
}
