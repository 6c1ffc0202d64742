//! `--dry-run --summary`: the backlog by prefix, status, operation, target and age.

use super::{User, ran};
use crate::world::{Break, Fate, Screen, Version, World, made, serving};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// The clock says 2026-11-24T08:46:40Z.
fn backlog() -> Vec<Version> {
    let both = &["arn:minio:replication::0f3c:far", "arn:minio:replication::ed53:near"];
    let near = &both[1..];
    vec![
        Version::new("a/1", "null").targets(near),
        Version::new("a/2", "null").targets(near).modified("2026-11-24T02:00:00Z"),
        Version::new("a/b/3", "null").targets(near).modified("2026-11-20T00:00:00+01:00"),
        Version::new("a/b/4", "null").targets(near).fate(Fate::Marker),
        Version::new("b.txt", "null").targets(both).status("PENDING"),
        Version::new("c/\u{1b}[2J/5", "null").targets(&[]).modified("2025-11-24T00:00:00Z"),
        Version::new("c/\u{1b}[2J/6", "null").targets(near).fate(Fate::Purge),
    ]
}

const TABLE: &str = "\
VERSIONS  <1H  <1D  <1W  OLDER  OLDEST  NEWEST  STATUS    OP     TARGET  PREFIX
       3    1    1    1      0    4d9h  18m13s  FAILED    PUT    2       bucket/a/
       1    1    0    0      0  18m13s  18m13s  FAILED    DEL    2       bucket/a/
       1    0    0    0      1  365d8h  365d8h  EXISTING  PUT    -       bucket/c/
       1    1    0    0      0  18m13s  18m13s  PENDING   purge  2       bucket/c/
       1    1    0    0      0  18m13s  18m13s  PENDING   PUT    1,2     bucket/
       3    1    1    1      0    4d9h  18m13s  FAILED    PUT    2       total
       1    1    0    0      0  18m13s  18m13s  FAILED    DEL    2       total
       1    1    0    0      0  18m13s  18m13s  PENDING   PUT    1,2     total
       1    0    0    0      1  365d8h  365d8h  EXISTING  PUT    -       total
       1    1    0    0      0  18m13s  18m13s  PENDING   purge  2       total

Target 1: arn:minio:replication::0f3c:far
Target 2: arn:minio:replication::ed53:near
";

const END: &str = "
✓ Dry run completed, nothing was triggered
  Total: 7
  EXISTING: 1 (1 PUT)
  FAILED: 4 (1 DEL, 3 PUT)
  PENDING: 2 (1 PUT, 1 purge)
";

#[test]
fn the_text_is_a_table_with_the_targets_below_it() {
    let mut user = User::of(serving(backlog())).with("COLUMNS", "40");
    let ran = user.run("a/bucket --dry-run --summary");
    assert_eq!(ran.whole(), (format!("{TABLE}{END}").as_str(), "", true));
    let log = &user.world.net.server.log;
    assert!(log.iter().all(|asked| asked.target.contains("/replication/diff?")), "{log:?}");

    let ran = user.run("a/bucket/c/ --dry-run --summary");
    let row = "18m13s  18m13s  PENDING   purge  1       bucket/c/\\u{1b}[2J/\n";
    assert!(ran.out.contains(row), "levels are counted below TARGET: {}", ran.out);
}

#[test]
fn a_rate_limit_says_how_long_a_run_takes_at_least() {
    for (rate, takes) in [("0.5", "12s"), ("0.00005", "1d9h"), ("1000", "0s")] {
        let line = format!("a/bucket --dry-run --summary --rate-limit {rate}");
        let ran = ran(serving(backlog()), &line);
        let said = format!("At this --rate-limit, to trigger them takes {takes} or more.\n");
        assert_eq!(ran.out, format!("{TABLE}{said}{END}"));
    }
}

#[test]
fn what_was_never_replicated_has_no_targets_to_be_named() {
    let ran = ran(
        serving(vec![Version::new("k", "null").targets(&[])]),
        "a/bucket --dry-run --summary 0",
    );
    let table = "\
VERSIONS  <1H  <1D  <1W  OLDER  OLDEST  NEWEST  STATUS    OP   TARGET  PREFIX
       1    1    0    0      0  18m13s  18m13s  EXISTING  PUT  -       bucket/
       1    1    0    0      0  18m13s  18m13s  EXISTING  PUT  -       total

✓ Dry run completed, nothing was triggered
  Total: 1
  EXISTING: 1 (1 PUT)
";
    assert_eq!(ran.whole(), (table, "", true));
}

