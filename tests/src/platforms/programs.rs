//! The programs, each on the platform that it is for.

use super::{dist, triggers_everything, unpacked};
use crate::minio::tool;
use crate::process::succeed;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::process::Command;
use tempfile::TempDir;

pub(super) fn need_nothing() {
    for target in ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"] {
        let folder = unpacked(target);
        let headers = succeed(
            Command::new("readelf")
                .args(["--program-headers", "--dynamic", "--wide"])
                .arg(folder.path().join("mc-wasi")),
        );
        assert!(headers.contains("LOAD") && !headers.contains("INTERP"), "{target}: {headers}");
        assert!(!headers.contains("NEEDED"), "{target}: {headers}");
    }
}

pub(super) fn under_qemu() {
    let folder = unpacked("aarch64-unknown-linux-musl");
    triggers_everything(Command::new("qemu-aarch64").arg(folder.path().join("mc-wasi")));
}

/// What macOS on arm64 starts: a program whose every page is in its signature, if only an ad hoc one.
pub(super) fn signed_for_macos() {
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

pub(super) fn by_krew() {
    let home = TempDir::new().expect("a home");
    let archive = dist("mc-wasi-x86_64-unknown-linux-musl.tar.gz");
    let _ = succeed(
        Command::new(tool("bin/krew"))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home.path())
            .env("KREW_NO_UPGRADE_CHECK", "1")
            .arg("install")
            .arg(format!("--manifest={}", dist("krew/mc-replicate-resync-backlog.yaml").display()))
            .arg(format!("--archive={}", archive.display())),
    );
    let plugin = home.path().join(".krew/bin/kubectl-mc_replicate_resync_backlog");
    let said = succeed(Command::new(plugin).arg("--version"));
    assert!(said.starts_with("kubectl-mc_replicate_resync_backlog version"), "{said}");
}
