//! A `minio server`: started on a free port, killed, started again, gone with its owner. It is one process, or
//! a cluster of several that have one port at addresses of their own.

use std::fs::{self, OpenOptions};
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::certs::Certs;
use super::client::{Client, Keys};
use super::tools::minio_path;
use crate::process::{Port, Process};

/// A server is ready after about half a second; on a busy machine a few were seen to take ten.
const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a server may take to finish after SIGTERM before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(25);
/// What is shown of the log when a server does not start.
const LOG_TAIL: usize = 4_000;

/// How a server is to run. The default is what most tests want: one drive, no region, no TLS.
#[derive(Debug)]
pub struct MinioOptions {
    nodes: usize,
    drives: usize,
    env: Vec<(String, String)>,
    region: Option<String>,
    root: Keys,
    certs: Option<Certs>,
}

impl Default for MinioOptions {
    fn default() -> Self {
        Self {
            nodes: 1,
            drives: 1,
            env: Vec::new(),
            region: None,
            root: Keys::new("minioadmin", "minioadmin"),
            certs: None,
        }
    }
}

impl MinioOptions {
    /// One drive (fastest) or an erasure set of four and more.
    #[must_use]
    pub fn drives(mut self, drives: usize) -> Self {
        self.drives = drives;
        self
    }

    /// A cluster of four nodes and more with a drive each, at 127.0.0.2, 127.0.0.3 and so on.
    #[must_use]
    pub fn nodes(mut self, nodes: usize) -> Self {
        (self.nodes, self.drives) = (nodes, nodes);
        self
    }

    /// Any variable of the server's environment, such as `MINIO_IDLE_TIMEOUT`.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// `MINIO_SITE_REGION`: from then on the server refuses S3 requests signed for another region.
    #[must_use]
    pub fn region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    /// A built-in key for SSE-S3 and SSE-KMS.
    #[must_use]
    pub fn kms(self) -> Self {
        self.env("MINIO_KMS_SECRET_KEY", "test-key:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    }

    /// Serve HTTPS with this certificate.
    #[must_use]
    pub fn tls(mut self, certs: Certs) -> Self {
        self.certs = Some(certs);
        self
    }
}

impl MinioOptions {
    /// Host and port of a node, counted from 0.
    fn authority(&self, port: &Port, node: usize) -> String {
        match self.nodes {
            1 => port.authority(),
            _ => format!("127.0.0.{}:{}", node + 2, port.number()),
        }
    }

    fn scheme(&self) -> &'static str {
        if self.certs.is_some() { "https" } else { "http" }
    }
}

fn connect(options: &MinioOptions, port: &Port, node: usize) -> Client {
    let region = options.region.as_deref().unwrap_or("us-east-1");
    let url = format!("{}://{}", options.scheme(), options.authority(port, node));
    Client::new(&url, region, options.root.clone())
}

/// A running server, or one that was killed and can be started again on the same port and data.
#[derive(Debug)]
pub struct Minio {
    options: MinioOptions,
    dir: TempDir,
    port: Port,
    /// For root. All clients share its connections; a server that was started again gets a new one.
    client: Client,
    /// One for each node, unless it was killed.
    processes: Vec<Option<Process>>,
}

impl Minio {
    /// Starts a server and waits until it serves signed requests.
    ///
    /// # Panics
    /// When it does not get there, with the end of its log.
    #[must_use]
    pub fn start(options: MinioOptions) -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let port = Port::take();
        let client = connect(&options, &port, 0);
        let mut minio = Self { options, dir, port, client, processes: Vec::new() };
        minio.restart();
        minio
    }

