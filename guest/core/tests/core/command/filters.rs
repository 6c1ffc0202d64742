//! TARGET and `--arn` say which versions a run is about.

use super::User;
use crate::world::{Break, Refusal, Version, serving};
use resync_core::wire::Method;

/// Versions of two targets, below and beside a folder.
fn backlog() -> Vec<Version> {
    let version = |key, arns| Version::new(key, "null").targets(arns);
    vec![
        version("dir/a", &["arn:a"]),
        version("dir/b", &["arn:b"]),
        version("dir/both", &["arn:a", "arn:b"]),
        version("dir/existing", &[]),
        version("dirty", &["arn:a"]),
        version("other é", &["arn:a"]),
    ]
}

#[test]
fn only_what_target_and_arn_name_is_triggered() {
    let all = ["dir/a", "dir/b", "dir/both", "dir/existing", "dirty", "other é"];
    for (words, keys) in [
        ("a/bucket", &all[..]),
        ("a/bucket/", &all),
        ("a/bucket/dir/", &all[..4]),
        // A prefix is a plain string.
        ("a/bucket/dir", &all[..5]),
        ("a/bucket/dir/a", &all[..1]),
        ("a/bucket/*", &[]),
        ("'a/bucket/other é'", &all[5..]),
        // Of an existing object nobody can see which target it lacks.
        ("a/bucket --arn arn:b", &["dir/b", "dir/both", "dir/existing"]),
        ("a/bucket/dir --arn arn:a", &["dir/a", "dir/both", "dir/existing", "dirty"]),
        ("a/bucket/dirty --arn arn:b", &[]),
        ("a/bucket --arn arn", &["dir/existing"]),
    ] {
        for flags in ["", "--clear-checksum", "--dry-run"] {
            let mut user = User::of(serving(backlog()));
            let ran = user.run(&format!("{words} --json {flags}"));
            let summary = ran.summary();
            assert_eq!(summary["total"], keys.len(), "{words} {flags}");
            let mut shown: Vec<String> =
                ran.json().iter().filter_map(|l| Some(l["object"].as_str()?.to_owned())).collect();
            shown.sort_unstable();
            assert_eq!(shown, keys, "{words} {flags}");
            let server = &user.world.net.server;
            let touched: Vec<&str> = server.queued.keys().map(|(key, _)| key.as_str()).collect();
            assert_eq!(touched, if flags == "--dry-run" { &[] } else { keys }, "{words} {flags}");
        }
    }
}

#[test]
fn the_server_is_told_what_is_asked_for() {
    for (words, query) in [
        ("a/bucket", "bucket=bucket"),
        ("a/bucket/", "bucket=bucket"),
        ("'a/bucket/é &=+/'", "bucket=bucket&prefix=%C3%A9%20%26%3D%2B%2F"),
        ("a/bucket/x --arn 'arn:a b'", "bucket=bucket&arn=arn%3Aa%20b&prefix=x"),
    ] {
        let mut user = User::of(serving(backlog()));
        user.run(words);
        let mut posts = user.world.net.server.asked(Method::Post);
        let target = format!("/minio/admin/v3/replication/diff?{query}");
        assert_eq!(posts.next().map(|asked| asked.target.as_str()), Some(target.as_str()));
    }
}

#[test]
fn an_arn_that_the_bucket_does_not_have_is_an_error() {
    let mut world = serving(backlog());
    let refusal = Refusal::new(400, "InvalidRequest").saying("invalid arn : 'arn:x'");
    world.breaks = [(0, Break::Refused(refusal))].into();
    let err = "mc-wasi: <ERROR> Unable to list the replication backlog of bucket `bucket`. invalid arn : 'arn:x'. `mc replicate ls ALIAS/bucket` shows the ARNs of the bucket's targets.\n";
    assert_eq!(User::of(world).run("a/bucket --arn arn:x").whole(), ("", err, false));
}
