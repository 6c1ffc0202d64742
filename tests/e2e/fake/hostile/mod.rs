//! Components that nobody audited are let loose on the sandbox: each of `tests/guests` is run under
//! the grant of an ordinary command line, and the server's log tells whether anything came that the
//! grant does not name.

pub(super) mod guests;
mod requests;
mod resources;

use std::process::Stdio;
use std::time::Duration;

use crate::mc_wasi_at;
use guests::Guest;
use mc_wasi_tests::fake::{Backlog, FakeServer, Logged, Options, Version};
use mc_wasi_tests::watch::{Finished, Watched};

/// What the host itself needs, the compiler included, beside the memory of the component.
const HOST_MIB: u64 = 250;
/// The component's memory by default.
const GUEST_MIB: u64 = 512;
const LIMIT: Duration = Duration::from_secs(120);

const SECRET: &str = "hostile-guests-want-this-key";

fn server(backlog: Backlog) -> FakeServer {
    let secret_key = SECRET.to_owned();
    FakeServer::start(Options { secret_key, ..Options::with_backlog(backlog) })
}

fn small_server() -> FakeServer {
    server(Backlog::of([Version::put("k").null(), Version::put("other").null()]))
}

fn start(server: &FakeServer, guest: Guest, stdout: impl Into<Stdio>, flags: &[&str]) -> Watched {
    let mc_wasi = mc_wasi_at(&server.alias_url());
    let words = ["replicate", "resync-backlog", "a/mybucket", "--component"];
    let mut command = mc_wasi.command(words);
    Watched::start(command.arg(guest.file()).args(flags).stdout(stdout))
}

fn let_loose(server: &FakeServer, guest: Guest, flags: &[&str]) -> Finished {
    let finished = start(server, guest, Stdio::piped(), flags).finish(LIMIT);
    println!("{guest:?}: {finished:#?}");
    assert!(finished.peak_mib < HOST_MIB + GUEST_MIB, "{} MiB", finished.peak_mib);
    finished
}

/// What a log has that the command line does not grant, by rules written anew.
fn outside(log: &[Logged], copies: bool) -> Vec<String> {
    let harmless = |logged: &Logged| {
        let (path, query) = logged.target.split_once('?').unwrap_or((&logged.target, ""));
        let key =
            path.strip_prefix("/mybucket/").is_some_and(|key| !key.contains(['/', '%', '\\']));
        match logged.method.as_str() {
            "HEAD" => key && query == "versionId=null",
            "PUT" => copies && key && query == "versionId=null",
            "POST" => path == "/minio/admin/v3/replication/diff" && query == "bucket=mybucket",
            _ => false,
        }
    };
    log.iter()
        .filter(|logged| !harmless(logged))
        .map(|logged| format!("{} {}", logged.method, logged.target))
        .collect()
}
