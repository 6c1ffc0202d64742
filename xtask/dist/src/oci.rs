//! The component as an OCI artifact in the form the CNCF agreed on for WebAssembly, as a folder that
//! tools push: `oras cp --from-oci-layout dist/oci:0.2.0 REGISTRY/NAME:0.2.0`, `skopeo copy
//! oci:dist/oci:0.2.0 docker://REGISTRY/NAME:0.2.0`.

use crate::files::{sha256, write};
use component_build::{NAME, REVISION};
use serde_json::{Value, json};
use std::path::Path;
use wit_component::DecodedWasm;
use xtask::sh::Result;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
const LAYER: &str = "application/wasm";

/// Writes the layout: one manifest, one configuration, one layer.
pub fn layout(folder: &Path, component: &[u8]) -> Result {
    let layer = blob(folder, component, LAYER)?;
    let (imports, exports) = interfaces(component)?;
    let config = json!({
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [layer["digest"]],
        "component": {"exports": exports, "imports": imports, "target": null},
    });
    let config = blob(folder, config.to_string().as_bytes(), CONFIG)?;
    let version = env!("CARGO_PKG_VERSION");
    let mut annotations = json!({
        "org.opencontainers.image.title": NAME,
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.description": resync_core::command::ABOUT,
    });
    let revision = component_build::revision(&xtask::sh::root());
    let revision = revision.ok_or_else(|| format!("no git: set {REVISION}"))?;
    annotations["org.opencontainers.image.revision"] = json!(revision);
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": config, "layers": [layer], "annotations": annotations,
    });
    let mut manifest = blob(folder, manifest.to_string().as_bytes(), MANIFEST)?;
    manifest["annotations"] = json!({"org.opencontainers.image.ref.name": version});
    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [manifest],
    });
    write(folder, "index.json", index.to_string().as_bytes())?;
    write(folder, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)
}

/// What the component imports and exports, by name.
fn interfaces(component: &[u8]) -> Result<(Vec<String>, Vec<String>)> {
    let decoded = wit_component::decode(component).map_err(|error| format!("{error:#}"))?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return Err("not a component".to_owned());
    };
    let world = &resolve.worlds[world];
    let imports = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
    let exports = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
    Ok((imports, exports))
}

/// Stores bytes under their digest and describes them.
fn blob(folder: &Path, bytes: &[u8], media_type: &str) -> Result<Value> {
    let digest = sha256(bytes);
    write(folder, &format!("blobs/sha256/{digest}"), bytes)?;
    let digest = format!("sha256:{digest}");
    Ok(json!({"mediaType": media_type, "digest": digest, "size": bytes.len()}))
}
