//! A real proxy: Debian's tinyproxy, with a log.

use std::fs;

use crate::daemon::Daemon;

/// A running proxy, which ends when it is dropped.
#[derive(Debug)]
pub struct Tinyproxy(Daemon);

impl Tinyproxy {
    /// Starts one; with `login`, it asks for user and password.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start(login: Option<(&str, &str)>) -> Self {
        let login =
            login.map_or(String::new(), |(user, word)| format!("BasicAuth {user} {word}\n"));
        Self(Daemon::start("tinyproxy", |dir, port| {
            let config = format!(
                "Port {port}\nListen 127.0.0.1\nTimeout 60\nLogLevel Connect\nLogFile \"{}\"\nMaxClients 50\n{login}",
                dir.join("log").display()
            );
            let file = dir.join("tinyproxy.conf");
            fs::write(&file, config).expect("a file");
            vec!["-d".to_owned(), "-c".to_owned(), file.display().to_string()]
        }))
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn authority(&self) -> String {
        self.0.authority()
    }

    /// What it wrote down.
    #[must_use]
    pub fn log(&self) -> String {
        self.0.file("log")
    }

    /// How many requests it took, tunnels included.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.log().matches("Request (file descriptor").count()
    }
}
