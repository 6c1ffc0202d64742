//! A program of a Debian package that stands between a client and a server: on loopback, with a
//! folder of its own for its configuration and its logs, ended when it is dropped.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::{Port, Process};

const READY: Duration = Duration::from_secs(30);

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    process: Option<Process>,
    dir: TempDir,
    port: Port,
}

impl Daemon {
    /// Starts `program`, which the Debian package of the same name brings. `command` gets the folder
    /// and the port, writes what configuration there is into the one, and returns the arguments with
    /// which the program stays in the foreground and listens on the other, on 127.0.0.1.
    ///
    /// # Panics
    /// When it is not installed or does not listen.
    #[must_use]
    pub fn start(program: &str, command: impl FnOnce(&Path, u16) -> Vec<String>) -> Self {
        let dir = TempDir::new().expect("a folder");
        // Daemons that drop root's rights must be able to come in.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(dir.path(), open).expect("its permissions");
        let port = Port::take();
        let arguments = command(dir.path(), port.number());
        let output = fs::File::create(dir.path().join("output")).expect("a file");
        // Debian's users do not have /usr/sbin among their folders.
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
        let found = path.split(':').map(|folder| Path::new(folder).join(program));
        let program = found
            .into_iter()
            .find(|program| program.is_file())
            .unwrap_or_else(|| panic!("missing; install it with: apt-get install {program}"));
        let process = Process::spawn(
            Command::new(&program)
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(output.try_clone().expect("its second descriptor"))
                .stderr(output),
        );
        let daemon = Self { process: Some(process), dir, port };
        let began = Instant::now();
        while TcpStream::connect(daemon.authority()).is_err() {
            assert!(
                began.elapsed() < READY,
                "{} does not listen: {}",
                program.display(),
                daemon.file("output")
            );
            sleep(Duration::from_millis(20));
        }
        daemon
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn authority(&self) -> String {
        self.port.authority()
    }

    /// A file in its folder, such as a log; empty while there is none.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        fs::read(self.dir.path().join(name))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            process.end();
        }
    }
}
