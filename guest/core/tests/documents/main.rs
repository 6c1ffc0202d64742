//! The documents and the program say the same: pages that are made from tables, links, and command lines.
//!
//! Only text is looked at here. That the command lines do what is said of them is for the end-to-end tests, which run
//! every box that is marked as one for a shell.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod agree;
mod boxes;
mod links;
mod made;

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that are not of this project, or made by it.
const FOREIGN: [&str; 4] = ["target", "dist", "node_modules", "deps"];

/// The folder of the whole project.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A page of `docs/`.
fn doc(name: &str) -> String {
    let path = root().join("docs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What people read first: README.md and the pages of `docs/`, by their paths.
fn pages() -> Vec<(String, String)> {
    let mut pages = files(&["md"]);
    pages.retain(|(path, _)| path == "README.md" || path.starts_with("docs/"));
    pages
}

/// Every file of the project that ends so, by its path from the root.
fn files(endings: &[&str]) -> Vec<(String, String)> {
    let (root, mut found) = (root(), Vec::new());
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("its entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                folders
                    .extend((!name.starts_with('.') && !FOREIGN.contains(&&*name)).then_some(path));
            } else if path.extension().is_some_and(|e| endings.iter().any(|ending| e == *ending)) {
                let text = fs::read_to_string(&path).expect("a text");
                let path = path.strip_prefix(&root).expect("a path within");
                found.push((path.to_string_lossy().into_owned(), text));
            }
        }
    }
    found.sort();
    found
}
