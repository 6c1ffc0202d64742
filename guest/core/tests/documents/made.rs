//! Pages that are tables of the program, for people. `cargo xtask docs` writes them.

use super::root;
use resync_core::command::{Class, FLAGS, ReadBy, Takes, variables};

/// Set to have the pages written and not compared.
const WRITE: &str = "MC_WASI_WRITE_DOCS";

const VARIABLES: &str = "\
# Environment variables

Every variable that `mc-wasi` or the component reads; one that is set to nothing counts as not set. Where
a flag does the same, the flag counts. The second column says what the component sees of it under `mc-wasi`;
under any other host it sees what that host hands over.

This page is made from a table in `guest/core/src/command/variables.rs` by `cargo xtask docs`.

| variable | the component sees | default | what it does |
|---|---|---|---|
";

fn environment() -> String {
    let mut page = VARIABLES.to_owned();
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

const FLAG_TABLE: &str = "\
# Flags

Every flag of `mc-wasi replicate resync-backlog`, in the words of `--help` and of the manual page. A flag may stand
before or after TARGET, and one that all commands of mc have also before `replicate`. Where a variable does the same, the flag counts.
More on them: [which versions](how-it-works.md#what-is-listed), [how fast](at-scale.md), [`--from`](from.md),
[`--wait`](how-it-works.md#triggered-is-not-replicated), [`--clear-checksum`](how-it-works.md#checksums-that-are-in-the-way),
[`--print-grant` and `--component`](security.md#what-may-it-do-this-time), [`--json`](json.md).

This page is made from a table in `guest/core/src/command/flags.rs` by `cargo xtask docs`.

| flag | default | variable | what it does |
|---|---|---|---|
";

fn flags() -> String {
    let mut page = FLAG_TABLE.to_owned();
    for flag in FLAGS.iter().filter(|flag| flag.class != Class::Hidden) {
        let value = match flag.takes {
            Takes::Switch => "",
            Takes::Value | Takes::Values => " VALUE",
            Takes::Number => " [VALUE]",
        };
        let mut names = format!("`--{}{value}`", flag.long);
        if !flag.short.is_empty() {
            let dashes = if flag.short.len() == 1 { "-" } else { "--" };
            names += &format!(", `{dashes}{}`", flag.short);
        }
        let variable = if flag.env.is_empty() { String::new() } else { format!("`{}`", flag.env) };
        page += &format!("| {names} | {} | {variable} | {} |\n", flag.default, flag.help);
    }
    page
}

#[test]
fn the_pages_that_are_made_from_tables_say_what_these_say() {
    for (name, page) in [("environment.md", environment()), ("flags.md", flags())] {
        let file = root().join("docs").join(name);
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(&file, &page).expect("the page is written");
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(committed == page, "docs/{name} is not what the table says: cargo xtask docs");
    }
}
