//! A container image in an OCI layout, unpacked and run by runc, without a daemon.

use crate::process::succeed;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// An image that is unpacked.
#[derive(Debug)]
pub struct Image {
    folder: TempDir,
    config: Value,
}

impl Image {
    /// Unpacks the image of an architecture, as Go calls it.
    ///
    /// # Panics
    /// When the layout is incomplete, or has none for it.
    pub fn unpack(layout: &Path, architecture: &str) -> Self {
        let index = blob(layout, &json_of(&layout.join("index.json"))["manifests"][0]);
        let index = json_of(&index);
        let images = index["manifests"].as_array().expect("images");
        let image = images.iter().find(|image| image["platform"]["architecture"] == architecture);
        let manifest = json_of(&blob(layout, image.expect("an image for it")));
        let config = json_of(&blob(layout, &manifest["config"]));
        let folder = TempDir::new().expect("a folder");
        let root = folder.path().join("rootfs");
        fs::create_dir(&root).expect("a root");
        for layer in manifest["layers"].as_array().expect("layers") {
            let _ = succeed(
                Command::new("tar").arg("-xzf").arg(blob(layout, layer)).arg("-C").arg(&root),
            );
        }
        Self { folder, config: config["config"].clone() }
    }

    /// Everything that is in it, as paths.
    pub fn files(&self) -> Vec<PathBuf> {
        let root = self.folder.path().join("rootfs");
        let entries = fs::read_dir(root).expect("a root");
        entries.map(|entry| PathBuf::from(entry.expect("an entry").file_name())).collect()
    }

    /// Runs it as it says itself, on this machine's network, on a root that cannot be written, with folders of this
    /// machine that are visible in it.
    ///
    /// # Panics
    /// When runc does not start it.
    pub fn run(&self, words: &[&str], variables: &[(&str, &str)], shown: &[&str]) -> Output {
        let list = |name: &str| self.config[name].as_array().cloned().unwrap_or_default();
        let (user, group) =
            self.config["User"].as_str().and_then(|u| u.split_once(':')).expect("a user");
        let number = |text: &str| text.parse::<u32>().expect("a number");
        let mut args = list("Entrypoint");
        args.extend(words.iter().map(|word| json!(word)));
        let mut env = list("Env");
        env.extend(variables.iter().map(|(name, value)| json!(format!("{name}={value}"))));
        let shown = shown.iter().filter(|folder| Path::new(folder).exists());
        // What runc itself needs.
        let proc = json!({"destination": "/proc", "type": "proc", "source": "proc"});
        let shown = shown.map(|folder| json!({"destination": folder, "source": folder, "type": "bind", "options": ["rbind", "ro"]}));
        let mounts: Vec<Value> = std::iter::once(proc).chain(shown).collect();
        let namespaces = ["pid", "mount", "ipc", "uts"].map(|kind| json!({"type": kind}));
        let bundle = json!({
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": number(user), "gid": number(group)},
                "args": args, "env": env, "cwd": "/", "noNewPrivileges": true,
            },
            "root": {"path": "rootfs", "readonly": true},
            "mounts": mounts,
            "linux": {"namespaces": namespaces},
        });
        let path = self.folder.path();
        fs::write(path.join("config.json"), bundle.to_string()).expect("a bundle");
        let name = path.file_name().expect("a name").to_string_lossy().replace('.', "");
        // Not among the folders of Debian's users, but then only root can run it.
        Command::new("/usr/sbin/runc")
            .arg("--root")
            .arg(path.join("state"))
            .args(["run", "--bundle"])
            .arg(path)
            .arg(format!("mc-wasi{name}"))
            .output()
            .expect("runc is missing; install it: apt-get install runc")
    }
}

pub(crate) fn json_of(file: &Path) -> Value {
    let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_slice(&bytes).expect("JSON")
}

/// The file of a blob of a layout that is described here.
pub(crate) fn blob(layout: &Path, described: &Value) -> PathBuf {
    let digest = described["digest"].as_str().expect("a digest");
    layout.join("blobs").join(digest.replace(':', "/"))
}