#[test]
fn a_terminal_too_narrow_for_the_table_gets_paragraphs() {
    let run = |columns| {
        let screen = Screen { err_is_terminal: false, ..Screen::terminal() };
        let user = User::of(serving(backlog())).at(screen).with("COLUMNS", columns);
        { user }.run("a/bucket --dry-run --summary=1 --no-color").out
    };
    let narrow = run("40");
    let begins = "\
bucket/a/
  VERSIONS 3  <1H 1  <1D 1  <1W 1
    OLDER 0  OLDEST 4d9h  NEWEST 18m13s
    STATUS FAILED  OP PUT  TARGET 2
  VERSIONS 1  <1H 1  <1D 0  <1W 0
    OLDER 0  OLDEST 18m13s
    NEWEST 18m13s  STATUS FAILED  OP DEL
    TARGET 2
bucket/c/
";
    assert!(narrow.starts_with(begins) && narrow.ends_with(END), "{narrow}");
    for columns in ["120", "", "x"] {
        assert_eq!(run(columns), format!("{TABLE}{END}"), "{columns}");
    }
    for columns in ["0", "1"] {
        assert!(run(columns).starts_with("bucket/a/\n  VERSIONS 3\n    <1H 1\n    <1D 1\n"));
    }
}

#[test]
fn a_terminal_shows_how_far_the_listing_is_since_nothing_scrolls() {
    let ran =
        User::of(made(3_000, |_| {})).at(Screen::terminal()).run("a/bucket --dry-run --summary");
    assert!(ran.err.contains(" found, ") && ran.err.ends_with("\r\u{1b}[K"), "{:?}", ran.err);
    let table = ran.out.strip_prefix("VERSIONS    <1H").expect("a table without colours");
    assert!(table.contains("\n   3,000  3,000"), "{table}");
    assert!(table.contains("\n\u{1b}[32;1m✓\u{1b}[0m Dry run completed"), "{table:?}");
}

#[test]
fn the_json_is_one_object_before_the_last() {
    let versions = || {
        vec![
            Version::new("a/1", "null").targets(&["arn:a", "arn:b"]),
            Version::new("a/2", "null").targets(&["arn:a", "arn:b"]).modified(""),
            Version::new("\u{1b}", "null").targets(&[]),
        ]
    };
    let ran = ran(serving(versions()), "a/bucket --dry-run --summary --json --rate-limit 4");
    let both = r#"{"status":"FAILED","operation":"PUT","targets":["arn:a","arn:b"],"total":2,"underHour":1,"underDay":0,"underWeek":0,"older":0,"undated":1,"oldest":"2026-11-24T08:28:26.645675391Z","newest":"2026-11-24T08:28:26.645675391Z"}"#;
    let none = r#"{"status":"EXISTING","operation":"PUT","targets":[],"total":1,"underHour":1,"underDay":0,"underWeek":0,"older":0,"undated":0,"oldest":"2026-11-24T08:28:26.645675391Z","newest":"2026-11-24T08:28:26.645675391Z"}"#;
    let expected = format!(
        r#"{{"status":"success","type":"summary","complete":true,"exact":true,"depth":1,"began":"2026-11-24T08:46:40Z","total":3,"kinds":[{both},{none}],"estimate":500000000,"prefixes":[{{"prefix":"a/","total":2,"kinds":[{both}]}},{{"prefix":"","total":1,"kinds":[{none}]}}]}}"#
    );
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!((lines[0], lines.len()), (expected.as_str(), 2));
    assert_eq!((&ran.summary()["total"], ran.success), (&json!(3), true));

    let text = User::of(serving(versions())).run("a/bucket --dry-run --summary").out;
    let undated =
        "       2    1    0    0      0  18m13s  18m13s  FAILED    PUT  1,2     bucket/a/\n";
    assert!(text.contains(undated), "{text}");
    let said = "Target 2: arn:b\nWithout a time that can be read, and so of no age: 1.\n\n✓";
    assert!(text.contains(said), "{text}");
}

