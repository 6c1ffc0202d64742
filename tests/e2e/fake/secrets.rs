//! A known secret is given to every mode of output and every way to fail, and looked for in all
//! that comes out: stdout, stderr, the home and cache folders, and the memory of the component.

use std::io::Write as _;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::hostile::guests::{ANOTHER_HOST, FORGES_A_SIGNATURE, HOGS_HANDLES, READS_ENVIRONMENT};
use crate::{mc_wasi, mc_wasi_at};
use mc_wasi_tests::fake::{
    Backlog, Chunks, Cut, Effect, FakeServer, Fault, Options, Route, S3Error, Version,
};
use mc_wasi_tests::mcwasi::Ran;
use mc_wasi_tests::minio::encode_query;
use mc_wasi_tests::quiet;
use mc_wasi_tests::wait::wait_until;
use mc_wasi_tests::watch::Watched;
use nix::sys::signal::Signal;
use tempfile::TempDir;

/// Lower case, and with what must not be read as part of a URL: what mc's patterns miss.
const SECRET: &str = "s3cret/key+with@odd#signs";
const TOKEN: &str = "t0ken-of-a-session/with+signs==";
const HEADER: &str = "bearer-t0ken-of-a-header";
const PASSWORD: &str = "pr0xy-passw0rd";
const ACCESS: &str = "acc3ss-key-in-lower-case";

/// The secrets in the forms they could leak in.
fn needles() -> Vec<String> {
    let mut needles = Vec::new();
    for secret in [SECRET, TOKEN, HEADER, PASSWORD] {
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        // The longest part without signs, in case one of them is cut or escaped in its own way.
        let part = secret.split(['/', '+', '@', '#', '=']).max_by_key(|part| part.len());
        needles.extend([
            secret.to_owned(),
            encode_query(secret),
            hex,
            part.unwrap_or_default().to_owned(),
        ]);
    }
    needles
}

fn assert_clean(what: &str, bytes: &[u8]) {
    for needle in needles() {
        let found = bytes.windows(needle.len()).position(|window| window == needle.as_bytes());
        assert!(
            found.is_none(),
            "{what} holds {needle}: …{}…",
            found.map_or(String::new(), |at| {
                let around = at.saturating_sub(80)..(at + 80).min(bytes.len());
                String::from_utf8_lossy(&bytes[around]).into_owned()
            })
        );
    }
}

/// Every file below a folder.
fn assert_folder_clean(folder: &Path) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files += assert_folder_clean(&path);
        } else {
            assert_clean(&path.display().to_string(), &std::fs::read(&path).expect("a file"));
            files += 1;
        }
    }
    files
}

fn options(backlog: Backlog) -> Options {
    Options {
        access_key: ACCESS.to_owned(),
        secret_key: SECRET.to_owned(),
        session_token: Some(TOKEN.to_owned()),
        ..Options::with_backlog(backlog)
    }
}

fn server() -> FakeServer {
    FakeServer::start(options(Backlog::of((0..20).map(|nth| Version::put(format!("k{nth:02}"))))))
}

fn run(url: &str, flags: &[&str]) -> Ran {
    let header = format!("X-Auth: {HEADER}");
    mc_wasi_at(url).run(&[&["a/mybucket", "-H", &header], flags].concat())
}

fn check(what: &str, ran: &Ran) {
    assert!(!(ran.stdout.is_empty() && ran.stderr.is_empty()), "{what} says nothing");
    assert_clean(&format!("stdout of {what}"), ran.stdout.as_bytes());
    assert_clean(&format!("stderr of {what}"), ran.stderr.as_bytes());
}

