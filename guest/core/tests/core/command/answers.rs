//! What each answer to a trigger means, what is tried again, and what ends the run.

use super::ran;
use crate::world::{BEGINNING, Fate, Mishap, Refusal, Version, objects, serving};
use resync_core::wire::Method;
use std::time::{Duration, UNIX_EPOCH};

/// An answer that is an error of this kind.
fn refused(status: u16, code: &'static str) -> Mishap {
    Mishap::Refused(Refusal::new(status, code))
}

#[test]
fn each_answer_is_counted_for_what_it_is() {
    let method_not_allowed = Refusal::new(405, "MethodNotAllowed");
    let redirect = Refusal::new(307, "");
    let rows = [
        (Version::new("a-object", "null"), "triggered", "PUT"),
        (Version::new("b-existing", "null").targets(&[]), "triggered", "PUT"),
        (Version::new("c-marker", "null").fate(Fate::Marker), "triggered", "DEL"),
        (Version::new("d-purge", "null").fate(Fate::Purge), "triggered", "purge"),
        (Version::new("e-customer-key", "null").fate(Fate::CustomerKey), "triggered", "PUT"),
        (Version::new("f-gone", "null").fate(Fate::Gone), "vanished", "PUT"),
        (Version::new("g-elsewhere", "null").fate(Fate::Elsewhere), "elsewhere", "PUT"),
        (Version::new("h-bare-405", "null").refused(method_not_allowed), "failed", "PUT"),
        (
            Version::new("i-bad", "null").refused(Refusal::new(400, "InvalidRequest")),
            "failed",
            "PUT",
        ),
        (Version::new("j-redirected", "null").refused(redirect), "failed", "PUT"),
        (Version::new("k-blocked", "null").mishaps(&[Mishap::Foreign(403); 10]), "failed", "PUT"),
    ];
    let versions = rows.iter().map(|(version, ..)| version.clone()).collect();
    let ran = ran(serving(versions), "a/bucket --json");
    for (version, outcome, operation) in &rows {
        let line = ran.version(&version.name.0);
        assert_eq!(
            (&line["outcome"], &line["operation"]),
            (&(*outcome).into(), &(*operation).into())
        );
        assert_eq!(line["status"], if *outcome == "failed" { "error" } else { "success" });
    }
    let summary = ran.summary();
    for (counter, count) in [
        ("total", 11),
        ("processed", 5),
        ("deleteMarkers", 1),
        ("purges", 1),
        ("customerKey", 1),
        ("copied", 0),
        ("vanished", 1),
        ("elsewhere", 1),
        ("failed", 4),
    ] {
        assert_eq!(summary[counter], count, "{counter}");
    }
    for (key, said) in [
        ("h-bare-405", "MethodNotAllowed (the server answered 405 Method Not Allowed)"),
        ("i-bad", "InvalidRequest (the server answered 400 Bad Request)"),
        ("j-redirected", "the server answered 307 Temporary Redirect"),
        ("k-blocked", "answered by cloudflare (403 Forbidden, text/html), not by the server"),
    ] {
        assert_eq!(ran.version(key)["error"]["cause"]["message"], said, "{key}");
    }
}

#[test]
fn every_head_keeps_the_server_from_asking_its_targets() {
    let mut user = super::User::of(serving(objects(3)));
    user.run("a/bucket");
    for asked in user.world.net.server.asked(Method::Head) {
        assert_eq!(asked.header("x-minio-source-proxy-request"), Some("false"));
    }
}

#[test]
fn a_name_and_a_version_id_are_asked_for_as_they_are() {
    for (key, id, target) in [
        ("plain", "null", "/bucket/plain?versionId=null"),
        ("a b/é?#%", "not-a-uuid", "/bucket/a%20b/%C3%A9%3F%23%25?versionId=not-a-uuid"),
        ("a%2Fb", "with space&and=more", "/bucket/a%252Fb?versionId=with%20space%26and%3Dmore"),
        (
            "upper",
            "8A38E1A2-0000-4000-8000-0123456789AB",
            "/bucket/upper?versionId=8A38E1A2-0000-4000-8000-0123456789AB",
        ),
        ("-c", "--json", "/bucket/-c?versionId=--json"),
        ("cr\r\nlf", "\u{1b}", "/bucket/cr%0D%0Alf?versionId=%1B"),
    ] {
        let mut user = super::User::of(serving(vec![Version::new(key, id)]));
        let ran = user.run("a/bucket --json");
        let line = ran.version(key);
        assert_eq!((&line["versionId"], &line["outcome"]), (&id.into(), &"triggered".into()));
        let heads: Vec<&str> =
            user.world.net.server.asked(Method::Head).map(|asked| asked.target.as_str()).collect();
        assert_eq!(heads, [target]);
    }
}

