//! The way to the server: addresses, headers, bandwidth, and servers that do not answer.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::mc_wasi_at;
use mc_wasi_tests::fake::{Backlog, Effect, FakeServer, Fault, Options, Route, Version};
use tempfile::TempDir;

fn server() -> FakeServer {
    FakeServer::start(Options::with_backlog(Backlog::synthetic(50, 1)))
}

fn hosts(server: &FakeServer) -> Vec<String> {
    let log = server.log();
    let mut hosts: Vec<String> =
        log.iter().map(|logged| logged.header("host").unwrap_or_default().to_owned()).collect();
    hosts.dedup();
    hosts
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let url = "http://AK:SK@minio.example:9000";
    let began = Instant::now();
    let ran = mc_wasi_at(url).env("HTTP_PROXY", "http://127.0.0.1:1").run(&["a/mybucket"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("proxy 127.0.0.1:1: connection refused"), "{}", ran.stderr);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn the_schemes_own_port_is_neither_sent_nor_signed() {
    for (written, host) in [
        ("minio.example:80", "minio.example"),
        ("minio.example:443", "minio.example:443"),
        ("minio.example", "minio.example"),
    ] {
        // A proxy of one connection that looks at the request: ports below 1024 need no binding.
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let proxy = listener.local_addr().expect("its address");
        let seen = std::thread::spawn(move || {
            use std::io::{Read, Write};
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut request = vec![0; 4096];
            let count = stream.read(&mut request).expect("a request");
            let answer = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).expect("an answer");
            String::from_utf8_lossy(&request[..count]).into_owned()
        });
        let url = format!("http://AK:SK@{written}");
        mc_wasi_at(&url).env("HTTP_PROXY", &proxy.to_string()).run(&["a/b"]);
        let seen = seen.join().expect("a request").to_ascii_lowercase();
        assert!(seen.contains(&format!(" http://{host}/minio/admin/")), "{seen}");
        assert!(seen.contains(&format!("\r\nhost: {host}\r\n")), "{seen}");
        assert!(seen.contains("signedheaders=host;"), "{seen}");
    }
}

#[test]
fn ipv6_is_spoken() {
    let address = "[::1]:0".parse().expect("an address");
    let server = FakeServer::start(Options { address, ..Options::with_backlog(Backlog::demo()) });
    assert!(server.alias_url().contains("@[::1]:"), "{}", server.alias_url());
    let ran = mc_wasi_at(&server.alias_url()).run(&["a/mybucket", "--dry-run", "--json"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(hosts(&server), [format!("[::1]:{}", server.addr().port())]);
    assert_eq!(server.bad_signatures(), 0);
}

#[test]
fn a_name_is_resolved_by_the_flag_and_kept_in_host() {
    let server = server();
    let port = server.addr().port();
    let url = server.alias_url().replace("127.0.0.1", "minio.example");
    let entry = format!("minio.example:{port}=127.0.0.1");
    let ran =
        mc_wasi_at(&url).run(&["a/mybucket", "--resolve", "other=10.0.0.1", "--resolve", &entry]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(hosts(&server), [format!("minio.example:{port}")]);
    let ran = mc_wasi_at(&url).env("MC_RESOLVE", &entry).run(&["a/mybucket", "--dry-run"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let ran = mc_wasi_at(&url).run(&["a/mybucket", "--resolve", "minio.example:1=127.0.0.1"]);
    assert_eq!(ran.status, 1, "another port: {ran:?}");
}

#[test]
fn custom_headers_go_out_unsigned_and_unseen_and_win() {
    let server = server();
    let words =
        ["-H", "X-Tenant: topsecret", "a/mybucket", "--custom-header=User-Agent:mine", "--debug"];
    let ran = mc_wasi_at(&server.alias_url()).run(&words);
    assert_eq!((ran.status, server.triggers()), (0, (50, 0)));
    for logged in server.log() {
        assert_eq!(logged.header("x-tenant"), Some("topsecret"));
        assert_eq!(logged.header("user-agent"), Some("mine"));
        let signed = logged.header("authorization").unwrap_or_default();
        assert!(logged.verified && !signed.contains("x-tenant"), "{signed}");
    }
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("topsecret"), "{}", ran.stderr);
}

/// Connections that a server closes while a request is under way.
const CLOSED: u64 = 20;

#[test]
fn a_whole_run_goes_over_tls_and_a_connection_that_takes_the_place_of_another_resumes_its_session()
{
    let server = FakeServer::start(Options {
        tls: true,
        ..Options::with_backlog(Backlog::synthetic(500, 1))
    });
    server.inject(Fault::on(Route::Head, Effect::Close).after(100).times(CLOSED));
    let folder = TempDir::new().expect("a folder");
    let authorities = folder.path().join("certs/CAs");
    std::fs::create_dir_all(&authorities).expect("a folder");
    std::fs::write(authorities.join("ca.pem"), server.ca_pem().expect("TLS")).expect("a file");
    let config = folder.path().to_string_lossy().into_owned();
    let ran = mc_wasi_at(&server.alias_url()).run(&["-C", &config, "--json", "a/mybucket"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(ran.summary()["processed"], 500);
    let (connections, resumed) = (server.connections(), server.resumed());
    // Ten may be closed and opened at once, and the library keeps eight tickets of a server.
    assert!(connections <= 11 + CLOSED && resumed >= CLOSED / 2, "{connections}, {resumed}");
    assert!(server.log().iter().all(|logged| logged.verified));
}

#[test]
fn bandwidth_is_kept_in_both_directions() {
    let took = |versions, words: &[&str]| {
        let server = FakeServer::start(Options::with_backlog(Backlog::synthetic(versions, 1)));
        let began = Instant::now();
        let ran =
            mc_wasi_at(&server.alias_url()).run(&[&["a/mybucket", "--quiet"], words].concat());
        assert_eq!(ran.status, 0, "{ran:?}");
        began.elapsed().as_secs()
    };
    // An entry has 400 bytes or so: three megabytes at half a megabyte a second.
    let down = took(8_000, &["--dry-run", "--limit-download", "500KB"]);
    assert!((3..30).contains(&down), "{down} s");
    // A signed HEAD has 500 bytes or more: two hundred kilobytes at forty a second.
    let up = took(400, &["-c", "50", "--limit-upload", "40KB"]);
    assert!((3..30).contains(&up), "{up} s");
}

#[test]
fn a_head_that_is_never_answered_is_given_up_and_sent_again() {
    let server = server();
    server.inject(Fault::on(Route::Head, Effect::Hang).times(1));
    let began = Instant::now();
    let ran = mc_wasi_at(&server.alias_url()).run(&["a/mybucket", "--json"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(ran.summary()["processed"], 50);
    let took = began.elapsed().as_secs();
    assert!((5..30).contains(&took), "{took} s");
}

#[test]
fn a_listing_that_falls_silent_is_taken_up_again() {
    let server = server();
    let pause = Effect::Pause { after: 20, length: Duration::from_secs(600), keepalive: false };
    server.inject(Fault::on(Route::Diff, pause).times(1));
    let began = Instant::now();
    let ran = mc_wasi_at(&server.alias_url()).run(&["a/mybucket", "--json"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(server.triggers().0, 50);
    let took = began.elapsed().as_secs();
    assert!((59..120).contains(&took), "{took} s");
}

#[test]
fn a_listing_that_only_thinks_is_waited_for() {
    let server = FakeServer::start(Options::with_backlog(Backlog::of([Version::put("k")])));
    let pause = Effect::Pause { after: 0, length: Duration::from_secs(63), keepalive: true };
    server.inject(Fault::on(Route::Diff, pause));
    let ran = mc_wasi_at(&server.alias_url()).run(&["a/mybucket", "--json"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(ran.summary()["listings"].as_u64().unwrap_or(1), 1);
}

#[test]
fn debug_shows_what_went_over_the_wire_and_hides_what_is_secret() {
    let server = FakeServer::start(Options {
        access_key: "lower-case-key".to_owned(),
        session_token: Some("a-session-token".to_owned()),
        ..Options::with_backlog(Backlog::of([Version::put("k")]))
    });
    let ran = mc_wasi_at(&server.alias_url()).run(&["a/mybucket", "--debug"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let trace = &ran.stderr;
    for logged in server.log() {
        let line = format!("mc-wasi: <DEBUG> {} {} HTTP/1.1", logged.method, logged.target);
        let (_, block) = trace.split_once(&line).unwrap_or_else(|| panic!("no {line} in {trace}"));
        let (head, rest) = block.split_once("\n\n").expect("headers end with an empty line");
        let shown: Vec<(String, &str)> = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        assert_eq!(shown.len(), logged.headers.len(), "each header once: {head} {logged:?}");
        for (name, value) in &logged.headers {
            let (_, shown) = shown.iter().find(|(known, _)| known == name).expect("it is shown");
            match name.as_str() {
                "authorization" => {
                    assert!(
                        shown.starts_with("AWS4-HMAC-SHA256 Credential=**REDACTED**/2"),
                        "{shown}"
                    );
                    assert!(shown.ends_with(", Signature=**REDACTED**"), "{shown}");
                }
                "x-amz-security-token" => assert_eq!(*shown, "**REDACTED**"),
                _ => assert_eq!(shown, value),
            }
        }
        let status = logged.status.expect("an answer").to_string();
        let answer = format!("mc-wasi: <DEBUG> HTTP/1.1 {status} ");
        assert!(rest.starts_with(&answer), "{answer}: {rest}");
        assert!(rest.contains("\nmc-wasi: <DEBUG> Response Time:  "), "{rest}");
    }
    for secret in ["lower-case-key", "a-session-token"] {
        assert!(!trace.contains(secret), "{secret}: {trace}");
    }
}

/// A server of one's own: what it writes on each connection, and when it stops.
fn written_by_hand(answer: impl Fn(&mut std::net::TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(&mut stream.expect("a connection"));
        }
    });
    format!("http://AKacc3ss:s3cretsecret@{address}")
}

#[test]
fn interim_answers_without_end_end_a_run() {
    let url = written_by_hand(|stream| {
        let _ = std::io::Read::read(stream, &mut [0; 4096]);
        let early = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100);
        while std::io::Write::write_all(stream, early.as_bytes()).is_ok() {}
    });
    let began = Instant::now();
    let ran = mc_wasi_at(&url).run(&["a/mybucket"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.stderr.contains("interim answers (1xx)"), "{}", ran.stderr);
    // It is asked ten times.
    assert!(began.elapsed() < Duration::from_secs(150), "{:?}", began.elapsed());
}

#[test]
fn a_server_that_sends_the_request_back_brings_no_secret_into_the_output() {
    let url = written_by_hand(|stream| {
        let mut request = vec![0; 16 * 1024];
        let read = std::io::Read::read(stream, &mut request).unwrap_or(0);
        let echo = String::from_utf8_lossy(&request[..read]).into_owned();
        let body = format!("<Error><Code>Odd</Code><Message>{echo}</Message></Error>");
        let answer = format!(
            "HTTP/1.1 403 Forbidden\r\nserver: MinIO\r\nx-amz-request-id: 1\r\nx-echo: {}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            echo.replace("\r\n", " "),
            body.len()
        );
        let _ = std::io::Write::write_all(stream, answer.as_bytes());
    });
    for flags in [&["--debug"][..], &["--debug", "--json"], &[], &["--json"]] {
        let header = ["-H", "X-Token: t0ken-of-a-header"];
        let ran = mc_wasi_at(&url).run(&[&["a/mybucket"], &header[..], flags].concat());
        assert_eq!(ran.status, 1, "{ran:?}");
        let said = [ran.stdout, ran.stderr].concat();
        assert!(said.contains("Signature="), "the answer was shown: {said}");
        for secret in ["AKacc3ss", "s3cretsecret", "t0ken-of-a-header"] {
            assert!(!said.contains(secret), "{flags:?}: {secret} in {said}");
        }
        let signatures = said.match_indices("Signature=").map(|(at, _)| &said[at + 10..]);
        for signature in signatures {
            let hex = signature.chars().take_while(char::is_ascii_hexdigit).count();
            assert!(hex < 64, "{flags:?}: {said}");
        }
    }
}