#[test]
fn a_listing_that_breaks_leaves_a_table_that_says_so_and_a_run_that_failed() {
    for (what, listed, end) in [
        (Break::ErrorEntry, 40, "✗ Dry run incomplete: "),
        (Break::Silence, 39, "⚠ Dry run interrupted: "),
    ] {
        let run = |flags| {
            let world = made(100, |world| {
                world.breaks = [(40, what); 2].into();
                world.net.stop_at = Some(Duration::from_secs(3));
            });
            ran(world, &format!("a/bucket --dry-run --summary {flags}"))
        };
        let text = run("");
        let begins = "⚠ Partial: the backlog was not listed to its end.\n\nVERSIONS  ";
        assert!(text.out.starts_with(begins) && !text.success, "{}", text.out);
        assert!(text.out.contains(&format!("\n\n{end}")), "{}", text.out);

        let json = run("--json");
        let table = &json.json()[0];
        assert_eq!((&table["status"], &table["complete"]), (&json!("error"), &json!(false)));
        assert_eq!((&table["total"], &json.summary()["total"]), (&json!(listed), &json!(listed)));
        assert!(!json.success);
    }
}

#[test]
fn where_nothing_was_listed_there_is_no_table() {
    let ran = |world| super::ran(world, "a/bucket --dry-run --summary --rate-limit 1");
    let nothing = "✓ Dry run completed, nothing was triggered\n  Total: 0\n";
    assert_eq!(ran(serving(Vec::new())).whole(), (nothing, "", true));
    let refused = |world: &mut World| {
        world.breaks = [(0, Break::Refused(crate::world::Refusal::DENIED))].into();
    };
    let refused = ran(made(3, refused));
    assert_eq!((refused.out.as_str(), refused.success), ("", false));
}

#[test]
fn what_only_a_second_listing_shows_is_in_the_table() {
    let early = |world: &mut World| world.breaks = [(60, Break::EarlyEnd)].into();
    let ran = ran(made(100, early), "a/bucket --dry-run --summary --verify-listing --json");
    let [table, end] = &ran.json()[..] else { panic!("{}", ran.out) };
    assert_eq!(
        (&table["total"], &end["total"], &end["appeared"]),
        (&100.into(), &100.into(), &40.into())
    );
    assert_eq!((&table["prefixes"][0]["total"], &table["exact"]), (&json!(100), &json!(true)));
}

/// A kind, and how many versions it has: all, by age, and from when to when.
type Kinds = BTreeMap<(String, String, Vec<String>), (u64, [u64; 4], String, String)>;

fn add(kinds: &mut Kinds, more: &Kinds) {
    for (kind, (total, ages, oldest, newest)) in more {
        let sum = kinds
            .entry(kind.clone())
            .or_insert_with(|| (0, [0; 4], oldest.clone(), newest.clone()));
        sum.0 += total;
        sum.1.iter_mut().zip(ages).for_each(|(sum, age)| *sum += age);
        sum.2 = sum.2.clone().min(oldest.clone());
        sum.3 = sum.3.clone().max(newest.clone());
    }
}

/// The kinds of a row, as the table has them.
fn shown(row: &Value) -> Kinds {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let mut kinds = Kinds::new();
    for kind in row["kinds"].as_array().expect("kinds") {
        let targets = kind["targets"].as_array().expect("targets").iter().map(text).collect();
        let ages = ["underHour", "underDay", "underWeek", "older"];
        let ages = ages.map(|age| kind[age].as_u64().expect("a number"));
        let total = kind["total"].as_u64().expect("a number");
        let known = kinds.insert(
            (text(&kind["status"]), text(&kind["operation"]), targets),
            (total, ages, text(&kind["oldest"]), text(&kind["newest"])),
        );
        assert!(known.is_none(), "a kind comes once: {row}");
    }
    let total: u64 = kinds.values().map(|(total, ..)| total).sum();
    assert_eq!(row["total"], total, "{row}");
    kinds
}

/// One in each age.
const TIMES: [&str; 4] = [
    "2026-11-24T08:00:00Z",
    "2026-11-24T07:00:00Z",
    "2026-11-20T00:00:00Z",
    "2020-01-01T00:00:00Z",
];

