//! Running programs and finding files.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// A task's outcome; the error is a sentence for the user.
pub type Result<T = ()> = std::result::Result<T, String>;

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// A program of the release build.
pub fn built(name: &str) -> PathBuf {
    root().join("target/release").join(name)
}

/// A tool of `target/tools`.
pub fn tool(name: &str) -> PathBuf {
    root().join("target/tools/bin").join(name)
}

/// A cargo command in the workspace, with the toolchain that runs this task.
///
/// It is not told what the cargo that started the task says of the task's own package: ring, and so all
/// that needs it, is built anew whenever that differs, as it does from a `cargo build` by hand.
pub fn cargo(words: &str) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(words.split_whitespace());
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Builds `mc-wasi` as it is handed out.
pub fn build_handed_out() -> Result {
    run(&mut cargo("build --locked --profile dist --package mc-wasi"))
}

/// Where [`build_handed_out`] puts it.
pub fn handed_out() -> PathBuf {
    root().join("target/dist/mc-wasi")
}

/// Builds everything that runs natively, in the one profile that all tasks share.
pub fn build_all() -> Result {
    run(&mut cargo("build --release"))
}

/// Builds some packages of it, as [`build_all`] does.
pub fn build(packages: &[&str]) -> Result {
    let mut command = cargo("build --release");
    for package in packages {
        command.args(["--package", package]);
    }
    run(&mut command)
}

/// Says what is run, runs it, and expects success.
pub fn run(command: &mut Command) -> Result {
    let shown = shown(command);
    eprintln!("$ {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` ended with {status}")),
        Err(error) => Err(format!("`{shown}` does not start: {error}")),
    }
}

/// The output of a command, `None` when it fails or is not there.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether this user is root.
pub fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0")
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let shown = words.join(" ");
    shown.replace(&format!("{}/", root().display()), "")
}

/// A server that ends when its standard input does, or when this is dropped.
pub struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: BufReader<std::process::ChildStdout>,
}

impl Server {
    /// Starts a server that prints to stdout when it is ready.
    pub fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("`{}` does not start: {error}", shown(command)))?;
        let stdin = child.stdin.take();
        let lines = child.stdout.take().ok_or("a server without stdout")?;
        Ok(Self { child, stdin, lines: BufReader::new(lines) })
    }

    /// The next line it prints.
    pub fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(count) if count > 0 => Ok(line.trim_end().to_owned()),
            _ => Err("the server ended before it was ready".to_owned()),
        }
    }

    /// Ends it and returns the last line it printed.
    pub fn stop(mut self) -> Result<String> {
        self.stdin = None;
        let last = (&mut self.lines).lines().map_while(io::Result::ok).last();
        let _ = self.child.wait();
        Ok(last.unwrap_or_default())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.wait();
    }
}

/// A headline between the steps of a task.
pub fn headline(text: &str) {
    let _ = writeln!(io::stderr(), "\n── {text}");
}
