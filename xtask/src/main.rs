//! `cargo xtask TASK`: everything a contributor runs, in one place.

mod backlog;
mod bench;
mod demo;
mod dist;
mod fuzz;
mod sh;
mod soak;
mod stock;
mod test;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask TASK

  demo           build everything and trigger a backlog on an embedded server
  demo --minio   the same on two real MinIO servers, until everything is replicated
  test           set up every tool and run every test
  tools          set up the tools only
  fuzz           run each fuzz target for a few seconds
  bench          compare with the Go peer and with native hyper
  bench --backlog  memory and repeated listing over five and ten million versions
  soak           run on two real MinIO servers that fail at random, and lose nothing
                 [--minutes M] [--seed N] [--journal FILE]
  dist           make dist/: component, host, completions, man page, SBOM, OCI artifact
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["demo"] => demo::embedded(),
        ["demo", "--minio"] => demo::minio(),
        ["test"] => test::run_everything(),
        ["tools"] => tools::all(),
        ["dist"] => dist::dist(),
        ["fuzz"] => fuzz::tool().and_then(|()| fuzz::smoke()),
        ["bench", rest @ ..] => bench::run(rest),
        ["soak", rest @ ..] => soak::run(rest),
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
