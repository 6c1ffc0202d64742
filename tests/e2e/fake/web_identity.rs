//! Temporary keys in exchange for a token, from an STS that answers as it is told.

use crate::{mc_wasi, mc_wasi_at};
use mc_wasi_tests::fake::{Backlog, FakeServer, Options};
use mc_wasi_tests::mcwasi::{McWasi, Ran};
use mc_wasi_tests::sts::{Answer, FakeSts, member};
use mc_wasi_tests::wait::wait_until;
use mc_wasi_tests::watch::Watched;
use nix::sys::signal::Signal;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

const TOKEN: &str = "eyJhbGciOi.t0ken-of-a-p0d.c2lnbmF0dXJl";
const ACCESS: &str = "temp0rary-access";
const SECRET: &str = "temp0rary-s3cret";
const SESSION: &str = "temp0rary-session+t0ken==";
const HOUR: Duration = Duration::from_secs(3600);
const LIMIT: Duration = Duration::from_secs(120);

fn server(versions: u64) -> FakeServer {
    FakeServer::start(Options {
        access_key: ACCESS.to_owned(),
        secret_key: SECRET.to_owned(),
        session_token: Some(SESSION.to_owned()),
        ..Options::with_backlog(Backlog::synthetic(versions, 1))
    })
}

fn keys(lifetime: Duration) -> Answer {
    Answer::keys(ACCESS, SECRET, SESSION, lifetime)
}

fn token_file(mc_wasi: &McWasi) -> PathBuf {
    mc_wasi.home().join("token")
}

/// The program with a token and without keys, for the server of this URL and an STS.
fn at(server: &str, sts: &str) -> McWasi {
    let mc_wasi = mc_wasi_at(server);
    let file = token_file(&mc_wasi);
    fs::write(&file, format!("{TOKEN}\n")).expect("a token");
    let file = file.display().to_string();
    mc_wasi.env("MC_STS_ENDPOINT_a", sts).env("MC_WEB_IDENTITY_TOKEN_FILE_a", &file)
}

#[test]
fn a_run_signs_with_what_the_sts_gives_for_the_token() {
    let (server, sts) = (server(30), FakeSts::start(|_, _| keys(HOUR)));
    let mc_wasi = at(&server.url(), &format!("{}/sts/ns-1", sts.url()))
        .env("MC_ROLE_ARN_a", "arn:minio:iam:::role/x")
        .env("MC_ROLE_SESSION_NAME_a", "nightly");
    mc_wasi.run(&["a/mybucket", "-H", "X-Tenant: one"]).assert_completed(30);
    assert_eq!(server.bad_signatures(), 0);
    let asked = sts.asked();
    assert_eq!(asked.len(), 1);
    let (head, form) = asked[0].split_once("\r\n\r\n").expect("a head and a form");
    assert!(head.starts_with("POST /sts/ns-1 HTTP/1.1\r\n"), "{head}");
    for header in ["content-type: application/x-www-form-urlencoded", "x-tenant: one"] {
        assert!(head.to_ascii_lowercase().contains(header), "{head}");
    }
    for (name, value) in [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("WebIdentityToken", TOKEN),
        ("RoleArn", "arn:minio:iam:::role/x"),
        ("RoleSessionName", "nightly"),
    ] {
        assert_eq!(member(form, name).as_deref(), Some(value), "{form}");
    }
}

#[test]
fn they_come_before_the_keys_of_the_alias_as_in_mc() {
    let (server, sts) = (server(3), FakeSts::start(|_, _| keys(HOUR)));
    let alias = server.url().replace("http://", "http://other:keys-of-it@");
    at(&alias, sts.url()).run(&["a/mybucket"]).assert_completed(3);
    assert_eq!(server.bad_signatures(), 0);
}

#[test]
fn another_alias_and_a_grant_that_is_printed_ask_for_none() {
    let (server, sts) = (server(3), FakeSts::start(|_, _| keys(HOUR)));
    let mc_wasi = at(&server.url(), sts.url());
    let printed = mc_wasi.run(&["a/mybucket", "--print-grant"]);
    assert_eq!((printed.status, printed.stderr.as_str()), (0, ""));
    let url = server.url().replace("http://", &format!("http://{ACCESS}:{SECRET}:{SESSION}@"));
    mc_wasi.alias("b", &url).run(&["b/mybucket"]).assert_completed(3);
    assert_eq!(sts.asked().len(), 0);
}

