//! The program for Windows, under Wine.

use super::{WORDS, triggers_everything, unpacked};
use crate::fake::{Backlog, FakeServer, Options};
use crate::minio::{tool, workspace_root};
use crate::process::succeed;
use crate::wait::wait_until;
use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A claim, and what finds out whether it holds.
type Claim = (&'static str, fn(&Windows));

/// What holds of it.
pub(super) const CLAIMS: [Claim; 3] = [
    ("the program for Windows does its job under Wine", does_its_job),
    ("on Windows an alias is where mc has it", alias),
    ("on Windows Ctrl-C lets requests in flight finish and shows what was done", ctrl_c),
];

/// Windows as Wine has it, and the program there.
pub(super) struct Windows {
    prefix: TempDir,
    program: TempDir,
}

impl Windows {
    pub(super) fn new() -> Self {
        let prefix = TempDir::new().expect("a folder for Wine");
        let windows = Self { prefix, program: unpacked("x86_64-pc-windows-gnu") };
        let _ = succeed(
            Command::new(tool("python/bin/python-zig"))
                .args(["cc", "-target", "x86_64-windows-gnu", "-shared"])
                .args(["-o", "bcryptprimitives.dll"])
                .arg(workspace_root().join("tests/wine/bcryptprimitives.c"))
                .arg("-ladvapi32")
                .current_dir(windows.program.path()),
        );
        // The first program that Wine runs makes the folders of the user.
        let _ = succeed(windows.wine().arg("--version"));
        windows
    }

    /// The program, with nothing of this machine but where Wine is.
    fn wine(&self) -> Command {
        let mut command = Command::new("wine");
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.prefix.path());
        command.env("WINEPREFIX", self.prefix.path().join("wine")).env("WINEDEBUG", "-all");
        command.arg(self.program.path().join("mc-wasi.exe"));
        command
    }

    /// The folder of the user, `%USERPROFILE%`.
    fn profile(&self) -> PathBuf {
        let users = fs::read_dir(self.prefix.path().join("wine/drive_c/users")).expect("users");
        let mut users = users.map(|user| user.expect("a user").path());
        users.find(|user| !user.ends_with("Public")).expect("a user")
    }
}

fn does_its_job(windows: &Windows) {
    triggers_everything(&mut windows.wine());
}

fn alias(windows: &Windows) {
    let server = FakeServer::start(Options::with_backlog(Backlog::demo()));
    let folder = windows.profile().join("mc");
    fs::create_dir_all(&folder).expect("a folder");
    let config = serde_json::json!({"version": "10", "aliases": {"mine": {
        "url": server.url(), "accessKey": "minioadmin", "secretKey": "minioadmin", "api": "S3v4", "path": "auto",
    }}});
    fs::write(folder.join("config.json"), config.to_string()).expect("a configuration");
    let output = windows.wine().args(["replicate", "resync-backlog", "mine/mybucket"]).output();
    let output = output.expect("wine");
    assert_eq!(server.triggers(), (148, 0), "{}", String::from_utf8_lossy(&output.stderr));
}

fn ctrl_c(windows: &Windows) {
    let server = FakeServer::start(Options::with_backlog(Backlog::synthetic(10_000, 1)));
    let mut child = windows
        .wine()
        .args(WORDS)
        .args(["--json", "--rate-limit", "50"])
        .env("MC_HOST_myaistor", server.alias_url())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("wine");
    wait_until("something is triggered", || server.triggers().0 > 0);
    // The process becomes the program, and Wine makes the signal a Ctrl-C.
    let id = child.id().to_string();
    let _ = succeed(Command::new("kill").args(["-INT", &id]));
    let mut lines = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut lines).expect("text");
    let last: serde_json::Value =
        serde_json::from_str(lines.lines().last().expect("a summary")).expect("JSON");
    assert_eq!(child.wait().expect("an end").code(), Some(130));
    assert_eq!(
        (&last["complete"], last["processed"].as_u64()),
        (&false.into(), Some(server.triggers().0))
    );
}
