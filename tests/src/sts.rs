//! An STS that is not a real one: it answers as it is told, and keeps what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use resync_core::wire::encode;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How long a client may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// What it answers.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status and reason.
    pub status: &'static str,
    /// Headers beside the length, each with its end of line.
    pub headers: String,
    /// Body.
    pub body: String,
}

impl Answer {
    /// Keys that are good for so long.
    #[must_use]
    pub fn keys(access: &str, secret: &str, token: &str, lifetime: Duration) -> Self {
        let expiration = OffsetDateTime::from(SystemTime::now() + lifetime);
        let expiration = expiration.replace_nanosecond(0).expect("whole seconds");
        let expiration = expiration.format(&Rfc3339).expect("a time");
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{access}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey><Expiration>{expiration}</Expiration><SessionToken>{token}</SessionToken></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
        );
        Self { status: "200 OK", headers: "Content-Type: application/xml\r\n".to_owned(), body }
    }

    /// A refusal in the form of MinIO and AWS.
    #[must_use]
    pub fn refusal(code: &str, message: &str) -> Self {
        let body = format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type></Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        );
        let headers = "Content-Type: application/xml\r\n".to_owned();
        Self { status: "400 Bad Request", headers, body }
    }

    /// A page, as something else that listens there sends it.
    #[must_use]
    pub fn page(status: &'static str) -> Self {
        let body = "<!DOCTYPE html><html><body><h1>Log in</h1></body></html>".to_owned();
        Self { status, headers: "Content-Type: text/html\r\n".to_owned(), body }
    }
}

/// A running STS. It ends with the process.
#[derive(Debug)]
pub struct FakeSts {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl FakeSts {
    /// Starts one that answers the n-th request (from 0), whose form it is shown, like this.
    ///
    /// # Panics
    /// When it cannot listen.
    #[must_use]
    pub fn start(answer: impl Fn(usize, &str) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(request) = read(&stream) else { continue };
                let form = request.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned();
                let number = {
                    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    seen.push(request);
                    seen.len() - 1
                };
                let Answer { status, headers, body } = answer(number, &form);
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                let _ = (&stream).write_all(answer.as_bytes());
            }
        });
        Self { url, asked }
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The requests so far, heads and forms.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A member of a form, decoded.
#[must_use]
pub fn member(form: &str, name: &str) -> Option<String> {
    form.split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(known, value)| (known == name).then(|| encode::decoded(value)).flatten())
}

/// A whole request.
fn read(stream: &TcpStream) -> Option<String> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut reader = BufReader::new(stream);
    let (mut text, mut length) = (String::new(), 0);
    while !text.ends_with("\r\n\r\n") {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        text.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    text.push_str(&String::from_utf8(body).ok()?);
    Some(text)
}
