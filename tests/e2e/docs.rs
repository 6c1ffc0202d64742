//! What the documentation says can be done.

use crate::{MC_WASI, mc_wasi, mc_wasi_at};
use mc_wasi_tests::fake::{Backlog, FakeServer, Options, S3Error, Target, Version};
use mc_wasi_tests::mcwasi::Ran;
use mc_wasi_tests::minio::{Keys, Pair, tool, workspace_root};
use mc_wasi_tests::stock::isolate;
use resync_core::command::Args;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

fn doc(name: &str) -> String {
    let path = workspace_root().join("docs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A folder with everything the command lines of `hosts.md` name.
fn stage() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let component = folder.path().join("mc-replicate-resync-backlog.wasm");
    fs::write(component, mc_wasi::COMPONENT).expect("the component");
    for example in ["run.py", "embed.py", "embed.mjs"] {
        let from = workspace_root().join("examples").join(example);
        fs::copy(from, folder.path().join(example)).expect("an example");
    }
    let packages = tool("node/node_modules/.package-lock.json");
    let packages = packages.parent().expect("node_modules");
    std::os::unix::fs::symlink(packages, folder.path().join("node_modules")).expect("a link");
    folder
}

/// Runs a box of `hosts.md` against a server, on which everything must then be triggered.
fn run_box(folder: &Path, script: &str) {
    const VERSIONS: u64 = 40;
    let tls = script.contains("ca.pem");
    let options = Options::with_backlog(Backlog::synthetic(VERSIONS, 1));
    let server = FakeServer::start(Options { tls, ..options });
    if let Some(pem) = server.ca_pem() {
        fs::write(folder.join("ca.pem"), pem).expect("ca.pem");
    }
    let script = script
        .replace("https://ACCESS:SECRET@minio.example.net", &server.alias_url())
        .replace("https://minio.example.net", &server.url())
        .replace("=ACCESS ", "=minioadmin ")
        .replace("=SECRET ", "=minioadmin ");
    let mut command = Command::new("sh");
    isolate(&mut command, folder);
    let mc_wasi = Path::new(MC_WASI).parent().expect("a folder");
    let mut path = vec![mc_wasi.to_owned()];
    for program in ["bin/wasmtime", "python/bin/python"] {
        path.extend(tool(program).parent().map(Path::to_owned));
    }
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    command.current_dir(folder).env("PATH", std::env::join_paths(path).expect("a path"));
    let ran = Ran::from(command.args(["-euc", &script]).output().expect("a shell"));
    assert_eq!(ran.status, 0, "{script}\n{}\n{}", ran.stdout, ran.stderr);
    assert_eq!((server.triggers(), server.bad_signatures()), ((VERSIONS, 0), 0), "{script}");
}

#[test]
fn every_command_line_in_a_box_works() {
    let folder = stage();
    let text = doc("hosts.md");
    let boxes: Vec<&str> =
        text.split("```sh\n").skip(1).filter_map(|b| b.split("```").next()).collect();
    for program in ["mc-wasi ", "wasmtime run", "jco run", "jco transpile", "run.py", "embed.py"] {
        assert!(boxes.iter().any(|script| script.contains(program)), "no box shows {program}");
    }
    for script in boxes {
        run_box(folder.path(), script);
    }
}

/// A user of a real server with the rights of a policy in `docs/`, and a backlog.
fn with_policy(policy: &str) -> (Pair, Keys) {
    let pair = Pair::start();
    pair.stick();
    pair.put_many("obj-", 5, b"hello");
    pair.wait_backlog(5);
    let keys = pair.admin_user("resync", &doc(policy).replace("mybucket", "src"));
    (pair, keys)
}

fn run(pair: &Pair, keys: &Keys, words: &[&str]) -> Ran {
    let url = pair.source().alias_url(keys);
    let program = mc_wasi().alias("myaistor", &url);
    program.run(&[words, &["myaistor/src"]].concat())
}

#[test]
fn the_policy_is_enough_to_trigger_and_no_more() {
    let (mut pair, keys) = with_policy("policy.json");
    pair.release();
    let ran = run(&pair, &keys, &["--clear-checksum"]);
    ran.assert_refused(
        "Unable to clear checksums in bucket `src`. Access Denied. --clear-checksum needs \
         s3:GetBucketObjectLockConfiguration on arn:aws:s3:::src, to see that no default retention \
         locks what it copies.",
    );
    let client = pair.source().client_for(keys.clone());
    assert_eq!(client.send("PUT", "/src/new", &[], b"x").status, 403);
    let ran = run(&pair, &keys, &[]);
    assert_eq!(ran.status, 0, "{}\n{}", ran.stdout, ran.stderr);
    pair.wait_empty(Duration::from_secs(60));
}

#[test]
fn the_policy_for_checksums_is_enough_to_replace_them() {
    let (mut pair, keys) = with_policy("policy-clear-checksum.json");
    pair.release();
    let ran = run(&pair, &keys, &["--clear-checksum"]);
    assert_eq!(ran.status, 0, "{}\n{}", ran.stdout, ran.stderr);
    pair.wait_empty(Duration::from_secs(60));
}

#[test]
fn the_scheduled_commands_are_ones_the_command_takes() {
    let service = doc("mc-replicate-resync-backlog.service");
    let start =
        service.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("ExecStart");
    let start: Vec<String> = start.split(' ').map(str::to_owned).collect();
    assert_eq!(start[1..3], ["replicate", "resync-backlog"]);
    let job = doc("cronjob.yaml");
    let args = job.lines().find_map(|line| line.trim().strip_prefix("args: [")).expect("args");
    let args = args.trim_end_matches(']').split(", ");
    let args: Vec<String> = args.map(|word| word.trim_matches('"').to_owned()).collect();
    for words in [&start[3..], &args] {
        let args = Args::parse(words, &|_| None).expect("valid arguments");
        assert_eq!(args.target.text, "myaistor/mybucket");
        assert!(args.json && args.rate_limit == Some(200.0));
    }
}

/// The names of all members, but not those that stand for ARNs, statuses or the server's own.
fn members(value: &Value, into: &mut BTreeSet<String>) {
    value.as_array().into_iter().flatten().for_each(|value| members(value, into));
    for (name, value) in value.as_object().into_iter().flatten() {
        let upper = name.chars().next().is_some_and(char::is_uppercase);
        if !upper && !name.starts_with("arn:") {
            into.insert(name.clone());
        }
        members(value, into);
    }
}

/// The fields in the first column of a section's table.
fn fields<'a>(text: &'a str, section: &str) -> BTreeSet<&'a str> {
    let (_, rest) = text.split_once(&format!("## {section}\n")).expect(section);
    let rest = rest.split("\n## ").next().unwrap_or_default();
    let rows = rest.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.flat_map(|row| row.split(" | ").next().unwrap_or_default().split(", "))
        .map(|name| name.trim_matches('`'))
        .collect()
}