#[test]
fn what_may_pass_is_tried_again_until_it_does() {
    for mishap in [
        refused(500, "InternalError"),
        refused(503, "SlowDownRead"),
        refused(429, ""),
        refused(408, ""),
        refused(502, ""),
        refused(504, ""),
        refused(520, ""),
        refused(400, "RequestTimeout"),
        refused(404, "NoSuchBucket"),
        Mishap::Closed,
        Mishap::Lost,
        Mishap::Unreadable,
        Mishap::Short,
        Mishap::Foreign(200),
        Mishap::Foreign(302),
        Mishap::Foreign(403),
        Mishap::Foreign(404),
        Mishap::Foreign(521),
    ] {
        let versions = vec![Version::new("k", "null").mishaps(&[mishap; 3])];
        let ran = ran(serving(versions), "a/bucket --json");
        let line = ran.version("k");
        assert_eq!(
            (&line["outcome"], &line["attempts"]),
            (&"triggered".into(), &4.into()),
            "{mishap:?}"
        );
        assert_eq!(ran.summary()["retries"], 3, "{mishap:?}");
    }
}

#[test]
fn what_does_not_pass_fails_after_ten_attempts_with_its_reason() {
    let mut versions = objects(3);
    versions[1].mishaps = vec![refused(503, "SlowDownRead"); 99];
    let ran = ran(serving(versions), "a/bucket --json");
    let line = ran.version("data/000001");
    assert_eq!((&line["outcome"], &line["attempts"]), (&"failed".into(), &10.into()));
    assert_eq!(line["error"]["cause"]["error"]["Code"], "SlowDownRead");
    let summary = ran.summary();
    assert_eq!((&summary["complete"], &summary["processed"]), (&true.into(), &2.into()));
}

#[test]
fn retry_after_is_obeyed_in_seconds_and_as_a_date() {
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(BEGINNING + 7));
    let date: &'static str = String::leak(date);
    for (after, pause, told) in [
        ("2", 2.0..2.2, 2),
        (date, 6.0..7.2, 7),
        ("3600", 120.0..120.2, 3600),
        ("soon", 0.0..0.3, 0),
    ] {
        let mishap = Mishap::Refused(Refusal::new(503, "SlowDown").retry_after(after));
        let mut user = super::User::of(serving(vec![Version::new("k", "null").mishaps(&[mishap])]));
        let summary = user.run("a/bucket --json").summary();
        assert_eq!(
            (&summary["retryAfter"], &summary["processed"]),
            (&told.into(), &1.into()),
            "{after}"
        );
        let [first, second] = user.world.starts[..] else { panic!("two attempts") };
        let waited = (second - first).as_secs_f64();
        assert!(pause.contains(&waited), "{after}: {waited} s");
    }
}

#[test]
fn what_every_version_would_be_refused_for_ends_the_run_early_and_says_why() {
    for (refusal, said) in [
        (
            Refusal::LOCKED_OUT,
            "The Access Key Id you provided does not exist in our records. Check the access key of the alias.",
        ),
        (
            Refusal::new(403, "SignatureDoesNotMatch"),
            "The request signature we calculated does not match the signature you provided. Check your key and signing method. Check the secret key of the alias; a proxy that changes the Host header also causes this.",
        ),
        (
            Refusal::new(403, "InvalidTokenId"),
            "The security token included in the request is invalid. Get a new session token, and put it after the secret key: ACCESS:SECRET:TOKEN@host.",
        ),
        (
            Refusal::new(403, ""),
            "the server answered 403 Forbidden. The same keys were good for the listing, so something in between may change the request: nginx makes a GET of a HEAD where it caches, unless `proxy_cache_convert_head off` is set. If there is nothing, check the permissions of the account.",
        ),
    ] {
        let mut versions = objects(500);
        for version in &mut versions[100..] {
            version.fate = Fate::Refused(refusal);
        }
        let mut user = super::User::of(serving(versions));
        let ran = user.run("a/bucket --json");
        let summary = ran.summary();
        assert_eq!((ran.success, &summary["complete"]), (false, &false.into()), "{said}");
        assert_eq!(summary["error"]["cause"]["message"], said);
        assert_eq!(summary["error"]["message"], "Unable to trigger replication in bucket `bucket`");
        assert_eq!(summary["processed"], 100, "{said}");
        let failed = summary["failed"].as_u64().expect("a number");
        assert!((1..=40).contains(&failed), "twenty, and those in flight: {failed}");
        assert!(user.world.starts.len() <= 140, "{said}");
    }
}

