//! Connections to the one server of a run, kept open between requests.
//!
//! `wasmtime-wasi-http` opens a connection for every request, which ends at about 470 requests a
//! second when the ports run out. Here a request takes an idle connection or opens one, and at
//! most as many are in use as requests may be in flight: hyper's own pool opens one more on every
//! race between a new connection and one that comes back, this one cannot.

use crate::connect::Connector;
use crate::proxy::Proxy;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime_wasi_http::{Error, WasiBody};

/// Requests have no body.
type Outgoing = Request<Empty<Bytes>>;
type Sender = SendRequest<Empty<Bytes>>;

/// Read buffer of a connection. An answer to HEAD has half a kilobyte; of the listing, this much is
/// handed to the guest at once.
const READ_BUFFER: usize = 64 * 1024;

/// The connections of a run.
#[derive(Debug)]
pub struct Pool {
    connector: Connector,
    idle: Mutex<Vec<Sender>>,
    places: Arc<Semaphore>,
}

impl Pool {
    /// A pool of at most `places` connections.
    pub fn new(connector: Connector, places: usize) -> Arc<Self> {
        Arc::new(Self {
            connector,
            idle: Mutex::new(Vec::new()),
            places: Arc::new(Semaphore::new(places)),
        })
    }

    /// The proxy that is sent the requests in place of the server.
    pub(crate) fn forwarder(&self) -> Option<&Proxy> {
        self.connector.forwarder()
    }

    /// Whether requests go to the server itself, without TLS.
    pub(crate) fn is_plain(&self) -> bool {
        self.connector.is_plain()
    }

    /// Sends a request. Its connection comes back to the pool when the body of the answer has been
    /// read; one whose body is dropped before is closed.
    ///
    /// # Errors
    /// In the terms of `wasi:http`.
    pub(crate) async fn send(
        self: &Arc<Self>,
        mut request: Outgoing,
    ) -> Result<Response<WasiBody>, Error> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| Error::ConnectionLimitReached)?;
        loop {
            let (mut sender, reused) = match self.take_idle().await {
                Some(sender) => (sender, true),
                None => (self.open().await?, false),
            };
            match sender.try_send_request(request).await {
                Ok(response) => return Ok(self.wrap(response, sender, place)),
                Err(mut error) => match error.take_message() {
                    // The server had closed it while it was idle, and nothing was sent.
                    Some(unsent) if reused => request = unsent,
                    _ => return Err(classify(error.error())),
                },
            }
        }
    }

    /// An idle connection that still stands. One that has only just come back may need a moment
    /// to be ready, which is no reason to open another.
    async fn take_idle(&self) -> Option<Sender> {
        loop {
            let mut sender = self.idle.lock().ok()?.pop()?;
            if !sender.is_closed() && sender.ready().await.is_ok() {
                return Some(sender);
            }
        }
    }

    async fn open(&self) -> Result<Sender, Error> {
        let stream = self.connector.connect().await?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(READ_BUFFER)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| classify(&error))?;
        tokio::spawn(async move {
            // Whoever waits for the answer is told through it.
            let _ = connection.await;
        });
        sender.ready().await.map_err(|error| classify(&error))?;
        Ok(sender)
    }

    fn wrap(
        self: &Arc<Self>,
        response: Response<Incoming>,
        sender: Sender,
        place: OwnedSemaphorePermit,
    ) -> Response<WasiBody> {
        let (parts, body) = response.into_parts();
        let lease = Lease { sender, _place: place, pool: Arc::clone(self) };
        if body.is_end_stream() {
            lease.give_back();
            let empty = Empty::new().map_err(|never| match never {});
            return Response::from_parts(parts, empty.boxed_unsync());
        }
        Response::from_parts(parts, Leased { body, lease: Some(lease) }.boxed_unsync())
    }
}

/// A connection in use.
struct Lease {
    sender: Sender,
    pool: Arc<Pool>,
    _place: OwnedSemaphorePermit,
}

impl Lease {
    fn give_back(self) {
        if !self.sender.is_closed()
            && let Ok(mut idle) = self.pool.idle.lock()
        {
            idle.push(self.sender);
        }
    }
}

/// A body that gives its connection back at its end.
struct Leased {
    body: Incoming,
    lease: Option<Lease>,
}

impl Body for Leased {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(match frame {
            Some(Ok(frame)) => Some(Ok(frame)),
            Some(Err(error)) => {
                self.lease = None;
                Some(Err(classify(&error)))
            }
            None => {
                if let Some(lease) = self.lease.take() {
                    lease.give_back();
                }
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What hyper says, in the terms of `wasi:http`.
fn classify(error: &hyper::Error) -> Error {
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return Error::ConnectionTerminated;
    }
    if error.is_parse() {
        return Error::HttpProtocolError;
    }
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<io::Error>() {
            return match cause.kind() {
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionAborted => Error::ConnectionTerminated,
                io::ErrorKind::TimedOut => Error::ConnectionReadTimeout,
                _ => Error::InternalError(Some(cause.to_string())),
            };
        }
        source = cause.source();
    }
    Error::InternalError(Some(error.to_string()))
}
