//! What stands between this program and the server: real proxies in front of real servers, which answer in
//! their place, keep answers, cover cuts and rewrite requests.

use std::fs;
use std::time::{Duration, Instant};

use crate::mc_wasi;
use mc_wasi_tests::background::Background;
use mc_wasi_tests::daemon::Daemon;
use mc_wasi_tests::fake::{Backlog, Effect, FakeServer, Fault, Options, Route};
use mc_wasi_tests::mcwasi::McWasi;
use mc_wasi_tests::minio::{Certs, Minio, MinioOptions, Pair, ids};
use mc_wasi_tests::nginx::Nginx;

/// A program that knows what is at this address as `a`, with the keys of root.
fn at(authority: &str) -> McWasi {
    mc_wasi().alias("a", &format!("http://minioadmin:minioadmin@{authority}"))
}

/// A location that passes everything on to a server.
fn pass(server: &str, more: &str) -> String {
    format!("location / {{ proxy_pass http://{server}; proxy_set_header Host $http_host; {more} }}")
}

/// A pair with a stuck backlog of this many versions, released.
fn stuck(count: usize, headers: &[(&str, &str)]) -> (Pair, Vec<String>) {
    let mut pair = Pair::start();
    pair.stick();
    let keys: Vec<String> = (0..count).map(|number| format!("k{number:05}")).collect();
    if headers.is_empty() {
        pair.put_many("k", count, b"hello");
    } else {
        for key in &keys {
            pair.put(key, b"hello", headers);
        }
    }
    pair.wait_backlog(count);
    pair.release();
    (pair, keys)
}

#[test]
fn an_ingress_that_answers_for_a_while_fails_no_version() {
    let (pair, _) = stuck(1500, &[]);
    // Requests pass as long as there is no such file.
    let dir = tempfile::TempDir::new().expect("a folder");
    let down = dir.path().join("down");
    let answers = format!("if (-f {}) {{ return 404 \"404 page not found\"; }}", down.display());
    fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("its permissions");
    let nginx = Nginx::start("", &pass(&pair.source().authority(), &answers));
    let mc = at(&nginx.authority());
    let mut run = Background::start(&mc, &["a/src", "--rate-limit", "150"]);
    run.reach(200);
    fs::write(&down, "").expect("a file");
    std::thread::sleep(Duration::from_secs(5));
    fs::remove_file(&down).expect("the file");
    let ended = run.end();
    assert_eq!((ended.status, ended.count("processed")), (0, 1500), "{}", ended.summary);
    assert_eq!(ended.count("outages"), 1, "{}", ended.summary);
    pair.wait_empty(Duration::from_secs(90));
}

#[test]
fn an_answer_of_a_cache_is_no_trigger() {
    let (pair, keys) = stuck(10, &[("cache-control", "public, max-age=31536000")]);
    let (fresh, _) = (pair.source().authority(), keys);
    let nginx = Nginx::start(
        "proxy_cache_path cache keys_zone=c:1m;",
        &pass(
            &fresh,
            "proxy_cache c; proxy_cache_convert_head off; add_header X-Cache $upstream_cache_status;",
        ),
    );
    // The target refuses, so that everything stays in the backlog.
    pair.stick();
    let run = || at(&nginx.authority()).run(&["a/src", "--json"]);
    let first = run();
    assert_eq!(first.summary()["processed"], 10, "{first:?}");
    // A kept answer is older than the request by what a cache is for.
    std::thread::sleep(Duration::from_secs(3));
    pair.wait_backlog(10);
    let second = run();
    let summary = second.summary();
    assert_eq!((&summary["processed"], &summary["failed"]), (&0.into(), &10.into()), "{summary}");
    assert!(second.stdout.contains("answered by a cache"), "{}", second.stdout);
    assert!(nginx.file("access.log").contains("HEAD"), "it was asked");

    // One that obeys what requests say lets them through.
    let nginx = Nginx::start(
        "proxy_cache_path cache keys_zone=c:1m;",
        &pass(
            &fresh,
            "proxy_cache c; proxy_cache_convert_head off; proxy_cache_bypass $http_cache_control;",
        ),
    );
    for _ in 0..2 {
        let ran = at(&nginx.authority()).run(&["a/src", "--json"]);
        assert_eq!(ran.summary()["processed"], 10, "{ran:?}");
        std::thread::sleep(Duration::from_secs(2));
    }
}