#[test]
fn no_mode_of_output_shows_a_secret() {
    let modes: &[&[&str]] = &[
        &[],
        &["--json"],
        &["--quiet"],
        &["--debug"],
        &["--debug", "--json"],
        &["--dry-run"],
        &["--dry-run", "--json", "--debug"],
        &["--clear-checksum"],
        &["--clear-checksum", "--debug"],
        &["--clear-checksum", "--validate", "--debug"],
        &["--clear-checksum", "--validate", "--json"],
        &["--print-grant"],
        &["--print-grant", "--json"],
        &["--help"],
    ];
    for flags in modes {
        let server = server();
        let ran = run(&server.alias_url(), flags);
        check(&format!("{flags:?}"), &ran);
        assert_eq!(ran.status, 0, "{flags:?}: {ran:?}");
        if flags.contains(&"--debug") {
            assert!(ran.stderr.contains("X-Amz-Security-Token: **REDACTED**"), "{}", ran.stderr);
            assert!(ran.stderr.contains("X-Auth: **REDACTED**"), "{}", ran.stderr);
            assert!(!ran.stderr.contains(ACCESS), "the access key: {}", ran.stderr);
            assert!(!ran.stderr.contains("Signature=0"), "{}", ran.stderr);
        }
        assert!(server.log().iter().all(|logged| logged.verified), "the keys were used");
    }
}

#[test]
fn no_answer_of_the_server_brings_a_secret_out() {
    let denied = || S3Error::new(403, "AccessDenied");
    let page = |status: u16, text: &str| Effect::Page {
        status,
        content_type: "text/html".to_owned(),
        body: text.as_bytes().to_vec(),
    };
    let faults = [
        Fault::on(Route::Diff, Effect::Answer(denied())),
        Fault::on(Route::Diff, Effect::Answer(S3Error::new(403, "SignatureDoesNotMatch"))),
        Fault::on(Route::Diff, Effect::Answer(S3Error::new(404, "NoSuchBucket"))),
        Fault::on(Route::Diff, page(502, "<html>Bad Gateway</html>")).times(2),
        Fault::on(Route::Diff, page(200, "<html>Sign in</html>")),
        Fault::on(Route::Diff, Effect::Redirect("http://elsewhere.example/".to_owned())),
        Fault::on(Route::Diff, Effect::Cut { after: 5, how: Cut::ErrorText }),
        Fault::on(Route::Diff, Effect::Cut { after: 5, how: Cut::InsideLine }).times(1),
        Fault::on(Route::Diff, Effect::Chunks(Chunks::Of(7))),
        Fault::on(Route::Head, Effect::Answer(denied())),
        Fault::on(Route::Head, Effect::Answer(S3Error::new(503, "SlowDown"))).times(3),
        Fault::on(Route::Head, Effect::Reset).times(3),
        Fault::on(Route::Head, Effect::CloseAfter(10)).times(3),
        Fault::on(Route::Head, Effect::Replica),
    ];
    for fault in faults {
        for mode in [&["--debug"][..], &["--json", "--debug"]] {
            let server = server();
            server.inject(fault.clone());
            check(&format!("{fault:?} {mode:?}"), &run(&server.alias_url(), mode));
        }
    }
}

#[test]
fn no_mistake_in_the_configuration_brings_a_secret_out() {
    let good = format!("http://{ACCESS}:{SECRET}:{TOKEN}@127.0.0.1:1");
    for url in [
        good.as_str(),
        &format!("http://{ACCESS}:{SECRET}@127.0.0.1:99999"),
        &format!("http://{ACCESS}:{SECRET}@127.0.0.1:9000/path"),
        &format!("ftp://{ACCESS}:{SECRET}@127.0.0.1:9000"),
        &format!("{ACCESS}:{SECRET}@127.0.0.1:9000"),
        &format!("http://{ACCESS}:{SECRET}"),
        &format!("http://{SECRET}@127.0.0.1"),
        &format!("http://{ACCESS}:{SECRET}@"),
        &format!("http://127.0.0.1:9000@{ACCESS}:{SECRET}"),
        &format!("http://{ACCESS}:{SECRET}@no such host"),
        &format!("http://{ACCESS}:{SECRET}@127.0.0.1:9000?{TOKEN}"),
        &format!("http://{ACCESS}:{SECRET}\r\n@127.0.0.1:1"),
        &format!("https://{ACCESS}:{SECRET}@nothing.invalid"),
    ] {
        for mode in [&["--debug"][..], &["--json"], &["--print-grant"]] {
            check(&format!("{url} {mode:?}"), &run(url, mode));
        }
    }
}

