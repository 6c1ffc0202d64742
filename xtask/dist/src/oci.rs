//! The component as an OCI artifact in the form the CNCF agreed on for WebAssembly, as a folder that
//! tools push: `oras cp --from-oci-layout dist/oci:0.2.0 REGISTRY/NAME:0.2.0`, `skopeo copy
//! oci:dist/oci:0.2.0 docker://REGISTRY/NAME:0.2.0`.

use crate::files::{sha256, write};
use crate::revision::Revision;
use component_build::NAME;
use serde_json::{Value, json};
use std::path::Path;
use wit_component::DecodedWasm;
use xtask::sh::Result;

/// The media type of an index: what stands for several manifests.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The media type of a manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
const LAYER: &str = "application/wasm";

/// Writes the layout: one manifest, one configuration, one layer.
pub fn artifact(folder: &Path, component: &[u8]) -> Result {
    let mut layer = blob(folder, component, LAYER)?;
    // The name that `oras pull` gives the file; without one it leaves none.
    layer["annotations"] = json!({"org.opencontainers.image.title": format!("{NAME}.wasm")});
    let revision = Revision::get()?;
    let (imports, exports) = interfaces(component)?;
    let config = json!({
        // `wkg` takes no configuration without it.
        "created": revision.time,
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [layer["digest"]],
        "component": {"exports": exports, "imports": imports, "target": null},
    });
    let config = blob(folder, config.to_string().as_bytes(), CONFIG)?;
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": config, "layers": [layer], "annotations": describe(NAME, revision),
    });
    layout(folder, blob(folder, manifest.to_string().as_bytes(), MANIFEST)?)
}

/// What every manifest says of what it is for.
pub fn describe(title: &str, revision: &Revision) -> Value {
    json!({
        "org.opencontainers.image.title": title,
        "org.opencontainers.image.version": env!("CARGO_PKG_VERSION"),
        "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
        "org.opencontainers.image.description": resync_core::command::ABOUT,
        "org.opencontainers.image.created": revision.time,
        "org.opencontainers.image.revision": revision.commit,
    })
}

/// Makes a folder with blobs a layout, of the one thing that is described here, under the name of the version.
pub fn layout(folder: &Path, mut root: Value) -> Result {
    root["annotations"] = json!({"org.opencontainers.image.ref.name": env!("CARGO_PKG_VERSION")});
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [root]});
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
pub fn blob(folder: &Path, bytes: &[u8], media_type: &str) -> Result<Value> {
    let digest = sha256(bytes);
    write(folder, &format!("blobs/sha256/{digest}"), bytes)?;
    let digest = format!("sha256:{digest}");
    Ok(json!({"mediaType": media_type, "digest": digest, "size": bytes.len()}))
}
