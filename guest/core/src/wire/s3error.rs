//! An error as the server words it.
//!
//! It comes in three forms: XML from the S3 API, JSON from the admin API, headers on an answer to
//! HEAD, which has no body.

use crate::wire::net::Response;
use crate::wire::region::REGION_HEADER;
use crate::wire::xml;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The server's error, serialized as mc prints it under `cause.error`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct S3Error {
    /// The code, such as `NoSuchBucket`. Empty when the server gave none.
    pub code: String,
    /// The server's sentence.
    pub message: String,
    /// The bucket concerned.
    pub bucket_name: String,
    /// The object concerned.
    pub key: String,
    /// The path asked for.
    pub resource: String,
    /// The server's id of the request.
    #[serde(rename = "RequestID", alias = "RequestId")]
    pub request_id: String,
    /// The server's id of itself.
    #[serde(rename = "HostID", alias = "HostId")]
    pub host_id: String,
    /// The region the server expects in signatures.
    pub region: String,
    /// `Server` header.
    pub server: String,
    /// HTTP status; not part of mc's form.
    #[serde(skip)]
    pub status: u16,
}

/// What the server answers when it finds no bucket of that name.
pub(crate) const NO_BUCKET: &str = "NoSuchBucket";

/// Characters kept of an answer in plain text: a sentence.
const WORDS: usize = 160;

impl S3Error {
    /// Reads whatever form the answer has.
    pub fn from_response(response: &Response) -> Self {
        let body = String::from_utf8_lossy(&response.body);
        let body = body.trim_start();
        let mut error = if body.starts_with('{') {
            serde_json::from_str(body).unwrap_or_default()
        } else if body.starts_with('<') {
            let field = |name| xml::text(body, name).unwrap_or_default();
            Self {
                code: field("Code"),
                message: field("Message"),
                bucket_name: field("BucketName"),
                key: field("Key"),
                resource: field("Resource"),
                request_id: field("RequestId"),
                host_id: field("HostId"),
                region: field("Region"),
                ..Self::default()
            }
        } else {
            // A proxy, or Go's own server, in plain words.
            let words: String =
                body.lines().next().unwrap_or_default().chars().take(WORDS).collect();
            let status = Status(response.status);
            let message =
                (!words.is_empty()).then(|| format!("the server answered {status}: {words}"));
            Self { message: message.unwrap_or_default(), ..Self::default() }
        };
        let header = |name| response.header(name).map(str::to_owned);
        let fill = |field: &mut String, value: Option<String>| {
            if let (true, Some(value)) = (field.is_empty(), value) {
                *field = value;
            }
        };
        fill(&mut error.code, header("x-minio-error-code"));
        // The description carries a literal pair of quotes (observed).
        fill(
            &mut error.message,
            header("x-minio-error-desc").map(|desc| desc.trim_matches('"').to_owned()),
        );
        fill(&mut error.region, header(REGION_HEADER));
        fill(&mut error.request_id, header("x-amz-request-id"));
        fill(&mut error.server, header("server"));
        error.status = response.status;
        if error.code.is_empty() && response.status == 429 {
            // The body would say so; an answer to HEAD has none.
            error.code = "TooManyRequests".to_owned();
        }
        error
    }
}

impl fmt::Display for S3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.message.trim(), self.code.as_str()) {
            ("", "") => write!(f, "the server answered {}", Status(self.status)),
            ("", code) => write!(f, "{code} (the server answered {})", Status(self.status)),
            (message, _) => f.write_str(message),
        }
    }
}

impl std::error::Error for S3Error {}

/// A status with its name, where it is one that proxies and servers give.
pub(super) struct Status(pub(super) u16);

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            200 => " OK",
            301 => " Moved Permanently",
            302 => " Found",
            303 => " See Other",
            307 => " Temporary Redirect",
            308 => " Permanent Redirect",
            400 => " Bad Request",
            401 => " Unauthorized",
            403 => " Forbidden",
            404 => " Not Found",
            405 => " Method Not Allowed",
            407 => " Proxy Authentication Required",
            408 => " Request Timeout",
            429 => " Too Many Requests",
            431 => " Request Header Fields Too Large",
            500 => " Internal Server Error",
            502 => " Bad Gateway",
            503 => " Service Unavailable",
            504 => " Gateway Timeout",
            _ => "",
        };
        write!(f, "{}{name}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        Response {
            status,
            headers: headers.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(),
            body: body.into(),
        }
    }

    #[test]
    fn all_three_forms_are_read() {
        let xml = S3Error::from_response(&response(
            404,
            &[("content-type", "application/xml")],
            "<?xml?><Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message><BucketName>b</BucketName></Error>",
        ));
        assert_eq!((xml.code.as_str(), xml.bucket_name.as_str()), ("NoSuchBucket", "b"));
        let json = S3Error::from_response(&response(
            403,
            &[],
            r#"{"Code":"AccessDenied","Message":"Access Denied.","RequestId":"18EA","HostId":"79"}"#,
        ));
        assert_eq!(
            (json.to_string().as_str(), json.request_id.as_str()),
            ("Access Denied.", "18EA")
        );
        let head = S3Error::from_response(&response(
            404,
            &[("x-minio-error-code", "NoSuchVersion"), ("x-minio-error-desc", "\"The version…\"")],
            "",
        ));
        assert_eq!((head.code.as_str(), head.message.as_str()), ("NoSuchVersion", "The version…"));
    }

    #[test]
    fn an_answer_without_any_words_is_described_by_its_status() {
        let error = S3Error::from_response(&response(502, &[], "<html>bad gateway</html>"));
        assert_eq!(error.to_string(), "the server answered 502 Bad Gateway");
        let error = S3Error::from_response(&response(400, &[], "Wrong door.\nGo away."));
        assert_eq!(error.to_string(), "the server answered 400 Bad Request: Wrong door.");
        assert_eq!(S3Error::from_response(&response(429, &[], "")).code, "TooManyRequests");
    }
}
