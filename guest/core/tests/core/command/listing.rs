//! What is told of a listing that cannot be opened, or breaks.

use super::{User, ran};
use crate::world::{Break, Refusal, Replication, Version, World, objects, serving};
use resync_core::wire::Method;

/// What every one of these errors begins with.
const UNABLE: &str = "mc-wasi: <ERROR> Unable to list the replication backlog of bucket `bucket`. ";

/// A server whose listings break so, each time anew.
fn breaking(breaks: impl IntoIterator<Item = (usize, Break)>) -> World {
    let mut world = serving(objects(100));
    world.net.server.replication = Replication::Never;
    world.breaks = breaks.into_iter().collect();
    world
}

#[test]
fn a_listing_that_cannot_be_opened_is_told_with_the_remedy_and_nothing_else() {
    let refusal = |status, code| Break::Refused(Refusal::new(status, code));
    let invalid = |words| Break::Refused(Refusal::new(400, "InvalidRequest").saying(words));
    for (how, said) in [
        (
            refusal(403, "AccessDenied"),
            "Access Denied. The account needs the permission admin:ReplicationDiff.",
        ),
        (
            refusal(403, "SignatureDoesNotMatch"),
            "The request signature we calculated does not match the signature you provided. Check your key and signing method. Check the secret key of the alias; a proxy that changes the Host header also causes this.",
        ),
        (
            refusal(403, "InvalidAccessKeyId"),
            "The Access Key Id you provided does not exist in our records. Check the access key of the alias.",
        ),
        (
            Break::Refused(
                Refusal::new(403, "InvalidAccessKeyId").saying("Your account is disabled"),
            ),
            "Your account is disabled. `mc admin user enable` lets its user in again.",
        ),
        (
            refusal(403, "InvalidTokenId"),
            "The security token included in the request is invalid. Get a new session token, and put it after the secret key: ACCESS:SECRET:TOKEN@host.",
        ),
        (
            refusal(403, "RequestTimeTooSkewed"),
            "The difference between the request time and the server's time is too large. Compare the clocks of this machine and of the server, and set the wrong one.",
        ),
        (
            refusal(403, ""),
            "the server answered 403 Forbidden. The server gave no reason: check the keys, their permissions and the clock.",
        ),
        (refusal(404, "NoSuchBucket"), "The specified bucket does not exist."),
        (
            Break::STARTING,
            "The remote target does not exist. Bucket `bucket` has no replication target: `mc replicate add` makes one. A server that has just started may not know its targets yet: then run again.",
        ),
        (
            invalid("invalid arn : 'arn:x'"),
            "invalid arn : 'arn:x'. `mc replicate ls ALIAS/bucket` shows the ARNs of the bucket's targets.",
        ),
        (
            invalid("Client sent an HTTP request to an HTTPS server."),
            "Client sent an HTTP request to an HTTPS server. Write https:// in the URL of the alias.",
        ),
        (refusal(307, ""), "the server answered 307 Temporary Redirect."),
        (Break::NoServer, "minio.example:9000: connection refused."),
        (
            Break::Garbage,
            "minio.example:9000: the server did not send a replication diff but \"<html>\".",
        ),
        (Break::Keyless, "minio.example:9000: the server sent an entry without an object name."),
        (
            refusal(426, ""),
            "minio.example:9000: the server does not know the replication diff API (/minio/admin/v4 and v3), so it may not be a MinIO or AIStor server.",
        ),
    ] {
        for flags in ["", "--dry-run"] {
            let mut user = User::of(breaking([(0, how)]));
            let ran = user.run(&format!("a/bucket {flags}"));
            assert_eq!(ran.whole(), ("", format!("{UNABLE}{said}\n").as_str(), false));
            assert!(user.world.starts.is_empty(), "nothing is triggered");
        }
    }
}

