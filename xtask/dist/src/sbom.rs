//! What is inside, crate by crate: CycloneDX, from what cargo itself resolves.
//!
//! A crate is inside when its code is given to the linker. Macros run in the compiler, and are listed no more than
//! the compiler is.
//!
//! Cargo's answer is read here and not by the crate for it, which asks serde_json for more than the
//! host does: whatever is built beside the host would be built otherwise then.

use crate::files::sha256;
use crate::revision::Revision;
use component_build::{NAME, TARGET};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use xtask::sh::{Result, cargo, output, root};

/// Who hands out what this workspace makes.
pub const SUPPLIER: &str = "The mc-wasi contributors";

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
    authors: Vec<String>,
    repository: Option<String>,
    /// Nothing for a crate of the workspace.
    source: Option<String>,
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

/// Of the component, whose crates were given to the linker under these names.
///
/// # Errors
/// Also when cargo names other crates: then the bill would be wrong.
pub fn of_component(component: &[u8], linked: &BTreeSet<String>) -> Result<String> {
    let bill = of(NAME, TARGET, component, &[])?;
    let named = bill["components"].as_array().into_iter().flatten();
    let named = named.filter(|listed| {
        listed["purl"].as_str().is_some_and(|purl| purl.starts_with("pkg:cargo/"))
    });
    let named: BTreeSet<String> =
        named.filter_map(|c| Some(c["name"].as_str()?.replace('-', "_"))).collect();
    if named != *linked {
        let differ: Vec<&String> = named.symmetric_difference(linked).collect();
        return Err(format!("sbom: cargo tree and the linker do not agree on {differ:?}"));
    }
    text(&bill)
}

/// Of the host for a target. The component in it has a bill of its own.
pub fn of_host(target: &str, host: &[u8], component: &[u8]) -> Result<String> {
    let inner = json!({
        "type": "application", "bom-ref": NAME, "name": NAME, "version": env!("CARGO_PKG_VERSION"),
        "supplier": {"name": SUPPLIER}, "hashes": hash(&sha256(component)),
        "licenses": [{"expression": env!("CARGO_PKG_LICENSE")}],
    });
    text(&of("mc-wasi", target, host, &[inner])?)
}

/// The crates that `name` is made of on `target`: its normal dependencies, and theirs; and what else is in it.
fn of(name: &str, target: &str, artifact: &[u8], also: &[Value]) -> Result<Value> {
    let words = format!("metadata --format-version 1 --locked --filter-platform {target}");
    let metadata = output(&mut cargo(&words)).ok_or("cargo metadata failed")?;
    let metadata: Metadata = serde_json::from_str(&metadata).map_err(|error| error.to_string())?;
    let inside = inside(name, target)?;
    let is_inside =
        |package: &&Package| inside.contains(&(package.name.clone(), package.version.clone()));
    let packages: BTreeMap<&str, &Package> =
        metadata.packages.iter().filter(is_inside).map(|p| (p.id.as_str(), p)).collect();
    let (application, libraries): (Vec<&Package>, Vec<&Package>) =
        packages.values().partition(|package| package.name == name);
    let [application] = application[..] else { return Err(format!("no package {name}")) };
    let std = std()?;
    let dependencies = metadata.resolve.nodes.iter().filter_map(|node| {
        let normal = node.deps.iter().filter(|dep| dep.dep_kinds.iter().any(|k| k.kind.is_none()));
        let on = normal.filter_map(|dep| packages.get(dep.pkg.as_str()));
        let mut on: BTreeSet<String> = on.map(|package| purl(package)).collect();
        let package = packages.get(node.id.as_str())?;
        if package.name == name {
            on.extend(
                also.iter().chain([&std]).filter_map(|c| Some(c["bom-ref"].as_str()?.to_owned())),
            );
        }
        Some(json!({"ref": purl(package), "dependsOn": on}))
    });
    let sums = checksums()?;
    let mut subject = component(application, "application", None);
    subject["hashes"] = hash(&sha256(artifact));
    let libraries = libraries.iter().map(|package| {
        component(package, "library", sums.get(&(package.name.clone(), package.version.clone())))
    });
    let tool = |name: &str, version: &str| json!({"type": "application", "name": name, "version": version});
    let cargo = output(&mut cargo("--version")).unwrap_or_default();
    let mut bill = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {
            "timestamp": Revision::get()?.time,
            "tools": {"components": [
                tool("cargo", cargo.split(' ').nth(1).unwrap_or_default()),
                tool("cargo xtask dist", env!("CARGO_PKG_VERSION")),
            ]},
            "supplier": {"name": SUPPLIER},
            "component": subject,
        },
        "components": libraries.chain([std.clone()]).chain(also.iter().cloned()).collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
    });
    bill["serialNumber"] = json!(serial_number(&bill.to_string()));
    Ok(bill)
}

