//! `wasi:http/outgoing-handler` and `future-incoming-response`: how a request of the component comes to the gate, and
//! its answer back.
//!
//! wasmtime's own are for any request and any host: the head of each is built twice, the authority parsed again and
//! an empty body boxed. Requests of this program have no body and go to one server, which is known.

use crate::exchanges::{Answer, Exchanges};
use crate::gate::Gate;
use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Method, Request, Uri};
use http_body::Body;
use http_body_util::Empty;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceTable, ResourceType};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi_http::p2::bindings::http::types::{self, ErrorCode};
use wasmtime_wasi_http::p2::body::HostIncomingBody;
use wasmtime_wasi_http::p2::types::{
    HostFutureIncomingResponse, HostIncomingResponse, HostOutgoingRequest,
};
use wasmtime_wasi_http::{Error, FieldMap, RequestOptions, WasiHttpCtx, WasiHttpCtxView};

/// The way from the component to the gate and back.
pub(crate) struct Handler<'a> {
    /// What wasmtime knows of HTTP.
    pub(crate) http: &'a mut WasiHttpCtx,
    /// Requests and responses.
    pub(crate) table: &'a mut ResourceTable,
    /// The only way out.
    pub(crate) gate: &'a mut Gate,
    /// The requests under way.
    pub(crate) exchanges: &'a mut Exchanges,
}

/// The interfaces, in the newest version that a component may ask for.
const OUTGOING_HANDLER: &str = "wasi:http/outgoing-handler@0.2.12";
const TYPES: &str = "wasi:http/types@0.2.12";

/// What `future-incoming-response.get` gives: nothing yet, or once the response.
type Got = Option<Result<Result<Resource<HostIncomingResponse>, ErrorCode>, ()>>;

/// Gives a component the first interface, and in the place of wasmtime's the one resource of the other.
///
/// # Errors
/// There is a handler already.
pub(crate) fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    handler: fn(&mut T) -> Handler<'_>,
) -> wasmtime::Result<()> {
    // The functions of the bindings want an implementation of all that HTTP is beside these.
    type Asked = (Resource<HostOutgoingRequest>, Option<Resource<RequestOptions>>);
    let handle = move |mut store: StoreContextMut<'_, T>, (request, _): Asked| {
        let answer: Result<_, ErrorCode> = Ok(handler(store.data_mut()).handle(request)?);
        Ok((answer,))
    };
    let get = move |mut store: StoreContextMut<'_, T>, (answer,): (Resource<Answer>,)| {
        Ok((handler(store.data_mut()).get(&answer)?,))
    };
    let subscribe = move |mut store: StoreContextMut<'_, T>, (answer,): (Resource<Answer>,)| {
        Ok((handler(store.data_mut()).subscribe(answer)?,))
    };
    linker.instance(OUTGOING_HANDLER)?.func_wrap("handle", handle)?;
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    let answer = ResourceType::host::<Answer>();
    types.resource("future-incoming-response", answer, move |mut store, answer| {
        handler(store.data_mut()).table.delete(Resource::<Answer>::new_own(answer))?;
        Ok(())
    })?;
    types.func_wrap("[method]future-incoming-response.get", get)?;
    types.func_wrap("[method]future-incoming-response.subscribe", subscribe)?;
    linker.allow_shadowing(false);
    Ok(())
}

impl Handler<'_> {
    fn handle(
        &mut self,
        request: Resource<HostOutgoingRequest>,
    ) -> wasmtime::Result<Resource<Answer>> {
        let request = self.table.delete(request)?;
        let answer = match request_of(request).and_then(|request| self.gate.admit(request)) {
            Ok(admitted) => self.exchanges.begin(admitted.send()),
            Err(error) => Answer::of(Err(error)),
        };
        Ok(self.table.push(answer)?)
    }

    fn get(&mut self, answer: &Resource<Answer>) -> wasmtime::Result<Got> {
        let (head, body) = match self.table.get(answer)?.take() {
            None => return Ok(None),
            Some(Err(())) => return Ok(Some(Err(()))),
            Some(Ok(Ok(response))) => response.into_parts(),
            Some(Ok(Err(error))) => return self.failed(error).map(Some),
        };
        let response = HostIncomingResponse {
            status: head.status.as_u16(),
            headers: FieldMap::new_immutable(self.gate, head.headers),
            body: Some(HostIncomingBody::new(body)),
        };
        Ok(Some(Ok(Ok(self.table.push(response)?))))
    }

    /// An error in the words of the interface, which wasmtime alone knows.
    fn failed(
        &mut self,
        error: Error,
    ) -> wasmtime::Result<Result<Result<Resource<HostIncomingResponse>, ErrorCode>, ()>> {
        let answer = self.table.push(HostFutureIncomingResponse::Ready(Err(error)))?;
        let number = answer.rep();
        let mut http = WasiHttpCtxView { ctx: self.http, table: self.table, hooks: self.gate };
        let got = types::HostFutureIncomingResponse::get(&mut http, answer)?;
        self.table.delete(Resource::<HostFutureIncomingResponse>::new_own(number))?;
        Ok(got.unwrap_or(Err(())))
    }

    fn subscribe(&mut self, answer: Resource<Answer>) -> wasmtime::Result<Resource<DynPollable>> {
        let number = answer.rep();
        let pollable = wasmtime_wasi::p2::subscribe(self.table, answer)?;
        let answer = self.table.get(&Resource::<Answer>::new_borrow(number))?;
        self.exchanges.watch(&pollable, answer);
        Ok(pollable)
    }
}

/// The request as the component made it.
fn request_of(asked: HostOutgoingRequest) -> Result<Request<Empty<Bytes>>, Error> {
    if asked.body.is_some_and(|body| !body.is_end_stream()) {
        return Err(Error::HttpRequestBodySize(Some(0)));
    }
    let authority = asked.authority.unwrap_or_default();
    let mut headers = HeaderMap::from(asked.headers);
    let host = authority.parse().map_err(|_| Error::HttpRequestUriInvalid)?;
    headers.insert(HOST, host);
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(match asked.scheme {
        Some(types::Scheme::Http) => Scheme::HTTP,
        Some(types::Scheme::Https) | None => Scheme::HTTPS,
        Some(types::Scheme::Other(_)) => return Err(Error::HttpProtocolError),
    });
    let invalid = |_| Error::HttpRequestUriInvalid;
    parts.authority = Some(Authority::try_from(authority).map_err(invalid)?);
    let path = asked.path_with_query.unwrap_or_default();
    parts.path_and_query = Some(PathAndQuery::try_from(path).map_err(invalid)?);
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| Error::HttpRequestUriInvalid)?;
    *request.headers_mut() = headers;
    *request.method_mut() = match asked.method {
        types::Method::Get => Method::GET,
        types::Method::Head => Method::HEAD,
        types::Method::Post => Method::POST,
        types::Method::Put => Method::PUT,
        types::Method::Delete => Method::DELETE,
        types::Method::Connect => Method::CONNECT,
        types::Method::Options => Method::OPTIONS,
        types::Method::Trace => Method::TRACE,
        types::Method::Patch => Method::PATCH,
        types::Method::Other(name) => {
            Method::from_bytes(name.as_bytes()).map_err(|_| Error::HttpRequestMethodInvalid)?
        }
    };
    Ok(request)
}
