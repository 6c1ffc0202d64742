//! Shows the page of `web/` in a browser, beside a server that needs no set-up.

use crate::{hosts, tools};
use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use xtask::page;
use xtask::sh::{Result, Server, build, built, headline, root};

/// Where the page is. It stays from one time to the next, so that a tab can be loaded again.
const ADDRESS: &str = "127.0.0.1";
const PORT: u16 = 8573;

/// Makes the page in `target/web` and serves it until standard input ends, or Ctrl-C.
pub fn serve() -> Result {
    tools::wasm_target()?;
    hosts::jco()?;
    headline("Building the component, and the server that it is shown on");
    build(&["mc-wasi", "fake-minio"])?;
    let folder = root().join("target/web");
    let component =
        root().join("target/component/wasm32-wasip2/component/mc-replicate-resync-backlog.wasm");
    page::make(&component, &folder)?;
    let mut server =
        Server::start(Command::new(built("fake-minio")).args(["--demo", "--until-eof"]))?;
    let endpoint = server.line()?;
    let endpoint = endpoint.strip_prefix("listening ").unwrap_or_default().to_owned();
    let port = free_port();
    let mut files = Command::new("python3");
    files.args(["-m", "http.server", "--bind", ADDRESS, "--directory"]).arg(&folder);
    let mut files = files
        .arg(port.to_string())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("python3 does not start: {error}; it serves the page"))?;
    headline("The page, with a demo server of 150 versions");
    println!("  http://{ADDRESS}:{port}/#endpoint={endpoint}&bucket=mybucket");
    println!("  access key and secret key: minioadmin");
    println!("\nTo have it elsewhere, put what is in target/web there: docs/browser.md says more.");
    println!("Ctrl-C, or the end of standard input, ends both.");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    let _ = files.kill();
    let _ = files.wait();
    server.stop().map(drop)
}

/// The usual port, or any where that is taken.
fn free_port() -> u16 {
    let bound = TcpListener::bind((ADDRESS, PORT)).or_else(|_| TcpListener::bind((ADDRESS, 0)));
    bound.and_then(|listener| listener.local_addr()).map_or(PORT, |address| address.port())
}
