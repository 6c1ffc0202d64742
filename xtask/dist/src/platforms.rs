//! The systems that a program is handed out for, all built on one Linux machine: cargo-zigbuild gives the linker and
//! the C compiler of zig, which has the C libraries of all of them.

use std::env;
use std::fs;
use std::path::PathBuf;
use xtask::sh::{Result, cargo, root, run};
use xtask::{python, rust};

/// A system and a processor.
#[derive(Debug, PartialEq, Eq)]
pub struct Platform {
    /// As Rust calls it.
    pub target: &'static str,
    /// The system, as Go calls it.
    pub os: &'static str,
    /// The processor, as Go calls it.
    pub architecture: &'static str,
}

/// Linux first: musl, so that the program is one static file that needs nothing of the system.
pub const PLATFORMS: [Platform; 4] = [
    Platform { target: "x86_64-unknown-linux-musl", os: "linux", architecture: "amd64" },
    Platform { target: "aarch64-unknown-linux-musl", os: "linux", architecture: "arm64" },
    Platform { target: "x86_64-pc-windows-gnu", os: "windows", architecture: "amd64" },
    Platform { target: "aarch64-apple-darwin", os: "darwin", architecture: "arm64" },
];

impl Platform {
    /// What the tests run: a program of this machine, which needs its C library.
    pub fn tested() -> Result<Self> {
        let target = match env::consts::ARCH {
            "x86_64" => "x86_64-unknown-linux-gnu",
            "aarch64" => "aarch64-unknown-linux-gnu",
            other => return Err(format!("nothing is handed out for {other}")),
        };
        Ok(Self { target, os: "linux", architecture: here() })
    }

    /// Whether it is this machine's.
    pub fn is_here(&self) -> bool {
        self.os == "linux" && self.architecture == here()
    }

    /// What the program is called there.
    pub fn file(&self) -> &'static str {
        if self.os == "windows" { "mc-wasi.exe" } else { "mc-wasi" }
    }

    /// Builds the program, stripped.
    pub fn build(&self) -> Result<Vec<u8>> {
        rust::target(self.target)?;
        python::install("xtask/wheels/zig.txt")?;
        // `cargo zigbuild` is found there, and finds Python with zig there.
        let mut path = vec![python::programs()];
        path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        let path = env::join_paths(path).map_err(|error| error.to_string())?;
        let words = "zigbuild --locked --profile dist --package mc-wasi --bin mc-wasi --target";
        let mut build = cargo(words);
        build.arg(self.target);
        if self.architecture == "arm64" && here() != "arm64" {
            build.args(["--features", "for-arm64"]);
        }
        if self.os == "darwin" {
            // Apple's kit may not be handed on. To link takes the names of what is called, and no more.
            build.env("SDKROOT", root().join("xtask/dist/macos"));
        }
        run(build.env("PATH", path))?;
        let built = self.built();
        fs::read(&built).map_err(|error| format!("{}: {error}", built.display()))
    }

    fn built(&self) -> PathBuf {
        root().join("target").join(self.target).join("dist").join(self.file())
    }
}

/// The processor of this machine, as Go calls it.
fn here() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}
