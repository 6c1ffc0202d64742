//! docs/environment.md is the table of variables, for people. `cargo xtask docs` writes it.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use resync_core::command::{ReadBy, variables};
use std::path::Path;

/// Set to have the page written and not compared.
const WRITE: &str = "MC_WASI_WRITE_DOCS";

const HEAD: &str = "\
# Environment variables

Every variable that `mc-wasi` or the component reads; one that is set to nothing counts as not set. Where
a flag does the same, the flag counts. The second column says what the component sees of it under `mc-wasi`;
under any other host it sees what that host hands over.

This page is made from a table in `guest/core/src/command/variables.rs` by `cargo xtask docs`.

| variable | the component sees | default | what it does |
|---|---|---|---|
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for variable in variables() {
        let seen = match variable.read_by {
            ReadBy::Component | ReadBy::Both => "it",
            ReadBy::Rewritten => "another value",
            ReadBy::Host => "nothing",
        };
        let (name, default, does) = (variable.name, variable.default, variable.does);
        page.push_str(&format!("| `{name}` | {seen} | {default} | {does} |\n"));
    }
    page
}

#[test]
fn the_page_of_variables_says_what_the_table_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/environment.md");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, page()).expect("the page is written");
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == page(),
        "docs/environment.md is not what the table says: cargo xtask docs"
    );
}
