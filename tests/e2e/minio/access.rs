//! Who may run the command and with which keys: the smallest policies are enough, and whoever lacks
//! something is told what, before anything is triggered.

use super::as_user;
use crate::mc_wasi;
use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use mc_wasi_tests::minio::{Keys, Pair};
use mc_wasi_tests::quiet;

const DIFF: &str = r#"{"Effect":"Allow","Action":["admin:ReplicationDiff"]}"#;
const GET: &str =
    r#"{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::src/*"]}"#;
const PUT: &str =
    r#"{"Effect":"Allow","Action":["s3:PutObject"],"Resource":["arn:aws:s3:::src/*"]}"#;
const LOCK: &str = r#"{"Effect":"Allow","Action":["s3:GetBucketObjectLockConfiguration"],"Resource":["arn:aws:s3:::src"]}"#;
const LISTING: &str = "Unable to list the replication backlog of bucket `src`.";

fn policy(statements: &[&str]) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

#[test]
fn the_smallest_policies_are_enough_and_what_is_missing_is_named() {
    let mut pair = Pair::start();
    pair.stick();
    for prefix in
        ["user/", "service/", "session/", "narrow/", "clear/", "cleared/", "config/", "put/"]
    {
        pair.put_many(prefix, 3, b"hello");
    }
    pair.wait_backlog(24);
    pair.release();
    let backlog = pair.wait_backlog(24);
    let user = |name: &str, statements: &[&str]| pair.admin_user(name, &policy(statements));

    // What ends a run before its first trigger.
    let no_diff = as_user(&pair, &user("no-diff", &[GET, PUT, LOCK]));
    let needs = "Access Denied. The account needs the permission admin:ReplicationDiff.";
    no_diff.run(&["source/src"]).assert_refused(&format!("{LISTING} {needs}"));
    no_diff.run(&["source/src", "--dry-run"]).assert_refused(&format!("{LISTING} {needs}"));
    let ran = no_diff.run(&["source/src", "--json"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (1, ""));
    let error = ran.summary();
    assert_eq!((&error["status"], &error["error"]["type"]), (&"error".into(), &"fatal".into()));
    assert_eq!(error["error"]["cause"]["message"], needs);
    assert_eq!(error["error"]["cause"]["error"]["Code"], "AccessDenied");

    let no_lock = as_user(&pair, &user("no-lock", &[DIFF, GET, PUT]));
    no_lock.run(&["source/src", "--clear-checksum"]).assert_refused(
        "Unable to clear checksums in bucket `src`. Access Denied. \
         --clear-checksum needs s3:GetBucketObjectLockConfiguration on arn:aws:s3:::src, to see \
         that no default retention locks what it copies.",
    );
    let wrong = Keys { secret: "not-the-secret".to_owned(), ..pair.source().root().clone() };
    as_user(&pair, &wrong).run(&["source/src"]).assert_refused(&format!(
        "{LISTING} The request signature we calculated does not match the signature you \
             provided. Check your key and signing method. Check the secret key of the alias; a \
             proxy that changes the Host header causes this too."
    ));
    as_user(&pair, &Keys::new("nobody-here", "some-secret")).run(&["source/src"]).assert_refused(
        &format!(
            "{LISTING} The Access Key Id you provided does not exist in our records. Check the \
             access key of the alias."
        ),
    );
    let anonymous = mc_wasi().alias("source", &pair.source().url());
    anonymous.run(&["source/src"]).assert_refused(&format!("{LISTING} {needs}"));
    let root = as_user(&pair, pair.source().root());
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
    root.run(&["nowhere/src"]).assert_refused(
        "Unable to initialize admin connection. No valid configuration found for \
         'nowhere/src' host alias.",
    );

    // What ends it at the first trigger.
    let no_get = as_user(&pair, &user("no-get", &[DIFF]));
    let ran = no_get.run(&["source/src", "-c", "1"]);
    assert_eq!(ran.status, 1);
    // How much was listed until then is a matter of time.
    assert!(
        ran.stdout.starts_with(
            "✗ Replication trigger stopped by an error
  Total: "
        ) && ran.stdout.contains(
            "
  Processed: 0
  Failed: 1
"
        ),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stderr.ends_with(
            "<ERROR> Unable to trigger replication in bucket `src`. Access Denied. The account \
             needs s3:GetObject on arn:aws:s3:::src/*.\n"
        ),
        "{}",
        ran.stderr
    );
    assert_eq!(pair.backlog(""), backlog, "none of that triggers anything");
    let no_put = as_user(&pair, &user("no-put", &[DIFF, GET, LOCK]));
    let ran = no_put.run(&["source/src/put/", "--clear-checksum", "-c", "1"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.ends_with("The account needs s3:PutObject on arn:aws:s3:::src/*.\n"),
        "{}",
        ran.stderr
    );
    let ran = no_put.run(&["source/src/clear/", "--clear-checksum", "--validate"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    assert!(
        ran.stderr.starts_with("mc-wasi: <ERROR> Validation failed: unable to copy `src/clear/")
            && ran.stderr.ends_with("The account needs s3:PutObject on arn:aws:s3:::src/*.\n"),
        "{}",
        ran.stderr
    );

    // What is enough.
    let keys = user("minimal", &[DIFF, GET]);
    as_user(&pair, &keys).run(&["source/src/user/"]).assert_completed(3);
    let service = pair.service_account(&keys, "service");
    as_user(&pair, &service).run(&["source/src/service/"]).assert_completed(3);
    let session = pair.assume_role(&keys);
    let ran = as_user(&pair, &Keys { token: None, ..session.clone() }).run(&["source/src"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains(LISTING)
            && ran.stderr.ends_with(
                " Get a new session token, and put it behind the secret key: \
                 ACCESS:SECRET:TOKEN@host.\n"
            ),
        "{}",
        ran.stderr
    );
    let debugged =
        as_user(&pair, &session).run(&["source/src/session/", "--debug", "-H", "X-Hush: a-token"]);
    assert_eq!(debugged.status, 0, "{}", debugged.stderr);
    for traced in [
        "mc-wasi: <DEBUG> POST /minio/admin/v3/replication/diff?bucket=src&prefix=session%2F HTTP/1.1\n",
        "mc-wasi: <DEBUG> HEAD /src/session/000002?versionId=",
        "mc-wasi: <DEBUG> HTTP/1.1 200 OK\n",
        "Authorization: AWS4-HMAC-SHA256 Credential=**REDACTED**/",
        "X-Amz-Security-Token: **REDACTED**\n",
        "X-Hush: **REDACTED**\n",
    ] {
        assert!(debugged.stderr.contains(traced), "{traced}\n{}", debugged.stderr);
    }
    let token = session.token.as_deref().expect("a session token");
    let shown = format!("{}{}", debugged.stdout, debugged.stderr);
    for secret in [&session.access, &session.secret, token, "a-token"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    let narrowed = pair.assume_role_with_policy(&keys, &policy(&[DIFF, GET]));
    as_user(&pair, &narrowed).run(&["source/src/narrow/"]).assert_completed(3);
    let clearing = as_user(&pair, &user("clearing", &[DIFF, GET, PUT, LOCK]));
    let ran = clearing.run(&["source/src/clear/", "--clear-checksum", "--validate"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("  Tags           not readable (Access Denied.)"),
        "{}",
        ran.stdout
    );
    clearing.run(&["source/src/cleared/", "--clear-checksum"]).assert_completed(3);

    configured(&pair, &keys);
    assert_eq!(root.run(&["source/src"]).status, 0, "what the others left");
    pair.drain("", || assert_eq!(root.run(&["source/src"]).status, 0));
    assert_eq!(pair.target_versions("dst").len(), 24);
}

/// An alias out of `config.json` and out of an environment file, and names that only `--resolve`
/// knows.
fn configured(pair: &Pair, keys: &Keys) {
    let mc = mc_wasi();
    let folder = mc.home().join(".mc");
    let config = format!(
        r#"{{"version":"10","aliases":{{"filed":{{"url":"{}","accessKey":"{}","secretKey":"{}","api":"s3v4","path":"auto"}}}}}}"#,
        pair.source().url(),
        keys.access,
        keys.secret
    );
    let written = fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join("config.json"), &config))
        .and_then(|()| {
            fs::write(
                mc.home().join("hosts"),
                format!("MC_HOST_listed={}\n", pair.source().alias_url(keys)),
            )
        });
    assert!(written.is_ok(), "{written:?}");
    mc.run(&["filed/src/config/000000"]).assert_completed(1);
    let hosts = mc.home().join("hosts").display().to_string();
    let mc = mc.env("MC_CONFIG_ENV_FILE", &hosts);
    mc.run(&["listed/src/config/000001"]).assert_completed(1);
    let port = pair.source().authority().replace("127.0.0.1:", "");
    let named = format!("http://{}:{}@minio.test:{port}", keys.access, keys.secret);
    let mc = mc.alias("named", &named);
    let resolve = format!("minio.test:{port}=127.0.0.1");
    mc.run(&["named/src/config/000002", "--resolve", &resolve]).assert_completed(1);
    let files: Vec<_> = fs::read_dir(&folder).into_iter().flatten().flatten().collect();
    assert_eq!(files.len(), 1, "nothing is written into the configuration");
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
