//! A signed HTTP client that sends exactly the path it is given.
//!
//! `mc` and the S3 libraries normalise keys, hide headers and turn an answer into an error; a test
//! about odd keys or about the headers of a 405 needs the request and the answer as they are.
//! Requests are signed with `aws-sigv4`, which is independent of the signer under test.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::{HeaderMap, Method, Request};

/// Longer than anything a loopback server does, short enough to fail a test that hangs.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
/// Idle connections kept: at least the number of threads that [`super::Pair::put_many`] starts.
const IDLE_CONNECTIONS: usize = 64;

/// All bytes but the unreserved ones.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

const RESERVED_IN_PATHS: &AsciiSet = &RESERVED.remove(b'/');

/// An access key with its secret, and the session token if the key is a temporary one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// Access key id.
    pub access: String,
    /// Secret key.
    pub secret: String,
    /// Session token of temporary credentials.
    pub token: Option<String>,
}

impl Keys {
    /// Long-lived keys.
    #[must_use]
    pub fn new(access: &str, secret: &str) -> Self {
        Self { access: access.to_owned(), secret: secret.to_owned(), token: None }
    }
}

/// One server as seen by the owner of one pair of keys. Cloning is cheap and shares the
/// connections.
#[derive(Debug, Clone)]
pub struct Client {
    origin: String,
    region: String,
    keys: Keys,
    agent: ureq::Agent,
}

/// What the server answered: nothing interpreted, nothing dropped.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Client {
    /// A client for `origin` (`http://127.0.0.1:9000`). Certificates are not checked: the servers
    /// are the test's own.
    #[must_use]
    pub fn new(origin: &str, region: &str, keys: Keys) -> Self {
        let tls = ureq::tls::TlsConfig::builder().disable_verification(true).build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS)
            .timeout_global(Some(REQUEST_TIMEOUT))
            .build()
            .new_agent();
        Self { origin: origin.to_owned(), region: region.to_owned(), keys, agent }
    }

    /// The same server for somebody else.
    #[must_use]
    pub fn with_keys(&self, keys: Keys) -> Self {
        Self { keys, ..self.clone() }
    }

    /// Sends a signed S3 or admin request. `target` is the path and query exactly as they go on the
    /// wire (see [`encode_key`] and [`encode_query`]).
    ///
    /// # Panics
    /// When the server does not answer.
    #[must_use]
    pub fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        self.try_send("s3", method, target, headers, body)
            .unwrap_or_else(|error| panic!("{method} {}{target}: {error}", self.origin))
    }

    /// Like [`Client::send`], for a given service name in the signature and with transport errors
    /// as a value.
    ///
    /// # Errors
    /// Whatever kept the server from answering, as text.
    pub fn try_send(
        &self,
        service: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply, String> {
        let url = format!("{}{target}", self.origin);
        let mut request = Request::builder().method(method).uri(&url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for (name, value) in self.signature(service, method, &url, headers, body)? {
            request = request.header(name, value);
        }
        let request = request.body(body).map_err(|error| error.to_string())?;
        let bodiless = matches!(*request.method(), Method::GET | Method::HEAD | Method::DELETE)
            && body.is_empty();
        let answer =
            if bodiless { self.agent.run(request.map(|_| ())) } else { self.agent.run(request) };
        Reply::of(answer)
    }

    /// Like [`Client::try_send`] for a GET, as somebody without keys. A health check must come from such a one: with a
    /// signature MinIO of 2024-05 takes it for a request about a bucket.
    ///
    /// # Errors
    /// Whatever kept the server from answering, as text.
    pub fn try_get_unsigned(&self, target: &str) -> Result<Reply, String> {
        Reply::of(self.agent.get(format!("{}{target}", self.origin)).call())
    }

    /// `HEAD /bucket/key?versionId=version` with all that comes back. On a *source* this re-queues
    /// the version.
    #[must_use]
    pub fn head(&self, bucket: &str, key: &str, version: Option<&str>) -> Reply {
        self.send(
            "HEAD",
            &object_target(bucket, key, version),
            &[("x-amz-checksum-mode", "ENABLED")],
            b"",
        )
    }

    fn signature(
        &self,
        service: &str,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Vec<(String, String)>, String> {
        let identity = Credentials::new(
            &self.keys.access,
            &self.keys.secret,
            self.keys.token.clone(),
            None,
            "tests",
        )
        .into();
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let signable =
            SignableRequest::new(method, url, headers.iter().copied(), SignableBody::Bytes(body))
                .map_err(|error| error.to_string())?;
        let (instructions, _) =
            sign(signable, &params).map_err(|error| error.to_string())?.into_parts();
        Ok(instructions
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }
}

impl Reply {
    fn of(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Self, String> {
        let mut answer = answer.map_err(|error| error.to_string())?;
        let body = answer
            .body_mut()
            .with_config()
            .limit(u64::MAX)
            .read_to_vec()
            .map_err(|error| error.to_string())?;
        Ok(Self { status: answer.status().as_u16(), headers: answer.headers().clone(), body })
    }

    /// A header as text, if the answer has it.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Passes a 2xx answer on.
    ///
    /// # Panics
    /// On any other status, with everything the server said.
    #[must_use]
    #[track_caller]
    pub fn ok(self, what: &str) -> Self {
        assert!(
            (200..300).contains(&self.status),
            "{what}: status {}, {:?}\n{}",
            self.status,
            self.headers,
            self.text()
        );
        self
    }

    /// The version id that the answer names.
    ///
    /// # Panics
    /// When it names none.
    #[must_use]
    #[track_caller]
    pub fn version_id(&self) -> String {
        self.header("x-amz-version-id").unwrap_or("null").to_owned()
    }
}

/// `/bucket/key?versionId=…` with the key encoded.
pub(crate) fn object_target(bucket: &str, key: &str, version: Option<&str>) -> String {
    let query = version.map(|version| format!("?versionId={version}")).unwrap_or_default();
    format!("/{bucket}/{}{query}", encode_key(key))
}

/// A key as it goes into a path: every byte but `A-Za-z0-9-_.~/` as `%XX`.
#[must_use]
pub fn encode_key(key: &str) -> String {
    utf8_percent_encode(key, RESERVED_IN_PATHS).to_string()
}

/// A value as it goes into a query: like a key, and `/` encoded too.
#[must_use]
pub fn encode_query(value: &str) -> String {
    utf8_percent_encode(value, RESERVED).to_string()
}
