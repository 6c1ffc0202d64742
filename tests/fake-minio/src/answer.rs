//! What the server says: errors in its three forms, and the headers that every
//! answer carries.
//!
//! The admin API answers errors as JSON if the handler made them and as XML if
//! anything below it did; S3 answers XML; a `HEAD` has no body and puts the
//! code into headers. Clients have to read all three.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use super::body::Body;

/// An answer of the server.
pub(crate) type Answer = Response<Body>;

/// An S3 error as the server words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Error {
    /// HTTP status.
    pub status: u16,
    /// Code, for example `SlowDownRead`.
    pub code: Cow<'static, str>,
    /// Text; the server's own for the codes that it uses.
    pub message: Cow<'static, str>,
    /// Value of `Retry-After`, if any.
    pub retry_after: Option<String>,
}

impl S3Error {
    /// An error with the server's text for `code`.
    pub fn new(status: u16, code: impl Into<Cow<'static, str>>) -> Self {
        let code = code.into();
        let message = message_of(&code).into();
        Self { status, code, message, retry_after: None }
    }

    /// Replaces the text.
    #[must_use]
    pub fn message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// Adds `Retry-After`, in seconds or as an HTTP date.
    #[must_use]
    pub fn retry_after(mut self, value: impl ToString) -> Self {
        self.retry_after = Some(value.to_string());
        self
    }

    /// The answer in the given form, for a request of `resource` in `bucket`.
    pub(crate) fn answer(&self, form: Form, place: &Place<'_>) -> Answer {
        let (content_type, body) = match form {
            Form::Json => ("application/json", self.json(place)),
            Form::Xml | Form::XmlLength => ("application/xml", self.xml(place)),
            Form::Headers => ("", String::new()),
        };
        let length = HeaderValue::from(body.len());
        let body = if form == Form::XmlLength { Body::Empty } else { Body::full(body) };
        let mut answer = Response::new(body);
        *answer.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = answer.headers_mut();
        headers.insert(CONTENT_LENGTH, length);
        if form == Form::Headers {
            set(headers, "x-minio-error-code", &self.code);
            set(headers, "x-minio-error-desc", &format!("\"{}\"", self.message));
        } else {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if let Some(value) = &self.retry_after {
            set(headers, "retry-after", value);
        }
        answer
    }

    fn json(&self, place: &Place<'_>) -> String {
        // Built by hand for Go's order of members.
        let quote = |text: &str| serde_json::Value::from(text).to_string();
        format!(
            r#"{{"Code":{},"Message":{},"BucketName":{},"Resource":{},"RequestId":"{}","HostId":"{HOST_ID}"}}"#,
            quote(&self.code),
            quote(&self.message),
            quote(place.bucket),
            quote(place.resource),
            request_id(),
        )
    }

    fn xml(&self, place: &Place<'_>) -> String {
        let region = place.region.map(|region| format!("<Region>{region}</Region>"));
        format!(
            "{XML_PROLOGUE}<Error><Code>{}</Code><Message>{}</Message>\
             <BucketName>{}</BucketName><Resource>{}</Resource>{}\
             <RequestId>{}</RequestId><HostId>{HOST_ID}</HostId></Error>",
            escape_xml(&self.code),
            escape_xml(&self.message),
            escape_xml(place.bucket),
            escape_xml(place.resource),
            region.unwrap_or_default(),
            request_id(),
        )
    }
}

/// Where an error says that it happened.
pub(crate) struct Place<'a> {
    pub(crate) bucket: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) region: Option<&'a str>,
}

/// The form of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Xml,
    /// `HEAD`: no body, the code in headers.
    Headers,
    /// `HEAD` refused before it reached its handler: the headers of the XML
    /// that a `GET` would have got, and no code anywhere.
    XmlLength,
}

pub(crate) const XML_PROLOGUE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

const HOST_ID: &str = "dd9025bab4ad464b049177c95eb6ebf374d3b3fd1af9251148b658df7ac2e3e8";