#[test]
fn keys_are_renewed_before_they_expire_with_the_token_of_then() {
    const SHORT: Duration = Duration::from_secs(4);
    let (server, sts) = (server(100_000), FakeSts::start(|_, _| keys(SHORT)));
    let mc_wasi = at(&server.url(), sts.url());
    let mut command = mc_wasi.command(["replicate", "resync-backlog", "a/mybucket"]);
    let run = Watched::start(command.args(["--rate-limit", "20"]).stdout(Stdio::piped()));
    wait_until("keys", || sts.asked().len() == 1);
    fs::write(token_file(&mc_wasi), "the.next.token").expect("a token");
    wait_until("the next keys", || sts.asked().len() >= 3);
    let before = server.triggers().0;
    wait_until("more triggers", || server.triggers().0 > before);
    run.signal(Signal::SIGINT);
    let ran = run.finish(LIMIT).ran;
    assert_eq!((ran.status, ran.stderr.as_str(), server.bad_signatures()), (130, "", 0));
    let token =
        |request: &String| member(request.split_once("\r\n\r\n").unwrap().1, "WebIdentityToken");
    let tokens: Vec<_> = sts.asked().iter().filter_map(token).collect();
    assert_eq!(tokens[..2], [TOKEN, "the.next.token"]);
}

#[test]
fn a_renewal_that_fails_is_said_once_and_tried_again() {
    const SHORT: Duration = Duration::from_secs(10);
    let sts = FakeSts::start(|number, _| match number {
        1 | 2 => Answer::page("502 Bad Gateway"),
        _ => keys(SHORT),
    });
    let server = server(100_000);
    let mc_wasi = at(&server.url(), sts.url());
    let mut command = mc_wasi.command(["replicate", "resync-backlog", "a/mybucket"]);
    let run = Watched::start(command.args(["--rate-limit", "20"]).stdout(Stdio::piped()));
    wait_until("renewed after all", || sts.asked().len() >= 4);
    run.signal(Signal::SIGINT);
    let ran = run.finish(LIMIT).ran;
    assert_eq!((ran.status, server.bad_signatures()), (130, 0));
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    let said = ran.stderr.contains("It answered 502 with something that is no answer of an STS")
        && ran.stderr.contains("The keys in use are good for another ");
    assert!(said, "{}", ran.stderr);
}

#[track_caller]
fn refused(answer: impl Fn() -> Answer + Send + 'static) -> String {
    let (server, sts) = (server(3), FakeSts::start(move |_, _| answer()));
    let ran = at(&server.url(), sts.url()).run(&["a/mybucket"]);
    assert_eq!((ran.stdout.as_str(), ran.status, server.triggers()), ("", 1, (0, 0)));
    let begins = format!("mc-wasi: <ERROR> Unable to get keys for alias `a` from {}/. ", sts.url());
    let why = ran.stderr.strip_prefix(&begins).unwrap_or_else(|| panic!("{}", ran.stderr));
    assert_eq!(why.lines().count(), 1, "{why}");
    why.trim_end().to_owned()
}

#[test]
fn what_is_no_sts_is_said_to_be_none() {
    for status in ["200 OK", "404 Not Found", "502 Bad Gateway", "302 Found"] {
        let why = refused(move || Answer {
            headers: "Location: http://127.0.0.1:1/\r\n".to_owned(),
            ..Answer::page(status)
        });
        let number = &status[..3];
        assert_eq!(
            why,
            format!(
                "It answered {number} with something that is no answer of an STS; MC_STS_ENDPOINT_a should lead to one."
            )
        );
    }
}

#[test]
fn a_token_that_expired_is_said_to_have_with_who_has_to_write_another() {
    let why = refused(|| Answer::refusal("ExpiredToken", "Token has expired."));
    assert!(
        why.starts_with("ExpiredToken: Token has expired. Whoever writes the token in /"),
        "{why}"
    );
    assert!(why.ends_with("before it expires; Kubernetes does, where it is projected."), "{why}");
    let why = refused(|| keys(Duration::ZERO));
    assert_eq!(why, "The keys that it gave had expired already.");
}

#[test]
fn an_sts_that_is_not_there_is_named() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    let url = format!("http://{}", closed.expect("a port that nobody listens on"));
    at("http://127.0.0.1:1", &url).run(&["a/mybucket"]).assert_refused(&format!(
        "Unable to get keys for alias `a` from {url}/. connection refused; MC_STS_ENDPOINT_a says where it should be."
    ));
    let unknown = at("http://127.0.0.1:1", "http://sts.invalid").run(&["a/mybucket"]);
    assert!(unknown.stderr.contains("http://sts.invalid/. "), "{}", unknown.stderr);
    let https = FakeSts::start(|_, _| keys(HOUR));
    let url = https.url().replace("http:", "https:");
    let plain = at("http://127.0.0.1:1", &url).run(&["a/mybucket"]);
    assert!(plain.stderr.contains(&format!("from {url}/. ")), "{}", plain.stderr);
}

