//! The page of `web/` in real browsers, done with as a user does.

use crate::{MC_WASI, mc_wasi_at};
use mc_wasi_tests::fake::{Backlog, Cut, Effect, FakeServer, Fault, Options, Route, S3Error};
use mc_wasi_tests::minio::{Minio, Pair, encode_key};
use mc_wasi_tests::stock::browser::{Browser, page};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

fn the_page() -> &'static Path {
    page(mc_wasi::COMPONENT)
}

/// Enough for a run to be seen under way.
const VERSIONS: u64 = 300;

fn fake(failing: u64) -> FakeServer {
    let backlog = Backlog::mixed(VERSIONS, 1, 5, failing, S3Error::new(400, "InvalidArgument"));
    FakeServer::start(Options::with_backlog(backlog))
}

/// What a user does with the bucket of a server, and these things beside.
fn task(endpoint: &str, bucket: &str, beside: &Value) -> Value {
    let fields = json!({
        "endpoint": endpoint, "access": "minioadmin", "secret": "minioadmin", "bucket": bucket,
    });
    let mut task = json!({"open": true, "endpoint": endpoint, "fill": fields});
    for (name, value) in beside.as_object().into_iter().flatten() {
        if name == "fill" {
            task["fill"]
                .as_object_mut()
                .expect("fields")
                .extend(value.as_object().cloned().expect("fields"));
        } else {
            task[name] = value.clone();
        }
    }
    task
}

fn stuck(count: usize) -> Pair {
    let mut pair = Pair::start();
    pair.stick();
    pair.put_many("a/obj-", count - 10, b"hello");
    pair.put_many("b/obj-", 10, b"hello");
    pair.wait_backlog(count);
    pair.release();
    pair
}

/// Nothing broke, and nothing was refused by the page's own policy.
fn is_quiet(seen: &Value) {
    assert_eq!(seen["console"], json!([]), "{seen:#}");
}

/// A page of another origin asks for leave for each listing, and for no version.
fn a_real_backlog_is_shown_and_triggered_without_a_preflight_for_each_version(browser: Browser) {
    let pair = stuck(60);
    let url = pair.source().url();
    let run = json!({"run": true, "end": true, "fill": {"queue": "0"}});
    let tasks = [json!({"preview": true}), run].map(|does| task(&url, "src", &does));
    let seen = browser.sees_all(the_page(), &tasks);
    let [preview, run] = seen.as_slice() else { panic!("{seen:?}") };
    is_quiet(preview);
    assert_eq!(preview["lead"], "60 versions of src/ would be triggered.");
    assert_eq!((&preview["focused"], &preview["failure"]), (&json!("preview-title"), &json!("")));
    let arn = &pair.links()[0].arn;
    let head =
        |first: &str| json!([first, "all", "under 1 hour", "under 1 day", "under 1 week", "older"]);
    let row = |name: &str, count: &str| json!([name, count, count, "0", "0", "0"]);
    let failed = row("FAILED, object versions", "60");
    assert_eq!(preview["tables"][0], json!(["By status", head("Status"), failed]));
    let target = row(arn, "60");
    assert_eq!(preview["tables"][1], json!(["By target", head("Replication target"), target]));
    let prefixes = [row("a/", "50"), row("b/", "10"), row("all", "60")];
    let [a, b, all] = prefixes;
    assert_eq!(preview["tables"][2], json!(["By prefix", head("Prefix"), a, b, all]));

    is_quiet(run);
    let asked = run["asked"].as_str().unwrap_or_default();
    assert!(
        asked.starts_with(&format!("All versions in the backlog of src/ on {url}.")),
        "{asked}"
    );
    let end = run["end"].as_str().unwrap_or_default();
    assert!(end.starts_with("Done. 60 versions triggered, 0 failed, after "), "{end}");
    // The admin API in its two versions, the newer of which this server does not know, and the listing once
    // more: what a browser hands out of it does not prove its end.
    let methods = &run["methods"];
    assert_eq!((&methods["HEAD"], &methods["POST"]), (&json!(60), &json!(3)), "{run}");
    assert!(methods["OPTIONS"].as_u64().is_some_and(|asked| asked <= 3), "{run}");
    pair.wait_empty(Duration::from_secs(60));
    assert_eq!(pair.target_versions("dst").len(), 60);
}