/// The only kind of a version, from its line in a plain dry run.
fn listed(line: &Value) -> Kinds {
    let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let status = match (text("dStatus"), text("rStatus")) {
        (deletion, _) if !deletion.is_empty() => deletion,
        (_, status) if status.is_empty() => "EXISTING".to_owned(),
        (_, status) => status,
    };
    let targets = line["targets"].as_object().into_iter().flatten();
    let kind = (status, text("operation"), targets.map(|(arn, _)| arn.clone()).collect());
    let ages = TIMES.map(|time| u64::from(line["lastModified"] == time));
    Kinds::from([(kind, (1, ages, text("lastModified"), text("lastModified")))])
}

fn prefix_of(key: &str, base: &str, depth: usize) -> String {
    let mut levels: Vec<&str> = key[base.len()..].split('/').collect();
    levels.pop();
    levels.truncate(depth);
    format!("{base}{}", levels.iter().map(|level| format!("{level}/")).collect::<String>())
}

/// A backlog of every kind, with few prefixes or more than are kept.
fn any_backlog() -> impl Strategy<Value = Vec<Version>> {
    let key = |names: u16| prop::collection::vec(0..names, 1..5);
    let keys = prop_oneof![
        3 => prop::collection::btree_set(key(3), 0..120),
        1 => prop::collection::btree_set(key(4_000), 2_500..3_000),
    ];
    (keys, any::<u32>()).prop_map(|(keys, seed)| {
        let name = |key: Vec<u16>| key.iter().map(u16::to_string).collect::<Vec<_>>().join("/");
        let mut keys: Vec<String> = keys.into_iter().map(name).collect();
        keys.sort_unstable();
        let mut random = seed | 1;
        let mut draw = move |below: usize| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 16) as usize % below
        };
        let version = |key: &String| {
            let version = Version::new(key, "null").modified(TIMES[draw(4)]);
            let version = version.status(["PENDING", "FAILED"][draw(2)]);
            let version = version.fate([Fate::Queued, Fate::Marker, Fate::Purge][draw(3)]);
            version.targets([&[][..], &["arn:a"], &["arn:a", "arn:b"], &["arn:b"]][draw(4)])
        };
        keys.iter().map(version).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_any_order_the_rows_add_up_to_what_a_plain_dry_run_lists(
        versions in any_backlog(),
        (sets, pools) in (1..4_usize, 1..3_usize),
        base in prop::sample::select(vec!["", "1", "2/"]),
        depth in 0..5_usize,
        arn in prop::sample::select(vec!["", " --arn arn:a"]),
    ) {
        let world = || {
            let mut world = serving(versions.clone());
            (world.net.server.sets, world.net.server.pools) = (sets, pools);
            world
        };
        let line = format!("a/bucket/{base} --dry-run --json{arn}");
        let plain = ran(world(), &line);
        let table = ran(world(), &format!("{line} --summary {depth}"));
        let [table, end] = &table.json()[..] else { panic!("{}", table.out) };
        prop_assert_eq!(&end["backlog"], &plain.summary()["backlog"]);

        let (mut all, mut by_prefix) = (Kinds::new(), BTreeMap::<String, Kinds>::new());
        for line in plain.json().iter().filter(|line| line["object"].is_string()) {
            let (key, kinds) = (line["object"].as_str().expect("a key"), listed(line));
            add(&mut all, &kinds);
            add(by_prefix.entry(prefix_of(key, base, depth)).or_default(), &kinds);
        }
        prop_assert_eq!(&shown(table), &all, "the totals");

        let rows = table["prefixes"].as_array().expect("rows");
        let mut sum = Kinds::new();
        rows.iter().chain(table.get("others")).for_each(|row| add(&mut sum, &shown(row)));
        prop_assert_eq!(&sum, &all, "rows and others");

        let total = |kinds: &Kinds| kinds.values().map(|(total, ..)| *total).sum::<u64>();
        let mut largest: Vec<(&String, &Kinds)> = by_prefix.iter().collect();
        largest.sort_by_key(|(_, kinds)| std::cmp::Reverse(total(kinds)));
        largest.truncate(1_000);
        prop_assert_eq!(rows.len(), largest.len());
        let is_exact = table["exact"] == true;
        prop_assert!(is_exact || (sets * pools > 1 && by_prefix.len() > 2_000));
        for (row, (prefix, kinds)) in rows.iter().zip(largest) {
            let name = row["prefix"].as_str().expect("a prefix");
            if is_exact {
                prop_assert_eq!((name, &shown(row)), (prefix.as_str(), kinds));
            }
            prop_assert!(total(&shown(row)) <= total(&by_prefix[name]));
        }
    }
}