fn text(bill: &Value) -> Result<String> {
    serde_json::to_string_pretty(bill).map_err(|error| error.to_string())
}

/// The standard library, which is linked like any crate, and which cargo does not name.
fn std() -> Result<Value> {
    let rustc = output(Command::new("rustc").arg("-vV")).ok_or("rustc says nothing of itself")?;
    let said = |name: &str| rustc.lines().find_map(|line| line.strip_prefix(name));
    let (Some(version), Some(commit)) = (said("release: "), said("commit-hash: ")) else {
        return Err("rustc does not say what it was built from".to_owned());
    };
    let purl = format!("pkg:github/rust-lang/rust@{version}");
    Ok(json!({
        "type": "library", "bom-ref": purl, "purl": purl, "name": "std", "version": version,
        "supplier": {"name": "The Rust Project"},
        "licenses": [{"expression": "MIT OR Apache-2.0"}],
        "pedigree": {"commits": [{"uid": commit}]},
    }))
}

/// An UUID (RFC 9562, version 8) of the bill's own text: the same sources have the same number.
fn serial_number(bill: &str) -> String {
    let digest = sha256(bill.as_bytes());
    let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default();
    format!(
        "urn:uuid:{}-{}-8{}-a{}-{}",
        part(0, 8),
        part(8, 12),
        part(13, 16),
        part(17, 20),
        part(20, 32)
    )
}

/// The sums of the lock file, of each crate that came from a registry.
fn checksums() -> Result<BTreeMap<(String, String), String>> {
    let lock = fs::read_to_string(root().join("Cargo.lock"));
    let lock = lock.map_err(|error| format!("Cargo.lock: {error}"))?;
    let of_package = |package: &str| {
        let said = |name: &str| {
            let value = package.lines().find_map(|line| line.strip_prefix(name))?;
            Some(value.trim_matches('"').to_owned())
        };
        Some(((said("name = ")?, said("version = ")?), said("checksum = ")?))
    };
    Ok(lock.split("[[package]]").filter_map(of_package).collect())
}

fn hash(sha256: &str) -> Value {
    json!([{"alg": "SHA-256", "content": sha256}])
}

/// Name and version of each crate, with the features that this one package asks for: the metadata
/// has those of all packages together.
fn inside(name: &str, target: &str) -> Result<BTreeSet<(String, String)>> {
    let words = format!(
        "tree --locked --edges normal,no-proc-macro --prefix none --package {name} --target {target}"
    );
    let tree = output(cargo(&words).args(["--format", "{p}"])).ok_or("cargo tree failed")?;
    let named = |line: &str| {
        let mut words = line.split(' ');
        Some((words.next()?.to_owned(), words.next()?.trim_start_matches('v').to_owned()))
    };
    Ok(tree.lines().filter_map(named).collect())
}

fn component(package: &Package, kind: &str, sum: Option<&String>) -> Value {
    // Older manifests write a slash for the word of SPDX.
    let license = package.license.as_deref().unwrap_or_default().replace('/', " OR ");
    let mut component = json!({
        "type": kind, "bom-ref": purl(package), "purl": purl(package),
        "name": package.name, "version": package.version,
        "supplier": supplier(package),
        "licenses": [{"expression": license}],
    });
    if let Some(sum) = sum {
        component["hashes"] = hash(sum);
    }
    component
}

/// Who makes a crate: its authors, where the manifest still names them.
fn supplier(package: &Package) -> Value {
    if package.source.is_none() {
        return json!({"name": SUPPLIER});
    }
    let names = package.authors.iter().filter_map(|author| author.split(" <").next());
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    let name = match names[..] {
        [] => format!("The {} developers", package.name),
        _ => names.join(", "),
    };
    let url: Vec<&String> = package.repository.iter().collect();
    json!({"name": name, "url": url})
}

fn purl(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version)
}
