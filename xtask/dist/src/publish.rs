//! `cargo xtask publish REGISTRY`: pushes what `dist/` has for a registry, with the programs that people pull it with.
//!
//! Who may push is for `skopeo login` to know: no key is read here.

use component_build::NAME;
use serde_json::json;
use std::fs;
use std::process::{Command, Stdio};
use xtask::sh::{Result, root, tool};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The namespace of the contract, which `wkg` looks up a registry for.
const NAMESPACE: &str = "mc-wasi";

/// Pushes the component, the image, and the contract.
///
/// # Errors
/// What the registry answered, and what to do.
pub fn all(registry: &str, plain_http: bool) -> Result {
    let dist = root().join("dist");
    if !dist.join("SHA256SUMS").is_file() {
        return Err("dist/ is not complete: make it with cargo xtask dist".to_owned());
    }
    for (layout, name) in [("oci", NAME), ("image", "mc-wasi")] {
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["--insecure-policy", "copy", "--all", "--quiet"]);
        if plain_http {
            skopeo.arg("--dest-tls-verify=false");
        }
        skopeo.arg(format!("oci:{}:{VERSION}", dist.join(layout).display()));
        skopeo.arg(format!("docker://{registry}/{name}:{VERSION}"));
        push(&mut skopeo, registry, name, "apt-get install skopeo")?;
    }
    contract(registry, plain_http)
}

/// `wkg` builds the package anew, from the WASI packages in `wit/deps`, and compares it with what the registry has.
fn contract(registry: &str, plain_http: bool) -> Result {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (host, prefix) = registry.split_once('/').unwrap_or((registry, ""));
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    let protocol = if plain_http { "http" } else { "https" };
    // In quotes, JSON's strings are TOML's.
    let settings = format!(
        "[namespace_registries]\n{NAMESPACE} = {{ registry = {host}, metadata = {{ preferredProtocol = \"oci\", \
         oci = {{ registry = {host}, namespacePrefix = {prefix} }} }} }}\n\
         [registry.{host}.oci]\nprotocol = \"{protocol}\"\n",
        host = json!(host),
        prefix = json!(prefix),
    );
    let config = folder.path().join("config.toml");
    fs::write(&config, settings).map_err(|error| format!("{}: {error}", config.display()))?;
    let package = folder.path().join("replicate.wasm");
    let wkg = || {
        let ours = tool("wkg");
        let mut wkg = Command::new(if ours.is_file() { ours } else { "wkg".into() });
        wkg.current_dir(root().join("wit")).env("WKG_CACHE_DIR", folder.path().join("cache"));
        wkg
    };
    let install = "cargo install --locked wkg";
    push(
        wkg().args(["build", "--wit-dir", ".", "--output"]).arg(&package),
        registry,
        "wit/",
        install,
    )?;
    push(wkg().args(["publish", "--config"]).arg(config).arg(package), registry, "wit/", install)
}

/// Runs one program, and says what it said when it fails.
fn push(command: &mut Command, registry: &str, what: &str, install: &str) -> Result {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{program} does not start: {error}; {install}"))?;
    if output.status.success() {
        println!("{what} {VERSION} is at {registry}");
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    let told = told.split("Stack backtrace").next().unwrap_or_default();
    let told: Vec<&str> = told.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Err(format!(
        "{registry} did not take {what}: {}\nDoes it let this account push? `skopeo login {registry}` says who you are.",
        told.join(" ")
    ))
}
