//! What is inside, crate by crate: CycloneDX, from what cargo itself resolves.
//!
//! Cargo's answer is read here and not by the crate for it, which asks serde_json for more than the
//! host does: whatever is built beside the host would be built otherwise then.

use component_build::{NAME, TARGET};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use xtask::sh::{Result, cargo, output};

/// What `cargo metadata` says, as far as it is needed.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    /// Nothing for a normal one.
    kind: Option<String>,
}

/// Of the component.
pub fn of_component() -> Result<String> {
    of(NAME, TARGET)
}

/// Of the host. The component in it has its own.
pub fn of_host() -> Result<String> {
    let rustc = output(Command::new("rustc").arg("-vV")).unwrap_or_default();
    let triple = rustc.lines().find_map(|line| line.strip_prefix("host: "));
    of("mc-wasi", triple.ok_or("rustc names no host")?)
}

/// The crates that `name` is made of on `target`: its normal dependencies, and theirs.
fn of(name: &str, target: &str) -> Result<String> {
    let words = format!("metadata --format-version 1 --locked --filter-platform {target}");
    let text = output(&mut cargo(&words)).ok_or("cargo metadata failed")?;
    let metadata: Metadata = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let inside = inside(name, target)?;
    let is_inside =
        |package: &&Package| inside.contains(&(package.name.clone(), package.version.clone()));
    let packages: BTreeMap<&str, &Package> =
        metadata.packages.iter().filter(is_inside).map(|p| (p.id.as_str(), p)).collect();
    let (application, libraries): (Vec<&Package>, Vec<&Package>) =
        packages.values().partition(|package| package.name == name);
    let [application] = application[..] else { return Err(format!("no package {name}")) };
    let dependencies = metadata.resolve.nodes.iter().filter_map(|node| {
        let normal = node.deps.iter().filter(|dep| dep.dep_kinds.iter().any(|k| k.kind.is_none()));
        let on = normal.filter_map(|dep| packages.get(dep.pkg.as_str()));
        let on: BTreeSet<String> = on.map(|package| purl(package)).collect();
        let package = packages.get(node.id.as_str())?;
        Some(json!({"ref": purl(package), "dependsOn": on}))
    });
    let document = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": component(application, "application")},
        "components": libraries.iter().map(|p| component(p, "library")).collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&document).map_err(|error| error.to_string())
}

/// Name and version of each crate, with the features that this one package asks for: the metadata
/// has those of all packages together.
fn inside(name: &str, target: &str) -> Result<BTreeSet<(String, String)>> {
    let words =
        format!("tree --locked --edges normal --prefix none --package {name} --target {target}");
    let tree = output(cargo(&words).args(["--format", "{p}"])).ok_or("cargo tree failed")?;
    let named = |line: &str| {
        let mut words = line.split(' ');
        Some((words.next()?.to_owned(), words.next()?.trim_start_matches('v').to_owned()))
    };
    Ok(tree.lines().filter_map(named).collect())
}

fn component(package: &Package, kind: &str) -> Value {
    // Older manifests write a slash for the word of SPDX.
    let license = package.license.as_deref().unwrap_or_default().replace('/', " OR ");
    json!({
        "type": kind, "bom-ref": purl(package), "purl": purl(package),
        "name": package.name, "version": package.version,
        "licenses": [{"expression": license}],
    })
}

fn purl(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version)
}
