//! Who may run the command and with which keys: the smallest policies are enough, and whoever lacks
//! something is told what, before anything is triggered.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::{as_root, as_user, assert_replicated, assert_stopped};
use crate::mc_wasi;
use mc_wasi_tests::minio::{Keys, Pair};
use mc_wasi_tests::quiet;
use mc_wasi_tests::shared::Shared;

const DIFF: &str = r#"{"Effect":"Allow","Action":["admin:ReplicationDiff"]}"#;
const GET: &str =
    r#"{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::src/*"]}"#;
const PUT: &str =
    r#"{"Effect":"Allow","Action":["s3:PutObject"],"Resource":["arn:aws:s3:::src/*"]}"#;
const LOCK: &str = r#"{"Effect":"Allow","Action":["s3:GetBucketObjectLockConfiguration","s3:GetEncryptionConfiguration"],"Resource":["arn:aws:s3:::src"]}"#;
const LISTING: &str = "Unable to list the replication backlog of bucket `src`.";
const NEEDS_DIFF: &str = "Access Denied. The account needs the permission admin:ReplicationDiff.";

/// A folder for each claim that needs a backlog of its own.
const FOLDERS: [&str; 12] = [
    "kept/",
    "get/",
    "put/",
    "validated/",
    "user/",
    "service/",
    "session/",
    "narrow/",
    "test/",
    "cleared/",
    "config/",
    "tokenless/",
];

/// Three versions in each folder.
static PAIR: Shared<Pair> = Shared::new(|| {
    let mut pair = Pair::start();
    pair.stick();
    for folder in FOLDERS {
        pair.put_many(folder, 3, b"hello");
    }
    pair.wait_backlog(3 * FOLDERS.len());
    pair.release();
    pair
});

/// A user of the source with exactly these rights.
fn user(pair: &Pair, name: &str, statements: &[&str]) -> Keys {
    pair.admin_user(name, &policy(statements))
}

fn policy(statements: &[&str]) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

