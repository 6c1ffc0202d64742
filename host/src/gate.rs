//! The one gate between the component and the network.
//!
//! Every request passes here: checked against the grant, freed of what a component may have set of
//! a signature, signed with keys the component never sees, given the user's own headers, sent.

use crate::mask::Mask;
use crate::pool::Pool;
use crate::{tls, trace};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, PROXY_AUTHORIZATION, TRANSFER_ENCODING};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, response,
};
use http_body::Body;
use http_body_util::{BodyExt, Empty, Full, Limited};
use mc_wasi_policy::{Copies, Denial, Denials, Grant, Kind, Reason, targets};
use resync_core::job::{default_retention, encrypts_by_default};
use resync_core::wire::{
    Credentials, EMPTY_SHA256, FRAMED, MARKS, MAX_BODY, REGION_HEADER, Signer, TLS_PORT, Unsigned,
    named_region,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::{Notify, OnceCell};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody,
    WasiHttpHooks,
};

/// What the hook of wasmtime answers: the response, and what drives its connection.
type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

/// The gate of one run. The default one is closed: it denies everything.
#[derive(Debug, Default)]
pub struct Gate {
    open: Option<Arc<Open>>,
}

/// What an open gate grants, and what it does to a request.
#[derive(Debug)]
pub struct Open {
    /// What may be asked for.
    pub grant: Grant,
    /// With which keys it is signed.
    pub signing: Signing,
    /// Headers set on every request, after signing.
    pub custom_headers: Vec<(HeaderName, HeaderValue)>,
    /// What was looked at, and may be copied.
    pub copies: Copies,
    /// What the bucket does with copies, once it was asked: whether it encrypts them.
    pub settings: OnceCell<bool>,
    /// Hides what is secret in what comes back.
    pub mask: Mask,
    /// The way to the server.
    pub pool: Arc<Pool>,
    /// Is told what was denied.
    pub denials: Arc<Denials>,
    /// Traces every exchange.
    pub tracer: Option<trace::Tracer>,
}

/// The signer, and whether the region is the user's choice.
#[derive(Debug)]
pub struct Signing {
    signer: Option<Mutex<Signer>>,
    region_fixed: bool,
}

/// A request that the gate let through, in the form that goes over the wire.
#[derive(Debug)]
pub struct Admitted {
    open: Arc<Open>,
    kind: Kind,
    request: Request<Empty<Bytes>>,
}

impl Gate {
    /// An open gate.
    pub fn new(open: Open) -> Self {
        Self { open: Some(Arc::new(open)) }
    }

    /// Checks a request and makes it ready to be sent.
    ///
    /// # Errors
    /// The request is denied, and the user told.
    pub fn admit(&self, request: Request<Empty<Bytes>>) -> Result<Admitted, Error> {
        let open = self.open.as_ref().ok_or(Error::HttpRequestDenied)?;
        let kind = open.grant.check(&request).map_err(|denial| {
            open.denials.deny(&denial);
            Error::HttpRequestDenied
        })?;
        Ok(Admitted { open: Arc::clone(open), kind, request: open.prepare(request)? })
    }

    /// What an open one has, for who gives it other keys.
    pub(crate) fn open(&self) -> Option<&Arc<Open>> {
        self.open.as_ref()
    }
}

impl Open {
    /// Signs with other keys from now on, and hides them.
    pub(crate) fn renew(&self, credentials: Credentials) {
        self.mask.learn(&credentials);
        if let Some(signer) = &self.signing.signer {
            let mut signer = signer.lock().unwrap_or_else(PoisonError::into_inner);
            signer.set_credentials(credentials);
        }
    }

    /// Signs a granted request and brings it into the form that goes over the wire.
    fn prepare(&self, request: Request<Empty<Bytes>>) -> Result<Request<Empty<Bytes>>, Error> {
        let (mut parts, body) = request.into_parts();
        Grant::strip_signature(&mut parts.headers);
        let host = &self.grant.origin().authority;
        self.signing.sign(&parts.method, &parts.uri, host, &mut parts.headers)?;
        for (name, value) in &self.custom_headers {
            parts.headers.insert(name.clone(), value.clone());
        }
        // An origin server is asked for a path, a proxy for a whole URL (RFC 9112, 3.2).
        match self.pool.forwarder() {
            None => {
                let path_and_query = parts.uri.path_and_query().cloned();
                parts.uri = path_and_query.map_or_else(http::Uri::default, http::Uri::from);
            }
            Some(proxy) => {
                if let Some(authorization) = proxy.authorization() {
                    parts.headers.insert(PROXY_AUTHORIZATION, authorization.clone());
                }
            }
        }
        Ok(Request::from_parts(parts, body))
    }
}

