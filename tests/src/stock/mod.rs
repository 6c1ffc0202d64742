//! Hosts that are not ours: they run the very bytes that `mc-wasi` embeds.
//!
//! Each is installed in a fixed version by `cargo xtask tools`: the wasmtime command, jco on Node,
//! wasmtime-py, Deno, Bun; and [`browser`]s. [`claims`] and [`typed`] are what every one of them has to hold.

pub mod browser;
pub mod claims;
mod ran;
pub mod typed;

use crate::fake::FakeServer;
use crate::mcwasi::{McWasi, Ran};
use crate::minio::{tool, workspace_root};
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

pub use ran::{Typed, comparable};

/// The alias all runs use.
const ALIAS: &str = "myaistor";

/// A host that is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// `wasmtime run`.
    Wasmtime,
    /// `jco run` on Node, and transpiled by jco for a program.
    Jco,
    /// wasmtime-py.
    Python,
    /// Deno. The command is transpiled by jco with its shim for Node, the job for programs with the one for
    /// browsers.
    Deno,
    /// Bun, in the same two ways.
    Bun,
}

/// A folder with the component in it, and the program to compare with.
#[derive(Debug)]
pub struct Stage {
    host: Host,
    mc_wasi: &'static str,
    folder: TempDir,
    transpiled: OnceLock<()>,
    fetching: OnceLock<PathBuf>,
}

impl Stage {
    /// `component` is what `mc_wasi`, the path of the built program, embeds.
    pub fn new(host: Host, mc_wasi: &'static str, component: &[u8]) -> Self {
        let folder = TempDir::new().expect("a folder for the component");
        let stage =
            Self { host, mc_wasi, folder, transpiled: OnceLock::new(), fetching: OnceLock::new() };
        fs::write(stage.component(), component).expect("the component is written");
        stage
    }

    /// The component as a file, named as it is distributed.
    pub fn component(&self) -> PathBuf {
        self.folder.path().join("mc-replicate-resync-backlog.wasm")
    }

    /// Runs the command in the host.
    pub fn run(&self, alias_url: &str, words: &[&str]) -> Ran {
        self.run_and_read_late(alias_url, words, || ())
    }

    /// Runs the command in the host, with this coming through a pipe as its standard input.
    pub fn run_with(&self, alias_url: &str, words: &[&str], input: &str) -> Ran {
        let mut command = self.command();
        command.args(words).env(format!("MC_HOST_{ALIAS}"), alias_url);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the host starts");
        let mut pipe = child.stdin.take().expect("a pipe");
        std::thread::scope(|scope| {
            // A host that ends early reads no more: what it says tells why.
            scope.spawn(move || pipe.write_all(input.as_bytes()));
            Ran::from(child.wait_with_output().expect("the host ends"))
        })
    }

    /// Runs the command in the host, and reads what it prints only when `late` has returned.
    pub fn run_and_read_late(&self, alias_url: &str, words: &[&str], late: impl FnOnce()) -> Ran {
        let mut command = self.command();
        command.args(words).env(format!("MC_HOST_{ALIAS}"), alias_url).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("the host starts");
        late();
        Ran::from(child.wait_with_output().expect("the host ends"))
    }

    /// Runs the command in `mc-wasi`.
    pub fn run_in_mc_wasi(&self, alias_url: &str, words: &[&str]) -> Ran {
        McWasi::new(self.mc_wasi).alias(ALIAS, alias_url).run(words)
    }

    fn command(&self) -> Command {
        let mut command = match self.host {
            Host::Wasmtime => {
                let mut command = Command::new(tool("bin/wasmtime"));
                command.args(["run", "-S", "http", "--env", &format!("MC_HOST_{ALIAS}")]);
                command.arg(self.component());
                command
            }
            Host::Jco => {
                let mut command = Command::new("node");
                command.arg(jco()).arg("run").arg(self.component());
                command
            }
            Host::Python => {
                let mut command = Command::new(tool("python/bin/python"));
                command.arg(workspace_root().join("examples/run.py")).arg(self.component());
                command
            }
            Host::Deno | Host::Bun => {
                self.transpile();
                let mut command = self.runtime();
                command.arg(self.folder.path().join("run.mjs"));
                command
            }
        };
        self.isolate(&mut command);
        if self.host == Host::Jco {
            // jco takes a space to end an argument.
            let blocking = workspace_root().join("examples/blocking.mjs");
            let blocking = blocking.display().to_string().replace(' ', "%20");
            command.env("JCO_RUN_ARGS", format!("--import=file://{blocking}"));
        }
        command
    }