#[test]
fn no_mistake_in_a_file_brings_a_secret_out() {
    let key = format!("\"accessKey\":\"{ACCESS}\",\"secretKey\":\"{SECRET}\"");
    let config = |alias: &str| format!("{{\"version\":\"10\",\"aliases\":{{\"a\":{{{alias}}}}}}}");
    for text in [
        config(&format!("\"url\":\"http://127.0.0.1:1\",{key},\"api\":\"S3v4\"")),
        config(&format!("\"url\":\"http://127.0.0.1:1\",{key},\"api\":\"S3v2\"")),
        config(&format!("\"url\":\"http://127.0.0.1:1\",{key},\"api\":\"{SECRET}9\"")[..60]),
        config(&format!("\"url\":\"127.0.0.1\",{key},\"api\":\"S3v4\"")),
        config(&format!("\"url\":\"http://127.0.0.1:1\",{key},\"api\":7")),
        config(&format!("{key} \"broken\"")),
        format!("{{\"version\":\"9\",\"aliases\":{{\"a\":{{{key}}}}}}}"),
        format!("{{\"version\":{{\"a\":\"{SECRET}\"}}}}"),
        format!("{{\"version\":\"10\",\"aliases\":\"{SECRET}\"}}"),
    ] {
        let home = TempDir::new().expect("a folder");
        std::fs::write(home.path().join("config.json"), &text).expect("a file");
        let mc_wasi = mc_wasi();
        for mode in ["--debug", "--json"] {
            let folder = home.path().to_string_lossy().into_owned();
            let ran = mc_wasi.run(&["-C", &folder, "a/mybucket", mode]);
            assert_eq!(ran.status, 1);
            check(&text, &ran);
        }
    }
    for text in [format!("a:{SECRET}"), format!("MC_HOST_a={SECRET}@x y"), format!("#\n{SECRET}")] {
        let dir = TempDir::new().expect("a folder");
        let file = dir.path().join("env");
        std::fs::write(&file, &text).expect("a file");
        let mc_wasi = mc_wasi().env("MC_CONFIG_ENV_FILE", &file.to_string_lossy());
        check(&text, &mc_wasi.run(&["a/mybucket", "--debug"]));
    }
}

#[test]
fn no_mistake_on_the_command_line_brings_a_header_out() {
    let url = server().alias_url();
    for flags in [
        vec!["-H", HEADER],
        vec!["-H", "X-Auth: x\u{1}bearer-t0ken-of-a-header"],
        vec!["-H", "X Auth: bearer-t0ken-of-a-header"],
        vec!["-H=X-Auth: bearer-t0ken-of-a-header", "--bogus"],
        vec!["--custom-header=X-Auth:bearer-t0ken-of-a-header", "-c", "0"],
        vec!["-H", "X-Auth: bearer-t0ken-of-a-header", "--validate"],
    ] {
        for mode in ["--json", "--debug"] {
            let ran = mc_wasi_at(&url).run(&[&["a/mybucket", mode], flags.as_slice()].concat());
            check(&format!("{flags:?}"), &ran);
            assert_eq!(ran.status, 1, "{flags:?}: {ran:?}");
        }
    }
}

#[test]
fn no_trouble_with_a_proxy_or_tls_brings_a_secret_out() {
    let url = format!("http://{ACCESS}:{SECRET}@minio.example:9000");
    for proxy in [
        format!("http://user:{PASSWORD}@127.0.0.1:1"),
        format!("socks5://user:{PASSWORD}@127.0.0.1:1"),
        format!("user:{PASSWORD}@127.0.0.1:1:2"),
        format!("http://user:{PASSWORD}@ nowhere"),
    ] {
        for mode in ["--json", "--debug"] {
            let ran = mc_wasi_at(&url).env("HTTP_PROXY", &proxy).run(&["a/mybucket", mode]);
            check(&proxy, &ran);
            assert_eq!(ran.status, 1, "{ran:?}");
        }
    }
    let tls = FakeServer::start(Options { tls: true, ..options(Backlog::demo()) });
    check("an unknown authority", &run(&tls.alias_url(), &["--debug"]));
    check("http on a TLS port", &run(&tls.alias_url().replace("https", "http"), &["--debug"]));
    let plain = server();
    check("TLS on an http port", &run(&plain.alias_url().replace("http", "https"), &["--debug"]));
}

