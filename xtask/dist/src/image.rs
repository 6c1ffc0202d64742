//! The container image, as an OCI layout for tools to copy: `skopeo copy --all oci:dist/image:0.2.0
//! docker://REGISTRY/mc-wasi:0.2.0`. One program on an empty root: no shell, no user but a number, no authorities,
//! for which the program has its own.

use crate::archive::{File, gzip, tar};
use crate::files::sha256;
use crate::oci::{INDEX, MANIFEST, blob, describe, layout};
use crate::revision::Revision;
use serde_json::{Value, json};
use std::path::Path;
use xtask::sh::Result;

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Whom the images of others that are as empty as this one call `nonroot`, and what docs/cronjob.yaml says, too.
const USER: &str = "65532:65532";

/// Writes the layout, with one image for each architecture, as Go calls it, that there is a program for.
pub fn images(folder: &Path, programs: &[(&str, &[u8])]) -> Result {
    let revision = Revision::get()?;
    let mut images = Vec::new();
    for (architecture, program) in programs {
        images.push(image(folder, architecture, program, revision)?);
    }
    let annotations = describe("mc-wasi", revision);
    let index = json!({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": images, "annotations": annotations,
    });
    layout(folder, blob(folder, index.to_string().as_bytes(), INDEX)?)
}

fn image(folder: &Path, architecture: &str, program: &[u8], revision: &Revision) -> Result<Value> {
    let archive = tar(&[File { name: "mc-wasi", mode: 0o755, bytes: program }])?;
    let layer = blob(folder, &gzip(&archive)?, LAYER)?;
    let labels = describe("mc-wasi", revision);
    let config = json!({
        "created": revision.time,
        "architecture": architecture,
        "os": "linux",
        "config": {
            "User": USER,
            "Entrypoint": ["/mc-wasi"],
            // `command: [mc-wasi, …]` of a pod looks for it here, and `~/.mc` is what is mounted at `/.mc`.
            "Env": ["PATH=/", "HOME=/"],
            "WorkingDir": "/",
            "Labels": labels,
        },
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", sha256(&archive))]},
        "history": [{"created": revision.time, "created_by": "cargo xtask dist"}],
    });
    let config = blob(folder, config.to_string().as_bytes(), CONFIG)?;
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": config, "layers": [layer], "annotations": labels,
    });
    let mut manifest = blob(folder, manifest.to_string().as_bytes(), MANIFEST)?;
    manifest["platform"] = json!({"architecture": architecture, "os": "linux"});
    Ok(manifest)
}
