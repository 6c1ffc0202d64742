//! The real `mc`, for what a test has to set up and has no need to look at closely.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::server::Minio;
use super::tools::mc_path;

/// An `mc` with a configuration directory and aliases of its own.
#[derive(Debug)]
pub struct Mc {
    config: TempDir,
    aliases: Vec<(String, String)>,
}

impl Mc {
    /// An `mc` that knows no server.
    ///
    /// # Panics
    /// When there is no room for a temporary directory.
    #[must_use]
    pub fn new() -> Self {
        Self { config: TempDir::new().expect("a temporary directory"), aliases: Vec::new() }
    }

    /// Makes a server known under a name, with its root user. Its certificate, if it has one, is
    /// trusted.
    ///
    /// # Panics
    /// When the certificate cannot be copied.
    #[must_use]
    pub fn alias(self, name: &str, server: &Minio) -> Self {
        if let Some(certs) = server.certs() {
            let trusted = self.config.path().join("certs/CAs");
            fs::create_dir_all(&trusted).expect("make the directory of trusted certificates");
            fs::copy(certs.ca_file(), trusted.join(format!("{name}.crt")))
                .expect("copy a certificate");
        }
        self.alias_url(name, &server.alias_url(server.root()))
    }

    /// Makes a server known by the value of its `MC_HOST_*` variable.
    #[must_use]
    pub fn alias_url(mut self, name: &str, url: &str) -> Self {
        self.aliases.push((format!("MC_HOST_{name}"), url.to_owned()));
        self
    }

    /// The configuration directory, for a test that gives it to the program under test.
    #[must_use]
    pub fn config_dir(&self) -> &Path {
        self.config.path()
    }

    /// The `MC_HOST_*` variables.
    #[must_use]
    pub fn env(&self) -> &[(String, String)] {
        &self.aliases
    }

    /// Runs `mc` and returns what it printed.
    ///
    /// # Panics
    /// When it fails, with everything it said.
    #[track_caller]
    pub fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> String {
        let output = self.output(args);
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "mc {} failed ({})\n{stdout}{}",
            args.iter().map(|arg| arg.as_ref().to_string_lossy()).collect::<Vec<_>>().join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        stdout
    }

    /// Runs `mc --json` and returns the objects it printed.
    ///
    /// # Panics
    /// When it fails or prints something else.
    #[track_caller]
    pub fn json<S: AsRef<OsStr>>(&self, args: &[S]) -> Vec<Value> {
        let mut all: Vec<&OsStr> = vec![OsStr::new("--json")];
        all.extend(args.iter().map(AsRef::as_ref));
        let stdout = self.run(&all);
        serde_json::Deserializer::from_str(&stdout)
            .into_iter()
            .collect::<Result<_, _>>()
            .unwrap_or_else(|error| panic!("mc printed no JSON ({error}):\n{stdout}"))
    }

    /// Runs `mc` and leaves the outcome to the caller.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn output<S: AsRef<OsStr>>(&self, args: &[S]) -> Output {
        Command::new(mc_path())
            .arg("--config-dir")
            .arg(self.config.path())
            .args(["--no-color", "--disable-pager"])
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.config.path())
            .envs(self.aliases.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()
            .expect("start mc")
    }
}

impl Default for Mc {
    fn default() -> Self {
        Self::new()
    }
}