#[test]
fn a_token_file_that_has_none_is_named() {
    let mc_wasi = at("http://127.0.0.1:1", "http://127.0.0.1:1");
    let file = token_file(&mc_wasi);
    let begins = format!(
        "Unable to read the token in {}, which MC_WEB_IDENTITY_TOKEN_FILE_a names. ",
        file.display()
    );
    for (text, why) in [
        ("", "It is empty."),
        ("two words", "What is in it is not a token: it has spaces or lines in it."),
    ] {
        fs::write(&file, text).expect("a file");
        mc_wasi.run(&["a/mybucket"]).assert_refused(&format!("{begins}{why}"));
    }
    fs::remove_file(&file).expect("the file");
    let gone = format!("{begins}No such file or directory (os error 2).");
    mc_wasi.run(&["a/mybucket"]).assert_refused(&gone);
}

#[test]
fn neither_the_token_nor_the_keys_are_shown_or_come_near_the_component() {
    let server = server(3);
    let sts = FakeSts::start(|_, _| keys(HOUR));
    let echo = FakeSts::start(|_, form| Answer {
        headers: format!("X-Echo: {form}\r\n"),
        ..Answer::refusal("InvalidParameterValue", &form.replace('&', "&amp;"))
    });
    let echoed =
        FakeSts::start(|_, form| Answer { body: form.to_owned(), ..Answer::page("500 Oops") });
    for sts in [&sts, &echo, &echoed] {
        for json in [&[][..], &["--json"]] {
            let mc_wasi = at(&server.url(), sts.url());
            let ran = mc_wasi.run(&[&["a/mybucket", "--debug", "--dry-run"], json].concat());
            let all = format!("{}{}", ran.stdout, ran.stderr);
            assert!(all.contains("<DEBUG> POST / HTTP/1.1"), "{all}");
            for secret in [TOKEN, "t0ken-of-a-p0d", SECRET, SESSION, "temp0rary-session"] {
                assert!(!all.contains(secret), "{secret} in {all}");
            }
        }
    }
    let component = super::hostile::guests::READS_ENVIRONMENT.file().display().to_string();
    let ran: Ran = at(&server.url(), sts.url()).run(&["a/mybucket", "--component", &component]);
    for hidden in [TOKEN, ACCESS, SECRET, "MC_STS", "MC_WEB_IDENTITY"] {
        assert!(!ran.stdout.contains(hidden), "{}", ran.stdout);
    }
    assert!(ran.stdout.contains("MC_HOST_a"), "it shows what it has: {}", ran.stdout);
}

#[test]
fn half_of_the_variables_is_an_error_that_names_the_other_half() {
    let one = mc_wasi_at("http://127.0.0.1:1").env("MC_STS_ENDPOINT_a", "http://127.0.0.1:1");
    one.run(&["a/b"]).assert_refused("Unable to get keys for alias `a` by MC_STS_ENDPOINT_a. MC_WEB_IDENTITY_TOKEN_FILE_a is not set; it names the token to get them for.");
    let other = mc_wasi_at("http://127.0.0.1:1").env("MC_WEB_IDENTITY_TOKEN_FILE_a", "/token");
    other.run(&["a/b"]).assert_refused("Unable to get keys for alias `a` by MC_WEB_IDENTITY_TOKEN_FILE_a. MC_STS_ENDPOINT_a is not set; it says where.");
}

#[test]
fn a_value_that_is_on_another_server_is_refused_by_its_name() {
    let why = "Its value is an env:// reference, which is not followed here: set it to the value itself, or mount that as a file and name it in MC_CONFIG_ENV_FILE.";
    for name in ["MC_HOST_a", "MC_STS_ENDPOINT_a", "MC_REGION"] {
        for scheme in ["env", "env+tls"] {
            let value = format!("{scheme}://key:s3cret@operator:4222/webhook");
            let mc_wasi = mc_wasi().env(name, &value);
            mc_wasi
                .run(&["a/b"])
                .assert_refused(&format!("Unable to use the variable {name}. {why}"));
        }
    }
}
