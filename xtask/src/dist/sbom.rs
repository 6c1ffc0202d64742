//! What is inside, crate by crate: CycloneDX, from what cargo itself resolves.

use super::Result;
use crate::sh::{cargo, output};
use component_build::{NAME, TARGET};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Of the component.
pub fn of_component() -> Result<String> {
    of(NAME, "--no-default-features", TARGET)
}

/// Of the host. The component in it has its own.
pub fn of_host() -> Result<String> {
    let rustc = output(std::process::Command::new("rustc").arg("-vV")).unwrap_or_default();
    let triple = rustc.lines().find_map(|line| line.strip_prefix("host: "));
    of("mc-wasi", "--no-default-features", triple.ok_or("rustc names no host")?)
}

/// The crates that end up in `root` on `target`: its normal dependencies, and theirs.
fn of(root: &str, features: &str, target: &str) -> Result<String> {
    let words =
        format!("metadata --format-version 1 --locked {features} --filter-platform {target}");
    let text = output(&mut cargo(&words)).ok_or("cargo metadata failed")?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages: BTreeMap<String, Value> = list(&metadata["packages"])
        .into_iter()
        .map(|package| (text(&package["id"]), package))
        .collect();
    let nodes: BTreeMap<String, Value> = list(&metadata["resolve"]["nodes"])
        .into_iter()
        .map(|node| (text(&node["id"]), node))
        .collect();
    let normal = |id: &str| -> Vec<String> {
        let dependencies = nodes.get(id).map(|node| list(&node["deps"])).unwrap_or_default();
        let is_normal = |dependency: &Value| {
            list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null())
        };
        dependencies.iter().filter(|d| is_normal(d)).map(|d| text(&d["pkg"])).collect()
    };
    let start = packages.iter().find(|(_, package)| package["name"] == root);
    let start = start.map(|(id, _)| id.clone()).ok_or_else(|| format!("no package {root}"))?;
    let (mut found, mut open) = (BTreeSet::from([start.clone()]), vec![start.clone()]);
    while let Some(id) = open.pop() {
        open.extend(normal(&id).into_iter().filter(|next| found.insert(next.clone())));
    }
    let purl = |id: &str| {
        let package = &packages[id];
        format!("pkg:cargo/{}@{}", text(&package["name"]), text(&package["version"]))
    };
    let component = |id: &str| {
        let package = &packages[id];
        json!({
            "type": if id == start { "application" } else { "library" },
            "bom-ref": purl(id), "purl": purl(id),
            "name": package["name"], "version": package["version"],
            "licenses": [{"expression": text(&package["license"]).replace('/', " OR ")}],
        })
    };
    let document = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": component(&start)},
        "components":
            found.iter().filter(|id| **id != start).map(|id| component(id)).collect::<Vec<_>>(),
        "dependencies": found
            .iter()
            .map(|id| {
                let on: BTreeSet<String> = normal(id).iter().map(|id| purl(id)).collect();
                json!({"ref": purl(id), "dependsOn": on})
            })
            .collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&document).map_err(|error| error.to_string())
}