    /// Drives the typed interface in the host; `stop_after` events it stops the job, unless 0.
    ///
    /// # Panics
    /// When the host has none: the wasmtime command cannot hold a resource between two calls.
    pub fn typed(&self, options: &Value, stop_after: u32) -> Typed {
        let mut command = match self.host {
            Host::Wasmtime => panic!("examples/embed.rs shows the typed interface in wasmtime"),
            Host::Jco => {
                self.transpile();
                let mut command = Command::new("node");
                command.arg(self.folder.path().join("typed.mjs"));
                command
            }
            Host::Python => {
                let mut command = Command::new(tool("python/bin/python"));
                command.arg(script("python/typed.py")).arg(self.component());
                command
            }
            Host::Deno | Host::Bun => {
                let mut command = self.runtime();
                command.arg(self.fetching().join("typed.mjs"));
                command
            }
        };
        self.isolate(&mut command);
        command.arg(options.to_string()).arg(stop_after.to_string()).stdin(Stdio::null());
        Typed::from(&Ran::from(command.output().expect("the host starts")))
    }

    /// What runs JavaScript in this host, with all rights.
    fn runtime(&self) -> Command {
        match self.host {
            Host::Deno => {
                let mut command = Command::new(deno());
                command.args(["run", "--no-prompt", "--allow-all"]);
                command
            }
            Host::Bun => Command::new(tool("runtimes/node_modules/bun/bin/bun.exe")),
            _ => Command::new("node"),
        }
    }

    /// A folder with the component as a module that asks by `fetch`, and the programs that drive it.
    pub fn fetching(&self) -> &Path {
        self.fetching.get_or_init(|| {
            let folder = self.folder.path().join("fetching");
            fs::create_dir(&folder).expect("a folder");
            copy_programs(&folder);
            let shim = |package: &str| format!("{BROWSER_SHIM}/{package}.js");
            xtask::page::module(&self.component(), &folder.join("component"), shim).expect("jco");
            folder
        })
    }

    /// Makes the component a JavaScript module, next to the program that imports it.
    fn transpile(&self) {
        self.transpiled.get_or_init(|| {
            copy_programs(self.folder.path());
            transpile(&self.component(), self.folder.path());
        });
    }

    fn isolate(&self, command: &mut Command) {
        isolate(command, self.folder.path());
    }
}

/// Makes `component` a JavaScript module in `folder/component`, as the documentation says, and lets
/// programs in `folder` find the packages it needs.
///
/// # Panics
/// When jco is missing or fails.
pub fn transpile(component: &Path, folder: &Path) {
    link_packages(folder);
    let mut command = Command::new("node");
    isolate(&mut command, folder);
    command.arg(jco()).args(["transpile", "--name", "resync", "-o"]);
    let output = command.arg(folder.join("component")).arg(component).output().expect("node");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Lets programs in `folder` find the packages they need.
fn link_packages(folder: &Path) {
    let packages = jco().ancestors().nth(4).expect("node_modules").to_owned();
    let link = folder.join("node_modules");
    if !link.exists() {
        std::os::unix::fs::symlink(packages, link).expect("a link");
    }
}

/// The programs that run or drive a module beside them, and what Deno needs to see that packages are Node's.
fn copy_programs(folder: &Path) {
    link_packages(folder);
    fs::write(folder.join("package.json"), "{}").expect("package.json");
    fs::copy(script("node/typed.mjs"), folder.join("typed.mjs")).expect("a copy");
    for program in ["run.mjs", "blocking.mjs", "embed.mjs"] {
        let from = workspace_root().join("examples").join(program);
        fs::copy(from, folder.join(program)).expect("a copy");
    }
}

/// Nothing of the machine leaks into the program but where to find `node`.
pub fn isolate(command: &mut Command, home: &Path) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("HOME", home);
}

/// The interpreter with wasmtime-py.
pub fn python() -> PathBuf {
    tool("python/bin/python")
}

/// Deno.
pub fn deno() -> PathBuf {
    tool("runtimes/node_modules/deno/deno")
}

/// The folder with Deno and Bun by their names.
pub fn programs() -> PathBuf {
    tool("runtimes/node_modules/.package-lock.json").with_file_name(".bin")
}

/// jco's shim over `fetch`, seen from a module beside `node_modules`.
const BROWSER_SHIM: &str = "../node_modules/@bytecodealliance/preview2-shim/dist/browser";

fn jco() -> PathBuf {
    tool("node/node_modules/@bytecodealliance/jco/dist/jco.js")
}

fn script(name: &str) -> PathBuf {
    workspace_root().join("tests/stock").join(name)
}

/// Options of the typed interface for a fake server, all else as the command's defaults.
pub fn options(server: &FakeServer, change: &Value) -> Value {
    let alias = server.alias_url();
    let keys = alias.split("://").nth(1).and_then(|rest| rest.rsplit_once('@'));
    let (access, secret) = keys.and_then(|(keys, _)| keys.split_once(':')).expect("keys");
    let mut options = json!({
        "endpoint": server.url(),
        "credentials": {"access-key": access, "secret-key": secret, "session-token": null},
        "region": null, "bucket": "mybucket", "prefix": "", "arn": null, "filter": null,
        "versions": null, "mode": "trigger", "concurrent": 10, "rate-limit": null, "max-queue": null,
    });
    for (name, value) in change.as_object().into_iter().flatten() {
        options[name] = value.clone();
    }
    options
}
