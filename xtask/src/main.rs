//! `cargo xtask TASK`: everything a contributor runs, in one place.

mod check;
mod compat;
mod demo;
mod fuzz;
mod hosts;
mod kube;
mod layers;
mod paths;
mod platforms;
mod selections;
mod test;
mod tools;
mod web;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use xtask::sh::{Result, build_all, build_handed_out, built};

const USAGE: &str = "\
cargo xtask TASK

  demo           build mc-wasi and trigger a backlog on an embedded server
  demo --minio   the same on two real MinIO servers, until everything is replicated
  web            make the page for browsers in target/web, and serve it beside the demo's server
  check          format, lints, layers, licences, documentation, native tests: a minute or two
  test           check, set up every tool, and run every other test
  tools          set up the tools only
  fuzz           run each fuzz target for a few seconds
  bench          compare what is handed out with the Go peer and with native hyper
                 [--objects N]
  bench --backlog  memory and entries listed over a thousand to ten million versions
  soak           run on two real MinIO servers that fail at random, and lose nothing
                 [--minutes M] [--seed N] [--journal FILE]
  compat         one story on each MinIO release of tests/compat.txt; builds them, some 5 minutes each
  kube           run the Jobs of docs/ in a real Kubernetes of one node; as root, and the first
                 time it builds that for 20 minutes and more
  docs           write the pages of docs/ that are made from tables
  dist           make dist/: component, a host for each platform, packages, image, completions, man
                 page, SBOMs; a host is optimized as a whole, which takes a quarter of an hour each
  platforms      the same, and prove it: under qemu and Wine, through a registry, installed
  publish        push component, image and contract of dist/ to a registry
                 REGISTRY[/FOLDER] [--plain-http]
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["demo"] => demo::embedded(),
        ["demo", "--minio"] => demo::minio(),
        ["web"] => web::serve(),
        ["check"] => check::all(),
        ["test"] => test::run_everything(),
        ["tools"] => tools::all(),
        ["fuzz"] => fuzz::tool().and_then(|()| fuzz::smoke()),
        ["bench", rest @ ..] => tools::servers()
            .and_then(|()| build_handed_out())
            .and_then(|()| program("xtask-bench", rest)),
        ["soak", rest @ ..] => tools::servers().and_then(|()| program("soak", rest)),
        ["compat"] => compat::all(),
        ["kube"] => kube::run_jobs(),
        ["docs"] => check::write_docs(),
        ["dist"] => tools::wasm_target().and_then(|()| program("xtask-dist", &[])),
        ["platforms"] => platforms::all(),
        ["publish", rest @ ..] => program("xtask-dist", &[&["publish"], rest].concat()),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::FAILURE;
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Builds everything and becomes one of the programs, so that Ctrl-C is its own.
fn program(name: &str, words: &[&str]) -> Result {
    build_all()?;
    let error = Command::new(built(name)).args(words).exec();
    Err(format!("{} does not start: {error}", built(name).display()))
}
