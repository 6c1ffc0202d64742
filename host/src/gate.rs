//! The one gate between the component and the network.
//!
//! Every request passes here: checked against the grant, freed of what a component may have set of
//! a signature, signed with keys the component never sees, given the user's own headers, sent.

use crate::pool::Pool;
use crate::{tls, trace};
use bytes::Bytes;
use http::header::PROXY_AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use http_body::Body;
use http_body_util::{BodyExt, Empty, Full, Limited};
use mc_wasi_policy::{Denials, Grant, Kind};
use resync_core::wire::{DEFAULT_REGION, EMPTY_SHA256, MAX_BODY, Signer, Unsigned, xml};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody,
    WasiHttpHooks,
};

type Answer =
    Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

/// The gate of one run. The default one is closed: it denies everything.
#[derive(Debug, Default)]
pub struct Gate {
    open: Option<Open>,
}

/// What an open gate grants, and what it does to a request.
#[derive(Debug)]
struct Open {
    grant: Grant,
    signing: Arc<Signing>,
    custom_headers: Vec<(HeaderName, HeaderValue)>,
    pool: Arc<Pool>,
    denials: Arc<Denials>,
    debug: Option<Arc<trace::Tracer>>,
}

/// The signer and whether the region is the user's choice.
#[derive(Debug)]
struct Signing {
    signer: Option<Mutex<Signer>>,
    region_fixed: bool,
}

impl Signing {
    /// MinIO names its region in a header of every answer, when it has one.
    fn learn(&self, region: Option<&str>) {
        let region = region.filter(|region| !region.is_empty() && !self.region_fixed);
        if let (Some(region), Some(signer)) = (region, &self.signer) {
            signer.lock().unwrap_or_else(PoisonError::into_inner).set_region(region);
        }
    }
}

impl Gate {
    /// A gate that grants `grant` and signs with `signer`, or sends unsigned without one.
    /// What is denied is told to `denials`.
    pub fn new(
        grant: Grant,
        signer: Option<Signer>,
        region_fixed: bool,
        pool: Arc<Pool>,
        denials: Arc<Denials>,
    ) -> Self {
        let open = Open {
            grant,
            signing: Arc::new(Signing { signer: signer.map(Mutex::new), region_fixed }),
            custom_headers: Vec::new(),
            pool,
            denials,
            debug: None,
        };
        Self { open: Some(open) }
    }

    /// Sets headers on every request, after signing.
    #[must_use]
    pub fn with_custom_headers(mut self, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        if let Some(open) = &mut self.open {
            open.custom_headers = headers;
        }
        self
    }

    /// Traces every exchange.
    #[must_use]
    pub fn with_debug(mut self, tracer: Option<trace::Tracer>) -> Self {
        if let Some(open) = &mut self.open {
            open.debug = tracer.map(Arc::new);
        }
        self
    }

    /// Checks a request and brings it into the form that goes over the wire: everything before it
    /// is sent.
    ///
    /// # Errors
    /// The request is denied, and the user told.
    pub fn admit(
        &self,
        request: Request<WasiBody>,
    ) -> Result<(Kind, Request<Empty<Bytes>>), Error> {
        let open = self.open.as_ref().ok_or(Error::HttpRequestDenied)?;
        let kind = open.grant.check(&request).map_err(|denial| {
            open.denials.deny(&denial);
            Error::HttpRequestDenied
        })?;
        Ok((kind, open.prepare(request)?))
    }
}

impl Open {
    /// Signs a granted request and brings it into the form that goes over the wire.
    fn prepare(&self, request: Request<WasiBody>) -> Result<Request<Empty<Bytes>>, Error> {
        let (mut parts, body) = request.into_parts();
        if !body.is_end_stream() {
            return Err(Error::HttpRequestBodySize(Some(0)));
        }
        Grant::strip_signature(&mut parts.headers);
        if let Some(signer) = &self.signing.signer {
            let mut signer = signer.lock().unwrap_or_else(PoisonError::into_inner);
            sign(&mut signer, &parts.method, &parts.uri, &self.grant, &mut parts.headers)?;
        }
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
        Ok(Request::from_parts(parts, Empty::new()))
    }
}