#[test]
fn a_bucket_that_is_gone_for_good_ends_the_run_and_one_that_is_gone_for_a_moment_does_not() {
    let gone = refused(404, "NoSuchBucket");
    for (until, processed) in [(Duration::MAX, 100), (Duration::from_millis(1100), 400)] {
        let mut world = serving(objects(400));
        world.out = (Duration::from_secs(1)..until, gone);
        let ran = ran(world, "a/bucket --json --rate-limit 100");
        let summary = ran.summary();
        let whole = processed == 400;
        assert_eq!((ran.success, &summary["complete"]), (whole, &whole.into()), "{summary}");
        let near = summary["processed"].as_u64().expect("a number").abs_diff(processed);
        assert!(near <= u64::from(!whole) * 3, "{summary}");
        let said = &summary["error"]["cause"]["message"];
        assert!(whole || said == "The specified bucket does not exist", "{said}");
    }
}

#[test]
fn a_permission_that_no_version_has_ends_the_run_after_twenty() {
    let mut versions = objects(500);
    versions.iter_mut().for_each(|version| version.fate = Fate::Refused(Refusal::DENIED));
    let summary = ran(serving(versions), "a/bucket --json").summary();
    let said = "Access Denied. The account needs s3:GetObject on arn:aws:s3:::bucket/*.";
    assert_eq!(summary["error"]["cause"]["message"], said);
    let failed = summary["failed"].as_u64().expect("a number");
    assert!((20..=30).contains(&failed) && summary["complete"] == false, "{summary}");
}

#[test]
fn versions_that_are_refused_among_others_fail_alone() {
    for refusal in [Refusal::DENIED, Refusal::new(403, "SignatureDoesNotMatch")] {
        let mut versions = objects(500);
        for version in versions.iter_mut().skip(3).step_by(7) {
            version.fate = Fate::Refused(refusal);
        }
        let ran = ran(serving(versions), "a/bucket --json");
        let summary = ran.summary();
        assert_eq!(
            (&summary["complete"], &summary["processed"], &summary["failed"]),
            (&true.into(), &429.into(), &71.into())
        );
    }
    // A policy on tags may refuse thousands that were tagged together.
    let mut versions = objects(500);
    for version in &mut versions[100..] {
        version.fate = Fate::Refused(Refusal::DENIED);
    }
    let summary = ran(serving(versions), "a/bucket --json").summary();
    assert_eq!((&summary["complete"], &summary["failed"]), (&true.into(), &400.into()));
}

#[test]
fn a_token_that_expires_ends_the_run_at_once() {
    for status in [400, 403] {
        let mut world = serving(objects(3000));
        world.out = (Duration::from_secs(1)..Duration::MAX, refused(status, "ExpiredToken"));
        let mut user = super::User::of(world);
        let summary = user.run("a/bucket --json --rate-limit 100").summary();
        assert_eq!(summary["complete"], false);
        let said = summary["error"]["cause"]["message"].as_str().expect("a reason");
        assert!(said.contains("Get a new session token"), "{said}");
        assert!(user.world.starts.len() < 120, "{} requests", user.world.starts.len());
    }
}

#[test]
fn what_answers_in_the_servers_place_for_a_while_is_waited_for() {
    for status in [200, 302, 307, 401, 403, 404, 408, 460, 500, 502, 509, 521, 522] {
        let mut world = serving(objects(3000));
        let while_it_lasts = Duration::from_secs(3)..Duration::from_secs(13);
        world.out = (while_it_lasts, Mishap::Foreign(status));
        let summary = ran(world, "a/bucket --json --rate-limit 300").summary();
        assert_eq!(
            (&summary["complete"], &summary["processed"], &summary["outages"]),
            (&true.into(), &3000.into(), &1.into()),
            "{status}"
        );
    }
}

#[test]
fn what_answers_in_the_servers_place_for_good_ends_the_run_and_is_named() {
    let mut world = serving(objects(3000));
    world.out = (Duration::from_secs(3)..Duration::MAX, Mishap::Foreign(403));
    let summary = ran(world, "a/bucket --json --rate-limit 300").summary();
    let failed = summary["failed"].as_u64().expect("a number");
    assert!((20..40).contains(&failed) && summary["complete"] == false, "{summary}");
    assert_eq!(
        summary["error"]["cause"]["message"],
        "minio.example:9000: answered by cloudflare (403 Forbidden, text/html), not by the server. Look at the proxy, load balancer or firewall in front of the server, or at the URL of the alias."
    );
}

#[test]
fn single_names_that_a_firewall_blocks_fail_alone() {
    let mut versions = objects(1000);
    for version in versions.iter_mut().step_by(50) {
        version.mishaps = vec![Mishap::Foreign(403); 500];
    }
    let ran = ran(serving(versions), "a/bucket --json");
    let summary = ran.summary();
    assert_eq!(
        (&summary["complete"], &summary["processed"], &summary["failed"]),
        (&true.into(), &980.into(), &20.into())
    );
    let said = &ran.version("data/000050")["error"]["cause"]["message"];
    assert_eq!(said, "answered by cloudflare (403 Forbidden, text/html), not by the server");
}

