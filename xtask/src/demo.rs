//! Shows the main job on a server that needs no set-up.

use crate::tools;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use xtask::sh::{Result, Server, build, build_all, built, headline, root};

/// Why a newcomer waits. Everything else is built for the tests and benchmarks only.
const BUILDING: &str = "Building mc-wasi and the server that it is shown on";
const FIRST_TIME: &str = "\
   The first time this takes some 8 minutes on two cores: most of it for wasmtime, which translates
   WebAssembly to machine code. After that it takes seconds.";

/// A backlog of 150 versions on the embedded server.
pub fn embedded() -> Result {
    tools::wasm_target()?;
    headline(BUILDING);
    if !built("mc-wasi").is_file() {
        eprintln!("{FIRST_TIME}");
    }
    build(&["mc-wasi", "fake-minio"])?;
    let mut server =
        Server::start(Command::new(built("fake-minio")).args(["--demo", "--until-eof"]))?;
    let listening = server.line()?;
    let url = listening.strip_prefix("listening http://").unwrap_or_default();
    let alias = ("MC_HOST_myaistor".to_owned(), format!("http://minioadmin:minioadmin@{url}"));
    let aliases = [alias];

    headline("150 versions of mybucket wait for replication. What would be triggered?");
    show(&aliases, "myaistor/mybucket/invoices/2026/11 --dry-run", true)?;
    headline("Trigger them all; two of them are broken on the server.");
    show(&aliases, "myaistor/mybucket", false)?;
    headline("What is left? Only those that failed.");
    show(&aliases, "myaistor/mybucket --dry-run", true)?;
    headline("The server saw");
    println!("{}", server.stop()?);
    Ok(())
}

/// A stuck backlog on two real servers, triggered until it is replicated.
pub fn minio() -> Result {
    tools::servers()?;
    build_all()?;
    headline("Starting two MinIO servers; the target refuses the replication of 500 objects…");
    let mut server = Server::start(Command::new(built("stuck-backlog")).arg("500"))?;
    let mut aliases = Vec::new();
    while aliases.len() < 2 {
        let line = server.line()?;
        if let Some((name, url)) =
            line.split_once('=').filter(|(name, _)| name.starts_with("MC_HOST_"))
        {
            aliases.push((name.to_owned(), url.to_owned()));
        }
    }
    headline("The target is back, and nothing happens: the backlog is stuck.");
    show(&aliases, "source/src --dry-run --json", true)?;
    headline("Trigger it.");
    show(&aliases, "source/src", true)?;
    headline("Wait for it to drain.");
    let until = Instant::now() + Duration::from_secs(120);
    loop {
        let output =
            mc_wasi(&aliases, "source/src --dry-run --json").stdout(Stdio::piped()).output();
        let output = output.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if text.lines().last().is_some_and(|line| line.contains("\"total\":0,")) {
            break;
        }
        if Instant::now() > until {
            return Err("the backlog did not drain within two minutes".to_owned());
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    show(&aliases, "source/src --dry-run", true)?;
    println!("\nEverything is replicated.");
    server.stop().map(drop)
}

fn mc_wasi(aliases: &[(String, String)], words: &str) -> Command {
    let mut command = Command::new(built("mc-wasi"));
    command.current_dir(root()).args(["replicate", "resync-backlog"]).args(words.split(' '));
    command.envs(aliases.iter().cloned());
    command
}

/// Runs `mc-wasi` in the open. `succeeds` is what it must do.
fn show(aliases: &[(String, String)], words: &str, succeeds: bool) -> Result {
    println!("$ mc-wasi replicate resync-backlog {words}");
    let long = words.contains("--json");
    let mut command = mc_wasi(aliases, words);
    if long {
        command.stdout(Stdio::piped());
    }
    let output = command.stderr(Stdio::inherit());
    let success = if long {
        let output = output.output().map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        if let [first, .., last] = lines.as_slice() {
            println!("{first}\n… {} more …\n{last}", lines.len() - 2);
        }
        output.status.success()
    } else {
        output.status().map_err(|error| error.to_string())?.success()
    };
    if success == succeeds {
        Ok(())
    } else {
        Err(format!("`mc-wasi … {words}` did not end as expected"))
    }
}
