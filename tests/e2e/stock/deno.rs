//! Deno runs the component `mc-wasi` embeds, and is the one stock host that can limit where it goes.

use super::stage;
use mc_wasi_tests::fake::{Backlog, FakeServer, Options};
use mc_wasi_tests::mcwasi::Ran;
use mc_wasi_tests::stock::{Host, deno, isolate};
use std::process::Command;
use std::time::{Duration, Instant};

mc_wasi_tests::host_claims!(stage(Host::Deno));
mc_wasi_tests::typed_claims!(stage(Host::Deno));

#[test]
fn it_asks_no_server_but_the_one_that_is_allowed() {
    let stage = stage(Host::Deno);
    let server = FakeServer::start(Options::with_backlog(Backlog::demo()));
    let run = |allowed: &str| {
        let mut command = Command::new(deno());
        isolate(&mut command, stage.fetching());
        command.current_dir(stage.fetching());
        command.args(["run", "--no-prompt", "--allow-read=.", "--allow-env"]);
        command.arg(format!("--allow-net={allowed}")).arg("embed.mjs");
        command.args([server.url().as_str(), "mybucket"]);
        command.env("ACCESS_KEY", "minioadmin").env("SECRET_KEY", "minioadmin");
        Ran::from(command.output().expect("deno starts"))
    };
    let began = Instant::now();
    let other = FakeServer::start(Options::default());
    let ran = run(&other.addr().to_string());
    assert_eq!((ran.status, server.requests()), (1, 0), "{}", ran.stderr);
    let denied = format!("denied: {}: the sandbox denies this request: ", server.addr());
    assert!(ran.stderr.contains(&denied) && ran.stderr.contains("--allow-net"), "{}", ran.stderr);
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "it is not tried again: {:?}",
        began.elapsed()
    );

    let ran = run(&server.addr().to_string());
    assert!(ran.stdout.contains("148 of 150 triggered"), "{}{}", ran.stdout, ran.stderr);
}