impl Signing {
    /// Signs with `signer`, or not at all without one. A region that the user fixed is not changed
    /// by what the server says.
    pub fn new(signer: Option<Signer>, region_fixed: bool) -> Self {
        Self { signer: signer.map(Mutex::new), region_fixed }
    }

    fn learn(&self, region: Option<&str>) {
        if let (Some(region), Some(signer), false) = (region, &self.signer, self.region_fixed) {
            signer.lock().unwrap_or_else(PoisonError::into_inner).set_region(region);
        }
    }

    fn sign(
        &self,
        method: &Method,
        uri: &http::Uri,
        host: &str,
        headers: &mut HeaderMap,
    ) -> Result<(), Error> {
        let Some(signer) = &self.signer else { return Ok(()) };
        let mut signed_headers: Vec<(&str, &str)> = Vec::with_capacity(headers.len());
        for (name, value) in headers.iter() {
            if name.as_str().starts_with("x-") {
                let value = value.to_str().map_err(|_| Error::HttpRequestDenied)?;
                signed_headers.push((name.as_str(), value));
            }
        }
        signed_headers.sort_unstable();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let request = Unsigned {
            method: method.as_str(),
            path: uri.path(),
            query: uri.query().unwrap_or_default(),
            host,
            headers: &signed_headers,
        };
        let mut signer = signer.lock().unwrap_or_else(PoisonError::into_inner);
        let signed = signer.sign(&request, now.as_secs());
        let value = |text: &str| {
            HeaderValue::from_str(text).map_err(|_| {
                Error::InternalError(Some("the keys hold an illegal character".to_owned()))
            })
        };
        headers.insert(AUTHORIZATION, value(&signed.authorization)?);
        headers.insert(CONTENT_SHA256, HeaderValue::from_static(EMPTY_SHA256));
        headers.insert(DATE, value(&signed.date)?);
        if let Some(token) = &signed.token {
            headers.insert(SECURITY_TOKEN, value(token.reveal())?);
        }
        Ok(())
    }
}

/// The headers of a signature beside `Authorization`; a name that is known in advance is not parsed for each request.
const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// The most that is read of an answer to be looked at. A bucket with a hundred targets is described in
/// 64 KiB.
const LOOKED_AT: usize = MAX_BODY;

/// Interim answers (1xx) to one request at most. Servers send one or two; each costs time, and a server
/// that sends nothing else is not out, so no time-out of a connection notices it.
const INTERIM: usize = 1_000;

/// Whether the server marked it as its own.
fn is_servers(head: &response::Parts) -> bool {
    MARKS.iter().any(|mark| head.headers.contains_key(*mark))
}

/// Whether the body has a length or is chunked, so that its end cannot be mistaken.
fn is_framed(head: &response::Parts, body: &WasiBody) -> bool {
    head.version >= Version::HTTP_11
        && (head.headers.contains_key(TRANSFER_ENCODING) || body.size_hint().exact().is_some())
}

impl Admitted {
    /// Sends the request, and learns from the answer what the next signature needs.
    pub(crate) async fn send(self) -> Result<Response<WasiBody>, Error> {
        let Self { open, kind, request } = self;
        let target = (kind == Kind::Copy || (kind == Kind::Head && open.grant.copies()))
            .then(|| request.uri().path_and_query().map(ToString::to_string).unwrap_or_default());
        if let (Kind::Copy, Some(target)) = (kind, &target) {
            Box::pin(open.admit_copy(target, request.headers())).await?;
        }
        let traced = open.tracer.as_ref().map(|tracer| (tracer, tracer.request(&request)));
        let authorization = request.headers().get(AUTHORIZATION).cloned();
        let (mut head, mut body) = open.send(kind, request).await?.into_parts();
        let success = head.status.is_success();
        if let (Kind::Head, Some(target), true) = (kind, &target, success) {
            open.copies.looked_at(target, &head.headers);
        }
        head.headers.remove(FRAMED);
        if kind == Kind::Listing && is_framed(&head, &body) {
            head.headers.insert(FRAMED, HeaderValue::from_static("1"));
        }
        let mut whole = Bytes::new();
        if !success || matches!(kind, Kind::Location | Kind::Targets) {
            let read = Box::pin(Limited::new(body, LOOKED_AT).collect()).await;
            whole = read.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            if !success {
                let mask = open.mask.with_signature(authorization.as_ref());
                mask.headers(&mut head.headers);
                whole = mask.body(&whole);
                open.look_at(&head, &whole)?;
            } else if kind == Kind::Targets {
                whole = Bytes::from(targets::needed(&whole));
                head.headers.remove(CONTENT_LENGTH);
            }
            body = Full::new(whole.clone()).map_err(|never| match never {}).boxed_unsync();
        }
        let region = head.headers.get(REGION_HEADER).and_then(|region| region.to_str().ok());
        let document = if kind == Kind::Location { &whole[..] } else { b"" };
        open.signing.learn(named_region(region, document).as_deref());
        if let Some((tracer, traced)) = traced {
            tracer.response(
                traced,
                &head,
                if trace::shows_body(head.status) { &whole } else { b"" },
            );
        }
        Ok(Response::from_parts(head, body))
    }
}

