//! Every key a server stores goes through the listing, the trigger and both outputs as it is.

use std::collections::BTreeSet;
use std::time::Duration;

use super::as_root;
use mc_wasi_tests::minio::{Pair, untimed};
use resync_core::report::printable;

/// For the target to get what was triggered.
const DRAIN: Duration = Duration::from_secs(90);

/// Keys that a path, a query, a signature, an XML or a JSON document could spoil.
///
/// Two are missing, because no client can bring them through: the server stores `" "` and then refuses
/// to send it to the target, and it lists `__XLDIR__`, its own mark for folders, as `//`.
fn odd_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        " leading",
        "trailing ",
        "in side  twice",
        "dir / spaced /k ",
        "ünïcödé/日本語/العربية",
        "cafe\u{301} is not caf\u{e9}",
        "emoji-\u{1F600}-\u{1F469}\u{200D}\u{1F469}",
        "plus+plus",
        "%",
        "%41",
        "%2F",
        "%zz%",
        "a&b=c",
        "?versionId=null",
        "#fragment",
        "semi;colon,comma",
        "<tag attr='1'>\"text\"</tag>",
        "&amp;&#10;",
        "(round)[square]{curly}",
        "*!~`^|$@:",
        "back\\slash\\",
        "dots...",
        "...",
        ".hidden/..x/x..",
        "-dash",
        "--json",
        "'; rm -rf /; '",
        "tab\there",
        "cr\rhere",
        "lf\nhere",
        "crlf\r\n\r\nX-Injected: yes",
        "bell\u{7} escape\u{1b}[2J del\u{7f} c1\u{85}",
        "bidi \u{202e}gnp.exe",
        "line\u{2028}separator",
        "bom\u{feff}",
        "noncharacter \u{ffff}",
        "replacement \u{fffd}",
        "~tilde",
        "xl.meta",
        "null",
        "a-b",
        "a/b",
        "folder/",
        "deep/folder /",
    ]
    .map(str::to_owned)
    .into();
    keys.push("x".repeat(255));
    keys.push(format!("ä{}", "y".repeat(253)));
    let path = ["p".repeat(200), "q".repeat(200), "r".repeat(200), "s".repeat(202)].join("/");
    assert_eq!(path.len(), 805);
    keys.push(path);
    keys.sort_unstable();
    keys
}

#[test]
fn every_odd_key_is_listed_triggered_and_replicated_as_it_is() {
    let mut pair = Pair::start();
    pair.stick();
    let keys = odd_keys();
    for key in &keys {
        pair.put(key, key.as_bytes(), &[]);
    }
    let backlog = pair.wait_backlog(keys.len());
    let mc = as_root(&pair);

    // In a copy the key also stands in a header. The target still refuses what is copied.
    let copied = mc.run(&["source/src", "--clear-checksum", "--json"]);
    assert_eq!((copied.status, copied.stderr.as_str()), (0, ""), "{}", copied.stdout);
    assert_eq!(copied.summary()["copied"], keys.len());
    assert_eq!(untimed(&pair.wait_backlog(keys.len())), untimed(&backlog));
    pair.release();

    let dry = mc.run(&["source/src", "--dry-run"]);
    assert_eq!((dry.status, dry.stderr.as_str()), (0, ""));
    let rows: Vec<&str> = dry.stdout.split('\n').take(keys.len()).collect();
    for (row, entry) in rows.iter().zip(&backlog) {
        let shown = row.split_once(&format!("{:<36}  ", entry.version_id)).expect(row).1;
        // What acts on a terminal is written out, and nothing else: a name steers none.
        assert_eq!(shown, printable(&entry.object));
        assert!(!shown.contains(char::is_control), "{shown:?}");
    }
    assert!(dry.stdout.contains("  crlf\\r\\n\\r\\nX-Injected: yes\n"), "{}", dry.stdout);
    assert!(dry.stdout.ends_with(&format!("  Total: {0}\n  FAILED: {0} ({0} PUT)\n", keys.len())));

    let objects = |words: &[&str]| -> Vec<(String, String)> {
        let ran = mc.run(words);
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
        let mut lines = ran.json();
        lines.pop();
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        lines.iter().map(|line| (text(&line["object"]), text(&line["versionId"]))).collect()
    };
    let listed: Vec<_> = backlog.iter().map(|e| (e.object.clone(), e.version_id.clone())).collect();
    assert_eq!(objects(&["source/src", "--dry-run", "--json"]), listed);
    assert_eq!(untimed(&pair.backlog("")), untimed(&backlog), "a dry run triggers nothing");

    // As a prefix, a key is the same plain text; a few of them have others behind them.
    for (prefix, found) in [
        ("%", 4),
        ("crlf\r\n\r\nX-Injected: yes", 1),
        ("?versionId=", 1),
        ("dir / spaced /", 1),
        ("a&b=c", 1),
        ("plus+", 1),
        ("emoji-\u{1F600}", 1),
        ("folder/", 1),
        ("'; rm", 1),
        (" ", 1),
    ] {
        let target = format!("source/src/{prefix}");
        let ran = mc.run(&[&target, "--dry-run", "--json"]);
        assert_eq!(ran.summary()["total"], found, "{prefix:?}: {}{}", ran.stdout, ran.stderr);
    }
    assert_eq!(objects(&["source/src/%", "--json"]).len(), 4);
    pair.wait_backlog(keys.len() - 4);
    let triggered = objects(&["source/src", "--json", "--concurrent", "4"]);
    assert_eq!(triggered.len(), keys.len() - 4);
    pair.wait_empty(DRAIN);

    let target = pair.target_versions("dst");
    let on_target: BTreeSet<&str> = target.iter().map(|version| version.key.as_str()).collect();
    assert_eq!(on_target, keys.iter().map(String::as_str).collect());
    let client = pair.target_client();
    for version in &target {
        let size = client.head("dst", &version.key, None);
        assert_eq!(size.header("content-length"), Some(version.key.len().to_string().as_str()));
    }
}
