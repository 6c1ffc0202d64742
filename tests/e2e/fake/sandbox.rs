//! The sandbox as its user meets it: the grant that is printed, other components, and what is said
//! of a request that is denied.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::hostile::guests::SMUGGLES_PATHS;
use crate::mc_wasi_at;
use mc_wasi_tests::fake::{Backlog, Effect, FakeServer, Fault, Options, Route, Version};
use mc_wasi_tests::mcwasi::{McWasi, Ran};
use mc_wasi_tests::quiet;
use tempfile::TempDir;

/// For what needs no server.
fn offline() -> McWasi {
    mc_wasi_at("http://AK:SK-secret@minio.example:9000")
}

/// The two versions of the header of WebAssembly: `\0asm`, version, layer.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

fn file(dir: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).expect("a file in a temporary folder");
    path
}

fn run_component(path: &Path) -> Ran {
    offline().run(&["--component", &path.to_string_lossy(), "a/b"])
}

#[test]
fn the_grant_is_printed_without_asking_anybody() {
    let ran =
        offline().run_words(&["--print-grant", "replicate", "resync-backlog", "a/my.bucket/p q/"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        ran.stdout,
        "The component may send these requests to http://minio.example:9000, signed by mc-wasi; the component never sees the keys:
  POST /minio/admin/v3/replication/diff?bucket=my.bucket&prefix=p%20q%2F      list the backlog, or a part of it
  GET  /minio/admin/v3/list-remote-targets?bucket=my.bucket&type=replication  name the replication targets
  POST /minio/admin/v4/replication/diff?bucket=my.bucket&prefix=p%20q%2F      list the backlog, or a part of it
  GET  /minio/admin/v4/list-remote-targets?bucket=my.bucket&type=replication  name the replication targets
  GET  /my.bucket?location=                                                   ask for the region of the bucket
  GET  /my.bucket?replication-metrics=2                                       count what is replicated, so that the queue does not overflow
  HEAD /my.bucket/p%20q/*?versionId={version}                                 look at a version, which triggers its replication

Everything else is denied: other servers, methods, paths, parameters and headers, redirects, files,
sockets, other aliases, and variables other than those of its flags.

Limits: 512 MiB of memory, 160 handles, 11 requests at a time, 16 KiB of headers, 4 MiB per call.
"
    );
}

#[test]
fn the_grant_is_printed_as_json() {
    let words = ["a/b", "--clear-checksum", "--validate", "--print-grant", "--json", "-c", "3"];
    let ran = offline().run(&words);
    assert_eq!(ran.status, 0);
    let grant = ran.summary();
    assert_eq!(grant["status"], "success");
    assert_eq!(grant["server"], "http://minio.example:9000");
    assert_eq!(grant["signed"], true);
    assert_eq!(grant["limits"]["requests"], 4);
    let requests = grant["requests"].as_array().expect("a list");
    let methods: Vec<&str> = requests.iter().filter_map(|r| r["method"].as_str()).collect();
    assert_eq!(
        methods,
        ["POST", "GET", "POST", "GET", "GET", "HEAD", "GET", "GET", "PUT", "GET", "GET"]
    );
    assert_eq!(requests[8]["path"], "/b/*");
    assert!(!ran.stdout.contains("SK-secret"));
}

#[test]
fn a_grant_that_cannot_be_made_is_an_error_as_the_run_would_be() {
    let ran = offline().run(&["nobody/b", "--print-grant"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("No valid configuration found for 'nobody/b'"), "{}", ran.stderr);
    let ran = offline().env("MC_WASI_MAX_MEMORY", "lots").run(&["a/b", "--print-grant"]);
    assert!(ran.stderr.contains("MC_WASI_MAX_MEMORY must be a size"), "{}", ran.stderr);
}

#[test]
fn the_built_in_component_can_be_given_as_a_file() {
    let backlog = Backlog::of([Version::put("one"), Version::put("two")]);
    let server = FakeServer::start(Options::with_backlog(backlog));
    let dir = TempDir::new().expect("a folder");
    let component = file(&dir, "component.wasm", mc_wasi::COMPONENT);
    let ran = mc_wasi_at(&server.alias_url()).run(&[
        "a/mybucket",
        "--json",
        "--component",
        &component.to_string_lossy(),
    ]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(server.triggers(), (2, 0));
}

#[test]
fn what_is_no_component_is_told_apart() {
    let dir = TempDir::new().expect("a folder");
    for (name, bytes, said) in [
        ("missing.wasm", None, "No such file or directory"),
        ("text.wasm", Some(&b"hello"[..]), "It is not a WebAssembly component."),
        ("empty.wasm", Some(&b""[..]), "It is not a WebAssembly component."),
        ("module.wasm", Some(MODULE), "It is a core module, not a component."),
        ("broken.wasm", Some(&[COMPONENT, b"\xff\xff"].concat()[..]), "It does not compile:"),
    ] {
        let path = match bytes {
            Some(bytes) => file(&dir, name, bytes),
            None => dir.path().join(name),
        };
        let ran = run_component(&path);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
        let wanted = format!("mc-wasi: <ERROR> Unable to run the component `{}`.", path.display());
        assert!(ran.stderr.starts_with(&wanted) && ran.stderr.contains(said), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
}

#[test]
fn a_component_of_another_world_is_told_apart() {
    let dir = TempDir::new().expect("a folder");
    let ran = run_component(&file(&dir, "library.wasm", COMPONENT));
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("It was built for another world"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`wasi:cli/run@0.2`"), "{}", ran.stderr);
}

#[test]
fn what_a_component_imports_beyond_the_sandbox_is_named() {
    for import in
        ["wasi:sockets/tcp@0.2.6", "wasi:http/client@0.3.0", "wasi:config/store@0.2.0-rc.1"]
    {
        let text = format!("(component (import \"{import}\" (instance)))");
        let dir = TempDir::new().expect("a folder");
        let bytes = wat::parse_str(text).expect("a component");
        let ran = run_component(&file(&dir, "greedy.wasm", &bytes));
        assert_eq!(ran.status, 1);
        assert!(ran.stderr.contains(&format!("It imports `{import}`;")), "{}", ran.stderr);
    }
}

#[test]
fn function_tables_end_at_their_limit() {
    let dir = TempDir::new().expect("a folder");
    let text = r#"(component
        (core module $m (table 1000000 funcref) (func (export "run") (result i32) i32.const 0))
        (core instance $i (instantiate $m))
        (func $run (result (result)) (canon lift (core func $i "run")))
        (instance $e (export "run" (func $run)))
        (export "wasi:cli/run@0.2.6" (instance $e)))"#;
    let bytes = wat::parse_str(text).expect("a component");
    let ran = run_component(&file(&dir, "table.wasm", &bytes));
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("The component crashed."), "{}", ran.stderr);
    let small = wat::parse_str(text.replace("1000000", "1000")).expect("a component");
    assert_eq!(run_component(&file(&dir, "small.wasm", &small)).status, 0);
}

#[test]
fn a_denial_is_one_line_however_long_the_request() {
    let server = FakeServer::start(Options::default());
    let component = SMUGGLES_PATHS.file();
    let ran = mc_wasi_at(&server.alias_url()).run(&[
        "a/mybucket",
        "--component",
        &component.to_string_lossy(),
    ]);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 11, "ten denials and the end of it: {lines:#?}");
    for line in &lines[..10] {
        assert!(line.starts_with("mc-wasi: <ERROR> The sandbox denied `"), "{line}");
        assert!(line.len() < 400, "{line}");
    }
    assert!(lines[10].contains("denied more requests"), "{}", lines[10]);
}

#[test]
fn a_name_that_leads_to_metadata_is_refused() {
    let run = |alias: &str, resolve: &str| {
        let flags: &[&str] = if resolve.is_empty() { &[] } else { &["--resolve", resolve] };
        mc_wasi_at(alias).run(&[&["a/b"], flags].concat())
    };
    for address in ["169.254.169.254", "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254"] {
        let ran = run("http://AK:SK@minio.example:9000", &format!("minio.example:9000={address}"));
        assert_eq!(ran.status, 1);
        let text = &ran.stderr;
        assert!(text.contains("The sandbox denied `connecting to minio.example:9000`"), "{text}");
        assert!(text.contains("only an alias that names the address would allow it"), "{text}");
        assert_eq!(text.matches("denied `connecting").count(), 1, "once is enough: {text}");
    }
}

#[test]
fn the_limits_hold_what_the_command_may_ask_for() {
    let _loud = quiet::broken();
    // A thousand at a time, each under way for a second, so that they meet on a busy machine too; and
    // keys as long and as escaped as a server takes them.
    let key = |nth: u32| format!("{}{nth:06}", "\u{e9}".repeat(500));
    let versions = || (0..3_000).map(|nth| Version::put(key(nth)));
    for flags in [&[][..], &["--clear-checksum"]] {
        let server = FakeServer::start(Options::with_backlog(Backlog::of(versions())));
        server.inject(Fault::on(Route::Head, Effect::Delay(Duration::from_secs(1))));
        let ran = mc_wasi_at(&server.alias_url())
            .run(&[&["a/mybucket", "-c", "1000", "--json"], flags].concat());
        assert_eq!(ran.status, 0, "{:?} {}", ran.summary(), ran.stderr);
        assert_eq!(ran.summary()["processed"], 3_000);
        assert!(server.peak_in_flight() > 500, "{}", server.peak_in_flight());
    }
}