#[test]
fn a_cache_that_makes_a_get_of_a_head_is_named() {
    let (pair, _) = stuck(3, &[("cache-control", "public, max-age=31536000")]);
    let nginx = Nginx::start(
        "proxy_cache_path cache keys_zone=c:1m;",
        &pass(&pair.source().authority(), "proxy_cache c;"),
    );
    let ran = at(&nginx.authority()).run(&["a/src"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.stderr.contains("proxy_cache_convert_head off"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("completed"), "{}", ran.stdout);
}

#[test]
fn a_listing_that_a_proxy_makes_look_whole_is_not_taken_for_that() {
    for version in ["1.0", "1.1"] {
        let (mut pair, written) = {
            let mut pair = Pair::start();
            pair.stick();
            let written = pair.put_many("obj-", 4000, b"hello");
            pair.wait_backlog(4000);
            pair.release();
            (pair, written)
        };
        let speaks = format!("proxy_http_version {version}; proxy_set_header Connection \"\";");
        let nginx = Nginx::start("", &pass(&pair.source().authority(), &speaks));
        // The listing is read slowly, so that it is under way when the server is killed.
        let mc = at(&nginx.authority());
        let run =
            Background::start(&mc, &["a/src", "--limit-download", "150KB", "--rate-limit", "400"]);
        std::thread::sleep(Duration::from_secs(3));
        pair.source_mut().kill();
        pair.source_mut().restart();
        let ended = run.end();
        let all = ended.count("total") == 4000;
        assert!(all || ended.summary["complete"] == false, "{version}: {}", ended.summary);
        assert!(all, "{version}: {}", ended.summary);
        let again = at(&nginx.authority()).run(&["a/src", "--wait", "60s"]);
        assert_eq!(again.status, 0, "{again:?}");
        assert_eq!(ids(&pair.target_versions("dst")), ids(&written), "{version}");
    }
}

#[test]
fn blanks_that_nginx_keeps_for_more_than_a_minute_do_not_end_the_run() {
    let server = FakeServer::start(Options::with_backlog(Backlog::synthetic(5, 1)));
    let blanks = Effect::Pause { after: 0, length: Duration::from_secs(75), keepalive: true };
    server.inject(Fault::on(Route::Diff, blanks));
    let nginx = Nginx::start("", &pass(&server.addr().to_string(), ""));
    let began = Instant::now();
    let ran = at(&nginx.authority()).run(&["a/mybucket", "--json"]);
    assert_eq!((ran.status, ran.summary()["processed"].as_u64()), (0, Some(5)), "{ran:?}");
    assert!(began.elapsed() < Duration::from_secs(500), "{:?}", began.elapsed());
}

#[test]
fn a_port_with_tls_and_a_redirect_are_told_with_what_to_write() {
    let certs = Certs::generate();
    let dir = certs.dir().display().to_string();
    let tls = Nginx::listening(
        "ssl",
        "",
        &format!("ssl_certificate {dir}/public.crt; ssl_certificate_key {dir}/private.key;"),
    );
    let ran = at(&tls.authority()).run(&["a/b"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("use https:// in the alias"), "{}", ran.stderr);
    let minio = Minio::start(MinioOptions::default().tls(certs));
    let ran = at(&minio.authority()).run(&["a/b"]);
    assert!(ran.stderr.contains("use https:// in the alias"), "{}", ran.stderr);

    let moved = Nginx::start("", "return 301 https://minio.example:9443$request_uri;");
    let began = Instant::now();
    let ran = at(&moved.authority()).run(&["a/b"]);
    assert!(ran.stderr.contains("write https://minio.example:9443 into the URL"), "{}", ran.stderr);
    assert!(began.elapsed() < Duration::from_secs(20), "at once: {:?}", began.elapsed());
}

/// A haproxy with this backend.
fn haproxy(backend: &str) -> Daemon {
    Daemon::start("haproxy", |dir, port| {
        let config = format!(
            "defaults\n  mode http\n  timeout connect 2s\n  timeout client 60s\n  timeout server 60s\n\
             frontend f\n  bind 127.0.0.1:{port}\n  default_backend b\nbackend b\n{backend}\n"
        );
        let file = dir.join("haproxy.cfg");
        fs::write(&file, config).expect("a file");
        ["-db", "-f", &file.display().to_string()].map(str::to_owned).to_vec()
    })
}

#[test]
fn a_bad_request_of_another_proxy_is_no_sign_of_tls() {
    let haproxy = haproxy("  http-request return status 400 content-type text/plain string no");
    let ran = at(&haproxy.authority()).run(&["a/b"]);
    assert_eq!(ran.status, 1);
    assert!(!ran.stderr.contains("TLS"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("(400 Bad Request, text/plain), not by the server"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_balancer_whose_servers_are_out_for_a_while_is_waited_for() {
    let (mut pair, _) = stuck(600, &[]);
    let haproxy = haproxy(&format!("  server s {} check inter 200ms", pair.source().authority()));
    std::thread::sleep(Duration::from_secs(1));
    let mc = at(&haproxy.authority());
    let mut run = Background::start(&mc, &["a/src", "--rate-limit", "100"]);
    run.reach(100);
    pair.source_mut().kill();
    std::thread::sleep(Duration::from_secs(3));
    pair.source_mut().restart();
    let ended = run.end();
    assert_eq!((ended.status, ended.count("processed")), (0, 600), "{}", ended.summary);
}

#[test]
fn the_schemes_own_port_is_no_part_of_what_is_signed() {
    // Nginx passes on its own idea of the host, which has no port.
    let minio = Minio::start(MinioOptions::default());
    let server = format!(
        "location / {{ proxy_pass http://{}; proxy_set_header Host $host; }}",
        minio.authority()
    );
    let nginx = Nginx::start("", &server);
    let port = nginx.authority().rsplit_once(':').expect("a port").1.to_owned();
    // A proxy that takes port 80 for that of nginx: requests for port 80 are not to be had by everybody.
    let haproxy = haproxy(&format!("  server s 127.0.0.1:{port}"));
    for url in ["http://minio.test:80", "http://minio.test"] {
        let url = url.replace("http://", "http://minioadmin:minioadmin@");
        let ran = mc_wasi()
            .alias("a", &url)
            .env("HTTP_PROXY", &format!("http://{}", haproxy.authority()))
            .run(&["a/nobucket"]);
        let said = "The specified bucket does not exist";
        assert!(ran.stderr.contains(said), "the signature was good: {}", ran.stderr);
    }
}

#[test]
fn a_fail_over_to_another_site_is_not_taken_for_deletions() {
    let (pair, _) = stuck(900, &[]);
    let other = Pair::start();
    let server = |pair: &Pair| pair.source().authority();
    let dir = tempfile::TempDir::new().expect("a folder");
    fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("its permissions");
    let moved = dir.path().join("moved");
    let nginx = Nginx::start(
        "",
        &format!(
            "location / {{ set $site {}; if (-f {}) {{ set $site {}; }} proxy_pass http://$site; \
             proxy_set_header Host $http_host; proxy_http_version 1.1; }}",
            server(&pair),
            moved.display(),
            server(&other)
        ),
    );
    let mc = at(&nginx.authority());
    let mut run = Background::start(&mc, &["a/src", "--rate-limit", "100"]);
    run.reach(100);
    fs::write(&moved, "").expect("a file");
    let ended = run.end();
    assert_eq!((ended.count("vanished"), ended.status), (0, 1), "{}", ended.summary);
    assert_eq!(ended.summary["complete"], false, "{}", ended.summary);
    let said = ended.summary["error"]["cause"]["message"].to_string();
    assert!(said.contains("Another deployment answers"), "{said}");
}

/// An authority and a certificate for 127.0.0.1 by it, both with keys on this curve and signatures by this
/// hash, made with openssl: `ca.crt`, `public.crt` and `private.key`.
fn certificates(curve: &str, hash: &str, names: &str) -> tempfile::TempDir {
    let dir = tempfile::TempDir::new().expect("a folder");
    let openssl = |words: &str| {
        let made = std::process::Command::new("openssl")
            .current_dir(dir.path())
            .args(words.split(' '))
            .output()
            .expect("openssl is missing; install it with: apt-get install openssl");
        assert!(made.status.success(), "{words}: {}", String::from_utf8_lossy(&made.stderr));
    };
    let key = format!("-newkey ec -pkeyopt ec_paramgen_curve:{curve} -nodes");
    openssl(&format!(
        "req -x509 {key} -keyout ca.key -out ca.crt -days 2 -{hash} -subj /CN=authority \
         -addext basicConstraints=critical,CA:TRUE"
    ));
    openssl(&format!("req {key} -keyout private.key -out server.csr -subj /CN=127.0.0.1"));
    fs::write(dir.path().join("names"), names).expect("a file");
    openssl(&format!(
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out public.crt -days 2 \
         -{hash} -extfile names"
    ));
    dir
}

/// What is said of a server behind nginx with this certificate.
fn said_through_tls(dir: &tempfile::TempDir, minio: &Minio, protocols: &str) -> String {
    let path = dir.path().display();
    let nginx = Nginx::listening(
        "ssl",
        "",
        &format!(
            "ssl_certificate {path}/public.crt; ssl_certificate_key {path}/private.key; \
             ssl_protocols {protocols}; {}",
            pass(&minio.authority(), "")
        ),
    );
    let url = format!("https://minioadmin:minioadmin@{}", nginx.authority());
    let ca = dir.path().join("ca.crt").display().to_string();
    let ran = mc_wasi().alias("a", &url).env("SSL_CERT_FILE", &ca).run(&["a/nobucket"]);
    assert_eq!(ran.status, 1);
    ran.stderr
}

#[test]
fn certificates_that_go_takes_are_taken() {
    let minio = Minio::start(MinioOptions::default());
    for (curve, hash) in [
        ("prime256v1", "sha512"),
        ("secp384r1", "sha512"),
        ("secp521r1", "sha256"),
        ("secp521r1", "sha384"),
        ("secp521r1", "sha512"),
    ] {
        let dir = certificates(curve, hash, "subjectAltName=IP:127.0.0.1\n");
        for protocols in ["TLSv1.2", "TLSv1.3"] {
            let said = said_through_tls(&dir, &minio, protocols);
            let good = said.contains("The specified bucket does not exist");
            assert!(good, "{curve} {hash} {protocols}: {said}");
        }
    }
}

#[test]
fn a_certificate_that_is_not_taken_says_why_and_never_in_the_words_of_a_library() {
    let minio = Minio::start(MinioOptions::default());
    for (names, reason) in [
        ("basicConstraints=CA:FALSE\n", "names its host only in CN"),
        ("subjectAltName=DNS:minio.example\n", "is not for 127.0.0.1 but for minio.example"),
        ("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=clientAuth\n", "not made for servers"),
    ] {
        let dir = certificates("prime256v1", "sha256", names);
        let said = said_through_tls(&dir, &minio, "TLSv1.3");
        assert!(said.contains(reason) && !said.contains(['{', '[']), "{said}");
    }
}
