//! A real proxy: Debian's tinyproxy, on loopback, with a log.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

const READY: Duration = Duration::from_secs(30);

/// A running proxy, which ends when it is dropped.
#[derive(Debug)]
pub struct Tinyproxy {
    child: Child,
    dir: TempDir,
    port: u16,
}

impl Tinyproxy {
    /// Starts one; with `login`, it asks for user and password.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start(login: Option<(&str, &str)>) -> Self {
        let dir = TempDir::new().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("its address").port();
        drop(free);
        let login =
            login.map_or(String::new(), |(user, word)| format!("BasicAuth {user} {word}\n"));
        let log = dir.path().join("log");
        let config = format!(
            "Port {port}\nListen 127.0.0.1\nTimeout 60\nLogLevel Connect\nLogFile \"{}\"\nMaxClients 50\n{login}",
            log.display()
        );
        let file = dir.path().join("tinyproxy.conf");
        fs::write(&file, config).expect("a file");
        let child = Command::new("tinyproxy")
            .arg("-d")
            .arg("-c")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("tinyproxy is missing; install it with: apt-get install tinyproxy");
        let proxy = Self { child, dir, port };
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < READY, "tinyproxy does not listen: {}", proxy.log());
            sleep(Duration::from_millis(20));
        }
        proxy
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What it wrote down.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// How many requests it took, tunnels included.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.log().matches("Request (file descriptor").count()
    }
}

impl Drop for Tinyproxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