impl Open {
    /// Sends a request. A HEAD that is answered with nothing but interim answers is ended by its own
    /// time-out; a listing has none while something comes.
    async fn send(
        &self,
        kind: Kind,
        mut request: Request<Empty<Bytes>>,
    ) -> Result<Response<WasiBody>, Error> {
        if kind == Kind::Head {
            return self.pool.send(request).await;
        }
        let (heard, enough) = (AtomicUsize::new(0), Arc::new(Notify::new()));
        let flooded = Arc::clone(&enough);
        hyper::ext::on_informational(&mut request, move |_| {
            if heard.fetch_add(1, Ordering::Relaxed) == INTERIM {
                enough.notify_one();
            }
        });
        let answer = Box::pin(self.pool.send(request));
        tokio::select! {
            answer = answer => answer,
            () = flooded.notified() => Err(Error::InternalError(Some(format!(
                "more than {INTERIM} interim answers (1xx) came, and no other"
            )))),
        }
    }

    /// Lets a copy through that changes nothing but the checksum, whatever the component knows or says.
    async fn admit_copy(&self, target: &str, headers: &HeaderMap) -> Result<(), Error> {
        let deny = |reason: Reason| {
            let request = format!("PUT {}{target}", self.grant.origin());
            self.denials.deny(&Denial { request, reason });
            Error::HttpRequestDenied
        };
        self.copies.check_looked_at(target).map_err(deny)?;
        let encrypts = self.settings.get_or_try_init(|| self.ask_settings()).await.map_err(deny)?;
        self.copies.admit(target, headers, *encrypts).map_err(deny)
    }

    /// Asks the server itself what its bucket does with copies.
    async fn ask_settings(&self) -> Result<bool, Reason> {
        let lock = self.ask("object-lock=").await?;
        if let Some(retention) = lock.as_deref().and_then(default_retention) {
            return Err(Reason::CopyRetention(retention));
        }
        let encryption = self.ask("encryption=").await?;
        Ok(encryption.as_deref().is_some_and(encrypts_by_default))
    }

    /// A setting of the bucket, `None` where the server says that there is none.
    async fn ask(&self, setting: &str) -> Result<Option<String>, Reason> {
        let uri = format!("{}{}?{setting}", self.grant.origin(), self.grant.bucket());
        let request = Request::get(uri).header(HOST, &self.grant.origin().authority);
        let request = request.body(Empty::new()).map_err(|_| Reason::CopySettings)?;
        let request = self.prepare(request).map_err(|_| Reason::CopySettings)?;
        let answer = self.pool.send(request).await.map_err(|_| Reason::CopySettings)?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await;
        let body = body.map_err(|_| Reason::CopySettings)?.to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        let none = text.contains("ConfigurationNotFoundError");
        match head.status {
            _ if !is_servers(&head) => Err(Reason::CopySettings),
            StatusCode::OK => Ok(Some(text)),
            StatusCode::NOT_FOUND if none => Ok(None),
            _ => Err(Reason::CopySettings),
        }
    }

    /// Whether it was the server that did not answer with success.
    fn look_at(&self, head: &response::Parts, body: &[u8]) -> Result<(), Error> {
        if is_servers(head) {
            return Ok(());
        }
        let text = String::from_utf8_lossy(body);
        if head.status == StatusCode::BAD_REQUEST
            && TLS_PORT.iter().any(|words| text.contains(words))
        {
            return Err(tls::permanent(
                "the server speaks TLS on this port; use https:// in the alias".to_owned(),
            ));
        }
        match self.pool.forwarder() {
            // What else answers comes through it as well; who has to look, begins there.
            Some(proxy)
                if head.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
                    || head.status.is_server_error() =>
            {
                Err(proxy.answered(head.status))
            }
            _ => Ok(()),
        }
    }
}

/// What a component may neither set nor see. As a constant it would be made and dropped for each question.
static FORBIDDEN: LazyLock<Vec<HeaderName>> = LazyLock::new(|| DEFAULT_FORBIDDEN_HEADERS.into());

impl WasiHttpHooks for Gate {
    fn send_request(
        &mut self,
        _request: Request<WasiBody>,
        _options: Option<RequestOptions>,
        _fut: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        // Every request comes by `handler.rs`.
        Box::new(async { Err(Error::HttpRequestDenied) })
    }

    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        // Asked for each header of each answer, for which the filter below would be made anew.
        FORBIDDEN.contains(name)
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|name| FORBIDDEN.contains(name))
    }
}
