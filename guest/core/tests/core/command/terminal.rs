//! On a terminal: how far the run is, colours, and what turns them off.

use super::{Ran, User};
use crate::world::{Break, Fate, Mishap, Refusal, Replication, Screen, World, made};
use resync_core::wire::Net;
use std::time::Duration;

/// What begins and ends the drawing of the line: no wrapping while it is drawn, the rest erased.
const BEFORE: &str = "\r\u{1b}[?7l";
const AFTER: &str = "\u{1b}[K\u{1b}[?7h";
const ERASE: &str = "\r\u{1b}[K";

/// A run at a terminal.
fn run(world: World, line: &str) -> Ran {
    User::of(world).at(Screen::terminal()).run(line)
}

/// What was drawn of the progress, in its order.
fn drawn(ran: &Ran) -> Vec<&str> {
    let lines = ran.err.split(BEFORE).skip(1);
    lines.map(|line| line.split_once(AFTER).expect("wrapping is turned on again").0).collect()
}

/// What stays on the screen, as a terminal shows it that knows these few escapes.
fn stays(ran: &Ran) -> String {
    let mut screen = String::new();
    for line in ran.err.replace(BEFORE, "\r").replace(AFTER, "\u{1b}[K").split_inclusive('\n') {
        // What was drawn is erased, or drawn over and cut where that ends.
        let last = line.rsplit('\r').next().unwrap_or_default();
        screen.push_str(last.trim_start_matches("\u{1b}[K"));
    }
    screen
}

#[test]
fn progress_is_drawn_ten_times_a_second_and_erased_before_the_summary() {
    let ran = run(made(6, |_| {}), "a/bucket --rate-limit 10 --no-color");
    assert_eq!(
        drawn(&ran),
        [
            "0+ found, 0 triggered, 0 failed, 0/s",
            "6 found, 2 triggered, 0 failed, 11/s",
            "6 found, 3 triggered, 0 failed, 11/s",
            "6 found, 4 triggered, 0 failed, 11/s",
            "6 found, 5 triggered, 0 failed, 11/s",
        ]
    );
    assert!(ran.err.ends_with(ERASE), "{:?}", ran.err);
    assert_eq!(stays(&ran), "");
    assert_eq!(
        ran.out,
        "✓ Replication trigger completed\n  Total: 6\n  Processed: 6\n  Failed: 0\n"
    );
    for (count, flags) in [(5000, "-c 100"), (200, "--rate-limit 33")] {
        let mut user = User::of(made(count, |_| {})).at(Screen::terminal());
        let ran = user.run(&format!("a/bucket {flags}"));
        let ticks = user.world.now().origin_age().as_millis() / 100;
        let times = drawn(&ran).len() as u128;
        assert!((ticks / 2..=ticks + 1).contains(&times), "{times} in {ticks} tenths of a second");
    }
}

#[test]
fn numbers_are_grouped_and_the_rate_is_measured_over_two_seconds() {
    let ran = run(made(3000, |_| {}), "a/bucket --rate-limit 500 -c 100");
    let last = drawn(&ran).pop().unwrap_or_default().to_owned();
    assert!(last.starts_with("3,000 found, 2,9") && last.ends_with(", 0 failed, 500/s"), "{last}");
    let rates: Vec<&str> = drawn(&ran).iter().filter_map(|line| line.rsplit(' ').next()).collect();
    let mut different = rates.clone();
    different.dedup();
    assert!(
        different.len() <= 4,
        "a rate that can be read does not change all the time: {rates:?}"
    );
}

