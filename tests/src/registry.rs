//! A real registry on loopback: Debian's `docker-registry`, which is the CNCF's distribution.

use crate::image;
use crate::minio::workspace_root;
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const READY: Duration = Duration::from_secs(60);

/// A running registry; it ends and is gone with its owner.
#[derive(Debug)]
pub struct Registry {
    child: Child,
    url: String,
    _folder: TempDir,
}

impl Registry {
    /// Starts one on a free port and waits until it answers.
    ///
    /// # Panics
    /// When it is not installed, with the command that brings it, or does not start.
    pub fn start() -> Self {
        Self::with("")
    }

    /// One that takes nothing, as one does while it is maintained.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn read_only() -> Self {
        Self::with(", maintenance: {readonly: {enabled: true}}")
    }

    fn with(storage: &str) -> Self {
        let folder = TempDir::new().expect("a folder for the registry");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("a free port");
        let configuration = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}{storage}}}\nhttp: {{addr: \"{address}\"}}\n",
            folder.path().join("data").display()
        );
        let file = folder.path().join("config.yml");
        fs::write(&file, configuration).expect("a configuration");
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is missing; install it: apt-get install docker-registry");
        let registry = Self { child, url: format!("http://{address}"), _folder: folder };
        let began = Instant::now();
        while ureq::get(format!("{}/v2/", registry.url)).call().is_err() {
            assert!(began.elapsed() < READY, "the registry does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        registry
    }

    /// Where it listens, as `host:port`.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Pushes the only image of an OCI layout as `name:tag`.
    ///
    /// # Panics
    /// When the layout is incomplete, or the registry refuses a part of it.
    pub fn push(&self, layout: &Path, name: &str, tag: &str) {
        let index = image::json_of(&layout.join("index.json"));
        let manifest = blob(layout, &index["manifests"][0]);
        let parsed = json(&manifest);
        let layers = parsed["layers"].as_array().expect("layers").iter();
        for part in layers.chain([&parsed["config"]]) {
            let begun = ureq::post(format!("{}/v2/{name}/blobs/uploads/", self.url)).send_empty();
            let begun = begun.expect("an upload");
            let place = begun.headers()["location"].to_str().expect("a location");
            let digest = part["digest"].as_str().expect("a digest");
            let bytes = blob(layout, part);
            assert_eq!(part["size"], bytes.len());
            ureq::put(format!("{place}&digest={digest}")).send(&bytes).expect("a blob is taken");
        }
        let media_type = parsed["mediaType"].as_str().expect("a media type");
        ureq::put(format!("{}/v2/{name}/manifests/{tag}", self.url))
            .header("content-type", media_type)
            .send(&manifest)
            .expect("a manifest is taken");
    }

    /// Pushes everything of `dist/` that a registry takes, as a user does it.
    ///
    /// # Panics
    /// When the task is not built.
    pub fn publish(&self) -> Output {
        let mut command = Command::new(workspace_root().join("target/release/xtask-dist"));
        command.args(["publish", self.address(), "--plain-http"]);
        command.output().expect("cargo build --release")
    }

    /// The manifest of `name:tag`.
    ///
    /// # Panics
    /// When there is none.
    pub fn manifest(&self, name: &str, tag: &str) -> Value {
        let answer = ureq::get(format!("{}/v2/{name}/manifests/{tag}", self.url))
            .header("accept", "application/vnd.oci.image.manifest.v1+json")
            .call();
        json(&read(answer.expect("a manifest")))
    }

    /// A blob that a manifest describes.
    ///
    /// # Panics
    /// When the registry does not have it.
    pub fn pull(&self, name: &str, part: &Value) -> Vec<u8> {
        let digest = part["digest"].as_str().expect("a digest");
        let answer = ureq::get(format!("{}/v2/{name}/blobs/{digest}", self.url)).call();
        read(answer.expect("a blob"))
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(mut answer: ureq::http::Response<ureq::Body>) -> Vec<u8> {
    answer.body_mut().read_to_vec().expect("a body")
}

fn blob(layout: &Path, part: &Value) -> Vec<u8> {
    fs::read(image::blob(layout, part)).expect("a blob of the layout")
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}
