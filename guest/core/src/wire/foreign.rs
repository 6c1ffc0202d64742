//! An answer that is not the server's.
//!
//! Load balancers, ingresses, caches and firewalls answer in the server's place while they cannot or
//! will not pass a request on: 404 while routes load, 200 with a maintenance page, 302 to a login, 403
//! of a rule, 52x of a CDN. Such an answer says nothing of a version, so it must never be taken for
//! a verdict. MinIO and AIStor mark their answers, and what carries none of these marks is somebody
//! else's (observed, also on answers without `X-Minio-Error-Code`). Only an answer to a call of the admin
//! API that it does not know (426) has none in its head; the error in its body has a name of MinIO's.
//!
//! Other object stores (RustFS, Garage, SeaweedFS, Ceph) answer in the form of S3. They have no replication diff, and
//! take a call of the admin API for a request about a bucket `minio`.

use crate::wire::net::Response;
use crate::wire::s3error::{NO_BUCKET, S3Error, Status};
use std::fmt;

/// The server numbers each of its answers, as the S3 API wants it.
pub(crate) const REQUEST_ID: &str = "x-amz-request-id";

/// Headers that only the server sets. `Server` is not among them, since proxies rewrite it; nor is
/// everything that begins with `x-amz`, since CDNs and gateways have headers of that kind of their
/// own (`x-amz-cf-id`, `x-amzn-requestid`).
pub const MARKS: [&str; 3] = [REQUEST_ID, "x-amz-id-2", "x-minio-error-code"];

/// How the codes begin that S3 does not have.
const OWN_CODE: &str = "XMinio";

/// What servers say to a request without TLS on a port with it: Go's, nginx and Apache.
pub const TLS_PORT: [&str; 3] = [
    "HTTP request to an HTTPS server",
    "plain HTTP request was sent to HTTPS port",
    "speaking plain HTTP to an SSL-enabled server port",
];

/// The web console of MinIO, on a port of its own.
pub(crate) const CONSOLE: &str = "MinIO Console";

/// Characters kept of a header: a name or a URL, not an essay.
const WORDS: usize = 200;

/// Who answered in the server's place, as far as the answer shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreign {
    /// HTTP status.
    pub status: u16,
    /// `Server` header; may be empty, as may the next three.
    pub server: String,
    /// `Content-Type` header.
    pub content_type: String,
    /// `Location` header.
    pub location: String,
    /// The code of an error in the form of S3, where the body is one.
    pub code: String,
    /// It says that the port is one with TLS, and the request was without.
    pub wants_tls: bool,
}

/// What object stores say that have no admin API, or another one: there is no bucket `minio`, or nothing that can be
/// posted to there.
const NO_ADMIN_API: [&str; 4] = [NO_BUCKET, "NoSuchKey", "MethodNotAllowed", "NotImplemented"];

/// The bucket that they take the admin API for: the first part of its path.
const TAKEN_FOR: &str = "minio";

/// Whether this is the answer of an object store that has no replication diff to a call of it. `bucket` is what was
/// asked about: MinIO's own answer about one that it lacks names that one, or none.
pub(crate) fn has_no_diff(error: &S3Error, bucket: &str) -> bool {
    NO_ADMIN_API.contains(&error.code.as_str())
        && (error.code != NO_BUCKET || (error.bucket_name == TAKEN_FOR && bucket != TAKEN_FOR))
}

impl Foreign {
    /// What is known of the answer, unless it is the server's own.
    pub(crate) fn of(response: &Response) -> Option<Box<Self>> {
        if MARKS.iter().any(|mark| response.header(mark).is_some_and(|value| !value.is_empty())) {
            return None;
        }
        let error = (!response.body.is_empty()).then(|| S3Error::from_response(response));
        let mut code = error.map(|error| error.code).unwrap_or_default();
        if code.starts_with(OWN_CODE) {
            return None;
        }
        code.truncate(code.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(code.len()));
        let header = |name| {
            let value = response.header(name).unwrap_or_default().trim();
            value.chars().take(WORDS).collect::<String>()
        };
        let body = String::from_utf8_lossy(&response.body);
        Some(Box::new(Self {
            status: response.status,
            server: header("server"),
            content_type: header("content-type"),
            location: header("location"),
            code,
            wants_tls: response.status == 400 && TLS_PORT.iter().any(|words| body.contains(words)),
        }))
    }