#[test]
fn a_plus_says_that_there_may_be_more_until_the_listing_was_read_to_its_end() {
    let plus =
        |ran: &Ran| drawn(ran).iter().map(|line| line.contains("+ found")).collect::<Vec<_>>();
    let whole = plus(&run(made(60, |_| {}), "a/bucket --rate-limit 20"));
    assert!(whole[0] && whole[1..].iter().all(|plus| !plus), "{whole:?}");
    let failed = run(
        made(100, |world| {
            world.net.server.replication = Replication::Never;
            world.breaks = [(40, Break::ErrorEntry); 2].into();
        }),
        "a/bucket --rate-limit 10",
    );
    assert!(drawn(&failed).len() > 30, "{failed:?}");
    assert!(plus(&failed).iter().all(|plus| *plus), "{:?}", drawn(&failed));
    assert!(
        drawn(&failed).contains(&"40+ found, 39 triggered, 0 failed, 10/s"),
        "{:?}",
        drawn(&failed)
    );
}

#[test]
fn what_keeps_the_run_is_said() {
    let seconds = Duration::from_secs;
    for (world, flags, said) in [
        (
            made(200, |world| world.out = (seconds(1)..seconds(6), Mishap::Closed)),
            "--rate-limit 50",
            "/s, server out for 3 s",
        ),
        (
            made(9, |world| world.breaks = [(0, Break::BUSY); 5].into()),
            "",
            "0+ found, 0 triggered, 0 failed, 0/s, asking for the listing again, attempt 4",
        ),
        (
            made(200, |world| {
                let busy = Mishap::Refused(Refusal::new(429, ""));
                world.out = (seconds(1)..Duration::from_millis(1030), busy);
            }),
            "--rate-limit 50",
            "/s, server busy: 6 at a time",
        ),
        (
            made(15, |world| world.net.server.replication = Replication::Never),
            "--wait 5s",
            "waiting for 15 to replicate, next look in 2 s",
        ),
    ] {
        let ran = run(world, &format!("a/bucket {flags}"));
        let found = drawn(&ran).iter().any(|line| line.ends_with(said));
        assert!(found, "{said}: {:#?}", drawn(&ran));
        assert_eq!(stays(&ran), "", "{said}");
    }
}

#[test]
fn a_narrow_terminal_gets_what_fits() {
    for (columns, fits) in
        [("20", 19), ("80", 79), ("1", 0), ("0", 0), ("", usize::MAX), ("x", usize::MAX)]
    {
        let world = made(3000, |world| {
            world.out = (Duration::ZERO..Duration::from_secs(3), Mishap::Closed);
        });
        let mut user = User::of(world).at(Screen::terminal()).with("COLUMNS", columns);
        let ran = user.run("a/bucket --rate-limit 500");
        let longest = drawn(&ran).iter().map(|line| line.chars().count()).max().expect("a line");
        assert!(longest <= fits, "{columns}: {longest}");
        let whole = "3,000 found, 0 triggered, 0 failed, 0/s, server out for 2 s";
        assert_eq!(drawn(&ran).contains(&whole), fits > 70, "{columns}: {:#?}", drawn(&ran));
    }
}

#[test]
fn failures_stand_above_the_progress() {
    let mut world = made(60, |_| {});
    for index in [10, 20, 30] {
        world.net.server.versions[index].fate = Fate::Refused(Refusal::INVALID);
    }
    let ran = run(world, "a/bucket --rate-limit 20 --no-color");
    let named = [("10", "0a"), ("20", "14"), ("30", "1e")].map(|(key, id)| {
        format!("mc-wasi: <ERROR> Unable to trigger replication of `bucket/data/0000{key}` (00000000-0000-0000-0000-0000000000{id}). Invalid version id specified\n")
    });
    assert_eq!(stays(&ran), named.concat());
    assert!(drawn(&ran).len() > 25, "the progress goes on after each: {:?}", drawn(&ran));
    assert!(drawn(&ran).iter().any(|line| line.contains("3 failed")), "{:?}", drawn(&ran));
}

/// A backlog of which one version fails, on a server that asks for a pause and whose target is away.
fn eventful() -> World {
    let mut world = made(3, |_| {});
    let target = r#"[{ "arn": "arn:a", "endpoint": "far", "targetbucket": "copy", "isOnline": false, "totalDowntime": 1 }]"#;
    world.net.server.remote_targets = crate::world::ok(target).into();
    world.net.server.versions[1].fate = Fate::Refused(Refusal::INVALID);
    let busy = Refusal::new(503, "SlowDown").retry_after("3");
    world.out = (Duration::ZERO..Duration::from_secs(12), Mishap::Refused(busy));
    world
}

