//! What leaves the sandbox: nothing that the grant does not name, and no secret comes in.

use super::guests::{
    ANOTHER_BUCKET, ANOTHER_HOST, ANOTHER_PORT, ANOTHER_SCHEME, COPIES_ANOTHER_KEY,
    COPIES_INTO_A_LOCK, DELETES, FOLLOWS_REDIRECTS, FORGES_A_SIGNATURE, Guest, HARMS_BY_COPYING,
    OVERRIDES_THE_HOST, PUTS_WITHOUT_THE_FLAG, READS_ENVIRONMENT, SENDS_A_BODY, SMUGGLES_LINES,
    SMUGGLES_PARAMETERS, SMUGGLES_PATHS, USES_OTHER_ADMIN_CALLS,
};
use super::{SECRET, let_loose, outside, small_server};
use crate::mc_wasi_at;
use mc_wasi_tests::fake::{
    Backlog, Effect, Encryption, FakeServer, Fault, ObjectLock, Options, Route, Version,
};
use mc_wasi_tests::mcwasi::Ran;

/// Runs a component all of whose attempts must be denied before a socket is opened.
fn nothing_arrives(guest: Guest, flags: &[&str]) -> Ran {
    let server = small_server();
    let finished = let_loose(&server, guest, flags);
    assert_eq!(server.connections(), 0, "{:?}", server.log());
    assert_eq!(finished.ran.status, 0, "some attempt was answered: {}", finished.ran.stdout);
    assert!(!finished.ran.stdout.is_empty(), "it did not try");
    finished.ran
}

#[test]
fn another_host_is_not_asked() {
    let ran = nothing_arrives(ANOTHER_HOST, &[]);
    assert!(ran.stderr.contains("The sandbox denied `HEAD http://localhost:"), "{}", ran.stderr);
    assert!(ran.stderr.contains("only another TARGET would allow it"), "{}", ran.stderr);
}

#[test]
fn another_port_of_the_host_is_not_asked() {
    let bystander = small_server();
    let port = format!("--arn={}", bystander.addr().port());
    let ran = nothing_arrives(ANOTHER_PORT, &[&port]);
    assert!(ran.stdout.contains(&bystander.addr().to_string()), "it tried: {}", ran.stdout);
    assert_eq!(bystander.connections(), 0);
}

#[test]
fn the_host_is_not_asked_by_another_scheme() {
    nothing_arrives(ANOTHER_SCHEME, &[]);
}

#[test]
fn another_bucket_is_not_asked_for() {
    let ran = nothing_arrives(ANOTHER_BUCKET, &[]);
    assert!(ran.stderr.contains("it is outside TARGET"), "{}", ran.stderr);
    assert!(ran.stderr.contains("it is about another bucket"), "{}", ran.stderr);
}

#[test]
fn nothing_is_deleted_or_read() {
    let ran = nothing_arrives(DELETES, &[]);
    assert!(ran.stderr.contains("no flag allows it"), "{}", ran.stderr);
}

#[test]
fn nothing_is_put_without_the_flag_and_the_flag_is_named() {
    let ran = nothing_arrives(PUTS_WITHOUT_THE_FLAG, &[]);
    assert!(ran.stderr.contains("--clear-checksum would allow it"), "{}", ran.stderr);
    nothing_arrives(PUTS_WITHOUT_THE_FLAG, &["--clear-checksum", "--dry-run"]);
}

#[test]
fn no_other_key_is_copied_and_no_copy_changes_anything() {
    nothing_arrives(COPIES_ANOTHER_KEY, &["--clear-checksum"]);
}

#[test]
fn a_forged_signature_is_dropped_and_the_right_one_sent() {
    let server = small_server();
    let finished = let_loose(&server, FORGES_A_SIGNATURE, &[]);
    assert_eq!(finished.ran.status, 0, "{}", finished.ran.stdout);
    let log = server.log();
    assert_eq!(log.len(), 1);
    assert!(log[0].verified, "signed by the host");
    for (name, value) in &log[0].headers {
        assert!(!value.contains("forged") && name != "cookie", "{name}: {value}");
        assert!(!value.contains("UNSIGNED") && !value.contains("20200101"), "{name}: {value}");
    }
    assert_eq!(outside(&log, false), [""; 0]);
}

#[test]
fn line_ends_are_not_smuggled_in() {
    nothing_arrives(SMUGGLES_LINES, &[]);
}

#[test]
fn paths_that_can_be_read_in_two_ways_are_not_sent() {
    nothing_arrives(SMUGGLES_PATHS, &[]);
}

#[test]
fn no_parameter_is_smuggled_in() {
    nothing_arrives(SMUGGLES_PARAMETERS, &[]);
}

#[test]
fn the_host_header_is_not_overridden() {
    nothing_arrives(OVERRIDES_THE_HOST, &[]);
}

