//! Through a real proxy.

use crate::mc_wasi_at;
use mc_wasi_tests::daemon::Daemon;
use mc_wasi_tests::fake::{Backlog, FakeServer, Options};
use mc_wasi_tests::minio::{Certs, Minio, MinioOptions};
use mc_wasi_tests::squid::Squid;
use mc_wasi_tests::tinyproxy::Tinyproxy;

/// The address of all of this machine: it is not loopback by name, so that a proxy is asked, and
/// leads to loopback all the same.
const HERE: &str = "0.0.0.0";

fn through_a_proxy(url: &str) -> String {
    url.replace("127.0.0.1", HERE)
}

fn server() -> FakeServer {
    FakeServer::start(Options::with_backlog(Backlog::synthetic(50, 1)))
}

#[test]
fn a_server_is_reached_through_a_proxy() {
    let (server, proxy) = (server(), Tinyproxy::start(None));
    let url = through_a_proxy(&server.alias_url());
    for (name, value) in
        [("HTTP_PROXY", format!("http://{}", proxy.authority())), ("http_proxy", proxy.authority())]
    {
        let before = proxy.requests();
        let server = FakeServer::start(Options::with_backlog(Backlog::synthetic(50, 1)));
        let url = through_a_proxy(&server.alias_url());
        let ran = mc_wasi_at(&url).env(name, &value).run(&["a/mybucket", "--json"]);
        assert_eq!(ran.status, 0, "{ran:?}");
        assert_eq!(server.triggers(), (50, 0));
        assert!(server.log().iter().all(|logged| logged.verified), "signed for the server");
        assert!(proxy.requests() > before, "{}", proxy.log());
    }
    let ran = mc_wasi_at(&url).env("HTTPS_PROXY", "http://127.0.0.1:1").run(&["a/mybucket"]);
    assert_eq!(ran.status, 0, "a proxy for https is none for http: {ran:?}");
}

#[test]
fn no_proxy_and_loopback_go_without() {
    let (server, proxy) = (server(), Tinyproxy::start(None));
    let began = proxy.requests();
    let direct = mc_wasi_at(&server.alias_url()).env("HTTP_PROXY", &proxy.authority());
    assert_eq!(direct.run(&["a/mybucket", "--dry-run"]).status, 0);
    for no in ["0.0.0.0", "*", "0.0.0.0/8", &format!("x, 0.0.0.0:{}", server.addr().port())] {
        let mc_wasi = mc_wasi_at(&through_a_proxy(&server.alias_url()))
            .env("HTTP_PROXY", &proxy.authority())
            .env("NO_PROXY", no);
        assert_eq!(mc_wasi.run(&["a/mybucket", "--dry-run"]).status, 0, "{no}");
    }
    assert_eq!(proxy.requests(), began, "{}", proxy.log());
}

#[test]
fn https_goes_through_a_tunnel_that_the_proxy_cannot_look_into() {
    let minio = Minio::start(MinioOptions::default().tls(Certs::for_names(&["127.0.0.1", HERE])));
    let proxy = Tinyproxy::start(None);
    let pem = minio.certs().expect("its certificate").ca_file();
    let url = through_a_proxy(&minio.alias_url(minio.root()));
    let ran = mc_wasi_at(&url)
        .env("HTTPS_PROXY", &format!("http://{}", proxy.authority()))
        .env("SSL_CERT_FILE", &pem.to_string_lossy())
        .run(&["a/nobucket"]);
    assert!(ran.stderr.contains("The specified bucket does not exist"), "{ran:?}");
    let log = proxy.log();
    let target = through_a_proxy(&minio.authority());
    assert!(log.contains(&format!("CONNECT {target}")), "{log}");
    assert!(!log.contains("nobucket") && !log.contains("replication"), "{log}");
}

