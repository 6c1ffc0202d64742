//! Every route and every fault over a plain socket.
//!
//! No HTTP library reads the answers: what must be right is the bytes.

mod faults;
mod routes;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::clock::Moment;
use super::sigv4::{Signed, Verifier, sign};
use super::*;

const DIFF: &str = "/minio/admin/v3/replication/diff?bucket=mybucket";

/// An answer, as far as it came.
#[derive(Debug, Default)]
struct Reply {
    status: u16,
    head: String,
    /// Decoded if it was chunked.
    body: String,
    /// Sizes of the chunks, the last empty one included.
    chunks: Vec<usize>,
    /// It had all the bytes that its head promised.
    whole: bool,
    /// The connection was reset.
    reset: bool,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn code(&self) -> &str {
        self.header("x-minio-error-code").unwrap_or_default()
    }

    fn lines(&self) -> usize {
        self.body.lines().filter(|line| !line.trim().is_empty()).count()
    }
}

/// Sends one request on a connection of its own, signed with the default keys.
fn send(server: &FakeServer, method: &str, target: &str) -> Reply {
    send_with(server, method, target, "us-east-1", &[])
}

fn send_with(
    server: &FakeServer,
    method: &str,
    target: &str,
    region: &str,
    extra: &[(&'static str, &str)],
) -> Reply {
    read(&mut request(server, method, target, region, extra), method)
}

fn request(
    server: &FakeServer,
    method: &str,
    target: &str,
    region: &str,
    extra: &[(&'static str, &str)],
) -> TcpStream {
    let mut headers = HeaderMap::new();
    let mut insert = |name, value: &str| {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    };
    insert("host", &server.addr().to_string());
    insert("x-amz-date", &Moment::now().to_amz());
    insert("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    for (name, value) in extra {
        insert(name, value);
    }
    let mut signed: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    signed.sort_unstable();
    let signed = signed.join(";");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let verifier = Verifier::new("minioadmin", "minioadmin", None);
    let request = Signed { method, path, query, headers: &headers };
    let authorization = sign(&verifier, &request, region, &signed);
    headers.insert("authorization", HeaderValue::from_str(&authorization).unwrap());

    let mut text = format!("{method} {target} HTTP/1.1\r\n");
    for (name, value) in &headers {
        text += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(format!("{text}\r\n").as_bytes()).unwrap();
    stream
}

/// Reads until the answer is whole or the connection ends.
fn read(stream: &mut TcpStream, method: &str) -> Reply {
    let (mut bytes, mut reply) = (Vec::new(), Reply::default());
    let mut buffer = [0; 16 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return reply,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                reply.reset = true;
                return reply;
            }
            Err(error) => panic!("{error} after {reply:?}"),
        }
        reply = parse(&bytes, method);
        if reply.whole {
            return reply;
        }
    }
}

fn parse(bytes: &[u8], method: &str) -> Reply {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return Reply::default() };
    let mut reply = Reply { head: head.to_owned(), ..Reply::default() };
    reply.status = head.split(' ').nth(1).unwrap().parse().unwrap();
    if method == "HEAD" {
        reply.whole = true;
    } else if let Some(length) = reply.header("content-length") {
        reply.whole = body.len() == length.parse::<usize>().unwrap();
        reply.body = body.to_owned();
    } else {
        assert_eq!(reply.header("transfer-encoding"), Some("chunked"), "{head}");
        let mut rest = body;
        while let Some((size, data)) = rest.split_once("\r\n") {
            let size = usize::from_str_radix(size, 16).unwrap();
            reply.chunks.push(size);
            reply.body += &data[..size.min(data.len())];
            reply.whole = size == 0 && data == "\r\n";
            rest = data.get(size + 2..).unwrap_or_default();
        }
    }
    reply
}

fn server(versions: impl IntoIterator<Item = Version>) -> FakeServer {
    FakeServer::start(Options::with_backlog(Backlog::of(versions)))
}

fn path_of(version: &Version) -> String {
    let key: String = query::encode_path(&version.key).collect();
    format!("/mybucket/{key}?versionId={}", version.id_text())
}

fn five() -> [Version; 5] {
    ["a", "b", "c", "d", "e"].map(Version::put)
}
