//! `wasi:http/outgoing-handler`: how a request of the component comes to the gate.
//!
//! wasmtime's own is for any request and any host: it builds the head of each twice, parses the authority again and
//! boxes a body that is empty. Requests of this program have no body and go to one server, which is known.

use crate::gate::Gate;
use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Method, Request, Uri};
use http_body::Body;
use http_body_util::Empty;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime_wasi::runtime::spawn;
use wasmtime_wasi_http::p2::bindings::http::types::{self, ErrorCode};
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostOutgoingRequest};
use wasmtime_wasi_http::{Error, RequestOptions};

/// The way from the component to the gate.
pub(crate) struct Handler<'a> {
    /// Requests and responses.
    pub(crate) table: &'a mut ResourceTable,
    /// The only way out.
    pub(crate) gate: &'a Gate,
}

/// The interface, in the newest version that a component may ask for.
const INTERFACE: &str = "wasi:http/outgoing-handler@0.2.12";

/// Gives a component the interface.
///
/// # Errors
/// There is one already.
pub(crate) fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    handler: fn(&mut T) -> Handler<'_>,
) -> wasmtime::Result<()> {
    // The function of the bindings wants an implementation of all that HTTP is beside this.
    type Asked = (Resource<HostOutgoingRequest>, Option<Resource<RequestOptions>>);
    type Answer = (Result<Resource<HostFutureIncomingResponse>, ErrorCode>,);
    let handle = move |mut store: StoreContextMut<'_, T>, (request, _): Asked| {
        let answer: Answer = (Ok(handler(store.data_mut()).handle(request)?),);
        Ok(answer)
    };
    linker.instance(INTERFACE)?.func_wrap("handle", handle)
}

impl Handler<'_> {
    fn handle(
        &mut self,
        request: Resource<HostOutgoingRequest>,
    ) -> wasmtime::Result<Resource<HostFutureIncomingResponse>> {
        let request = self.table.delete(request)?;
        let future = match request_of(request).and_then(|request| self.gate.admit(request)) {
            // The connection drives itself, so there is nothing for the second task to do.
            Ok(admitted) => HostFutureIncomingResponse::Pending(spawn(async move {
                admitted.send().await.map(|response| (response, spawn(async {})))
            })),
            Err(error) => HostFutureIncomingResponse::Ready(Err(error)),
        };
        Ok(self.table.push(future)?)
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