#[test]
fn a_listing_that_is_refused_for_now_is_asked_for_again_ten_times_at_most() {
    let busy = Refusal::new(429, "TooManyRequests").retry_after("2");
    for (how, said) in [
        (
            Break::BUSY,
            "Resource requested is unreadable, please reduce your request rate. `mc admin info` shows whether the server has lost drives; if not, it is overloaded.",
        ),
        (Break::Refused(busy), "TooManyRequests (the server answered 429 Too Many Requests)."),
        (Break::NoAnswer, "minio.example:9000: connection closed by the server."),
    ] {
        let ran = ran(breaking([(0, how); 9]), "a/bucket --json");
        let summary = ran.summary();
        assert_eq!((&summary["listings"], &summary["processed"]), (&10.into(), &100.into()));
        let mut user = User::of(breaking([(0, how); 99]));
        let ran = user.run("a/bucket");
        assert!(ran.err.ends_with(&format!("{UNABLE}{said}\n")), "{}", ran.err);
        assert_eq!((ran.out.as_str(), ran.success), ("", false));
        assert_eq!(user.world.breaks.len(), 89, "it was asked for ten times");
    }
}

#[test]
fn a_listing_that_breaks_for_good_is_told_with_the_last_name_that_was_read() {
    let refusal = Break::Refused(Refusal::DENIED);
    let begun = "Everything after `data/000039` is missing.";
    let damaged =
        "The next object on the server is damaged: `mc admin heal` it, or remove it, and re-run.";
    let server = "minio.example:9000:";
    for (first, then, listings, said) in [
        (
            Break::Cut,
            Break::Cut,
            6,
            format!("{server} the listing was cut off: unexpected end. {begun}"),
        ),
        (
            Break::HalfLine,
            Break::HalfLine,
            6,
            format!("{server} the listing was cut off: its last line is incomplete. {begun}"),
        ),
        (
            Break::Silence,
            Break::Silence,
            6,
            format!(
                "{server} the listing was cut off: no answer for 300 s. {begun} Where a proxy is in between, it may keep the answer to itself: nginx needs `proxy_buffering off`."
            ),
        ),
        (
            Break::ErrorEntry,
            Break::ErrorEntry,
            2,
            format!("{server} the server's listing failed: file is corrupted. {begun} {damaged}"),
        ),
        (
            Break::UnnamedError,
            Break::UnnamedError,
            2,
            format!("{server} the server's listing failed: an unnamed error. {begun} {damaged}"),
        ),
        (
            Break::Keyless,
            Break::Keyless,
            6,
            format!("{server} the server sent an entry without an object name. {begun}"),
        ),
        (
            Break::Garbage,
            Break::Garbage,
            6,
            format!("{server} the server did not send a replication diff but \"<html>\". {begun}"),
        ),
        (
            Break::Cut,
            refusal,
            2,
            format!(
                "Access Denied. The account needs the permission admin:ReplicationDiff. {begun}"
            ),
        ),
        (Break::Cut, Break::NoServer, 11, format!("{server} connection refused. {begun}")),
    ] {
        let breaks = [(40, first)].into_iter().chain([(40, then); 99]);
        let mut user = User::of(breaking(breaks));
        let ran = user.run("a/bucket");
        assert_eq!(ran.err, format!("{UNABLE}{said}\n"));
        let counted = "numbers are lower bounds\n  Total: 40\n  Processed: 40\n  Failed: 0\n";
        assert!(ran.out.contains(counted) && !ran.success, "{}", ran.out);
        assert_eq!(100 - user.world.breaks.len(), listings, "{said}");
        assert_eq!(user.world.starts.len(), 40, "{said}");
    }
}

#[test]
fn a_listing_that_breaks_once_is_taken_up_again_without_a_word() {
    for how in [
        Break::Cut,
        Break::HalfLine,
        Break::Silence,
        Break::ErrorEntry,
        Break::UnnamedError,
        Break::Keyless,
        Break::Garbage,
    ] {
        let ran = ran(breaking([(40, how)]), "a/bucket --json");
        let summary = ran.summary();
        assert_eq!(
            (&summary["listings"], &summary["processed"]),
            (&2.into(), &100.into()),
            "{how:?}"
        );
        assert_eq!((ran.json().len(), ran.success), (101, true), "{how:?}: one line a version");
    }
    for how in [Break::Cut, Break::HalfLine, Break::Silence, Break::NoAnswer] {
        let summary = ran(breaking([(0, how); 2]), "a/bucket --json").summary();
        assert_eq!((&summary["listings"], &summary["total"]), (&3.into(), &100.into()), "{how:?}");
    }
}

