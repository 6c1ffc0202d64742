//! Browsers, which run the component in the page of `web/`.
//!
//! A test says what a user does as tasks of `tests/stock/browsers/drive.mjs` and gets what was to be seen. One
//! start of a browser takes longer than most tasks, so it gets several.

use super::isolate;
use crate::mcwasi::Ran;
use crate::minio::{tool, workspace_root};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

/// A browser, as Debian has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Browser {
    /// Chromium.
    Chromium,
    /// Firefox ESR.
    Firefox,
}

/// Makes the page for the component once, for all tests of this process.
///
/// # Panics
/// When jco is missing.
pub fn page(component: &[u8]) -> &'static Path {
    static PAGE: OnceLock<PathBuf> = OnceLock::new();
    PAGE.get_or_init(|| {
        let folder = workspace_root().join("target/tmp/page");
        let file = folder.with_extension("wasm");
        fs::create_dir_all(&folder).expect("a folder for the page");
        fs::write(&file, component).expect("the component is written");
        xtask::page::make(&file, &folder).expect("the page is made");
        folder
    })
}

impl Browser {
    /// Lets a user do this with the page in a folder, and returns what they saw.
    ///
    /// # Panics
    /// When the browser, Node or its packages are missing, or the page does not do what the task waits for.
    pub fn sees(self, page: &Path, task: &Value) -> Value {
        self.sees_all(page, std::slice::from_ref(task)).remove(0)
    }

    /// The same of several tasks, one after the other.
    ///
    /// # Panics
    /// As [`Browser::sees`].
    pub fn sees_all(self, page: &Path, tasks: &[Value]) -> Vec<Value> {
        let home = TempDir::new().expect("a home");
        let packages = tool("browsers/node_modules/.package-lock.json");
        let packages = packages.parent().expect("node_modules");
        let script = home.path().join("drive.mjs");
        fs::copy(workspace_root().join("tests/stock/browsers/drive.mjs"), &script).expect("copy");
        std::os::unix::fs::symlink(packages, home.path().join("node_modules")).expect("a link");
        let mut command = Command::new("node");
        isolate(&mut command, home.path());
        let name = match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
        };
        command.arg(script).arg(name).arg(page).arg(json!(tasks).to_string()).stdin(Stdio::null());
        let ran = Ran::from(command.output().expect("node starts"));
        let seen = if ran.stdout.is_empty() { Vec::new() } else { ran.json() };
        assert_eq!(
            seen.len(),
            tasks.len(),
            "{name} did not start, or not to its end: {}\nIt comes with `cargo xtask tools`, or: sudo apt-get install chromium firefox-esr",
            ran.stderr
        );
        for each in &seen {
            assert_eq!(each["error"], Value::Null, "{name}: {each:#}");
        }
        seen
    }
}
