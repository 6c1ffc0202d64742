//! A source behind TLS in a region of its own.

use mc_wasi_tests::mcwasi::McWasi;
use mc_wasi_tests::minio::{Certs, MinioOptions, Pair};

const LISTING: &str = "Unable to list the replication backlog of bucket `src`.";

#[test]
fn the_region_is_learned_and_the_certificate_checked() {
    let source = MinioOptions::default().tls(Certs::generate()).region("eu-west-1");
    let mut pair = Pair::builder().source(source).start();
    pair.stick();
    for prefix in ["region/", "insecure/", "name/", "fixed/", "copied/"] {
        pair.put_many(prefix, 5, b"hello");
    }
    pair.wait_backlog(25);
    pair.release();
    let backlog = pair.wait_backlog(25);
    let (server, root) = (pair.source(), pair.source().root());
    let authority = server.authority();
    let port = authority.replace("127.0.0.1:", "");
    let keys = format!("{}:{}", root.access, root.secret);
    let mc = || {
        McWasi::new(env!("CARGO_BIN_EXE_mc-wasi"))
            .alias("source", &server.alias_url(root))
            .alias("local", &format!("https://{keys}@localhost:{port}"))
            .alias("plain", &format!("http://{keys}@{authority}"))
            .alias("other", &format!("https://{keys}@minio.test:{port}"))
            .alias("target", &format!("https://{keys}@{}", pair.target().authority()))
    };
    let trusting = || mc().env("MC_CONFIG_DIR", &pair.mc().config_dir().display().to_string());

    // What is not to be trusted is not asked.
    mc().run(&["source/src"]).assert_refused(&format!(
            "{LISTING} {authority}: tls: the certificate of 127.0.0.1 is signed by an unknown \
             authority; put the authority's PEM file into <config-dir>/certs/CAs/, or use --insecure."
        ));
    let resolve = format!("minio.test:{port}=127.0.0.1");
    trusting().run(&["other/src", "--resolve", &resolve]).assert_refused(&format!(
        "{LISTING} minio.test:{port}: tls: the certificate is not for minio.test; use the name \
             it was made for as the host of the alias (--resolve can keep the address), or \
             --insecure."
    ));
    let ran = trusting().run(&["target/dst"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.ends_with(
            "127.0.0.1 does not speak TLS on this port; an alias with http:// may be meant.\n"
        ),
        "{}",
        ran.stderr
    );
    trusting().run(&["plain/src"]).assert_refused(&format!(
        "{LISTING} {authority}: tls: the server speaks TLS on this port; use https:// in the alias."
    ));

    // A region that the user insists on is not corrected.
    let wrong = || trusting().env("MC_REGION", "us-west-2");
    let ran = wrong().run(&["source/src/fixed/", "-c", "1"]);
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
    let remedy = "The authorization header is malformed; the region is wrong; expecting 'eu-west-1'. \
                  Unset MC_REGION and AWS_REGION, and the region is learned from the server; or set \
                  MC_REGION=eu-west-1.\n";
    assert!(ran.stderr.ends_with(remedy), "{}", ran.stderr);
    for more in ["--clear-checksum", "--validate"] {
        let ran = wrong().run(&["source/src/fixed/", "--clear-checksum", more]);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
        assert!(ran.stderr.ends_with(remedy), "{}", ran.stderr);
    }
    assert_eq!(pair.backlog(""), backlog, "nothing was triggered");

    let summary = trusting().run(&["source/src/region/", "--json"]).summary();
    assert_eq!((&summary["processed"], &summary["failed"]), (&5.into(), &0.into()), "{summary}");
    assert_eq!(summary["retries"], 0, "the listing has told the region");
    let copied = trusting().run(&["source/src/copied/", "--clear-checksum", "--json"]).summary();
    assert_eq!((&copied["copied"], &copied["failed"]), (&5.into(), &0.into()), "{copied}");
    let fixed = trusting().env("MC_REGION", "eu-west-1").run(&["source/src/fixed/"]);
    assert_eq!((fixed.status, fixed.stderr.as_str()), (0, ""), "{}", fixed.stdout);
    let insecure = mc().run(&["source/src/insecure/", "--insecure"]);
    assert_eq!((insecure.status, insecure.stderr.as_str()), (0, ""), "{}", insecure.stdout);
    let resolve = format!("localhost:{port}=127.0.0.1");
    let named = trusting().run(&["local/src/name/", "--resolve", &resolve]);
    assert_eq!((named.status, named.stderr.as_str()), (0, ""), "{}", named.stdout);
    pair.drain("", || assert_eq!(trusting().run(&["source/src"]).status, 0));
    assert_eq!(pair.target_versions("dst").len(), 25);
}