/// Puts the page in a bucket that everybody may read.
fn publish(server: &Minio, page: &Path) -> String {
    let client = server.client();
    let _ = client.send("PUT", "/page", &[], b"").ok("a bucket for the page");
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::page/*"]}]}"#;
    let _ = client.send("PUT", "/page?policy=", &[], policy.as_bytes()).ok("its policy");
    for folder in ["", "component", "shim"] {
        for entry in fs::read_dir(page.join(folder)).expect("the page").flatten() {
            let path = entry.path();
            let name = path.strip_prefix(page).expect("below it").to_string_lossy().into_owned();
            let kind = match path.extension().and_then(|ending| ending.to_str()) {
                Some("html") => "text/html",
                Some("js") => "text/javascript",
                Some("css") => "text/css",
                Some("wasm") => "application/wasm",
                _ => continue,
            };
            let bytes = fs::read(&path).expect("a file");
            let target = format!("/page/{}", encode_key(&name));
            let _ = client
                .send("PUT", &target, &[("content-type", kind)], &bytes)
                .ok("a file of the page");
        }
    }
    format!("{}/page/index.html", server.url())
}

/// From a bucket of the server itself there is nothing to ask leave for.
fn a_page_in_a_bucket_of_the_server_needs_no_preflight(browser: Browser) {
    let pair = stuck(20);
    let address = publish(pair.source(), the_page());
    let url = pair.source().url();
    let run = json!({"open": address, "run": true, "end": true});
    let seen = browser.sees(the_page(), &task(&url, "src", &run));
    is_quiet(&seen);
    assert_eq!(seen["prefilled"], json!(url));
    let end = seen["end"].as_str().unwrap_or_default();
    assert!(end.starts_with("Done. 20 versions triggered"), "{seen:#}");
    assert_eq!((&seen["methods"]["HEAD"], &seen["methods"]["OPTIONS"]), (&json!(20), &Value::Null));
}

/// Failures are shown, and the report is what `--from` takes.
fn failures_are_a_table_and_a_report_that_from_takes(browser: Browser) {
    let server = fake(3);
    let run = json!({"run": true, "end": true, "report": true});
    let seen = browser.sees(the_page(), &task(&server.url(), "mybucket", &run));
    is_quiet(&seen);
    assert_eq!((server.triggers(), server.bad_signatures()), ((VERSIONS - 3, 0), 0));
    assert_eq!(
        (&seen["numbers"]["Triggered"], &seen["numbers"]["Failed"]),
        (&json!("297"), &json!("3"))
    );
    let failures = seen["failures"].as_array().expect("rows");
    assert_eq!(failures.len(), 3, "{failures:?}");
    let report = seen["report"].as_str().expect("a report");
    let lines: Vec<Value> =
        report.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 4, "{report}");
    for (line, row) in lines.iter().zip(failures) {
        assert_eq!(
            (&line["object"], &line["versionId"], &line["outcome"]),
            (&row[0], &row[2], &json!("failed"))
        );
    }
    assert_eq!(
        (&lines[3]["processed"], &lines[3]["complete"]),
        (&json!(VERSIONS - 3), &json!(true))
    );

    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), report).expect("the report is written");
    let from = file.path().to_str().expect("a path");
    let ran = mc_wasi_at(&server.alias_url()).run(&["a/mybucket", "--from", from, "--json"]);
    let summary = ran.summary();
    assert_eq!(
        (&summary["total"], &summary["failed"]),
        (&json!(3), &json!(3)),
        "{MC_WASI}: {summary}"
    );
}

/// A stop finishes what is in flight and begins no more; what is left stays in the backlog.
fn a_run_can_be_stopped(browser: Browser) {
    let server = fake(0);
    let run = json!({"run": true, "stop": 20, "end": true, "fill": {"rate": "60"}});
    let seen = browser.sees(the_page(), &task(&server.url(), "mybucket", &run));
    is_quiet(&seen);
    let end = seen["end"].as_str().unwrap_or_default();
    let (triggered, _) = server.triggers();
    assert!((20..VERSIONS - 50).contains(&triggered), "{triggered}");
    let told = format!("Stopped. {triggered} versions triggered, 0 failed, after ");
    assert!(end.starts_with(&told), "{end}");
}

/// What a browser hands out of a listing that was cut is not taken for all of it.
fn a_cut_listing_is_taken_up_again(browser: Browser) {
    let cuts = [Cut::InsideChunk, Cut::InsideLine, Cut::BetweenChunks, Cut::Reset];
    let servers = cuts.map(|how| {
        let server = fake(0);
        server.inject(Fault::on(Route::Diff, Effect::Cut { after: 100, how }).times(1));
        server
    });
    let preview = json!({"preview": true});
    let tasks = servers.each_ref().map(|server| task(&server.url(), "mybucket", &preview));
    for ((seen, server), how) in browser.sees_all(the_page(), &tasks).iter().zip(&servers).zip(cuts)
    {
        is_quiet(seen);
        assert_eq!(seen["lead"], "300 versions of mybucket/ would be triggered.", "{how:?}");
        assert_eq!(server.listings(), 2, "{how:?}");
    }
}

/// What went wrong is said at once, with what a browser leaves out of it.
fn what_goes_wrong_is_explained_at_once(browser: Browser) {
    let server = fake(0);
    let mute = FakeServer::start(Options::default());
    // It answers, and says nothing of the origin of the page.
    let body = b"hello".to_vec();
    let html = Effect::Page { status: 200, content_type: "text/html".into(), body };
    mute.inject(Fault::on(Route::Diff, html));
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr());
    let nobody = format!("http://{}", nobody.expect("a free port"));
    let cors = "does not let this page read its answers (CORS)";
    let told = [
        [cors, "Mostly nobody listens at that host and port"],
        [cors, "leaves out its CORS headers"],
        ["The request signature", "Check the secret key of the alias"],
    ];
    let tasks = [(nobody, "minioadmin"), (mute.url(), "minioadmin"), (server.url(), "wrong")].map(
        |(url, secret)| {
            task(&url, "mybucket", &json!({"preview": true, "fill": {"secret": secret}}))
        },
    );
    for (seen, told) in browser.sees_all(the_page(), &tasks).iter().zip(told) {
        let failure = seen["failure"].as_str().unwrap_or_default();
        assert!(told.iter().all(|words| failure.contains(words)), "{failure}");
        assert_eq!(seen["focused"], "failure", "a screen reader reads it");
        assert!(seen["took"].as_u64().is_some_and(|took| took < 10_000), "{seen}");
    }
}

/// An entry that cannot be used is told beside it, and nothing is sent.
fn an_entry_that_cannot_be_used_is_told_beside_it(browser: Browser) {
    let entries = [
        ("endpoint", "minio.example.net", "A URL such as https://"),
        ("endpoint", "http://a:b@127.0.0.1:9", "Without keys"),
        ("bucket", "No Bucket", "The name of a bucket"),
        ("secret", "", "An access key has a secret key"),
        ("rate", "fast", "A number from"),
        ("older", "-1", "A number from"),
    ];
    let tasks = entries.map(|(field, entry, _)| {
        let change = json!({"preview": true, "fill": {field: entry}});
        task("http://127.0.0.1:9", "mybucket", &change)
    });
    for (seen, (field, entry, told)) in browser.sees_all(the_page(), &tasks).iter().zip(entries) {
        is_quiet(seen);
        let mistake = seen["mistake"].as_str().unwrap_or_default();
        assert!(mistake.starts_with(told), "{field}={entry}: {seen:#}");
        assert_eq!((&seen["focused"], &seen["methods"]), (&json!(field), &json!({})));
    }
}

/// A browser that cannot suspend WebAssembly is told which ones can.
fn a_browser_without_jspi_is_told_so(browser: Browser) {
    let seen = browser.sees(the_page(), &json!({"without": "Suspending", "open": true}));
    is_quiet(&seen);
    let unable = seen["unable"].as_str().unwrap_or_default();
    assert!(unable.starts_with("This browser cannot suspend WebAssembly (JSPI)"), "{unable}");
    assert_eq!(seen["disabled"], json!(true));
}

/// The keys alone do, a screen reader is told what happens, and no question is answered by chance.
fn the_keyboard_does_everything(browser: Browser) {
    let server = fake(0);
    let keys = json!([
        ["endpoint", server.url()],
        ["access", "minioadmin"],
        ["secret", "minioadmin"],
        ["bucket", "mybucket"],
    ]);
    let seen = browser.sees(the_page(), &json!({"open": true, "keys": keys}));
    is_quiet(&seen);
    assert_eq!(seen["lead"], "300 versions of mybucket/ would be triggered.");
    assert_eq!(seen["focused"], json!(["preview-title", "confirm-title", "start"]));
    assert_eq!(seen["started"], json!(false), "the first choice of the question is no");
    assert_eq!((&seen["end"], server.triggers()), (&seen["said"], (VERSIONS, 0)));
}

/// The policy of the page runs nothing that is not its own.
fn the_page_runs_no_script_but_its_own(browser: Browser) {
    let seen = browser.sees(the_page(), &json!({"open": true, "inject": true}));
    assert_eq!(seen["injected"], json!(false));
}

/// Nothing is found that a screen reader or a weak eye stumbles over, in no state, wide or narrow.
/// `MC_WASI_PICTURES` names a folder for pictures of them.
fn it_can_be_read(browser: Browser, dark: bool) {
    let widths = [1_200, 360];
    let servers = widths.map(|_| fake(30));
    let tasks = [0, 1].map(|index: usize| {
        let width = widths[index];
        let mut looks = json!({
            "width": width, "look_first": true, "looks": true, "preview": true, "run": true, "stop": 20,
            "end": true, "fill": {"rate": "60"},
        });
        if dark {
            looks["dark"] = json!(true);
        }
        if let Ok(folder) = std::env::var("MC_WASI_PICTURES") {
            let shade = if dark { "dark" } else { "light" };
            looks["pictures"] = json!(format!("{folder}/{browser:?}-{shade}-{width}"));
        }
        task(&servers[index].url(), "mybucket", &looks)
    });
    for seen in browser.sees_all(the_page(), &tasks) {
        assert_eq!(seen["wrong"], json!([]), "{browser:?}");
    }
}

macro_rules! browser_claims {
    ($browser:expr; $($claim:ident)*) => {
        $(#[test]
        fn $claim() {
            super::$claim($browser);
        })*

        #[test]
        fn it_can_be_read_in_light() {
            super::it_can_be_read($browser, false);
        }

        #[test]
        fn it_can_be_read_in_the_dark() {
            super::it_can_be_read($browser, true);
        }
    };
    ($browser:expr) => {
        browser_claims!($browser;
            a_real_backlog_is_shown_and_triggered_without_a_preflight_for_each_version
            a_page_in_a_bucket_of_the_server_needs_no_preflight
            failures_are_a_table_and_a_report_that_from_takes
            a_run_can_be_stopped
            a_cut_listing_is_taken_up_again
            what_goes_wrong_is_explained_at_once
            an_entry_that_cannot_be_used_is_told_beside_it
            a_browser_without_jspi_is_told_so
            the_keyboard_does_everything
            the_page_runs_no_script_but_its_own
        );
    };
}

mod chromium {
    use mc_wasi_tests::stock::browser::Browser;

    browser_claims!(Browser::Chromium);
}

mod firefox {
    use mc_wasi_tests::stock::browser::Browser;

    browser_claims!(Browser::Firefox);
}