#[test]
fn a_proxy_with_a_login_gets_it_and_a_wrong_one_is_told() {
    let (server, proxy) = (server(), Tinyproxy::start(Some(("me", "pass-word"))));
    let url = through_a_proxy(&server.alias_url());
    let good = format!("http://me:pass%2Dword@{}", proxy.authority());
    let ran = mc_wasi_at(&url).env("HTTP_PROXY", &good).run(&["a/mybucket", "--debug"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.stderr.contains("Proxy-Authorization: **REDACTED**"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains(&format!(
            "<DEBUG> POST http://{}",
            through_a_proxy(&server.addr().to_string())
        ))
    );
    let seen_by_server = server.log().iter().any(|l| l.header("proxy-authorization").is_some());
    assert!(!seen_by_server, "it is the proxy's");

    let tls = FakeServer::start(Options { tls: true, ..Options::default() });
    let url = through_a_proxy(&tls.alias_url());
    let bare = format!("http://{}", proxy.authority());
    let ran = mc_wasi_at(&url).env("HTTPS_PROXY", &bare).run(&["a/mybucket", "--insecure"]);
    assert_eq!(ran.status, 1);
    let said = format!("proxy {}: it asks for credentials", proxy.authority());
    assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    assert_eq!(tls.connections(), 0);
}

#[test]
fn a_domain_of_no_proxy_is_asked_without_one() {
    let proxy = Tinyproxy::start(None);
    let server = server();
    let (host, port) = ("minio.example.test", server.addr().port());
    for (no, direct) in [
        ("*.example.test", true),
        ("localhost,127.0.0.1,*.example.test,10.0.0.0/8", true),
        ("*.example.test:9999", false),
        (".example.test", true),
        ("MINIO.EXAMPLE.TEST", true),
    ] {
        let before = proxy.requests();
        let url = server.alias_url().replace("127.0.0.1", host);
        let ran = mc_wasi_at(&url)
            .env("HTTP_PROXY", &proxy.authority())
            .env("NO_PROXY", no)
            .run(&["a/mybucket", "--dry-run", "--resolve", &format!("{host}:{port}=127.0.0.1")]);
        assert_eq!(proxy.requests() == before, direct, "{no}: {ran:?}");
        // The proxy cannot resolve the name.
        assert_eq!(ran.status == 0, direct, "{no}: {ran:?}");
    }
}

#[test]
fn a_socks_proxy_is_gone_through_for_both_schemes() {
    let socks = |login: &[&str]| {
        Daemon::start("microsocks", |_, port| {
            let address =
                ["-i".to_owned(), "127.0.0.1".to_owned(), "-p".to_owned(), port.to_string()];
            address.into_iter().chain(login.iter().map(|word| (*word).to_owned())).collect()
        })
    };
    let open = socks(&[]);
    let server = server();
    let url = through_a_proxy(&server.alias_url());
    for scheme in ["socks5", "socks5h"] {
        let proxy = format!("{scheme}://{}", open.authority());
        let ran = mc_wasi_at(&url).env("HTTP_PROXY", &proxy).run(&["a/mybucket", "--dry-run"]);
        assert_eq!(ran.status, 0, "{scheme}: {ran:?}");
    }
    assert!(open.file("output").contains("client"), "it was gone through: {}", open.file("output"));
    let tls = FakeServer::start(Options {
        tls: true,
        ..Options::with_backlog(Backlog::synthetic(50, 1))
    });
    let ran = mc_wasi_at(&through_a_proxy(&tls.alias_url()))
        .env("HTTPS_PROXY", &format!("socks5h://{}", open.authority()))
        .run(&["a/mybucket", "--insecure", "--json"]);
    assert_eq!((ran.status, tls.triggers()), (0, (50, 0)), "{ran:?}");

    let shut = socks(&["-u", "me", "-P", "pass-word"]);
    let with = |login: &str| {
        let proxy = format!("socks5://{login}{}", shut.authority());
        mc_wasi_at(&url).env("HTTP_PROXY", &proxy).run(&["a/mybucket", "--dry-run"])
    };
    assert_eq!(with("me:pass-word@").status, 0);
    for wrong in ["", "me:wrong@"] {
        let ran = with(wrong);
        let said = format!("proxy {}: it does not take these credentials", shut.authority());
        assert!(ran.status == 1 && ran.stderr.contains(&said), "{}", ran.stderr);
    }
    let nowhere = with("me:pass-word@").status;
    assert_eq!(nowhere, 0);
    let gone = mc_wasi_at("http://AK:SK@0.0.0.0:1")
        .env("HTTP_PROXY", &format!("socks5://{}", open.authority()))
        .run(&["a/b"]);
    assert!(gone.stderr.contains("it does not connect to 0.0.0.0:1"), "{}", gone.stderr);
}

#[test]
fn what_a_forward_proxy_says_itself_names_it_for_http_too() {
    let server = server();
    let url = through_a_proxy(&server.alias_url());
    let run = |squid: &Squid, url: &str| {
        let began = std::time::Instant::now();
        let proxy = format!("http://{}", squid.authority());
        let ran = mc_wasi_at(url).env("HTTP_PROXY", &proxy).run(&["a/mybucket", "--json"]);
        assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
        ran
    };
    let squid = Squid::start(false);
    assert_eq!(run(&squid, &url).summary()["processed"], 50);
    for (url, said) in [
        ("http://AK:SK@0.0.0.0:1", "it answered 503"),
        // 503 where a name server says that there is no such name, 502 where there is no name server.
        ("http://AK:SK@no-such-name.invalid:9000", "it answered 50"),
    ] {
        let ran = run(&squid, url);
        let message = ran.summary()["error"]["cause"]["message"].to_string();
        let named = format!("proxy {}: {said}", squid.authority());
        assert!(message.contains(&named), "{message}");
    }
    let shut = Squid::start(true);
    let message = run(&shut, &url).summary()["error"]["cause"]["message"].to_string();
    assert!(
        message.contains(&format!("proxy {}: it asks for credentials", shut.authority())),
        "{message}"
    );
}