#[test]
fn answers_that_cannot_be_read_fail_their_versions_and_are_no_outage() {
    let mut versions = objects(300);
    for version in versions.iter_mut().step_by(5) {
        version.mishaps = vec![Mishap::Unreadable; 500];
    }
    let summary = ran(serving(versions), "a/bucket --json").summary();
    assert_eq!(
        (&summary["complete"], &summary["failed"], &summary["outages"]),
        (&true.into(), &60.into(), &0.into())
    );
}

#[test]
fn what_this_machine_lacks_is_waited_for_and_is_no_outage_of_the_server() {
    let mut world = serving(objects(3000));
    world.out = (Duration::from_secs(3)..Duration::from_secs(13), Mishap::Short);
    let summary = ran(world, "a/bucket --json --rate-limit 300").summary();
    assert_eq!(
        (&summary["complete"], &summary["processed"], &summary["outages"]),
        (&true.into(), &3000.into(), &0.into())
    );
    let mut world = serving(objects(3000));
    world.out = (Duration::from_secs(3)..Duration::MAX, Mishap::Short);
    let summary = ran(world, "a/bucket --json --rate-limit 300").summary();
    let said = summary["error"]["cause"]["message"].as_str().expect("a reason");
    assert!(said.contains("too many open files on this machine"), "{said}");
}

#[test]
fn keys_of_a_session_that_are_not_known_any_more_have_expired() {
    for (serves, said) in [
        ("signs,session", "The session of these keys has expired"),
        ("signs", "Check the access key"),
    ] {
        let mut versions = objects(30);
        for version in &mut versions[10..] {
            version.fate = Fate::Refused(Refusal::LOCKED_OUT);
        }
        let mut user = super::User::of(serving(versions)).with("MC_WASI_SERVES", serves);
        let summary = user.run("a/bucket --json").summary();
        let cause = summary["error"]["cause"]["message"].as_str().expect("a reason");
        assert!(cause.contains(said), "{serves}: {cause}");
    }
}

#[test]
fn what_is_listed_and_cannot_be_found_has_not_vanished() {
    let missing = Refusal::new(404, "NoSuchVersion");
    let mut versions = objects(40);
    for version in &mut versions[..5] {
        version.fate = Fate::Refused(missing);
    }
    versions[7].fate = Fate::Gone;
    let mut user = super::User::of(serving(versions));
    let ran = user.run("a/bucket --json");
    let summary = ran.summary();
    let counts = ["processed", "failed", "vanished", "listings"].map(|name| summary[name].as_u64());
    assert_eq!(counts, [34, 5, 1, 2].map(Some), "{summary}");
    let said = ran.version("data/000003")["error"]["cause"]["message"].to_string();
    assert!(said.contains("goes on listing it"), "{said}");
    let look = user.world.net.server.asked(Method::Post).last().expect("a look");
    assert!(look.target.ends_with("&arn=arn%3Aa&prefix=data%2F00000"), "{}", look.target);
}

#[test]
fn a_fail_over_to_another_site_ends_the_run_and_is_not_called_vanished() {
    let missing = Mishap::Refused(Refusal::new(404, "NoSuchVersion"));
    for knows_the_target in [true, false] {
        let mut world = serving(objects(2000));
        world.net.server.replication = crate::world::Replication::Never;
        world.out = (Duration::from_secs(1)..Duration::MAX, missing);
        if !knows_the_target {
            let refusal = Refusal::new(400, "InvalidRequest")
                .saying("Invalid Request (invalid arn : 'arn:a')");
            let whole = (usize::MAX, crate::world::Break::EarlyEnd);
            world.breaks = [whole, (0, crate::world::Break::Refused(refusal))].into();
        }
        let mut user = super::User::of(world);
        let summary = user.run("a/bucket --json --rate-limit 500").summary();
        assert_eq!((&summary["vanished"], &summary["complete"]), (&0.into(), &false.into()));
        let said = summary["error"]["cause"]["message"].as_str().expect("a reason");
        assert!(said.starts_with("Another deployment answers"), "{said}");
        assert!(user.world.starts.len() < 700, "{}", user.world.starts.len());
    }
}

#[test]
fn many_versions_that_are_really_gone_are_confirmed_in_a_few_looks() {
    let mut versions = objects(3000);
    versions[100..].iter_mut().for_each(|version| version.fate = Fate::Gone);
    let summary = ran(serving(versions), "a/bucket --json").summary();
    assert_eq!((&summary["vanished"], &summary["complete"]), (&2900.into(), &true.into()));
    let listings = summary["listings"].as_u64().expect("a number");
    assert!((2..15).contains(&listings), "{listings}");
}