    /// `http://127.0.0.1:PORT`, or `https://` with TLS.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.options.scheme(), self.authority())
    }

    /// The value of an `MC_HOST_*` variable: the URL with keys in it.
    #[must_use]
    pub fn alias_url(&self, keys: &Keys) -> String {
        let token = keys.token.as_ref().map(|token| format!(":{token}")).unwrap_or_default();
        let scheme = self.options.scheme();
        format!("{scheme}://{}:{}{token}@{}", keys.access, keys.secret, self.authority())
    }

    /// `127.0.0.1:PORT`, or that of the first node.
    #[must_use]
    pub fn authority(&self) -> String {
        self.options.authority(&self.port, 0)
    }

    /// The port of all nodes.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The nodes, counted from 0.
    #[must_use]
    pub const fn nodes(&self) -> Range<usize> {
        0..self.options.nodes
    }

    /// A signed client for the root user, of one node, counted from 0.
    #[must_use]
    pub fn node_client(&self, node: usize) -> Client {
        connect(&self.options, &self.port, node)
    }

    /// The keys of the root user.
    #[must_use]
    pub fn root(&self) -> &Keys {
        &self.options.root
    }

    /// The certificate of a server with TLS.
    #[must_use]
    pub fn certs(&self) -> Option<&Certs> {
        self.options.certs.as_ref()
    }

    /// A signed client for the root user.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// A signed client for somebody else.
    #[must_use]
    pub fn client_for(&self, keys: Keys) -> Client {
        self.client.with_keys(keys)
    }

    /// The first drive: `data_dir()/bucket/key/xl.meta` is where a version lives.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.drive(1)
    }

    /// All drives.
    pub(super) fn data_dirs(&self) -> impl Iterator<Item = PathBuf> {
        (1..=self.options.drives).map(|number| self.drive(number))
    }

    /// Everything the server wrote to its terminal.
    #[must_use]
    pub fn log(&self) -> String {
        let logs = self.nodes().map(|node| fs::read_to_string(self.log_file(node)));
        logs.map(Result::unwrap_or_default).collect()
    }

    /// SIGKILL. What the server only had in memory is lost, its retry list of failed replications
    /// above all.
    pub fn kill(&mut self) {
        self.processes.drain(..).flatten().for_each(Process::end);
    }

    /// [`Minio::kill`] for one node, counted from 0.
    pub fn kill_node(&mut self, node: usize) {
        if let Some(process) = self.processes[node].take() {
            process.end();
        }
    }

    /// SIGTERM, and SIGKILL if that takes too long.
    pub fn stop(&mut self) {
        self.signal(Signal::SIGTERM);
        let started = Instant::now();
        for mut process in self.processes.drain(..).flatten() {
            while started.elapsed() < STOP_TIMEOUT && matches!(process.child.try_wait(), Ok(None)) {
                sleep(POLL);
            }
            process.end();
        }
    }

    /// SIGSTOP: the server accepts connections and answers nothing.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// SIGCONT after [`Minio::freeze`].
    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        self.processes.iter().flatten().for_each(|process| process.signal(signal));
    }

    /// Sets a variable of the server's environment, from its next start.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.options.env.push((name.to_owned(), value.to_owned()));
    }

    /// Kills the server if it runs and starts it on the same port and data.
    ///
    /// # Panics
    /// When it does not come up, with the end of its log.
    pub fn restart(&mut self) {
        self.kill();
        self.client = connect(&self.options, &self.port, 0);
        let nodes = self.nodes();
        self.processes = nodes.map(|node| Some(Process::spawn(&mut self.command(node)))).collect();
        if let Err(reason) = self.wait_ready() {
            self.kill();
            let log = self.log();
            let tail = log.char_indices().rev().nth(LOG_TAIL).map_or(0, |(at, _)| at);
            panic!("{} does not start: {reason}\n{}", self.url(), &log[tail..]);
        }
    }

    fn command(&self, node: usize) -> Command {
        let authority = self.options.authority(&self.port, node);
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_file(node))
            .expect("open the server's log");
        let mut command = Command::new(minio_path());
        command
            .args(["server", "--quiet", "--address", &authority])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .env("MINIO_ROOT_USER", &self.root().access)
            .env("MINIO_ROOT_PASSWORD", &self.root().secret)
            .env("MINIO_CI_CD", "1") // drives of one erasure set may share a disk
            .env("_MINIO_SCANNER", "off") // or it heals the backlog within a minute
            .env("MINIO_BROWSER", "off")
            .env("MINIO_UPDATE", "off")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("share the server's log"))
            .stderr(log);
        if let Some(region) = &self.options.region {
            command.env("MINIO_SITE_REGION", region);
        }
        if let Some(certs) = &self.options.certs {
            command.arg("--certs-dir").arg(certs.dir());
        }
        command.envs(self.options.env.iter().map(|(name, value)| (name, value)));
        if self.options.nodes == 1 {
            command.args(self.data_dirs());
            return command;
        }
        // A server takes every address of this machine with its port for its own, unless it is told in a
        // container which one is.
        command.env("KUBERNETES_SERVICE_HOST", "127.0.0.1").env("_MINIO_SERVER_LOCAL", authority);
        command.args(self.data_dirs().enumerate().map(|(node, drive)| {
            let authority = self.options.authority(&self.port, node);
            format!("{}://{authority}{}", self.options.scheme(), drive.display())
        }));
        command
    }

    /// Ready means: the health check says so and a signed request works. In between lies the
    /// loading of users and buckets.
    fn wait_ready(&mut self) -> Result<(), String> {
        let started = Instant::now();
        self.nodes().try_for_each(|node| self.wait_node(node, started))
    }

    fn wait_node(&mut self, node: usize, started: Instant) -> Result<(), String> {
        let client = if node == 0 { self.client() } else { self.node_client(node) };
        let mut last = "no answer yet".to_owned();
        while started.elapsed() < READY_TIMEOUT {
            let process = self.processes[node].as_mut().expect("a process that was just started");
            if let Ok(Some(status)) = process.child.try_wait() {
                return Err(format!("it ended at once ({status})"));
            }
            let healthy = client.try_get_unsigned("/minio/health/ready");
            let answer = match healthy {
                Ok(reply) if reply.status == 200 => client.try_send("s3", "GET", "/", &[], b""),
                other => other,
            };
            match answer {
                Ok(reply) if reply.status == 200 => return Ok(()),
                Ok(reply) => last = format!("status {} {}", reply.status, reply.text()),
                Err(error) => last = error,
            }
            sleep(POLL);
        }
        Err(format!("not ready after {READY_TIMEOUT:?}: {last}"))
    }

    fn drive(&self, number: usize) -> PathBuf {
        self.dir.path().join(format!("drive{number}"))
    }

    fn log_file(&self, node: usize) -> PathBuf {
        self.dir.path().join(format!("minio{node}.log"))
    }
}

impl Drop for Minio {
    fn drop(&mut self) {
        self.kill();
    }
}