#[test]
fn a_redirect_is_bait_that_is_not_taken() {
    let (server, elsewhere) = (small_server(), small_server());
    let bait = format!("{}/mybucket/k?versionId=null", elsewhere.url());
    server.inject(Fault::on(Route::Head, Effect::Redirect(bait)));
    let finished = let_loose(&server, FOLLOWS_REDIRECTS, &[]);
    assert_eq!(finished.ran.status, 0, "{}", finished.ran.stdout);
    assert!(finished.ran.stdout.contains("307 http://127.0.0.1:"), "{}", finished.ran.stdout);
    assert_eq!((server.log().len(), elsewhere.connections()), (1, 0));
}

#[test]
fn the_host_itself_follows_no_redirect() {
    let (server, elsewhere) = (small_server(), small_server());
    let to = format!("{}/minio/admin/v3/replication/diff?bucket=mybucket", elsewhere.url());
    server.inject(Fault::on_any(Effect::Redirect(to)));
    let ran = mc_wasi_at(&server.alias_url()).run(&["a/mybucket"]);
    assert_eq!(ran.status, 1, "{}", ran.stdout);
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn no_body_is_sent() {
    let server = small_server();
    let finished = let_loose(&server, SENDS_A_BODY, &[]);
    let log = server.log();
    assert_eq!(outside(&log, false), [""; 0]);
    let bodies = log.iter().filter(|logged| logged.header("transfer-encoding").is_some());
    assert_eq!(bodies.count(), 0, "{log:?} {:?}", finished.ran);
    assert!(log.iter().all(|logged| logged.header("content-length").is_none_or(|n| n == "0")));
}

#[test]
fn the_admin_api_is_closed_but_for_the_backlog() {
    nothing_arrives(USES_OTHER_ADMIN_CALLS, &[]);
}

#[test]
fn environment_and_arguments_hold_no_secret() {
    let server = small_server();
    let ran = mc_wasi_at(&server.alias_url())
        .alias("another", "https://AK:another-secret@minio.example")
        .env("AWS_SECRET_ACCESS_KEY", "aws-secret")
        .env("HTTPS_PROXY", "http://u:proxy-secret@proxy:1")
        .run(&[
            "a/mybucket",
            "--component",
            &READS_ENVIRONMENT.file().to_string_lossy(),
            "-H",
            "X-Auth: tok-secret",
        ]);
    println!("{ran:#?}");
    assert_eq!(ran.status, 0);
    for secret in [SECRET, "secret", "AK", "minioadmin", "another", "proxy"] {
        assert!(!ran.stdout.contains(secret), "{secret}: {}", ran.stdout);
    }
    assert!(ran.stdout.contains(&format!("MC_HOST_a={}", server.url())), "{}", ran.stdout);
    assert!(ran.stdout.contains("X-Auth:**REDACTED**"), "{}", ran.stdout);
    let names: Vec<&str> = ran.stdout.lines().filter_map(|l| Some(l.split_once('=')?.0)).collect();
    let told = |name: &&str| name.starts_with("MC_") || *name == "NO_COLOR" || *name == "COLUMNS";
    assert!(names.iter().all(told), "{names:?}");
}

/// A server with an encrypted version that may be copied.
fn encrypted(options: Options) -> FakeServer {
    let version = |key: &str| Version::put(key).null().encrypted(Encryption::S3);
    let backlog = Backlog::of([version("k"), version("other")]);
    let secret_key = SECRET.to_owned();
    FakeServer::start(Options { secret_key, backlog, ..options })
}

fn copies(server: &FakeServer) -> usize {
    server.log().iter().filter(|logged| logged.method == "PUT").count()
}

#[test]
fn a_copy_changes_nothing_but_the_checksum() {
    let server = encrypted(Options::default());
    let finished = let_loose(&server, HARMS_BY_COPYING, &["--clear-checksum"]);
    assert_eq!((finished.ran.status, copies(&server)), (0, 0), "{}", finished.ran.stdout);
    for reason in
        ["looked at just before", "time of modification", "very state", "encryption as it is"]
    {
        assert!(finished.ran.stderr.contains(reason), "{reason}: {}", finished.ran.stderr);
    }
}

#[test]
fn nothing_is_copied_where_the_bucket_would_lock_it_whatever_the_component_asks() {
    let object_lock = ObjectLock::Default { mode: "COMPLIANCE".into(), days: 3650 };
    let server = encrypted(Options { object_lock, ..Options::default() });
    let finished = let_loose(&server, COPIES_INTO_A_LOCK, &["--clear-checksum"]);
    assert_eq!((finished.ran.status, copies(&server)), (0, 0), "{}", finished.ran.stdout);
    let said = "the bucket would lock every copy (COMPLIANCE for 3650 days)";
    assert!(finished.ran.stderr.contains(said), "{}", finished.ran.stderr);
    // The same component where nothing is locked: it was the lock, and not its copy.
    let server = encrypted(Options::default());
    let finished = let_loose(&server, COPIES_INTO_A_LOCK, &["--clear-checksum"]);
    assert_eq!((finished.ran.status, copies(&server)), (1, 1), "{}", finished.ran.stdout);
}