#[test]
fn every_member_of_the_json_output_is_described_and_no_other() {
    let text = doc("json.md");
    let failing = Version::put("a").refusing(S3Error::new(400, "InvalidArgument"));
    let backlog = Backlog::of([failing, Version::purge("b"), Version::put("c")]);
    let offline = Target { online: false, ..Target::default() };
    let options = Options { targets: vec![offline], ..Options::with_backlog(backlog) };
    let server = FakeServer::start(options);
    let mc_wasi = mc_wasi_at(&server.alias_url());
    let mut lines =
        mc_wasi.run(&["a/mybucket/c", "--clear-checksum", "--validate", "--json"]).json();
    lines.extend(mc_wasi.run(&["a/mybucket", "--print-grant", "--json"]).json());
    lines.extend(mc_wasi.run(&["a/mybucket", "--json", "--from", "-"]).json());
    lines.extend(mc_wasi.run(&["a/mybucket", "--json", "--wait", "1s", "--shard", "0/1"]).json());
    let ended = lines.last().cloned().unwrap_or_default();
    let refused = mc_wasi.run(&["a/nosuchbucket", "--json"]).json();

    for (section, known_by) in [
        ("A version", "outcome"),
        ("The end", "complete"),
        ("`--validate`", "valid"),
        ("`--print-grant`", "requests"),
    ] {
        let of_this = lines.iter().filter(|line| line.get(known_by).is_some());
        let found: BTreeSet<&str> = of_this
            .flat_map(|line| line.as_object().into_iter().flatten())
            .map(|m| &**m.0)
            .collect();
        let mut described = fields(&text, section);
        if section == "The end" {
            assert_eq!(ended.get("error"), None, "this run reached its end");
            assert!(described.remove("error"), "which one that does not has");
            assert!(described.remove("notes"), "which one has whose queue cannot be watched");
        }
        assert_eq!(described, found, "{section}");
    }
    let mut nested = BTreeSet::new();
    lines.iter().chain(&refused).for_each(|line| members(line, &mut nested));
    assert!(nested.contains("failedAgain") && nested.contains("purpose"), "{nested:?}");
    for name in nested {
        let named = text.contains(&format!("`{name}`")) || text.contains(&format!(".{name}`"));
        assert!(named, "docs/json.md does not describe {name}");
    }
}

/// The source of everything that can print a message.
fn sources() -> String {
    let mut folders: Vec<_> = ["guest/core/src", "guest/src", "host/src", "host/policy/src"]
        .iter()
        .map(|name| workspace_root().join(name))
        .collect();
    let mut all = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("its entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all += &fs::read_to_string(path).expect("a source");
            }
        }
    }
    all
}

#[test]
fn the_page_about_errors_has_the_words_of_the_program() {
    let (page, sources) = (doc("troubleshooting.md"), sources());
    let mut rows = 0;
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let said = line.split(" | ").next().expect("a first cell");
        for part in said.split('`').skip(1).step_by(2).flat_map(|text| text.split('…')) {
            assert!(sources.contains(part.trim()), "nothing says {part:?}");
        }
        rows += 1;
    }
    assert!(rows > 40, "only {rows} rows: this does not read the tables");
    for said in sources.split("\"Unable to ").skip(1) {
        let verb = said.split([' ', '.', '"']).next().expect("a word");
        // `get` is what the tests of messages are unable to do.
        if !verb.contains('{') && verb != "get" {
            assert!(page.contains(&format!("`Unable to {verb}")), "not there: Unable to {verb}");
        }
    }
}
