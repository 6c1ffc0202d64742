//! The programs for other platforms do their job there, or as near as this machine comes.

use super::dist;
use mc_wasi_tests::fake::{Backlog, FakeServer, Options};
use mc_wasi_tests::minio::{tool, workspace_root};
use mc_wasi_tests::wait::wait_until;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

const WORDS: [&str; 3] = ["replicate", "resync-backlog", "myaistor/mybucket"];

/// The archive of a platform, unpacked.
fn unpacked(target: &str) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let archive = dist(&format!("mc-wasi-{target}.tar.gz"));
    let tar = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder.path()).status();
    assert!(tar.expect("tar").success());
    folder
}

/// Windows as Wine has it, made once, and the program there.
struct Windows {
    prefix: TempDir,
    program: TempDir,
}

impl Windows {
    fn get() -> &'static Self {
        static MADE: OnceLock<Windows> = OnceLock::new();
        MADE.get_or_init(|| {
            let prefix = TempDir::new().expect("a folder for Wine");
            let windows = Self { prefix, program: unpacked("x86_64-pc-windows-gnu") };
            let source = workspace_root().join("tests/wine/bcryptprimitives.c");
            let zig = Command::new(tool("python/bin/python-zig"))
                .args([
                    "cc",
                    "-target",
                    "x86_64-windows-gnu",
                    "-shared",
                    "-o",
                    "bcryptprimitives.dll",
                ])
                .arg(source)
                .arg("-ladvapi32")
                .current_dir(windows.program.path())
                .status();
            assert!(zig.expect("zig").success());
            // Whoever comes first would make the prefix, and two would at once.
            assert!(windows.wine().arg("--version").output().expect("wine").status.success());
            windows
        })
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

fn job(command: &mut Command) -> (Output, (u64, u64)) {
    let server = FakeServer::start(Options::with_backlog(Backlog::demo()));
    let output = command.args(WORDS).env("MC_HOST_myaistor", server.alias_url()).output();
    (output.unwrap_or_else(|error| panic!("{command:?}: {error}")), server.triggers())
}

fn triggers_everything(command: &mut Command) {
    let (output, triggers) = job(command);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), triggers), (Some(1), (148, 0)), "{told}");
}

#[test]
#[ignore = "made by cargo xtask platforms"]
fn the_programs_for_linux_need_nothing_of_the_system() {
    for target in ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"] {
        let folder = unpacked(target);
        let headers = Command::new("readelf")
            .args(["--program-headers", "--dynamic", "--wide"])
            .arg(folder.path().join("mc-wasi"))
            .output()
            .expect("readelf");
        let headers = String::from_utf8_lossy(&headers.stdout).into_owned();
        assert!(headers.contains("LOAD") && !headers.contains("INTERP"), "{target}: {headers}");
        assert!(!headers.contains("NEEDED"), "{target}: {headers}");
    }
}

#[test]
#[ignore = "made by cargo xtask platforms"]
fn the_program_for_arm64_does_its_job_under_qemu() {
    let folder = unpacked("aarch64-unknown-linux-musl");
    triggers_everything(Command::new("qemu-aarch64").arg(folder.path().join("mc-wasi")));
}

#[test]
#[ignore = "made by cargo xtask platforms"]
fn the_program_for_windows_does_its_job_under_wine() {
    triggers_everything(&mut Windows::get().wine());
}

#[test]
#[ignore = "made by cargo xtask platforms"]
fn on_windows_an_alias_is_where_mc_has_it() {
    let windows = Windows::get();
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

#[test]
#[ignore = "made by cargo xtask platforms"]
fn on_windows_ctrl_c_lets_requests_in_flight_finish_and_shows_what_was_done() {
    let server = FakeServer::start(Options::with_backlog(Backlog::synthetic(10_000, 1)));
    let mut child = Windows::get()
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
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
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

/// What macOS on arm64 starts: a program whose every page is in its signature, if only an ad hoc one.
#[test]
#[ignore = "made by cargo xtask platforms"]
fn the_program_for_macos_is_signed_as_it_is() {
    let folder = unpacked("aarch64-apple-darwin");
    let program = fs::read(folder.path().join("mc-wasi")).expect("the program");
    let little = |at: usize| u32::from_le_bytes(program[at..at + 4].try_into().unwrap()) as usize;
    let big = |at: usize| u32::from_be_bytes(program[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(little(0), 0xfeed_facf, "Mach-O of 64 bits");
    let mut command = 32;
    let signature = (0..little(16)).find_map(|_| {
        let (kind, size) = (little(command), little(command + 4));
        let found = (kind == 0x1d).then(|| little(command + 8));
        command += size;
        found
    });
    let signature = signature.expect("a signature");
    let parts = (0..big(signature + 8)).map(|part| signature + big(signature + 16 + 8 * part));
    let directory = parts.into_iter().find(|part| big(*part) == 0xfade_0c02).expect("a directory");
    let (hashes, count, end) = (big(directory + 16), big(directory + 28), big(directory + 32));
    let (size, page) = (program[directory + 36] as usize, 1usize << program[directory + 39]);
    assert_eq!((size, end), (32, signature), "SHA-256 of all before the signature");
    assert_eq!(count, end.div_ceil(page));
    for number in 0..count {
        let at = directory + hashes + number * size;
        let hash = Sha256::digest(&program[number * page..end.min((number + 1) * page)]);
        assert!(hash[..] == program[at..at + size], "page {number} was changed afterwards");
    }
}

#[test]
#[ignore = "made by cargo xtask platforms"]
fn krew_installs_the_plugin_from_its_manifest() {
    let home = TempDir::new().expect("a home");
    let archive = dist("mc-wasi-x86_64-unknown-linux-musl.tar.gz");
    let krew = Command::new(tool("bin/krew"))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", home.path())
        .env("KREW_NO_UPGRADE_CHECK", "1")
        .arg("install")
        .arg(format!("--manifest={}", dist("krew/mc-replicate-resync-backlog.yaml").display()))
        .arg(format!("--archive={}", archive.display()))
        .output()
        .expect("krew");
    assert!(krew.status.success(), "{}", String::from_utf8_lossy(&krew.stderr));
    let plugin = home.path().join(".krew/bin/kubectl-mc_replicate_resync_backlog");
    let said = Command::new(plugin).arg("--version").output().expect("the plugin");
    assert!(said.stdout.starts_with(b"kubectl-mc_replicate_resync_backlog version"));
}
