//! A source behind TLS in a region of its own.

use super::{assert_replicated, assert_stopped};
use crate::mc_wasi;
use mc_wasi_tests::mcwasi::McWasi;
use mc_wasi_tests::minio::{Certs, MinioOptions, Pair};
use mc_wasi_tests::shared::Shared;

const LISTING: &str = "Unable to list the replication backlog of bucket `src`.";

/// A folder for each claim that needs a backlog of its own.
const FOLDERS: [&str; 6] = ["wrong/", "region/", "copied/", "fixed/", "insecure/", "name/"];

/// Five versions in each folder.
static PAIR: Shared<Pair> = Shared::new(|| {
    let source = MinioOptions::default().tls(Certs::generate()).region("eu-west-1");
    let mut pair = Pair::builder().source(source).start();
    pair.stick();
    for folder in FOLDERS {
        pair.put_many(folder, 5, b"hello");
    }
    pair.wait_backlog(5 * FOLDERS.len());
    pair.release();
    pair
});

/// The port of the source.
fn port(pair: &Pair) -> String {
    pair.source().authority().replace("127.0.0.1:", "")
}

/// Knows the source by its address, by two names and without TLS, and the target as if it had TLS;
/// trusts nobody.
fn distrusting(pair: &Pair) -> McWasi {
    let root = pair.source().root();
    let keys = format!("{}:{}", root.access, root.secret);
    let port = port(pair);
    mc_wasi()
        .alias("source", &pair.source().alias_url(root))
        .alias("local", &format!("https://{keys}@localhost:{port}"))
        .alias("other", &format!("https://{keys}@minio.test:{port}"))
        .alias("plain", &format!("http://{keys}@127.0.0.1:{port}"))
        .alias("target", &format!("https://{keys}@{}", pair.target().authority()))
}

/// The same, with the certificate of the source among the trusted ones.
fn trusting(pair: &Pair) -> McWasi {
    distrusting(pair).env("MC_CONFIG_DIR", &pair.mc().config_dir().display().to_string())
}

#[test]
fn a_certificate_that_nobody_trusts_is_refused_unless_insecure() {
    let pair = PAIR.get();
    let authority = pair.source().authority();
    distrusting(&pair).run(&["source/src"]).assert_refused(&format!(
        "{LISTING} {authority}: tls: the certificate of 127.0.0.1 is signed by an unknown \
         authority; put the authority's PEM file into <config-dir>/certs/CAs/, or use --insecure."
    ));
    distrusting(&pair).run(&["source/src/insecure/", "--insecure"]).assert_completed(5);
    assert_replicated(&pair, "insecure/", 5);
}

#[test]
fn a_certificate_is_checked_for_the_name_of_the_alias_whatever_it_resolves_to() {
    let pair = PAIR.get();
    let port = port(&pair);
    let resolve = format!("minio.test:{port}=127.0.0.1");
    trusting(&pair).run(&["other/src", "--resolve", &resolve]).assert_refused(&format!(
        "{LISTING} minio.test:{port}: tls: the certificate is not for minio.test but for \
         127.0.0.1, localhost; use such a name as the host of the alias (--resolve can keep the address), or \
         --insecure."
    ));
    let resolve = format!("localhost:{port}=127.0.0.1");
    trusting(&pair).run(&["local/src/name/", "--resolve", &resolve]).assert_completed(5);
    assert_replicated(&pair, "name/", 5);
}

#[test]
fn the_wrong_scheme_is_named_both_ways() {
    let pair = PAIR.get();
    let (source, target) = (pair.source().authority(), pair.target().authority());
    let ran = trusting(&pair).run(&["target/dst"]);
    ran.assert_refused(&format!(
        "Unable to list the replication backlog of bucket `dst`. {target}: tls: 127.0.0.1 does not \
         speak TLS on this port; an alias with http:// may be meant."
    ));
    trusting(&pair).run(&["plain/src"]).assert_refused(&format!(
        "{LISTING} {source}: tls: the server speaks TLS on this port; use https:// in \
         the alias."
    ));
}

#[test]
fn a_region_that_the_user_insists_on_is_not_corrected() {
    let pair = PAIR.get();
    let backlog = pair.backlog("wrong/");
    let wrong = trusting(&pair).env("MC_REGION", "us-west-2");
    let remedy = "The authorization header is malformed; the region is wrong; expecting 'eu-west-1'. \
                  Unset MC_REGION and AWS_REGION, and the region is learned from the server; or set \
                  MC_REGION=eu-west-1.\n";
    let ran = wrong.run(&["source/src/wrong/", "-c", "1"]);
    assert_stopped(&ran, 1);
    assert!(ran.stderr.ends_with(remedy), "{}", ran.stderr);
    for more in ["--clear-checksum", "--validate"] {
        let ran = wrong.run(&["source/src/wrong/", "--clear-checksum", more]);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
        assert!(ran.stderr.ends_with(remedy), "{}", ran.stderr);
    }
    assert_eq!((backlog.len(), pair.backlog("wrong/")), (5, backlog), "nothing is triggered");
}

#[test]
fn the_right_region_can_be_given() {
    let pair = PAIR.get();
    let given = trusting(&pair).env("MC_REGION", "eu-west-1");
    given.run(&["source/src/fixed/"]).assert_completed(5);
    assert_replicated(&pair, "fixed/", 5);
}

#[test]
fn the_region_is_learned_from_the_listing_for_heads_and_for_copies() {
    let pair = PAIR.get();
    let summary = trusting(&pair).run(&["source/src/region/", "--json"]).summary();
    assert_eq!((&summary["processed"], &summary["failed"]), (&5.into(), &0.into()), "{summary}");
    assert_eq!(summary["retries"], 0, "the listing has told the region");
    let words = ["source/src/copied/", "--clear-checksum", "--json"];
    let copied = trusting(&pair).run(&words).summary();
    assert_eq!((&copied["copied"], &copied["failed"]), (&5.into(), &0.into()), "{copied}");
    assert_replicated(&pair, "region/", 5);
    assert_replicated(&pair, "copied/", 5);
}
