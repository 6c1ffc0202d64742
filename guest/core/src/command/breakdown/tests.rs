use super::row::UNDATED;
use super::*;
use crate::listing::TargetStatus;
use crate::wire::VersionId;

fn breakdown(words: &[&str]) -> Breakdown {
    let words: Vec<String> =
        ["--dry-run"].iter().chain(words).map(|word| (*word).to_owned()).collect();
    Breakdown::of(&Args::parse(&words, &|_| None).unwrap(), 1_795_510_000).unwrap()
}

fn item(key: &str) -> Item {
    Item {
        key: key.to_owned(),
        version: VersionId::Null,
        modified: Modified::Text("2026-11-24T08:28:26Z".into()),
        delete_marker: false,
        statuses: 0,
    }
}

fn failed(targets: &[&str]) -> Statuses {
    let target = |arn: &&str| TargetStatus {
        arn: (*arn).to_owned(),
        status: "FAILED".to_owned(),
        delete_status: String::new(),
    };
    Statuses {
        status: "FAILED".to_owned(),
        delete_status: String::new(),
        targets_json: None,
        targets: targets.iter().map(target).collect(),
    }
}

#[test]
fn a_prefix_has_so_many_levels_below_target_and_ends_with_a_slash() {
    for (target, depth, key, prefix) in [
        ("a/b", "0", "x/y/z", ""),
        ("a/b", "1", "x/y/z", "x/"),
        ("a/b", "2", "x/y/z", "x/y/"),
        ("a/b", "512", "x/y/z", "x/y/"),
        ("a/b", "1", "x", ""),
        ("a/b", "1", "x/", "x/"),
        ("a/b", "2", "é/ü/z", "é/ü/"),
        ("a/b/x/", "1", "x/y/z", "x/y/"),
        ("a/b/x/y", "0", "x/yy/z", "x/y"),
        ("a/b/x/y", "1", "x/yy/z", "x/yy/"),
        ("a/b/x/y", "1", "x/yy", "x/y"),
        ("a/b/no", "1", "a server that ignores the prefix/x", "a server that ignores the prefix/"),
    ] {
        let breakdown = breakdown(&[target, "--summary", depth]);
        assert_eq!(breakdown.prefix(key), prefix, "{target} {depth} {key}");
    }
    let long = "é/".repeat(1_000);
    let prefix = breakdown(&["a/b", "--summary=512"]).prefix(&long).to_owned();
    assert!((MAX_PREFIX - 3..=MAX_PREFIX).contains(&prefix.len()) && long.starts_with(&prefix));
}

#[test]
fn a_million_prefixes_take_the_memory_of_two_thousand_and_leave_the_largest() {
    let mut breakdown = breakdown(&["a/b", "--summary"]);
    let statuses = failed(&["arn:a"]);
    for number in 0..1_000_000 {
        // A thousand of them have two versions, one of which is found late.
        let large = number % 1_000 == 0;
        for name in if large { &["x", "y"][..] } else { &["x"] } {
            breakdown.add(&item(&format!("{number:06}/{name}")), &statuses);
            assert!(breakdown.rows.len() <= 2 * ROWS);
        }
    }
    let table = breakdown.finish();
    assert_eq!((table.rows.len(), table.exact), (ROWS, true));
    assert!(table.rows.iter().all(|(_, row)| row.versions == 2));
    assert_eq!((table.all.versions, table.others.versions), (1_001_000, 999_000));
}

#[test]
fn the_objects_beside_the_folders_are_one_row_however_far_apart_they_are() {
    let mut breakdown = breakdown(&["a/b", "--summary", "2"]);
    let statuses = failed(&[]);
    for number in 0..5_000 {
        for name in ["x", "y", "z"] {
            breakdown.add(&item(&format!("a/{number:06}/{name}")), &statuses);
        }
        // The row is the smallest of all for a long time.
        if number > 4_900 || number == 0 {
            breakdown.add(&item(&format!("a/{number:06}0")), &statuses);
        }
    }
    let table = breakdown.finish();
    assert_eq!((table.rows[0].0.as_str(), table.rows[0].1.versions), ("a/", 100));
    assert_eq!((table.rows.len(), table.exact), (ROWS, true));
}

#[test]
fn without_order_the_rows_still_add_up_and_it_is_said_that_one_may_have_more() {
    for (prefixes, exact) in [(1_500, true), (10_007, false)] {
        let mut breakdown = breakdown(&["a/b", "--summary"]);
        let statuses = failed(&["arn:a"]);
        for number in 0..20_000 {
            let prefix = number * 7_919 % prefixes;
            breakdown.add(&item(&format!("{prefix:06}/{number}")), &statuses);
            assert!(breakdown.rows.len() <= 2 * ROWS);
        }
        let table = breakdown.finish();
        let rows: u64 = table.rows.iter().map(|(_, row)| row.versions).sum();
        assert_eq!((table.all.versions, rows + table.others.versions), (20_000, 20_000));
        assert_eq!(table.exact, exact, "{prefixes}");
    }
}

#[test]
fn more_kinds_than_a_server_has_are_counted_together() {
    let mut breakdown = breakdown(&["a/b", "--summary"]);
    for number in 0..2_000 {
        breakdown.add(&item("x/y"), &failed(&[&format!("arn:{number}")]));
    }
    breakdown.add(&item("x/y"), &failed(&[&"long".repeat(2_000)]));
    let table = breakdown.finish();
    let [(_, row)] = &table.rows[..] else { panic!("one prefix") };
    let (last, others) = (table.kinds.last().unwrap(), row.cells.last().unwrap());
    assert_eq!((table.kinds.len(), last.status.as_str()), (101, "OTHER"));
    assert_eq!((row.versions, others.versions), (2_001, 2_001 - 100));
}

#[test]
fn an_age_begins_where_the_one_before_ends() {
    let (hour, day, week) = (3_600_000_000_000, 86_400_000_000_000, 604_800_000_000_000);
    let began = 2_000_000_000_000_000_000;
    for (age, column) in [
        (-hour, 0),
        (0, 0),
        (hour - 1, 0),
        (hour, 1),
        (day - 1, 1),
        (day, 2),
        (week - 1, 2),
        (week, 3),
        (began - 1, 3),
        (began, UNDATED),
    ] {
        let mut row = Row::default();
        row.add(&Seen::new(0, Some(began - age), began));
        assert_eq!(row.cells[0].ages[column], 1, "{age}");
    }
    let mut row = Row::default();
    row.add(&Seen::new(0, None, began));
    assert_eq!((row.cells[0].ages[UNDATED], row.cells[0].times), (1, None));
}
