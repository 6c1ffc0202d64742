//! The end-to-end tests: the built `mc-wasi`, run as a user would, against servers that are made to
//! fail. `tests/README.md` says what each tier needs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and what it prints is shown when it fails"
)]

mod between;
mod dist;
mod docs;
mod fake;
mod minio;
mod proxy;
mod soak;
mod stock;

use mc_wasi_tests::mcwasi::McWasi;
use mc_wasi_tests::minio::workspace_root;
use std::fs;
use std::path::Path;

/// The program under test, as a file.
const MC_WASI: &str = env!("CARGO_BIN_EXE_mc-wasi");

/// The program under test, which knows no server.
fn mc_wasi() -> McWasi {
    McWasi::new(MC_WASI)
}

/// The program under test, which knows the server at this URL as `a`.
fn mc_wasi_at(url: &str) -> McWasi {
    mc_wasi().alias("a", url)
}

/// A file that no `mod` names would silently never be run. What the compiler did read, it has written
/// down beside this binary.
#[test]
fn every_file_is_a_module_of_this_binary() {
    let dep_info = std::env::current_exe().expect("the path of this binary").with_extension("d");
    let compiled = fs::read_to_string(&dep_info)
        .unwrap_or_else(|error| panic!("{}: {error}", dep_info.display()));
    let tests = workspace_root().join("tests");
    let of_another_crate =
        |path: &Path| *path == tests.join("src") || path.join("Cargo.toml").is_file();
    let mut folders = vec![tests.clone()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of tests") {
            let path = entry.expect("its entry").path();
            if path.is_dir() {
                folders.extend((!of_another_crate(&path)).then_some(path));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(workspace_root()).expect("a path within").display();
                let read = compiled.lines().any(|line| line.ends_with(&format!("{name}:")));
                assert!(read, "{name} is a module of nothing; name it in its mod.rs");
                files += 1;
            }
        }
    }
    assert!(files > 30, "only {files} files: this does not look where the tests are");
}
