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
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

fn doc(name: &str) -> String {
    let path = workspace_root().join("docs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// README.md and every page of `docs/`, by name.
fn pages() -> Vec<(String, String)> {
    let root = workspace_root();
    let entries = fs::read_dir(root.join("docs")).expect("docs");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("its entry").path()).collect();
    paths.push(root.join("README.md"));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    let read = |path: &PathBuf| fs::read_to_string(path).expect("a page");
    paths.iter().map(|path| (path.display().to_string(), read(path))).collect()
}

/// The boxes of a page that are fenced by these words.
fn boxes<'a>(text: &'a str, words: &str) -> Vec<&'a str> {
    let fence = format!("```{words}\n");
    text.split(&*fence).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// A folder with everything the command lines name.
fn stage() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let component = folder.path().join("mc-replicate-resync-backlog.wasm");
    fs::write(component, mc_wasi::COMPONENT).expect("the component");
    for example in ["run.py", "embed.py", "embed.mjs", "run.mjs", "blocking.mjs"] {
        let from = workspace_root().join("examples").join(example);
        fs::copy(from, folder.path().join(example)).expect("an example");
    }
    // As `npm install` makes it; Deno then looks into node_modules.
    fs::write(folder.path().join("package.json"), "{}").expect("package.json");
    let packages = tool("node/node_modules/.package-lock.json");
    let packages = packages.parent().expect("node_modules");
    std::os::unix::fs::symlink(packages, folder.path().join("node_modules")).expect("a link");
    folder
}

/// Runs a box in a shell that finds every program, and knows a server as `myaistor`.
fn shell(folder: &Path, alias_url: &str, script: &str) {
    let mut command = Command::new("sh");
    isolate(&mut command, folder);
    let mc_wasi = Path::new(MC_WASI).parent().expect("a folder");
    let mut path = vec![mc_wasi.to_owned()];
    for program in ["bin/wasmtime", "python/bin/python"] {
        path.extend(tool(program).parent().map(Path::to_owned));
    }
    path.push(mc_wasi_tests::stock::programs());
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    command.current_dir(folder).env("PATH", std::env::join_paths(path).expect("a path"));
    command.env("MC_HOST_myaistor", alias_url).args(["-euc", script]);
    let ran = Ran::from(command.output().expect("a shell"));
    assert_eq!(ran.status, 0, "{script}\n{}\n{}", ran.stdout, ran.stderr);
}

/// Whether a box only looks: each of its runs says so.
fn only_looks(script: &str) -> bool {
    let mut runs = script.lines().filter(|line| line.contains("mc-wasi replicate")).peekable();
    let looks = |line: &str| line.contains("--dry-run") || line.contains("--print-grant");
    runs.peek().is_some() && runs.all(looks) && !script.contains(".wasm")
}

/// Runs a box against a server, on which everything must then be triggered, once.
fn run_box(folder: &Path, script: &str) {
    const VERSIONS: u64 = 40;
    let tls = script.contains("ca.pem");
    let options = Options::with_backlog(Backlog::synthetic(VERSIONS, 1));
    let server = FakeServer::start(Options { tls, ..options });
    if let Some(pem) = server.ca_pem() {
        fs::write(folder.join("ca.pem"), pem).expect("ca.pem");
    }
    let here = script
        .replace("https://ACCESS:SECRET@minio.example.net", &server.alias_url())
        .replace("https://minio.example.net", &server.url())
        .replace("minio.example.net", &server.addr().to_string())
        .replace("=ACCESS ", "=minioadmin ")
        .replace("=SECRET ", "=minioadmin ");
    shell(folder, &server.alias_url(), &here);
    let expected = if only_looks(script) { 0 } else { VERSIONS };
    assert_eq!((server.triggers(), server.bad_signatures()), ((expected, 0), 0), "{script}");
}

#[test]
fn every_command_line_in_a_box_works() {
    let folder = stage();
    let pages = pages();
    let scripts: Vec<&str> = pages.iter().flat_map(|(_, text)| boxes(text, "sh")).collect();
    for program in [
        "mc-wasi ",
        "mc replicate backlog",
        "wasmtime run",
        "jco run",
        "jco transpile",
        "run.py",
        "embed.py",
        "deno run",
        "bun run.mjs",
        "--async-mode jspi",
        "--shard 3/4",
        "--from run.jsonl",
    ] {
        assert!(scripts.iter().any(|script| script.contains(program)), "no box shows {program}");
    }
    for script in scripts {
        run_box(folder.path(), script);
    }
}

#[test]
fn the_first_run_of_the_readme_is_what_a_run_prints() {
    let server = FakeServer::start(Options::with_backlog(Backlog::demo()));
    let ran = mc_wasi().alias("myaistor", &server.alias_url()).run(&["myaistor/mybucket"]);
    let readme = fs::read_to_string(workspace_root().join("README.md")).expect("README.md");
    assert_eq!(boxes(&readme, "text"), [ran.stdout.as_str()]);
    assert_eq!(ran.status, 1);
}

/// A real server with a backlog.
fn stuck() -> Pair {
    let pair = Pair::start();
    pair.stick();
    pair.put_many("obj-", 5, b"hello");
    pair.wait_backlog(5);
    pair
}

/// A user of it with the rights of a policy in `docs/`.
fn with_policy(policy: &str) -> (Pair, Keys) {
    let pair = stuck();
    let keys = pair.admin_user("resync", &doc(policy).replace("mybucket", "src"));
    (pair, keys)
}

/// Runs the boxes of a page that need a real server on one, as its administrator.
fn run_on_minio(pair: &Pair, page: &str) {
    let folder = TempDir::new().expect("a folder");
    fs::create_dir(folder.path().join("docs")).expect("docs");
    for policy in ["policy.json", "policy-clear-checksum.json"] {
        let text = doc(policy).replace("mybucket", "src");
        fs::write(folder.path().join("docs").join(policy), text).expect("a policy");
    }
    let root = pair.source().alias_url(pair.source().root());
    let text = doc(page);
    let scripts = boxes(&text, "sh minio");
    assert!(!scripts.is_empty(), "{page} has no such box");
    for script in scripts {
        shell(folder.path(), &root, &script.replace("mybucket", "src"));
    }
}

#[test]
fn the_pages_whose_boxes_need_a_real_server_have_a_test() {
    let named = |(path, text): &(String, String)| {
        (!boxes(text, "sh minio").is_empty()).then(|| path.rsplit('/').next().map(str::to_owned))
    };
    let found: Vec<_> = pages().iter().filter_map(named).flatten().collect();
    assert_eq!(found, ["how-it-works.md", "security.md"]);
}

#[test]
fn the_account_of_the_page_about_security_can_trigger() {
    let mut pair = stuck();
    run_on_minio(&pair, "security.md");
    pair.release();
    let ran = run(&pair, &Keys::new("resync-backlog", "A-LONG-SECRET"), &[]);
    assert_eq!(ran.status, 0, "{}\n{}", ran.stdout, ran.stderr);
    pair.wait_empty(Duration::from_secs(60));
}

#[test]
fn checksums_are_replaced_as_the_page_about_them_says() {
    let mut pair = stuck();
    pair.release();
    run_on_minio(&pair, "how-it-works.md");
    let root = pair.source().root().clone();
    pair.drain("", || assert_eq!(run(&pair, &root, &[]).status, 0));
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
    pair.drain("", || assert_eq!(run(&pair, &keys, &[]).status, 0));
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
