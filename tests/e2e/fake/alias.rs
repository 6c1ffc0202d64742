//! Where the alias of TARGET comes from, and what is never done with it.

use crate::{mc_wasi, mc_wasi_at};
use mc_wasi_tests::fake::{Backlog, FakeServer, Options};
use mc_wasi_tests::mcwasi::Ran;
use serde_json::json;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const SECRET: &str = "topsecret";

/// A server with a version, for keys of its own.
fn server(name: &str) -> FakeServer {
    FakeServer::start(Options {
        access_key: format!("{name}-access"),
        secret_key: format!("{name}-secret"),
        ..Options::with_backlog(Backlog::synthetic(1, 1))
    })
}

/// Writes a `config.json` of version 10 with one alias `a`.
fn write_config(folder: &Path, alias: &serde_json::Value) {
    fs::create_dir_all(folder).unwrap();
    let config = json!({"version": "10", "aliases": {"a": alias}});
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

fn config_alias(server: &FakeServer, name: &str) -> serde_json::Value {
    json!({
        "url": server.url(), "accessKey": format!("{name}-access"),
        "secretKey": format!("{name}-secret"), "api": "s3v4", "path": "auto",
    })
}

#[test]
fn a_variable_beats_the_file_of_variables_which_beats_config_json() {
    let servers = ["variable", "file", "config"].map(server);
    let asked = || [0, 1, 2].map(|n: usize| servers[n].requests() > 0);
    let mc_wasi = mc_wasi();
    write_config(&mc_wasi.home().join(".mc"), &config_alias(&servers[2], "config"));
    let dry_run = ["--dry-run", "--json", "a/mybucket"];
    assert_eq!(mc_wasi.run(&dry_run).summary()["complete"], true);
    assert_eq!(asked(), [false, false, true]);

    let file = mc_wasi.home().join("aliases.env");
    fs::write(&file, format!("MC_HOST_b=http://x:y@h\na={}\n", servers[1].alias_url())).unwrap();
    let mc_wasi = mc_wasi.env("MC_CONFIG_ENV_FILE", &file.display().to_string());
    assert_eq!(mc_wasi.run(&dry_run).summary()["complete"], true);
    assert_eq!(asked(), [false, true, true]);

    let mc_wasi = mc_wasi.alias("a", &servers[0].alias_url());
    assert_eq!(mc_wasi.run(&dry_run).summary()["complete"], true);
    assert_eq!(asked(), [true, true, true]);
    assert!(servers.iter().all(|server| server.bad_signatures() == 0));
}

#[test]
fn the_folder_of_the_configuration_is_taken_from_anywhere_on_the_line() {
    let server = server("config");
    let mc_wasi = mc_wasi();
    let folder = mc_wasi.home().join("elsewhere");
    write_config(&folder, &config_alias(&server, "config"));
    let folder = folder.display().to_string();
    let (replicate, backlog, target) = ("replicate", "resync-backlog", "a/mybucket");
    for words in [
        ["-C", &folder, replicate, backlog, target, "--dry-run"],
        [replicate, "--config-dir", &folder, backlog, target, "--dry-run"],
        [replicate, backlog, "-C", &folder, target, "--dry-run"],
        [replicate, backlog, target, "--dry-run", "--config-dir", &folder],
    ] {
        assert_eq!(mc_wasi.run_words(&words).status, 0, "{words:?}");
    }
    let mc_wasi = mc_wasi.env("MC_CONFIG_DIR", &folder);
    assert_eq!(mc_wasi.run(&["--dry-run", target]).status, 0);
    let ran = mc_wasi.run(&["--dry-run", target, "-C", "/nonexistent"]);
    assert!(ran.stderr.contains("No valid configuration found"), "{}", ran.stderr);
}

#[test]
fn session_tokens_are_signed_and_sent() {
    let token = "to:ken/with+odd=characters";
    let server = FakeServer::start(Options {
        session_token: Some(token.to_owned()),
        ..Options::with_backlog(Backlog::synthetic(3, 1))
    });
    let ran = mc_wasi_at(&server.alias_url()).run(&["a/mybucket"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let in_config = mc_wasi();
    let alias = json!({
        "url": server.url(), "accessKey": "minioadmin", "secretKey": "minioadmin",
        "sessionToken": token, "api": "S3v4",
    });
    write_config(&in_config.home().join(".mc"), &alias);
    assert_eq!(in_config.run(&["a/mybucket"]).status, 0);
    assert_eq!((server.bad_signatures(), server.triggers()), (0, (3, 0)));
    assert!(server.log().iter().all(|l| l.header("x-amz-security-token") == Some(token)));
}

#[test]
fn an_alias_without_keys_asks_unsigned() {
    let options =
        |anonymous| Options { anonymous, ..Options::with_backlog(Backlog::synthetic(3, 1)) };
    let server = FakeServer::start(options(true));
    assert_eq!(mc_wasi_at(&server.url()).run(&["a/mybucket"]).status, 0);
    assert_eq!(server.triggers(), (3, 0));
    assert!(server.log().iter().all(|l| l.header("authorization").is_none() && !l.verified));

    let server = FakeServer::start(options(false));
    let ran = mc_wasi_at(&server.url()).run(&["a/mybucket"]);
    assert_eq!(
        (ran.status, ran.stderr.as_str()),
        (
            1,
            "⚠ Alias `a` has no keys: requests go out unsigned.\nmc-wasi: <ERROR> Unable to list the replication backlog of bucket `mybucket`. Access Denied. The account needs the permission admin:ReplicationDiff.\n"
        )
    );
}

#[test]
fn a_broken_configuration_is_refused_without_repeating_a_secret() {
    let alias = |member: &str| {
        format!(
            r#"{{"version":"10","aliases":{{"a":{{"url":"http://h:1","accessKey":"ak","secretKey":"{SECRET}",{member}}}}}}}"#
        )
    };
    for (config, said) in [
        (
            format!("{{\"version\":\"10\", {SECRET}"),
            "Unable to load config. Unable to parse JSON schema due to a syntax error in ",
        ),
        (alias(r#""api":5"#), "Unable to load config. `api` of alias `a` in "),
        (
            alias(r#""api":"S3v9""#),
            "Unrecognized API signature S3v9 for host http://h:1. Valid options are `[S3v4, S3v2]`\n",
        ),
        (
            alias(r#""api":"S3v2""#),
            "Unable to initialize target `a`. It uses API signature S3v2, which the replication API does not accept.",
        ),
        (
            alias(r#""api":"S3v4""#).replace("http://h:1", "http://h/path"),
            "Unable to initialize target `a`. URL `http://h/path` for MinIO Client should be of the form",
        ),
        (
            alias(r#""api":"S3v4""#).replace("http://h", &format!("http://ak:{SECRET}@h")),
            "Unable to initialize target `a`. URL `h:1` for MinIO Client should",
        ),
        (
            alias(r#""api":"S3v2""#).replace("http://h", &format!("http://ak:{SECRET}@h")),
            "Unable to initialize target `a`.",
        ),
        (
            alias(r#""api":"S3v4""#).replace("\"10\"", "\"11\""),
            "Config version '11' does not match mc config version '10', please update your binary.\n",
        ),
        (
            alias(r#""api":"S3v4""#).replace("\"10\"", "\"9\""),
            "Config version '9' does not match mc config version '10', run `mc alias list` once, which migrates it.\n",
        ),
    ] {
        let mc_wasi = mc_wasi();
        let folder = mc_wasi.home().join(".mc");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config.json"), &config).unwrap();
        let ran = mc_wasi.run(&["a/b"]);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{config}");
        assert!(
            ran.stderr.starts_with(&format!("mc-wasi: <ERROR> {said}")),
            "{config}: {}",
            ran.stderr
        );
        let ran = mc_wasi.run(&["a/b", "--json", "--debug"]);
        assert_eq!(ran.json()[0]["status"], "error", "{config}");
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(SECRET), "{config}: {ran:?}");
    }
}

#[test]
fn a_broken_variable_is_refused_without_repeating_a_secret() {
    for url in [
        format!("ak:{SECRET}@host"),
        format!("ftp://ak:{SECRET}@host"),
        format!("http://ak:{SECRET}@host/path"),
        format!("http://{SECRET}@host"),
    ] {
        let ran = mc_wasi_at(&url).run(&["a/b", "--debug"]);
        let begins = "mc-wasi: <ERROR> Unable to initialize target `a` from MC_HOST_a.";
        assert!(ran.stderr.starts_with(begins), "{url}: {}", ran.stderr);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(SECRET), "{url}: {ran:?}");
        assert_eq!(ran.status, 1);
    }
    let mc_wasi = mc_wasi();
    let file = mc_wasi.home().join("aliases.env");
    fs::write(&file, format!("# comment\n\n{SECRET}\n")).unwrap();
    let file = file.display().to_string();
    let ran = mc_wasi.env("MC_CONFIG_ENV_FILE", &file).run(&["a/b"]);
    assert_eq!(
        ran.stderr,
        format!("mc-wasi: <ERROR> Unable to parse {file}: parsing error at line 3.\n")
    );
    assert_eq!(ran.status, 1);
}

fn files_below(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(
            |path| {
                if path.is_dir() { files_below(&path) } else { vec![path.display().to_string()] }
            },
        )
        .collect()
}

#[test]
fn nothing_is_written_but_the_code_of_other_components() {
    let server = server("a");
    let mc_wasi = mc_wasi_at(&server.alias_url());
    let folder = TempDir::new().unwrap();
    let component = folder.path().join("component.wasm");
    fs::write(&component, mc_wasi::COMPONENT).unwrap();
    let run = |words: &[&str]| {
        let mut command = mc_wasi.command(["replicate", "resync-backlog", "a/mybucket"]);
        let ran = Ran::from(command.args(words).env_remove("XDG_CACHE_HOME").output().unwrap());
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        files_below(mc_wasi.home())
    };
    assert_eq!(
        run(&[]),
        Vec::<String>::new(),
        "the code of the built-in one comes with the program"
    );
    let cache = mc_wasi.home().join(".cache/mc-wasi").display().to_string();
    let files = run(&["--component", &component.display().to_string()]);
    assert!(!files.is_empty() && files.iter().all(|file| file.starts_with(&cache)), "{files:?}");
}

#[test]
fn it_runs_without_a_home_and_where_nothing_can_be_written() {
    let server = server("a");
    let mc_wasi = mc_wasi_at(&server.alias_url());
    let words = ["replicate", "resync-backlog", "--dry-run", "a/mybucket"];
    let mut homeless = mc_wasi.command(words);
    homeless.env_remove("HOME").env_remove("XDG_CACHE_HOME");
    // Not even root writes there.
    let mut read_only = mc_wasi.command(words);
    read_only.env("HOME", "/proc").env_remove("XDG_CACHE_HOME");
    for mut command in [homeless, read_only] {
        let ran = Ran::from(command.output().unwrap());
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
        assert!(ran.stdout.contains("\n✓ Dry run completed"), "{}", ran.stdout);
    }
}
