//! Where the real `minio` and `mc` are, and which versions they are.
//!
//! Both are built from source by `cargo xtask tools` into `target/tools/bin`. The versions stand in
//! `tests/tools.txt` and nowhere else; xtask reads the same file, so the tests never run against
//! something it did not install.

use std::path::{Path, PathBuf};

/// The pinned modules, `module@version` a line, `#` for comments.
const TOOLS: &str = include_str!("../../tools.txt");

/// The root of the workspace: the parent of this package.
#[must_use]
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests package lies inside the workspace")
        .to_path_buf()
}

/// The pinned `module@version` of a tool: `module("mc")`.
///
/// # Panics
/// When `tests/tools.txt` does not name the tool.
#[must_use]
pub fn module(name: &str) -> &'static str {
    TOOLS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .find(|line| line.split('@').next().and_then(|path| path.rsplit('/').next()) == Some(name))
        .unwrap_or_else(|| panic!("tests/tools.txt does not name {name}"))
}

/// The variable with the MinIO server to test against, which `cargo xtask compat` sets.
const OTHER_MINIO: &str = "TESTED_MINIO";

/// The MinIO server.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn minio_path() -> PathBuf {
    let Some(path) = std::env::var_os(OTHER_MINIO).map(PathBuf::from) else {
        return locate("minio");
    };
    assert!(path.is_file(), "{OTHER_MINIO}: {} is missing", path.display());
    path
}

/// The MinIO client.
#[must_use]
pub fn mc_path() -> PathBuf {
    locate("mc")
}

/// A file below `target/tools` whose version stands in `tests/stock`.
///
/// # Panics
/// When it is missing, with the command that brings it.
#[must_use]
pub fn tool(name: &str) -> PathBuf {
    found(name, "its version stands in tests/stock")
}

fn locate(name: &str) -> PathBuf {
    found(&format!("bin/{name}"), module(name))
}

fn found(name: &str, version: &str) -> PathBuf {
    let path = workspace_root().join("target/tools").join(name);
    assert!(
        path.is_file(),
        "{} is missing; install it ({version}) with:\n\n    cargo xtask tools\n",
        path.display(),
    );
    path
}