fn sign(
    signer: &mut Signer,
    method: &http::Method,
    uri: &http::Uri,
    grant: &Grant,
    headers: &mut HeaderMap,
) -> Result<(), Error> {
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
        host: &grant.origin().authority,
        headers: &signed_headers,
    };
    let signed = signer.sign(&request, now.as_secs());
    let value = |text: &str| {
        let value = HeaderValue::from_str(text);
        value.map_err(|_| {
            Error::InternalError(Some("the keys hold an illegal character".to_owned()))
        })
    };
    headers.insert(http::header::AUTHORIZATION, value(&signed.authorization)?);
    headers.insert("x-amz-date", value(&signed.date)?);
    headers.insert("x-amz-content-sha256", HeaderValue::from_static(EMPTY_SHA256));
    if let Some(token) = &signed.token {
        headers.insert("x-amz-security-token", value(token.reveal())?);
    }
    Ok(())
}

/// The region in an answer to `?location`.
fn location(body: &[u8]) -> Option<String> {
    let region = xml::text(&String::from_utf8_lossy(body), "LocationConstraint")?;
    Some(if region.is_empty() { DEFAULT_REGION.to_owned() } else { region })
}

/// What Go's servers say to a request without TLS on a port with it, and nowhere else.
fn is_tls_port<B>(response: &Response<B>) -> bool {
    response.status() == StatusCode::BAD_REQUEST && response.version() == Version::HTTP_10
}

async fn exchange(
    kind: Kind,
    request: Request<Empty<Bytes>>,
    pool: Arc<Pool>,
    signing: Arc<Signing>,
    debug: Option<Arc<trace::Tracer>>,
) -> Answer {
    let traced = debug.as_ref().map(|tracer| tracer.request(&request));
    let response = pool.send(request).await?;
    if is_tls_port(&response) && pool.is_plain() {
        return Err(tls::refused(
            "the server speaks TLS on this port; an alias with https:// is meant".to_owned(),
        ));
    }
    let region = response.headers().get("x-amz-bucket-region");
    signing.learn(region.and_then(|region| region.to_str().ok()));
    let traced = debug.as_ref().zip(traced);
    let shown = traced.is_some() && trace::shows_body(response.status());
    let (parts, body) = response.into_parts();
    let response = if kind == Kind::Location || shown {
        let whole = Limited::new(body, MAX_BODY).collect().await;
        let whole = whole.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        if kind == Kind::Location {
            signing.learn(location(&whole).as_deref());
        }
        if let Some((tracer, traced)) = traced {
            tracer.response(traced, &parts, &whole);
        }
        let body = Full::new(whole).map_err(|never| match never {});
        Response::from_parts(parts, body.boxed_unsync())
    } else {
        if let Some((tracer, traced)) = traced {
            tracer.response(traced, &parts, b"");
        }
        Response::from_parts(parts, body)
    };
    Ok((response, Box::new(async { Ok(()) }) as Box<dyn Future<Output = _> + Send>))
}

impl WasiHttpHooks for Gate {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        _options: Option<RequestOptions>,
        _fut: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        match (self.admit(request), &self.open) {
            (Ok((kind, request)), Some(open)) => {
                let (pool, signing) = (Arc::clone(&open.pool), Arc::clone(&open.signing));
                Box::new(exchange(kind, request, pool, signing, open.debug.clone()))
            }
            (Ok(_), None) => Box::new(async { Err(Error::HttpRequestDenied) }),
            (Err(error), _) => Box::new(async { Err(error) }),
        }
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|name| DEFAULT_FORBIDDEN_HEADERS.contains(name))
    }
}