/// The headers of every answer; a client pays for reading them, so a benchmark
/// has to send them too.
const COMMON: [(&str, &str); 7] = [
    ("accept-ranges", "bytes"),
    ("server", "MinIO"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("vary", "Origin, Accept-Encoding"),
    ("x-amz-id-2", HOST_ID),
    ("x-content-type-options", "nosniff"),
    ("x-xss-protection", "1; mode=block"),
];

/// A 200 with a body.
pub(crate) fn ok(content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let body = body.into();
    let length = HeaderValue::from(body.len());
    let mut answer = Response::new(Body::full(body));
    answer.headers_mut().insert(CONTENT_LENGTH, length);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// Adds what every answer carries.
pub(crate) fn add_common(headers: &mut HeaderMap, region: Option<&str>) {
    headers.reserve(COMMON.len() + 4);
    for (name, value) in COMMON {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    set(headers, "x-amz-request-id", &request_id());
    if let Some(region) = region {
        set(headers, "x-amz-bucket-region", region);
    }
}

/// Sets a header; bytes that no header can carry are left out.
pub(crate) fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    let value = HeaderValue::from_str(value).unwrap_or_else(|_| {
        let printable: String = value.chars().filter(|c| !c.is_control()).collect();
        HeaderValue::from_bytes(printable.as_bytes()).expect("control characters are gone")
    });
    headers.insert(HeaderName::from_static(name), value);
}

pub(crate) fn escape_xml(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out.into()
}

/// Sixteen hex digits that count up, as the server's do from its clock.
/// The time in nanoseconds, as MinIO numbers its answers, and never the same twice.
fn request_id() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_nanos()).unwrap_or_default();
    let last = LAST.fetch_max(now, Ordering::Relaxed);
    let id = if last < now { now } else { LAST.fetch_add(1, Ordering::Relaxed) + 1 };
    format!("{id:016X}")
}

/// The server's text for a code (`cmd/api-errors.go`).
fn message_of(code: &str) -> &'static str {
    match code {
        "AccessDenied" => "Access Denied.",
        "AuthorizationHeaderMalformed" => {
            "The authorization header is malformed; the authorization header requires three components."
        }
        "InternalError" => "We encountered an internal error, please try again.",
        "InvalidAccessKeyId" => "The Access Key Id you provided does not exist in our records.",
        "InvalidArgument" => "Invalid argument",
        "InvalidRequest" => "Invalid Request",
        "InvalidTokenId" => "The security token included in the request is invalid",
        "KMS.NotFoundException" => "Invalid keyId",
        "MalformedDate" => {
            "Invalid date format header, expected to be in ISO8601, RFC1123 or RFC1123Z time format."
        }
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        "NoSuchBucket" => "The specified bucket does not exist",
        "NoSuchKey" => "The specified key does not exist.",
        "NoSuchVersion" => "The specified version does not exist.",
        "ObjectLockConfigurationNotFoundError" => {
            "Object Lock configuration does not exist for this bucket"
        }
        "PreconditionFailed" => "At least one of the pre-conditions you specified did not hold",
        "RequestTimeTooSkewed" => {
            "The difference between the request time and the server's time is too large."
        }
        "SignatureDoesNotMatch" => {
            "The request signature we calculated does not match the signature you provided. \
             Check your key and signing method."
        }
        "SlowDown" | "SlowDownRead" | "SlowDownWrite" => {
            "Resource requested is unreadable, please reduce your request rate"
        }
        "TooManyRequests" => {
            "Deadline exceeded while waiting in incoming queue, please reduce your request rate"
        }
        "XAmzContentSHA256Mismatch" => {
            "The provided 'x-amz-content-sha256' header does not match what was computed."
        }
        "XMinioAdminRemoteTargetNotFoundError" => "The remote target does not exist",
        "XMinioInvalidObjectName" => "Object name contains unsupported characters.",
        "XMinioInvalidResourceName" => {
            "Resource name contains bad components such as \"..\" or \".\"."
        }
        _ => "Unknown error",
    }
}

#[cfg(test)]
mod tests {
    use super::{S3Error, escape_xml};

    #[test]
    fn known_codes_bring_the_servers_text() {
        assert_eq!(S3Error::new(403, "AccessDenied").message, "Access Denied.");
        assert_eq!(S3Error::new(400, "X").message("why").message, "why");
        assert_eq!(S3Error::new(503, "SlowDown").retry_after(60).retry_after.unwrap(), "60");
    }

    #[test]
    fn xml_is_escaped_like_go() {
        assert_eq!(escape_xml("a<b>&\"'"), "a&lt;b&gt;&amp;&#34;&#39;");
        assert_eq!(escape_xml("plain"), "plain");
    }
}