#[test]
fn colours_and_progress_are_for_terminals_and_can_be_turned_off() {
    let screen =
        |out, err| Screen { out_is_terminal: out, err_is_terminal: err, ..Screen::default() };
    // Where stdout and stderr are terminals: colours of each, and progress.
    for (out, err, flags, variable, expected) in [
        (true, true, "", "", [true, true, true]),
        (true, false, "", "", [true, false, false]),
        (false, true, "", "", [false, true, true]),
        (false, false, "", "", [false; 3]),
        (true, true, "--no-color", "", [false, false, true]),
        (true, true, "", "NO_COLOR", [false, false, true]),
        (true, true, "", "MC_NO_COLOR", [false, false, true]),
        (true, true, "--quiet", "", [false; 3]),
        (true, true, "-q", "", [false; 3]),
        (true, true, "", "MC_QUIET", [false; 3]),
        (true, true, "--json", "", [false; 3]),
        (true, true, "", "MC_JSON", [false; 3]),
        // A line among its rows would tear them.
        (true, true, "--dry-run", "", [true, false, false]),
        (false, true, "--dry-run", "", [false, false, true]),
        (true, true, "--dry-run --summary", "", [true, false, true]),
    ] {
        let mut user = User::of(eventful()).at(screen(out, err));
        if !variable.is_empty() {
            user = user.with(variable, "1");
        }
        let ran = user.run(&format!("a/bucket {flags}"));
        let coloured = |text: &str| text.contains("\u{1b}[3");
        let shown = [coloured(&ran.out), coloured(&ran.err), !drawn(&ran).is_empty()];
        assert_eq!(shown, expected, "{out} {err} {flags} {variable}: {ran:?}");
        let escapes = ran.out.contains('\u{1b}') || ran.err.contains('\u{1b}');
        assert_eq!(escapes, expected.contains(&true), "{flags} {variable}: no other escapes");
    }
}

#[test]
fn each_kind_of_line_has_its_colour() {
    let ran = run(eventful(), "a/bucket");
    assert_eq!(
        stays(&ran),
        "\u{1b}[33;1m⚠\u{1b}[0m Target arn:a (bucket copy) is offline: versions are triggered and stay in the backlog until it is back.
\u{1b}[33;1m⚠\u{1b}[0m The server asked for a pause of 3 s (Retry-After).
\u{1b}[33;3mmc-wasi: <ERROR> \u{1b}[0;23;22mUnable to trigger replication of `bucket/data/000001` (00000000-0000-0000-0000-000000000001). Invalid version id specified
"
    );
    let marks = ["✓", "✗", "⚠"].map(|mark| ran.out.contains(mark));
    assert_eq!(marks, [true, false, true], "{}", ran.out);
    assert!(
        ran.out.starts_with("\u{1b}[32;1m✓\u{1b}[0m Replication trigger completed\n"),
        "{:?}",
        ran.out
    );
    assert!(ran.out.contains("\n\u{1b}[33;1m⚠\u{1b}[0m Some objects failed"), "{:?}", ran.out);

    let denied =
        |world: &mut World| world.net.server.versions[1].fate = Fate::Refused(Refusal::LOCKED_OUT);
    let ran = run(made(3, denied), "a/bucket");
    assert!(
        ran.out.starts_with("\u{1b}[31;1m✗\u{1b}[0m Replication trigger stopped"),
        "{:?}",
        ran.out
    );
    let fatal = "\u{1b}[31;3;1mmc-wasi: <ERROR> \u{1b}[0;23;22mUnable to trigger replication in";
    assert!(stays(&ran).contains(fatal), "{:?}", ran.err);
    let ran = run(made(1, |_| {}), "a/bucket --clear-checksum --validate");
    assert!(ran.out.contains("\n\u{1b}[32;1m✓\u{1b}[0m Validation succeeded"), "{:?}", ran.out);
}
