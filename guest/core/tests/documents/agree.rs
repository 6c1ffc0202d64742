//! What the pages, the help and the manual page say of the same thing.

use super::doc;
use resync_core::command::EXIT_STATUSES;
use std::collections::BTreeSet;

#[test]
fn the_page_about_scripts_has_the_exit_statuses_of_the_manual_page() {
    let page = doc("json.md").replace('`', "");
    for (status, meaning) in EXIT_STATUSES {
        let row = format!("| {status} | {meaning} |");
        assert!(page.contains(&row), "docs/json.md does not say: {row}");
    }
}

/// Permissions, as `admin:ReplicationDiff`, in a text.
fn permissions(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != ':');
    let is_one = |word: &&str| {
        let (service, action) = word.split_once(':').unwrap_or_default();
        matches!(service, "s3" | "admin") && action.starts_with(|c: char| c.is_ascii_uppercase())
    };
    words.filter(is_one).map(|word| word.trim_end_matches(':')).collect()
}

#[test]
fn the_permissions_of_the_help_and_of_the_policies_are_those_of_the_page() {
    let help = include_str!("../../src/command/help.rs");
    let (_, rest) = help.split_once("REQUIRED PERMISSIONS:").expect("the permissions");
    let (said, _) = rest.split_once("EVENTS:").expect("what follows them");
    let page = doc("security.md");
    let (_, rest) = page.split_once("## The account").expect("the account");
    let (table, _) = rest.split_once("\n\n[policy.json]").expect("what follows the table");
    let needed: BTreeSet<&str> = permissions(said);
    assert!(needed.len() >= 5, "{needed:?}");
    assert_eq!(needed, permissions(&doc("policy-clear-checksum.json")), "the policy, and the help");
    let described = permissions(table);
    assert!(needed.is_subset(&described), "{needed:?} are not all among {described:?}");
}
