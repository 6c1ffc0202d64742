//! The region that requests are signed for: learned from the server, or the user's own.

use super::User;
use crate::world::{Mishap, Refusal, Version, World, objects, serving};
use resync_core::wire::Method;
use serde_json::Value;

/// An alias with keys, for which this program signs.
const SIGNED: &str = "http://access:secret@minio.example:9000";

/// A server that signs for this region.
fn of_region(region: &'static str, names_region: bool) -> World {
    let mut world = serving(objects(20));
    world.net.server.region = Some(region);
    world.net.server.names_region = names_region;
    world
}

/// The regions that HEADs were signed for.
fn signed_for(user: &User) -> Vec<&str> {
    let region = |asked: &'_ crate::world::Asked| {
        let authorization = asked.header("authorization")?;
        let scope = authorization.split_once("Credential=")?.1.split(',').next()?;
        scope.split('/').nth(2).map(str::to_owned)
    };
    let server = &user.world.net.server;
    let mut regions: Vec<String> = server.asked(Method::Head).filter_map(region).collect();
    regions.dedup();
    regions.into_iter().map(|region| &*String::leak(region)).collect()
}

#[test]
fn the_region_is_taken_from_the_first_answer_that_names_it() {
    let mut user = User::of(of_region("eu-west-1", true)).with("MC_HOST_a", SIGNED);
    let summary = user.run("a/bucket --json").summary();
    assert_eq!((&summary["processed"], &summary["retries"]), (&20.into(), &0.into()));
    assert_eq!(signed_for(&user), ["eu-west-1"]);

    let mut user = User::of(serving(objects(1))).with("MC_HOST_a", SIGNED);
    assert!(user.run("a/bucket").success);
    assert_eq!(signed_for(&user), ["us-east-1"], "a server without a region");
}

#[test]
fn a_region_that_no_answer_names_is_asked_for_once() {
    for (region, signed) in [("eu-central-1", "eu-central-1"), ("eu-west-1", "eu-west-1")] {
        let mut user = User::of(of_region(region, false)).with("MC_HOST_a", SIGNED);
        let summary = user.run("a/bucket --json").summary();
        assert_eq!(summary["processed"], 20, "{summary}");
        assert!(summary["retries"].as_u64() >= Some(1), "{summary}");
        assert_eq!(signed_for(&user), ["us-east-1", signed]);
        let locations = user.world.net.server.asked(Method::Get);
        let locations = locations.filter(|asked| asked.target == "/bucket?location=");
        assert_eq!(locations.count(), 1);
    }
}

#[test]
fn the_users_own_region_is_kept_and_told_where_it_is_wrong() {
    for (variable, value, region, right) in [
        ("MC_REGION", "eu-west-1", Some("eu-west-1"), true),
        ("AWS_REGION", "eu-west-1", Some("eu-west-1"), true),
        ("MC_REGION", "here", None, true),
        ("MC_REGION", "us-west-2", Some("eu-west-1"), false),
        ("AWS_REGION", "us-west-2", Some("eu-west-1"), false),
    ] {
        let mut world = serving(objects(20));
        world.net.server.region = region;
        let mut user = User::of(world).with("MC_HOST_a", SIGNED).with(variable, value);
        let ran = user.run("a/bucket -c 1");
        assert_eq!(signed_for(&user), [value], "{variable}");
        let last = ran.err.lines().last().unwrap_or_default();
        let told = "mc-wasi: <ERROR> Unable to trigger replication in bucket `bucket`. The authorization header is malformed; the region is wrong. Unset MC_REGION and AWS_REGION, and the region is learned from the server; or set MC_REGION=eu-west-1.";
        assert_eq!(
            (last, ran.success),
            (if right { "" } else { told }, right),
            "{variable}={value}"
        );
        let queued = user.world.net.server.queued.len();
        assert_eq!(queued, if right { 20 } else { 0 }, "{variable}={value}");
        assert!(right || user.world.starts.len() == 1, "every other would be refused as well");
    }
    let mut user = User::of(serving(objects(1))).with("MC_HOST_a", SIGNED);
    user = user.with("MC_REGION", "mine").with("AWS_REGION", "theirs");
    assert!(user.run("a/bucket").success);
    assert_eq!(signed_for(&user), ["mine"]);
}

#[test]
fn a_host_that_signs_is_given_another_try_where_the_server_names_its_region() {
    let refusal = Refusal::new(400, "AuthorizationHeaderMalformed").region("eu-west-1");
    let backlog = || vec![Version::new("k", "null").mishaps(&[Mishap::Refused(refusal)])];
    let mut user = User::of(serving(backlog()));
    let ran = user.run("a/bucket --json");
    assert_eq!((ran.version("k")["attempts"].as_u64(), ran.success), (Some(2), true));
    let asked = user.world.net.server.asked(Method::Get).map(|asked| asked.target.as_str());
    assert_eq!(asked.filter(|target| target.contains("location")).count(), 0);

    let ran = User::of(serving(backlog())).with("MC_REGION", "us-west-2").run("a/bucket --json");
    let said = &ran.summary()["error"]["cause"]["message"];
    assert!(
        said.as_str().is_some_and(|said| said.ends_with("or set MC_REGION=eu-west-1.")),
        "{said}"
    );
}

#[test]
fn a_server_that_refuses_every_region_ends_the_run() {
    let refusal = Refusal::new(400, "AuthorizationHeaderMalformed").region("eu-west-1");
    let mut versions = objects(100);
    for version in &mut versions {
        version.mishaps = vec![Mishap::Refused(refusal); 99];
    }
    let ran = User::of(serving(versions)).with("MC_HOST_a", SIGNED).run("a/bucket --json -c 1");
    let summary = ran.summary();
    assert_eq!((&summary["complete"], &summary["processed"]), (&Value::Bool(false), &0.into()));
    let most = ran.json().iter().filter_map(|line| line["attempts"].as_u64()).max();
    assert_eq!(most, Some(5));
}

#[test]
fn attempts_that_failed_for_something_else_do_not_count_against_the_region() {
    let mut versions = objects(1);
    versions[0].mishaps = vec![Mishap::Refused(Refusal::new(503, "")); 4];
    let mut world = serving(versions);
    world.net.server.region = Some("eu-west-1");
    world.net.server.names_region = false;
    assert!(User::of(world).with("MC_HOST_a", SIGNED).run("a/bucket -c 1").success);
}
