//! `--debug`: what goes over the wire, in mc's trace format, fit to be put into a ticket.
//!
//! mc redacts with patterns and leaks access keys in lower case and session tokens. Here the
//! values are replaced by the name of their header, whatever they look like.

use crate::outlet::Outlet;
use http::{HeaderMap, Request, StatusCode, response};
use resync_core::report::printable;
use resync_core::wire::REDACTED;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Instant;

/// Writes traces to stderr.
#[derive(Debug, Clone)]
pub struct Tracer {
    program: String,
    custom: Vec<String>,
}

/// A request that was traced and waits for its answer.
#[derive(Debug)]
pub(crate) struct Traced {
    text: String,
    sent: Instant,
}

/// Whether mc shows the body of such an answer.
pub(crate) fn shows_body(status: StatusCode) -> bool {
    !matches!(status.as_u16(), 200 | 204 | 206)
}

impl Tracer {
    /// Traces in the name of `program`. The values of the user's own headers are not shown: they
    /// may be tokens.
    pub(crate) fn new(program: &str, custom_headers: &[(String, String)]) -> Self {
        let custom = custom_headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        Self { program: program.to_owned(), custom }
    }

    /// Prints where a name leads to.
    pub(crate) fn addresses(&self, name: &str, addresses: &[SocketAddr]) {
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let (name, addresses) = (printable(name), addresses.join(", "));
        let text = format!("{}: <DEBUG> {name} is at {addresses}\n", self.program);
        let _ = Outlet::stderr().put(text.as_bytes());
    }

    /// Remembers a request. mc prints it with its answer.
    pub(crate) fn request<B>(&self, request: &Request<B>) -> Traced {
        let mut text =
            format!("{}: <DEBUG> {} {} HTTP/1.1\n", self.program, request.method(), request.uri());
        self.headers(&mut text, request.headers());
        Traced { text, sent: Instant::now() }
    }

    /// Prints an exchange.
    pub(crate) fn response(&self, traced: Traced, head: &response::Parts, body: &[u8]) {
        let Traced { mut text, sent } = traced;
        let _ = write!(text, "\n{}: <DEBUG> HTTP/1.1 {}\n", self.program, head.status);
        self.headers(&mut text, &head.headers);
        if !body.is_empty() {
            let _ = writeln!(text, "\n{}", printable(&String::from_utf8_lossy(body)));
        }
        let _ =
            write!(text, "\n{}: <DEBUG> Response Time:  {:?}\n\n", self.program, sent.elapsed());
        let _ = Outlet::stderr().put(text.as_bytes());
    }

    fn headers(&self, text: &mut String, headers: &HeaderMap) {
        for (name, value) in headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            let value = self.redacted(name.as_str(), &value);
            let _ = writeln!(text, "{}: {}", title(name.as_str()), printable(&value));
        }
    }

    fn redacted(&self, name: &str, value: &str) -> String {
        let secret = matches!(
            name,
            "x-amz-security-token" | "cookie" | "set-cookie" | "proxy-authorization"
        ) || (name.contains("server-side-encryption")
            && name.contains("customer-key"))
            || self.custom.iter().any(|custom| custom == name);
        if secret {
            return REDACTED.to_owned();
        }
        if name != "authorization" {
            return value.to_owned();
        }
        let cut = |text: &str, from: &str, to: &str| match text.split_once(from) {
            Some((before, rest)) => {
                let after = rest.find(to).and_then(|at| rest.get(at..)).unwrap_or_default();
                format!("{before}{from}{REDACTED}{after}")
            }
            None => text.to_owned(),
        };
        if !value.starts_with("AWS4-HMAC-SHA256 ") {
            return REDACTED.to_owned();
        }
        cut(&cut(value, "Credential=", "/"), "Signature=", ",")
    }
}

/// `x-amz-date` as Go writes it: `X-Amz-Date`.
fn title(name: &str) -> String {
    let mut up = true;
    name.chars()
        .map(|c| {
            let c = if up { c.to_ascii_uppercase() } else { c };
            up = c == '-';
            c
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown_whatever_it_looks_like() {
        let tracer = Tracer::new("mc", &[("X-Token".to_owned(), "tok".to_owned())]);
        for (name, value) in [
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=minioadmin/20261124//s3/aws4_request, SignedHeaders=host, Signature=deadbeef",
            ),
            ("authorization", "Bearer minioadmin"),
            ("x-amz-security-token", "minioadmin"),
            ("x-amz-server-side-encryption-customer-key", "minioadmin"),
            ("x-token", "minioadmin"),
        ] {
            let shown = tracer.redacted(name, value);
            assert!(!shown.contains("minioadmin") && !shown.contains("deadbeef"), "{shown}");
        }
        assert_eq!(
            tracer.redacted("authorization", "AWS4-HMAC-SHA256 Credential=ak/20261124/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=ab"),
            "AWS4-HMAC-SHA256 Credential=**REDACTED**/20261124/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=**REDACTED**"
        );
        assert_eq!(title("x-amz-date"), "X-Amz-Date");
    }
}
