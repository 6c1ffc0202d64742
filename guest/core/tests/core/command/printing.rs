//! What the terminal gets: this program's own words, and nothing that steers it.

use super::User;
use crate::world::{Copying, Fate, Refusal, Replication, Screen, Version, ok, serving};
use proptest::prelude::*;
use resync_core::report::Loss;

/// Text that means harm, or any other.
fn foreign() -> impl Strategy<Value = &'static str> {
    let harm = prop::sample::select(vec![
        "\u{1b}]52;c;x\u{7}",
        "\u{9b}2J",
        "\r",
        "\n",
        "\u{2028}",
        "\u{202e}txt.exe",
        "\u{7f}",
        "\u{feff}",
        "\t",
    ]);
    (any::<String>(), harm, any::<String>())
        .prop_map(|(before, harm, after)| &*String::leak(format!("k{before}{harm}{after}")))
}

fn fate(words: &'static str) -> impl Strategy<Value = Fate> {
    prop::sample::select(vec![
        Fate::Queued,
        Fate::Gone,
        Fate::Marker,
        Fate::Refused(Refusal::INVALID.saying(words)),
        Fate::Refused(Refusal::LOCKED_OUT.saying(words)),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_foreign_steers_the_terminal(
        (key, id, arn, status, words) in (foreign(), foreign(), foreign(), foreign(), foreign()),
        fate in foreign().prop_flat_map(fate),
        refused in any::<bool>(),
        flags in prop::sample::select(vec![
            "", "--dry-run", "--wait 2s", "--clear-checksum", "--clear-checksum --validate", "--verify-listing -q",
            "--dry-run --summary", "--dry-run --summary=9 --rate-limit 1",
        ]),
    ) {
        let mut version = Version::new(key, id).fate(fate).replication(Replication::Never);
        version.targets = vec![arn];
        version.status = status;
        if refused {
            version.copying = Copying::Refused(Refusal::INVALID.saying(words));
        }
        let version = version.header("x-amz-meta-a", words).header_after("content-type", words);
        let mut world = serving(vec![version]);
        let target = serde_json::json!([{
            "arn": arn, "targetbucket": words, "isOnline": false, "totalDowntime": 1,
        }]);
        world.net.server.remote_targets = ok(&target.to_string()).into();
        let screen = Screen { err_is_terminal: false, ..Screen::terminal() };
        let ran = User::of(world).at(screen).run(&format!("a/bucket {flags} --no-color"));
        for text in [&ran.out, &ran.err] {
            for line in text.lines() {
                let acts = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{feff}');
                prop_assert!(!line.contains(acts), "{line:?}");
                let own = ["  ", "✓", "✗", "⚠", "mc-wasi: <ERROR>", "Copied `", "FAILED", "k", "VERSIONS", "Target 1: ", "At "];
                prop_assert!(line.is_empty() || own.iter().any(|o| line.starts_with(o)), "{line:?}");
            }
        }
    }
}

#[test]
fn a_terminal_that_is_not_known_to_take_escapes_gets_none() {
    for term in ["dumb", ""] {
        for flags in ["", "--dry-run", "--wait 5s"] {
            let world = serving(vec![
                Version::new("a", "null").replication(Replication::Never),
                Version::new("b", "null").refused(Refusal::INVALID),
            ]);
            let user = User::of(world).at(Screen::terminal()).with("TERM", term);
            let ran = { user }.run(&format!("a/bucket {flags}"));
            assert!(!(ran.out + &ran.err).contains('\u{1b}'), "{term:?} {flags}");
        }
    }
}

#[test]
fn a_full_disk_is_named_and_stops_what_would_leave_no_record() {
    let full = || Screen {
        reads: Some(1),
        loss: Some(Loss::Device("No space left on device".to_owned())),
        ..Screen::default()
    };
    let said = "mc-wasi: <ERROR> Unable to write to standard output. No space left on device\n";
    let many = || serving(crate::world::objects(5000));
    let mut user = User::of(many()).at(full());
    let ran = user.run("a/bucket --json --rate-limit 100");
    assert!(ran.err.starts_with(said) && !ran.success, "{}", ran.err);
    assert!(ran.err.contains("✗") || ran.err.contains("⚠"), "with the summary: {}", ran.err);
    assert!(ran.err.contains("  Total: ") && ran.err.contains("Not reached: "), "{}", ran.err);
    assert!(user.world.starts.len() < 100, "{} triggers without a record", user.world.starts.len());

    let mut user = User::of(many()).at(Screen { reads: Some(0), ..full() });
    let ran = user.run("a/bucket");
    assert!(ran.err.starts_with(said) && !ran.success, "{}", ran.err);
    assert!(ran.err.contains("  Processed: 5000\n"), "in text nothing is lost: {}", ran.err);
}
