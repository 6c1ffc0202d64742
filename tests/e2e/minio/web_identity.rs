//! Temporary keys of a real server, for a token of a real OpenID provider.

use crate::mc_wasi;
use mc_wasi_tests::background::Background;
use mc_wasi_tests::dex::Dex;
use mc_wasi_tests::mcwasi::McWasi;
use mc_wasi_tests::minio::{Certs, MinioOptions, Pair};
use mc_wasi_tests::wait::wait_until;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// For the target to get what was triggered.
const DRAIN: Duration = Duration::from_secs(90);

/// A pair whose source knows the provider, with a stuck backlog, released.
fn stuck(dex: &Dex, versions: usize, certs: Option<Certs>) -> Pair {
    let variables = dex.variables("consoleAdmin");
    let options = MinioOptions::default();
    let options = variables.iter().fold(options, |options, (name, value)| options.env(name, value));
    let options = match certs {
        Some(certs) => options.tls(certs),
        None => options,
    };
    let mut pair = Pair::builder().source(options).start();
    pair.stick();
    pair.put_many("k", versions, b"hello");
    pair.wait_backlog(versions);
    pair.release();
    pair
}

/// The program with a token and without keys.
fn with_token(pair: &Pair, token: &Path) -> McWasi {
    let trusting = pair.mc().config_dir().display().to_string();
    mc_wasi()
        .alias("source", &pair.source().url())
        .env("MC_CONFIG_DIR", &trusting)
        .env("MC_STS_ENDPOINT_source", &pair.source().url())
        .env("MC_WEB_IDENTITY_TOKEN_FILE_source", &token.display().to_string())
        .env("MC_ROLE_ARN_source", &pair.openid_role())
}

#[test]
fn a_pod_without_keys_triggers_a_backlog_and_waits_for_it_over_tls() {
    let dex = Dex::start(3600);
    let pair = stuck(&dex, 20, Some(Certs::generate()));
    let home = tempfile::TempDir::new().expect("a folder");
    let token = home.path().join("token");
    fs::write(&token, dex.token()).expect("a token");
    let mc_wasi = with_token(&pair, &token);
    let ran = mc_wasi.run(&["source/src", "--wait", "90s", "--json"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert_eq!(ran.summary()["processed"], 20);
    pair.wait_empty(DRAIN);
    let nobody = mc_wasi.env("MC_ROLE_ARN_source", "arn:minio:iam:::role/nobody");
    let ran = nobody.run(&["source/src"]);
    assert!(
        ran.stderr.contains("Unable to get keys for alias `source` from https://"),
        "{}",
        ran.stderr
    );
    assert_eq!((ran.stdout.as_str(), ran.status), ("", 1));
}

#[test]
fn a_run_outlives_its_keys_as_long_as_there_are_new_tokens() {
    // The server's keys expire with the token.
    const LIFETIME: u32 = 20;
    let dex = Dex::start(LIFETIME);
    let pair = stuck(&dex, 500, None);
    let home = tempfile::TempDir::new().expect("a folder");
    let token = home.path().join("token");
    let next = home.path().join("next");
    let write = || {
        fs::write(&next, dex.token()).expect("a token");
        fs::rename(&next, &token).expect("its place");
    };
    write();
    let mc_wasi = with_token(&pair, &token);
    let run = Background::start(&mc_wasi, &["source/src", "--rate-limit", "10"]);
    let began = Instant::now();
    // As the kubelet does, in good time.
    while began.elapsed() < Duration::from_secs(45) {
        sleep(Duration::from_secs(5));
        write();
    }
    let ended = run.end();
    assert_eq!((ended.status, ended.count("processed")), (0, 500), "{}", ended.summary);
    assert_eq!(ended.count("failed"), 0, "{}", ended.summary);
    pair.wait_empty(DRAIN);

    // Nobody has written another since.
    wait_until("the token expires", || {
        began.elapsed() > Duration::from_secs(u64::from(LIFETIME) + 46)
    });
    let late = mc_wasi.run(&["source/src"]);
    assert!(late.stderr.contains("must write a new one before it expires"), "{}", late.stderr);
    assert_eq!((late.stdout.as_str(), late.status), ("", 1));
}
