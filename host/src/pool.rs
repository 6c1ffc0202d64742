//! Connections to the one server of a run, kept open between requests.
//!
//! `wasmtime-wasi-http` opens a connection for every request, which ends at about 470 requests a
//! second when the ports run out. Here a request takes an idle connection or opens one, and at
//! most as many are in use as requests may be in flight: hyper's own pool opens one more on every
//! race between a new connection and one that comes back, this one cannot.
//!
//! Where the server has several addresses, every request takes its turn at one of them (`nodes.rs`), so
//! each gets as many requests as the others. Some more connections are open then than are in use, which is
//! how four nodes are asked in turn with `--concurrent 10`, or 1. A request that meets a node that is gone
//! goes to another at once.

use crate::connect::Connector;
use crate::dial;
use crate::nodes::{Nodes, Turn};
use crate::proxy::Proxy;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime_wasi_http::{Error, WasiBody};

/// Requests have no body.
type Outgoing = Request<Empty<Bytes>>;
type Sender = SendRequest<Empty<Bytes>>;

/// Bytes that the head of an answer may have, as in Go's client. The buffer that they are read into
/// grows only when it is needed: an answer to HEAD has half a kilobyte.
const HEAD: usize = 1 << 20;

/// Headers that an answer may have: bytes are what is limited, and objects with a hundred pieces of
/// metadata exist. hyper has room for 100 on its stack and allocates more for every answer, so a
/// connection with more is only opened once it was needed. The last is what a header map holds.
const HEADERS: [usize; 3] = [100, 1_000, 24_000];

/// The connections of a run.
#[derive(Debug)]
pub struct Pool {
    connector: Connector,
    nodes: Arc<Nodes>,
    /// By address: a name has a handful of them.
    idle: Mutex<Vec<(SocketAddr, Vec<Idle>)>>,
    places: Arc<Semaphore>,
    /// Which of [`HEADERS`] new connections have room for.
    room: AtomicUsize,
}

/// A connection, where it leads, and how many headers it has room for, as an index into [`HEADERS`].
#[derive(Debug)]
struct Idle {
    sender: Sender,
    address: SocketAddr,
    room: usize,
}

/// Why a request was not answered.
struct Unanswered {
    error: Error,
    /// The address where nobody is any more.
    gone: Option<SocketAddr>,
    /// The request, if nothing of it was sent.
    unsent: Option<Box<Outgoing>>,
}

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        Self { error, gone: None, unsent: None }
    }
}

/// Whether a request may be sent again although a server may have had it already.
fn is_repeatable(request: &Outgoing) -> bool {
    request.method() != Method::PUT
}