#[test]
fn no_hostile_component_brings_a_secret_out() {
    let server = server();
    for guest in [READS_ENVIRONMENT, FORGES_A_SIGNATURE, ANOTHER_HOST, HOGS_HANDLES] {
        let component = guest.file().to_string_lossy().into_owned();
        check(
            &format!("{guest:?}"),
            &run(&server.alias_url(), &["--debug", "--component", &component]),
        );
    }
}

#[test]
fn home_and_cache_hold_no_secret() {
    let server = server();
    let (cache, folder) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let component = folder.path().join("component.wasm");
    std::fs::write(&component, mc_wasi::COMPONENT).expect("a file");
    let mc_wasi = mc_wasi_at(&server.alias_url());
    let mut command = mc_wasi.command(["replicate", "resync-backlog", "a/mybucket", "--debug"]);
    command.arg("--component").arg(&component).env("XDG_CACHE_HOME", cache.path());
    assert!(command.output().expect("mc-wasi starts").status.success());
    assert!(assert_folder_clean(cache.path()) > 0, "the compiled component is kept");
    assert_eq!(assert_folder_clean(mc_wasi.home()), 0, "nothing is written to HOME");
}

/// The memory of the component, which is what is readable at the beginning of the four GiB of
/// addresses that wasmtime reserves for it, and the memory of the host around it.
fn memory_of(pid: u32) -> (Vec<u8>, Vec<u8>) {
    use std::os::unix::fs::FileExt;
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("the maps of a child");
    let regions: Vec<(u64, u64, &str)> = maps
        .lines()
        .filter_map(|line| {
            let (range, rest) = line.split_once(' ')?;
            let (from, to) = range.split_once('-')?;
            let number = |text| u64::from_str_radix(text, 16).ok();
            Some((number(from)?, number(to)?, rest.get(..4)?))
        })
        .collect();
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).expect("the memory of a child");
    let (mut component, mut host) = (Vec::new(), Vec::new());
    for (at, (from, to, access)) in regions.iter().enumerate() {
        // The reserved rest of a memory follows without a gap and is three GiB at least.
        let reserved = regions.get(at + 1..).into_iter().flatten().find(|next| next.2 == "---p");
        let is_memory = *access == "rw-p"
            && reserved.is_some_and(|next| next.1 - next.0 > 3 << 30)
            && regions[at..]
                .windows(2)
                .take_while(|pair| pair[0].1 == pair[1].0)
                .any(|pair| pair[1].2 == "---p" && pair[1].1 - pair[1].0 > 3 << 30);
        if *access == "rw-p" {
            let mut region = vec![0; usize::try_from(to - from).expect("a size")];
            // Pages that cannot be read hold nothing.
            if memory.read_exact_at(&mut region, *from).is_ok() {
                if is_memory { &mut component } else { &mut host }.append(&mut region);
            }
        }
    }
    (component, host)
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn the_memory_of_the_component_holds_no_secret_at_the_end_of_a_run() {
    let _quiet = quiet::kept();
    let server = server();
    // The pipe is full, so that the component stands still when it prints its summary.
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(&[b' '; 65_536]).expect("room for as much");
    let header = format!("X-Auth: {HEADER}");
    let mc_wasi = mc_wasi_at(&server.alias_url());
    let words = ["replicate", "resync-backlog", "a/mybucket", "--debug", "-H", &header];
    let watched = Watched::start(mc_wasi.command(words).stdout(writer));
    wait_until("done", || server.triggers().0 == 20);
    sleep(Duration::from_secs(1));
    watched.signal(Signal::SIGSTOP);
    let (dump, host) = memory_of(watched.pid());
    watched.signal(Signal::SIGCONT);
    drop(reader);
    watched.finish(Duration::from_secs(30));

    assert!(dump.len() >= 1 << 20, "{} bytes", dump.len());
    let authority = server.addr().to_string();
    for known in [authority.as_str(), "mybucket", "Processed", "resync-backlog", "X-Auth"] {
        assert!(contains(&dump, known), "this is not the memory of the component: no {known}");
    }
    assert!(contains(&host, SECRET), "it is found where it is");
    assert_clean("the memory of the component", &dump);
    assert!(!contains(&dump, ACCESS), "the access key");
    for logged in server.log() {
        let (_, signature) = logged
            .header("authorization")
            .and_then(|text| text.split_once("Signature="))
            .expect("every request is signed");
        assert!(!contains(&dump, signature), "a signature");
    }
}
