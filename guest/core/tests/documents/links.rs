//! Links between the documents, and from comments to them.

use super::{doc, files, pages, root};
use std::collections::BTreeSet;
use std::path::Path;

/// What may say that a page has more.
const SOURCES: [&str; 8] = ["rs", "js", "mjs", "py", "toml", "yaml", "service", "wit"];

/// The targets of the links on a page; boxes have none.
fn targets(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let lines = text.lines().filter(|line| {
        fenced ^= line.starts_with("```");
        !fenced && !line.starts_with("    ")
    });
    lines
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://"))
        .collect()
}

/// What a heading is called in a link.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let lines = text.lines().filter(|line| {
        fenced ^= line.starts_with("```");
        !fenced && line.starts_with('#')
    });
    lines.map(|line| anchor(line.trim_start_matches('#'))).collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_of_it() {
    let pages = files(&["md"]);
    let mut followed = 0;
    for (path, text) in &pages {
        for target in targets(text) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let folder = root().join(path).parent().map(Path::to_owned).expect("a folder");
            let to = if file.is_empty() { root().join(path) } else { folder.join(file) };
            assert!(to.exists(), "{path}: {target} is not there");
            if !heading.is_empty() {
                let text = std::fs::read_to_string(&to).expect("a page");
                assert!(anchors(&text).contains(heading), "{path}: {target} is no heading");
            }
            followed += 1;
        }
    }
    assert!(followed > 100, "only {followed} links: this does not find them");
}

#[test]
fn a_heading_is_called_as_browsers_call_it() {
    assert_eq!(anchor(" What is listed"), "what-is-listed");
    assert_eq!(anchor(" `--clear-checksum` leaves it, too"), "--clear-checksum-leaves-it-too");
}

#[test]
fn every_page_that_a_comment_names_is_there() {
    let mut named = 0;
    for (path, text) in files(&SOURCES) {
        for rest in text.split("docs/").skip(1) {
            let end =
                rest.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            if !name.is_empty() && rest.starts_with(".md") {
                let page = format!("docs/{name}.md");
                assert!(root().join(&page).is_file(), "{path} names {page}");
                named += 1;
            }
        }
    }
    assert!(named > 5, "only {named}: this does not find them");
}

#[test]
fn the_index_has_every_page() {
    let index = doc("README.md");
    let listed: BTreeSet<&str> = targets(&index).into_iter().collect();
    for (path, _) in pages() {
        if let Some(name) = path.strip_prefix("docs/").filter(|name| *name != "README.md") {
            assert!(listed.contains(name), "docs/README.md does not list {name}");
        }
    }
}