impl Pool {
    /// A pool of at most `places` connections.
    pub fn new(connector: Connector, places: usize) -> Arc<Self> {
        Arc::new(Self {
            connector,
            nodes: Nodes::new(places),
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(places)),
            room: AtomicUsize::new(0),
        })
    }

    /// The proxy that is sent the requests in place of the server.
    pub(crate) fn forwarder(&self) -> Option<&Proxy> {
        self.connector.forwarder()
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
        let mut met = Vec::new();
        loop {
            let again = (self.nodes.len() != 1 && is_repeatable(&request)).then(|| request.clone());
            let unanswered = match self.attempt(request, &met).await {
                Ok((response, connection)) => return Ok(self.wrap(response, connection, place)),
                Err(unanswered) => unanswered,
            };
            met.extend(unanswered.gone);
            request = match unanswered.unsent.map(|unsent| *unsent).or(again) {
                Some(same) if unanswered.gone.is_some() && self.nodes.has_another(&met) => same,
                _ => return Err(unanswered.error),
            };
        }
    }

    /// Sends a request to the address whose turn it is. It has met these before.
    async fn attempt(
        &self,
        mut request: Outgoing,
        met: &[SocketAddr],
    ) -> Result<(Response<Incoming>, Idle), Unanswered> {
        let mut turn = self.turn(met).await?;
        loop {
            let (mut connection, reused) = match self.take_idle(&turn).await {
                Some(connection) => (connection, true),
                None => match Box::pin(self.open(&mut turn)).await {
                    Ok(connection) => (connection, false),
                    Err(error) => return Err(unopened(error, turn, request)),
                },
            };
            let mut error = match connection.sender.try_send_request(request).await {
                Ok(response) => {
                    turn.answered();
                    return Ok((response, connection));
                }
                Err(error) => error,
            };
            let unsent = match error.take_message() {
                // The server had closed it while it was idle, and nothing was sent.
                Some(unsent) if reused => {
                    request = unsent;
                    continue;
                }
                unsent => unsent,
            };
            if error.error().is_parse_too_large() {
                turn.answered();
                return Err(self.needs_room(connection.room).into());
            }
            let error = classify(error.error());
            let gone = matches!(error, Error::ConnectionTerminated).then_some(turn.address());
            let says_nothing = match error {
                // It may have been closed for having been idle while the request was on its way.
                Error::ConnectionTerminated => reused,
                Error::ConnectionReadTimeout => false,
                _ => true,
            };
            if says_nothing {
                turn.over();
            }
            return Err(Unanswered { error, gone, unsent: unsent.map(Box::new) });
        }
    }

    /// Whose turn it is.
    async fn turn(&self, met: &[SocketAddr]) -> Result<Turn, Error> {
        if let Some(turn) = self.nodes.turn(met) {
            return Ok(turn);
        }
        Box::pin(self.connector.look_up(&self.nodes)).await?;
        self.nodes.turn(met).ok_or_else(dial::nowhere)
    }

    /// An answer had more headers than there was room for. It has gone by; there is more for the next.
    fn needs_room(&self, room: usize) -> Error {
        let more = (room + 1).min(HEADERS.len() - 1);
        self.room.fetch_max(more, Ordering::Relaxed);
        Error::HttpResponseHeaderSectionSize(None)
    }

    /// An idle connection that still stands, to the address whose turn it is. One that has only just come
    /// back may need a moment to be ready, which is no reason to open another. Those to an address that did
    /// not answer look as if they stood.
    async fn take_idle(&self, turn: &Turn) -> Option<Idle> {
        if turn.is_trial() {
            self.idle.lock().ok()?.retain(|(address, _)| *address != turn.address());
        }
        loop {
            let mut connection = {
                let mut idle = self.idle.lock().ok()?;
                let (_, there) = idle.iter_mut().find(|(at, _)| *at == turn.address())?;
                there.pop()?
            };
            if connection.room >= self.room.load(Ordering::Relaxed)
                && !connection.sender.is_closed()
                && connection.sender.ready().await.is_ok()
            {
                return Some(connection);
            }
        }
    }

    async fn open(&self, turn: &mut Turn) -> Result<Idle, Error> {
        let stream = self.connector.connect(turn).await?;
        let room = self.room.load(Ordering::Relaxed);
        let mut builder = http1::Builder::new();
        builder.max_buf_size(HEAD);
        if room > 0 {
            builder.max_headers(HEADERS.get(room).copied().unwrap_or_default());
        }
        let (mut sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(|error| classify(&error))?;
        tokio::spawn(async move {
            // Whoever waits for the answer is told through it.
            let _ = connection.await;
        });
        sender.ready().await.map_err(|error| classify(&error))?;
        Ok(Idle { sender, address: turn.address(), room })
    }

    fn wrap(
        self: &Arc<Self>,
        response: Response<Incoming>,
        connection: Idle,
        place: OwnedSemaphorePermit,
    ) -> Response<WasiBody> {
        let (parts, body) = response.into_parts();
        let lease = Lease { connection, _place: place, pool: Arc::clone(self) };
        if body.is_end_stream() {
            lease.give_back();
            let empty = Empty::new().map_err(|never| match never {});
            return Response::from_parts(parts, empty.boxed_unsync());
        }
        Response::from_parts(parts, Leased { body, lease: Some(lease) }.boxed_unsync())
    }
}

/// What it means that no connection was opened: somebody took it and did not say a word, or nobody did,
/// whichever address was tried.
fn unopened(error: Error, turn: Turn, request: Outgoing) -> Unanswered {
    let silent = matches!(error, Error::ConnectionTerminated | Error::ConnectionTimeout);
    let gone = (silent && turn.is_connected()).then_some(turn.address());
    if gone.is_none() {
        turn.over();
    }
    Unanswered { error, gone, unsent: Some(Box::new(request)) }
}

/// A connection in use.
struct Lease {
    connection: Idle,
    pool: Arc<Pool>,
    _place: OwnedSemaphorePermit,
}

impl Lease {
    fn give_back(self) {
        if !self.connection.sender.is_closed()
            && let Ok(mut idle) = self.pool.idle.lock()
        {
            let address = self.connection.address;
            match idle.iter_mut().find(|(at, _)| *at == address) {
                Some((_, there)) => there.push(self.connection),
                None => idle.push((address, vec![self.connection])),
            }
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
pub(crate) fn classify(error: &hyper::Error) -> Error {
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