#[test]
fn whoever_may_not_list_is_told_and_triggers_nothing() {
    let pair = PAIR.get();
    let backlog = pair.backlog("kept/");
    let no_diff = as_user(&pair, &user(&pair, "no-diff", &[GET, PUT, LOCK]));
    no_diff.run(&["source/src"]).assert_refused(&format!("{LISTING} {NEEDS_DIFF}"));
    no_diff.run(&["source/src", "--dry-run"]).assert_refused(&format!("{LISTING} {NEEDS_DIFF}"));
    let ran = no_diff.run(&["source/src", "--json"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (1, ""));
    let error = ran.summary();
    assert_eq!((&error["status"], &error["error"]["type"]), (&"error".into(), &"fatal".into()));
    assert_eq!(error["error"]["cause"]["message"], NEEDS_DIFF);
    assert_eq!(error["error"]["cause"]["error"]["Code"], "AccessDenied");
    assert_eq!((backlog.len(), pair.backlog("kept/")), (3, backlog), "nothing is triggered");
}

#[test]
fn keys_that_the_server_does_not_take_are_named() {
    let pair = PAIR.get();
    let backlog = pair.backlog("kept/");
    let wrong = Keys { secret: "not-the-secret".to_owned(), ..pair.source().root().clone() };
    as_user(&pair, &wrong).run(&["source/src"]).assert_refused(&format!(
        "{LISTING} The request signature we calculated does not match the signature you \
             provided. Check your key and signing method. Check the secret key of the alias; a \
             proxy that changes the Host header also causes this."
    ));
    let unknown = Keys::new("nobody-here", "some-secret");
    as_user(&pair, &unknown).run(&["source/src"]).assert_refused(&format!(
        "{LISTING} The Access Key Id you provided does not exist in our records. Check the access \
         key of the alias."
    ));
    let anonymous = mc_wasi().alias("source", &pair.source().url());
    let ran = anonymous.run(&["source/src"]);
    let said = format!(
        "⚠ Alias `source` has no keys: requests go out unsigned.\nmc-wasi: <ERROR> {LISTING} {NEEDS_DIFF}\n"
    );
    assert_eq!((ran.stdout.as_str(), ran.stderr, ran.status), ("", said, 1));
    assert_eq!((backlog.len(), pair.backlog("kept/")), (3, backlog), "nothing is triggered");
}

#[test]
fn a_bucket_that_is_not_there_and_one_without_a_target_are_told_apart() {
    let pair = PAIR.get();
    let root = as_root(&pair);
    root.run(&["source/no-such-bucket"]).assert_refused(
        "Unable to list the replication backlog of bucket `no-such-bucket`. The \
         specified bucket does not exist.",
    );
    pair.mc().run(&["mb", "--with-versioning", "source/alone"]);
    root.run(&["source/alone"]).assert_refused(
        "Unable to list the replication backlog of bucket `alone`. The remote \
         target does not exist. Bucket `alone` has no replication target: `mc replicate add` makes \
         one. A server that has just started may not know its targets yet: then run again.",
    );
    root.run(&["nowhere/src"]).assert_refused(&format!(
        "Unable to initialize admin connection. No valid configuration found for \
         'nowhere/src' host alias. It was looked for in the variable MC_HOST_nowhere, in {}.",
        pair.mc().config_dir().join("config.json").display()
    ));
}

#[test]
fn whoever_may_not_get_anything_is_told_the_permission() {
    let pair = PAIR.get();
    let backlog = pair.backlog("get/");
    let no_get = as_user(&pair, &user(&pair, "no-get", &[DIFF]));
    let ran = no_get.run(&["source/src/get/", "-c", "1"]);
    assert_stopped(&ran, 3);
    assert!(
        ran.stderr.ends_with(
            "\nmc-wasi: <ERROR> Unable to trigger replication in bucket `src`. Access Denied. The \
             account needs s3:GetObject on arn:aws:s3:::src/*.\n"
        ),
        "{}",
        ran.stderr
    );
    assert_eq!((backlog.len(), pair.backlog("get/")), (3, backlog), "nothing is triggered");
}

#[test]
fn clear_checksum_needs_to_see_that_nothing_copied_would_be_locked() {
    let pair = PAIR.get();
    let backlog = pair.backlog("kept/");
    let no_lock = as_user(&pair, &user(&pair, "no-lock", &[DIFF, GET, PUT]));
    no_lock.run(&["source/src/kept/", "--clear-checksum"]).assert_refused(
        "Unable to clear checksums in bucket `src`. Access Denied. \
         --clear-checksum needs s3:GetBucketObjectLockConfiguration on arn:aws:s3:::src, to see \
         that no default retention locks what it copies.",
    );
    assert_eq!((backlog.len(), pair.backlog("kept/")), (3, backlog), "nothing is triggered");
}

#[test]
fn clear_checksum_needs_the_right_to_put() {
    const REMEDY: &str = "The account needs s3:PutObject on arn:aws:s3:::src/*.\n";
    let pair = PAIR.get();
    let no_put = as_user(&pair, &user(&pair, "no-put", &[DIFF, GET, LOCK]));
    let ran = no_put.run(&["source/src/put/", "--clear-checksum", "-c", "1"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.ends_with(REMEDY), "{}", ran.stderr);
    let ran = no_put.run(&["source/src/validated/", "--clear-checksum", "--validate"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    let begins = "mc-wasi: <ERROR> Validation failed: unable to copy `src/validated/";
    assert!(ran.stderr.starts_with(begins) && ran.stderr.ends_with(REMEDY), "{}", ran.stderr);
}

#[test]
fn the_smallest_policy_is_enough_for_a_user_and_for_a_service_account_of_it() {
    let pair = PAIR.get();
    let keys = user(&pair, "minimal", &[DIFF, GET]);
    as_user(&pair, &keys).run(&["source/src/user/"]).assert_completed(3);
    let service = pair.service_account(&keys, "service");
    as_user(&pair, &service).run(&["source/src/service/"]).assert_completed(3);
    assert_replicated(&pair, "user/", 3);
    assert_replicated(&pair, "service/", 3);
}

#[test]
fn a_session_is_as_good_as_its_user_and_debug_shows_nothing_of_its_keys() {
    let pair = PAIR.get();
    let session = pair.assume_role(&user(&pair, "of-session", &[DIFF, GET]));
    let ran =
        as_user(&pair, &session).run(&["source/src/session/", "--debug", "-H", "X-Hush: a-token"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    for traced in [
        "mc-wasi: <DEBUG> POST /minio/admin/v3/replication/diff?bucket=src&prefix=session%2F HTTP/1.1\n",
        "mc-wasi: <DEBUG> HEAD /src/session/000002?versionId=",
        "mc-wasi: <DEBUG> HTTP/1.1 200 OK\n",
        "Authorization: AWS4-HMAC-SHA256 Credential=**REDACTED**/",
        "X-Amz-Security-Token: **REDACTED**\n",
        "X-Hush: **REDACTED**\n",
    ] {
        assert!(ran.stderr.contains(traced), "{traced}\n{}", ran.stderr);
    }
    let token = session.token.as_deref().expect("a session token");
    let shown = format!("{}{}", ran.stdout, ran.stderr);
    for secret in [&session.access, &session.secret, token, "a-token"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert_replicated(&pair, "session/", 3);
}

#[test]
fn a_session_without_its_token_is_told_where_to_put_one() {
    let pair = PAIR.get();
    let backlog = pair.backlog("tokenless/");
    let session = pair.assume_role(&user(&pair, "of-tokenless", &[DIFF, GET]));
    let ran = as_user(&pair, &Keys { token: None, ..session }).run(&["source/src/tokenless/"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    let remedy = " Get a new session token, and put it after the secret key: \
                  ACCESS:SECRET:TOKEN@host.\n";
    let begins = format!("mc-wasi: <ERROR> {LISTING} ");
    assert!(ran.stderr.starts_with(&begins) && ran.stderr.ends_with(remedy), "{}", ran.stderr);
    assert_eq!((backlog.len(), pair.backlog("tokenless/")), (3, backlog), "nothing is triggered");
}

#[test]
fn a_session_narrowed_to_the_smallest_policy_may_still_run_it() {
    let pair = PAIR.get();
    let keys = user(&pair, "of-narrow", &[DIFF, GET, PUT]);
    let narrowed = pair.assume_role_with_policy(&keys, &policy(&[DIFF, GET]));
    as_user(&pair, &narrowed).run(&["source/src/narrow/"]).assert_completed(3);
    assert_replicated(&pair, "narrow/", 3);
}

#[test]
fn the_policy_for_clearing_is_enough_though_it_cannot_read_tags() {
    let pair = PAIR.get();
    let clearing = as_user(&pair, &user(&pair, "clearing", &[DIFF, GET, PUT, LOCK]));
    let ran = clearing.run(&["source/src/test/", "--clear-checksum", "--validate"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let unread = "  Tags           not readable (Access Denied.)  kept";
    assert!(ran.stdout.lines().any(|line| line == unread), "{}", ran.stdout);
    clearing.run(&["source/src/cleared/", "--clear-checksum"]).assert_completed(3);
    assert_replicated(&pair, "cleared/", 3);
}

#[test]
fn an_alias_comes_from_config_json_from_a_file_of_variables_and_by_a_name_that_is_resolved() {
    let pair = PAIR.get();
    let keys = user(&pair, "configured", &[DIFF, GET]);
    let mc = mc_wasi();
    let folder = mc.home().join(".mc");
    let config = format!(
        r#"{{"version":"10","aliases":{{"filed":{{"url":"{}","accessKey":"{}","secretKey":"{}","api":"s3v4","path":"auto"}}}}}}"#,
        pair.source().url(),
        keys.access,
        keys.secret
    );
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("config.json"), &config).expect("a file");
    let hosts = mc.home().join("hosts");
    let listed = format!("MC_HOST_listed={}\n", pair.source().alias_url(&keys));
    fs::write(&hosts, listed).expect("a file");
    mc.run(&["filed/src/config/000000"]).assert_completed(1);
    let mc = mc.env("MC_CONFIG_ENV_FILE", &hosts.display().to_string());
    mc.run(&["listed/src/config/000001"]).assert_completed(1);
    let port = pair.source().authority().replace("127.0.0.1:", "");
    let named = format!("http://{}:{}@minio.test:{port}", keys.access, keys.secret);
    let mc = mc.alias("named", &named);
    let resolve = format!("minio.test:{port}=127.0.0.1");
    mc.run(&["named/src/config/000002", "--resolve", &resolve]).assert_completed(1);
    let files: Vec<_> = fs::read_dir(&folder).expect("the folder").flatten().collect();
    assert_eq!(files.len(), 1, "nothing is written into the configuration");
    assert_replicated(&pair, "config/", 3);
}

#[test]
fn a_host_that_does_not_answer_is_an_error_at_once() {
    let _quiet = quiet::kept();
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = closed.expect("a port that was just given back");
    let mc = mc_wasi().alias("gone", &format!("http://access:secret-key@{address}"));
    assert_eq!(mc.run(&["--help"]).status, 0, "the component is compiled");
    let started = Instant::now();
    let ran = mc.run(&["gone/bucket"]);
    let took = started.elapsed();
    ran.assert_refused(&format!(
        "Unable to list the replication backlog of bucket `bucket`. {address}: connection refused."
    ));
    assert!(took < Duration::from_secs(2), "{took:?}");
}
