//! The container image holds the program alone, and runs.

use super::dist;
use mc_wasi_tests::fake::{Backlog, FakeServer, Options};
use mc_wasi_tests::image::Image;
use std::path::PathBuf;

/// The architecture of this machine, as Go calls it.
pub(super) const HERE: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };

/// What the program of this build needs of a system: its C library. What is handed out needs nothing.
pub(super) fn libraries() -> &'static [&'static str] {
    let handed_out = dist("mc-wasi-x86_64-unknown-linux-musl.tar.gz").is_file();
    if handed_out { &[] } else { &["/lib", "/lib64", "/usr/lib"] }
}

#[test]
fn the_image_is_the_program_on_an_empty_root() {
    let image = Image::unpack(&dist("image"), HERE);
    assert_eq!(image.files(), [PathBuf::from("mc-wasi")]);
}

#[test]
fn the_image_runs_without_a_shell_a_user_and_a_file_to_write_to() {
    let image = Image::unpack(&dist("image"), HERE);
    let server = FakeServer::start(Options::with_backlog(Backlog::demo()));
    let words = ["replicate", "resync-backlog", "myaistor/mybucket"];
    let alias = ("MC_HOST_myaistor", server.alias_url());
    let ran = image.run(&words, &[(alias.0, &alias.1)], libraries());
    let told = String::from_utf8_lossy(&ran.stderr);
    assert_eq!((ran.status.code(), server.triggers()), (Some(1), (148, 0)), "{told}");
}

#[test]
fn in_the_image_the_authorities_are_those_of_the_program_and_debug_says_so() {
    let image = Image::unpack(&dist("image"), HERE);
    let server = FakeServer::start(Options { tls: true, ..Options::with_backlog(Backlog::demo()) });
    let alias = server.alias_url();
    let run = |more: &[&str]| {
        let words =
            [&["replicate", "resync-backlog", "--debug", "myaistor/mybucket"], more].concat();
        let ran = image.run(&words, &[("MC_HOST_myaistor", &alias)], libraries());
        (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    let says = |told: &str| told.contains("<DEBUG> This system has no certificates of authorities");
    let (status, told) = run(&[]);
    assert!(says(&told) && status == Some(1) && server.triggers() == (0, 0), "{told}");
    assert!(told.contains("authority"), "nobody vouches for this server: {told}");
    let (_, told) = run(&["--insecure"]);
    assert!(!says(&told) && server.triggers() == (148, 0), "{told}");
}
