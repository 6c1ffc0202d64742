//! The packages install what belongs to a command, and are removed without a trace.

use super::dist;
use super::image::HERE;
use mc_wasi_tests::minio::workspace_root;
use mc_wasi_tests::process::succeed;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// What there is after an installation, beside the completions.
const FILES: [&str; 6] = [
    "usr/bin/mc-wasi",
    "usr/bin/mc-replicate-resync-backlog",
    "usr/share/man/man1/mc-replicate-resync-backlog.1.gz",
    "usr/lib/systemd/system/mc-replicate-resync-backlog.service",
    "usr/lib/systemd/system/mc-replicate-resync-backlog.timer",
    "usr/share/doc/mc-wasi/copyright",
];

/// The only package of a form.
fn package(form: &str, architecture: &str) -> PathBuf {
    let version = env!("CARGO_PKG_VERSION");
    match form {
        "deb" => dist(&format!("mc-wasi_{version}-1_{architecture}.deb")),
        _ => {
            let architecture = if architecture == "arm64" { "aarch64" } else { "x86_64" };
            dist(&format!("mc-wasi-{version}-1.{architecture}.rpm"))
        }
    }
}

#[test]
fn cargo_binstall_is_told_what_the_archives_are_called() {
    let manifest =
        fs::read_to_string(workspace_root().join("host/Cargo.toml")).expect("a manifest");
    let said = |name: &str| {
        let line = manifest.lines().find(|line| line.starts_with(name)).expect("what it is told");
        line.split('"').nth(1).expect("in quotes").to_owned()
    };
    let name = said("pkg-url").rsplit('/').next().expect("a name").to_owned();
    let archives = fs::read_dir(dist("")).expect("dist/").flatten();
    let archives = archives.filter_map(|file| file.file_name().into_string().ok());
    let mut archives = archives.filter(|name| name.ends_with(".tar.gz")).peekable();
    assert!(archives.peek().is_some());
    for archive in archives {
        let target = archive.strip_prefix("mc-wasi-").and_then(|name| name.strip_suffix(".tar.gz"));
        let target = target.expect("a target");
        assert_eq!(name.replace("{ target }", target), archive);
        let listed = succeed(Command::new("tar").arg("-tzf").arg(dist(&archive)));
        let extension = if target.contains("windows") { ".exe" } else { "" };
        let program =
            said("bin-dir").replace("{ bin }", "mc-wasi").replace("{ binary-ext }", extension);
        assert!(listed.lines().any(|file| file == program), "{listed}");
    }
}

/// What holds of an installation below a folder.
fn is_installed(root: &Path, zsh: &str) {
    for file in FILES {
        assert!(root.join(file).is_file(), "{file} is not there");
    }
    for name in ["mc-wasi", "mc-replicate-resync-backlog"] {
        for file in [
            format!("usr/share/bash-completion/completions/{name}"),
            format!("usr/share/zsh/{zsh}/_{name}"),
            format!("usr/share/fish/vendor_completions.d/{name}.fish"),
        ] {
            assert!(root.join(&file).is_file(), "{file} is not there");
        }
    }
    let unit = root.join("usr/lib/systemd/system/mc-replicate-resync-backlog.service");
    let unit = fs::read_to_string(unit).expect("the unit");
    assert!(unit.contains("ExecStart=/usr/bin/mc-wasi "), "{unit}");
    // By its second name the program is the command itself.
    let help = succeed(Command::new(root.join(FILES[1])).arg("--version"));
    assert!(help.starts_with("mc-replicate-resync-backlog version"), "{help}");
    let page = succeed(Command::new("gzip").arg("-dc").arg(root.join(FILES[2])));
    assert!(page.contains("clear"), "the manual page is whole");
}

#[test]
fn the_debian_package_installs_and_goes() {
    let root = TempDir::new().expect("a root");
    let admin = root.path().join("var/lib/dpkg");
    fs::create_dir_all(admin.join("updates")).expect("a folder for dpkg");
    fs::create_dir_all(admin.join("info")).expect("a folder for dpkg");
    for file in ["status", "available"] {
        fs::write(admin.join(file), "").expect("a file for dpkg");
    }
    let dpkg = || {
        let mut dpkg = Command::new("dpkg");
        let log = root.path().join("log").display().to_string();
        dpkg.arg("--root").arg(root.path()).arg(format!("--log={log}")).arg("--force-not-root");
        dpkg
    };
    succeed(dpkg().arg("--install").arg(package("deb", HERE)));
    is_installed(root.path(), "vendor-completions");
    succeed(dpkg().args(["--purge", "mc-wasi"]));
    assert!(FILES.iter().all(|file| !root.path().join(file).exists()), "something is left");
}

#[test]
fn the_rpm_package_installs_and_goes() {
    let root = TempDir::new().expect("a root");
    let rpm = || {
        let mut rpm = Command::new("rpm");
        rpm.arg("--root").arg(root.path());
        rpm
    };
    // Its database knows nothing of this machine, whose packages are others.
    succeed(rpm().args(["--install", "--nodeps"]).arg(package("rpm", HERE)));
    is_installed(root.path(), "site-functions");
    succeed(rpm().args(["--erase", "mc-wasi"]));
    assert!(FILES.iter().all(|file| !root.path().join(file).exists()), "something is left");
}