#[test]
fn an_end_that_looks_clean_is_taken_for_the_end() {
    // Nothing tells it from a whole listing; the versions stay in the backlog for the next run.
    let mut user = User::of(serving(objects(100)));
    user.world.breaks = [(40, Break::EarlyEnd)].into();
    assert_eq!(user.run("a/bucket --json").summary()["total"], 40);
    assert_eq!(user.run("a/bucket --json").summary()["total"], 60);
}

#[test]
fn the_version_of_the_api_is_agreed_on_once() {
    for (speaks_v4, versions) in [(false, &["v4", "v3", "v3", "v3"][..]), (true, &["v4"; 3])] {
        let mut user = User::of(breaking([(40, Break::Cut)]));
        user.world.net.server.speaks_v4 = speaks_v4;
        assert!(user.run("a/bucket").success);
        let asked = user
            .world
            .net
            .server
            .log
            .iter()
            .filter_map(|asked| asked.target.strip_prefix("/minio/admin/")?.split('/').next());
        assert_eq!(asked.collect::<Vec<_>>(), versions, "the targets, the listing, once more");
    }
    // A dry run asks for no targets; the listing itself finds the version out.
    let mut user = User::of(breaking([]));
    assert!(user.run("a/bucket --dry-run").success);
    assert_eq!(user.world.net.server.asked(Method::Post).count(), 2);
}

#[test]
fn versions_of_one_name_are_neither_lost_nor_doubled_by_a_cut_among_them() {
    let versions =
        |key: &'static str| (1..=20).map(move |nth| Version::new(key, &crate::world::uuid(nth)));
    for after in [1, 19, 20, 21, 30, 39] {
        for replication in [Replication::Never, Replication::After(std::time::Duration::ZERO)] {
            let mut world = serving(versions("one").chain(versions("two")).collect());
            world.net.server.replication = replication;
            world.breaks = [(after, Break::Cut)].into();
            let mut user = User::of(world);
            assert_eq!(user.run("a/bucket --json").summary()["processed"], 40, "{after}");
            let queued = &user.world.net.server.queued;
            assert!(queued.len() == 40 && queued.values().all(|times| times.len() == 1), "{after}");
        }
    }
}

#[test]
fn an_error_with_whose_chunk_the_end_comes_is_not_taken_for_a_complete_listing() {
    let world = |sound: usize| {
        let mut world = breaking(vec![(usize::MAX, Break::EarlyEnd); sound]);
        // Everything comes at once: entries, the error, the other entries, and a proper end.
        world.net.chunks = 50_000..50_001;
        world.net.latency = 0..1;
        world.breaks.extend([(40, Break::ErrorEntry); 99]);
        world
    };
    for flags in ["", "--dry-run", "--clear-checksum"] {
        let summary = ran(world(0), &format!("a/bucket --json {flags}")).summary();
        assert_eq!(
            (&summary["complete"], &summary["total"]),
            (&false.into(), &40.into()),
            "{flags}"
        );
    }
    let wait = &ran(world(1), "a/bucket --json --wait 20s").summary()["wait"];
    assert_eq!((&wait["exact"], &wait["pending"]), (&false.into(), &100.into()), "{wait}");
}

#[test]
fn what_answers_in_the_servers_place_is_waited_for_and_then_named() {
    for status in [200, 401, 403, 404, 408, 460, 509, 521] {
        let summary = ran(breaking([(0, Break::Foreign(status)); 3]), "a/bucket --json").summary();
        assert_eq!((&summary["listings"], &summary["processed"]), (&4.into(), &100.into()));

        let ran = ran(breaking([(0, Break::Foreign(status)); 500]), "a/bucket");
        assert!(ran.err.starts_with(UNABLE), "{}", ran.err);
        for named in [&status.to_string(), "cloudflare", "text/html"] {
            assert!(ran.err.contains(named), "{named} of {status}: {}", ran.err);
        }
        assert_eq!((ran.out.as_str(), ran.success), ("", false));
    }
}
