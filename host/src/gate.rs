//! The one gate between the component and the network.
//!
//! Every request passes here: checked against the grant, freed of what a component may have set of
//! a signature, signed with keys the component never sees, given the user's own headers, sent.

use crate::pool::Pool;
use crate::{tls, trace};
use bytes::Bytes;
use http::header::PROXY_AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body;
use http_body_util::{BodyExt, Empty, Full, Limited};
use mc_wasi_policy::{Denials, Grant, Kind};
use resync_core::wire::{MAX_BODY, REGION_HEADER, Signer, Unsigned, named_region};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody,
    WasiHttpHooks,
};

/// What wasmtime takes for a request: the response, and what drives its connection.
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
    pub fn admit(&self, request: Request<WasiBody>) -> Result<Admitted, Error> {
        let open = self.open.as_ref().ok_or(Error::HttpRequestDenied)?;
        let kind = open.grant.check(&request).map_err(|denial| {
            open.denials.deny(&denial);
            Error::HttpRequestDenied
        })?;
        Ok(Admitted { open: Arc::clone(open), kind, request: open.prepare(request)? })
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
        Ok(Request::from_parts(parts, Empty::new()))
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
        for (name, value) in signed.headers() {
            let value = HeaderValue::from_str(value).map_err(|_| {
                Error::InternalError(Some("the keys hold an illegal character".to_owned()))
            })?;
            headers.insert(name, value);
        }
        Ok(())
    }
}

/// What Go's servers say to a request without TLS on a port with it, and nowhere else.
fn is_tls_port<B>(response: &Response<B>) -> bool {
    response.status() == StatusCode::BAD_REQUEST && response.version() == Version::HTTP_10
}

impl Admitted {
    /// Sends the request, and learns from the answer what the next signature needs.
    async fn send(self) -> Sent {
        let Self { open, kind, request } = self;
        let traced = open.tracer.as_ref().map(|tracer| (tracer, tracer.request(&request)));
        let response = open.pool.send(request).await?;
        if is_tls_port(&response) && open.pool.is_plain() {
            return Err(tls::permanent(
                "the server speaks TLS on this port; use https:// in the alias".to_owned(),
            ));
        }
        let shown = traced.is_some() && trace::shows_body(response.status());
        let (parts, body) = response.into_parts();
        let (body, whole) = if kind == Kind::Location || shown {
            let whole = Limited::new(body, MAX_BODY).collect().await;
            let whole = whole.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            let body = Full::new(whole.clone()).map_err(|never| match never {});
            (body.boxed_unsync(), whole)
        } else {
            (body, Bytes::new())
        };
        let region = parts.headers.get(REGION_HEADER).and_then(|region| region.to_str().ok());
        let document = if kind == Kind::Location { &whole[..] } else { b"" };
        open.signing.learn(named_region(region, document).as_deref());
        if let Some((tracer, traced)) = traced {
            tracer.response(traced, &parts, &whole);
        }
        let driven = Box::new(async { Ok(()) }) as Box<dyn Future<Output = _> + Send>;
        Ok((Response::from_parts(parts, body), driven))
    }
}

impl WasiHttpHooks for Gate {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        _options: Option<RequestOptions>,
        _fut: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        match self.admit(request) {
            Ok(admitted) => Box::new(admitted.send()),
            Err(error) => Box::new(async { Err(error) }),
        }
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|name| DEFAULT_FORBIDDEN_HEADERS.contains(name))
    }
}