    /// Whether it says that this is the wrong door for good. A redirect for a while (302, 303, 307) is
    /// how proxies announce maintenance.
    pub(crate) fn is_wrong_door(&self) -> bool {
        let moved = matches!(self.status, 301 | 308) && !self.location.is_empty();
        moved || self.wants_tls || self.server == CONSOLE || self.is_other_store()
    }

    /// Whether it is an object store, and none that has a replication diff.
    pub(crate) fn is_other_store(&self) -> bool {
        NO_ADMIN_API.contains(&self.code.as_str())
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = if self.server.is_empty() { "something else" } else { &self.server };
        write!(f, "answered by {who} ({}", Status(self.status))?;
        for detail in [&self.content_type, &self.location, &self.code] {
            if !detail.is_empty() {
                write!(f, ", {detail}")?;
            }
        }
        f.write_str("), not by the server")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Response {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Response { status, headers, body: Vec::new() }
    }

    #[test]
    fn what_carries_a_mark_is_the_servers_whatever_else_it_says() {
        for (status, headers) in [
            (200, [("x-amz-request-id", "187B"), ("server", "nginx")]),
            (403, [("x-amz-id-2", "dd90"), ("content-type", "application/xml")]),
            (404, [("x-minio-error-code", "NoSuchKey"), ("server", "cloudflare")]),
        ] {
            assert_eq!(Foreign::of(&answer(status, &headers)), None, "{headers:?}");
        }
    }

    #[test]
    fn a_call_that_the_server_does_not_know_is_answered_by_the_server() {
        let body = br#"{"Code":"XMinioAdminVersionMismatch","Message":"Unexpected","RequestId":"","HostId":""}"#;
        let unknown = Response { body: body.to_vec(), ..answer(426, &[("server", "nginx")]) };
        assert_eq!(Foreign::of(&unknown), None);
        for body in [&b"{\"Code\":\"Upgrade\"}"[..], b"XMinio", b"<html>XMinioAdmin</html>"] {
            let foreign = Response { body: body.to_vec(), ..answer(426, &[]) };
            assert!(Foreign::of(&foreign).is_some());
        }
    }

    #[test]
    fn another_object_store_is_the_wrong_door_and_a_page_is_not() {
        let error =
            |code: &str| format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>");
        for (body, wrong) in [
            (error("NoSuchBucket"), true),
            (error("NotImplemented"), true),
            (error("SlowDown"), false),
            ("<html>404</html>".to_owned(), false),
        ] {
            let answer = Response { body: body.clone().into_bytes(), ..answer(404, &[]) };
            let foreign = Foreign::of(&answer).expect("it has no mark");
            assert_eq!(foreign.is_wrong_door(), wrong, "{body}");
        }
    }

    #[test]
    fn what_carries_none_is_described_by_what_there_is() {
        for (status, headers, said) in [
            (
                403,
                &[("server", "cloudflare"), ("content-type", "text/html")][..],
                "answered by cloudflare (403 Forbidden, text/html), not by the server",
            ),
            (404, &[], "answered by something else (404 Not Found), not by the server"),
            (
                302,
                &[("location", "https://status.example/")],
                "answered by something else (302 Found, https://status.example/), not by the server",
            ),
            (
                200,
                &[("x-amz-cf-id", "abc"), ("x-amzn-requestid", "1"), ("x-amz-request-id", "")],
                "answered by something else (200 OK), not by the server",
            ),
            (521, &[], "answered by something else (521), not by the server"),
        ] {
            let foreign = Foreign::of(&answer(status, headers)).expect("somebody else's");
            assert_eq!(foreign.to_string(), said);
        }
    }
}
