//! What the job needs of the world: HTTP exchanges, two clocks and some randomness.
//!
//! The component implements [`Net`] over `wasi:http`, the tests over a simulated server with a
//! virtual clock. Everything that uses this trait is plain, single-threaded Rust.

use crate::wire::alias::Endpoint;
use crate::wire::foreign::REQUEST_ID;
use crate::wire::fresh::is_dated;
use crate::wire::instant::Instant;
use std::fmt;
use std::time::Duration;

/// Tells the exchanges of one run apart. At any time each of them is used once at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ticket {
    /// The listing.
    Listing,
    /// What is asked for one at a time: a setting of the bucket, its targets, one version of a test.
    Setting,
    /// Another listing beside it.
    Look,
    /// A listing beside both, to see how much is left of what was triggered.
    Count,
    /// The bucket's counters, asked for while versions are in flight.
    Metrics,
    /// The region of the bucket, asked for while versions are in flight.
    Location,
    /// The versions that the user gives, which are read and not asked for.
    Input,
    /// A version in flight, by the number of its slot.
    Version(usize),
}

/// Methods this project sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are HTTP's")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
}

impl Method {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// A request. None has a body.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The server.
    pub endpoint: &'a Endpoint,
    /// The method.
    pub method: Method,
    /// Path and query as sent, percent-encoded.
    pub path_and_query: &'a str,
    /// Headers as sent, `Host` excepted.
    pub headers: &'a [(&'a str, &'a str)],
    /// How the answer is to be delivered.
    pub delivery: Delivery,
}

/// How an answer is to be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// With all headers, and the body as one piece of at most [`MAX_BODY`] bytes.
    Whole,
    /// A 200 by what [`brief`] takes of it; anything else as `Whole`. Each header fetched is a call
    /// out of the sandbox, and a backlog has millions of answers.
    Brief,
    /// Headers first, then the body in chunks.
    Stream,
}

/// What is needed of a 200 to the HEAD of a version that is only triggered: its replication status
/// and its request id. `None` where that is not enough to judge by, and all headers are needed.
pub fn brief(get: impl Fn(&str) -> Option<String>) -> Option<Vec<(String, String)>> {
    let id = get(REQUEST_ID).filter(|id| is_dated(id))?;
    let status = get(REPLICATION_STATUS).map(|status| (REPLICATION_STATUS.to_owned(), status));
    Some(status.into_iter().chain([(REQUEST_ID.to_owned(), id)]).collect())
}

/// The header in which the server says how far a version is replicated.
pub(crate) const REPLICATION_STATUS: &str = "x-amz-replication-status";

/// The header in which a host that can see it says that the body of an answer has a length or is chunked,
/// so that its end cannot be mistaken. WASI has no other place for that.
pub const FRAMED: &str = "x-mc-wasi-framed";

/// The most that is kept of a body which is not streamed: error documents, bucket settings, and a bucket's
/// counters, of which those of one target are 11 KiB (observed).
pub const MAX_BODY: usize = 256 * 1024;

/// An answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers, lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body, unless it is streamed.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Something happened to an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The answer, or of a streamed one its head.
    Response(Ticket, Result<Response, TransportError>),
    /// A piece of a streamed body.
    Chunk(Ticket, Vec<u8>),
    /// The end of a streamed body: clean, or cut.
    End(Ticket, Result<(), TransportError>),
}

impl Event {
    /// The exchange it happened to.
    pub fn ticket(&self) -> Ticket {
        match self {
            Self::Response(ticket, _) | Self::Chunk(ticket, _) | Self::End(ticket, _) => *ticket,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransportError {
    /// Nobody listens there.
    ConnectionRefused,
    /// The name does not resolve.
    Dns(String),
    /// The connection ended before the answer did.
    Closed(String),
    /// Nothing came for this long.
    Timeout(Duration),
    /// The certificate is not accepted, or there is no TLS at the other end.
    Tls(String),
    /// The sandbox does not allow this request; in its words, if it has any.
    Denied(String),
    /// A host with `fetch` says this, and never why: nobody answers there, or, in a browser, the answer does
    /// not let the page read it.
    Fetch(String),
    /// The proxy between here and the server does not let it through.
    Proxy(String),
    /// The other end does not speak HTTP.
    Protocol(String),
    /// This machine lacks something, such as files that may be open or free ports.
    Local(String),
    /// Anything else.
    Other(String),
}

/// How the text of an internal error begins in which a host blames the proxy: WASI has no error for
/// that. What follows is the proxy's address and the reason.
pub const PROXY_ERROR: &str = "proxy ";

/// What is known when `fetch` has failed.
const UNREACHABLE: &str = "nobody answers there; or, in a browser, the server does not let this page read its answers (CORS)";

/// How the text of an internal error begins in which a host says what this machine lacks.
pub const LOCAL_ERROR: &str = "this machine ";

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConnectionRefused => f.write_str("connection refused"),
            Self::Dns(text) if text.is_empty() => f.write_str("no such host"),
            Self::Dns(text) => write!(f, "lookup failed: {text}"),
            Self::Closed(text) if text.is_empty() => f.write_str("connection closed by the server"),
            Self::Timeout(Duration::ZERO) => f.write_str("timed out"),
            Self::Timeout(after) => write!(f, "no answer for {} s", after.as_secs()),
            Self::Tls(text) => write!(f, "tls: {text}"),
            Self::Denied(text) if text.is_empty() => f.write_str("the sandbox denies this request"),
            Self::Denied(text) => write!(f, "the sandbox denies this request: {text}"),
            Self::Fetch(text) => write!(f, "{text}: {UNREACHABLE}"),
            Self::Protocol(text) if text.is_empty() => f.write_str("malformed HTTP response"),
            Self::Closed(text)
            | Self::Proxy(text)
            | Self::Protocol(text)
            | Self::Local(text)
            | Self::Other(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for TransportError {}

/// The world, as the job sees it.
pub trait Net {
    /// The moment it is. Never goes back.
    fn now(&self) -> Instant;

    /// Seconds since 1970, for signatures and dates.
    fn unix(&self) -> u64;

    /// Random bits, for jitter.
    fn random(&mut self) -> u64;

    /// Starts an exchange. Its events carry the ticket.
    fn send(&mut self, ticket: Ticket, call: &Call<'_>);

    /// Gives an exchange up: no event of it follows.
    fn cancel(&mut self, ticket: Ticket);

    /// Stops reading the body of an exchange, or goes on with it: what is not read fills the connection,
    /// and the server waits. What was read before may still come.
    fn hold(&mut self, ticket: Ticket, held: bool);

    /// Begins to read what the user gives instead of a listing. It comes as chunks and an end, as a streamed
    /// body does, and is held and given up like one; the ticket is [`Ticket::Input`].
    fn read_input(&mut self);

    /// Waits until something happened or `until` has come, and appends what happened. Without
    /// `until` and with no exchange under way that is not held it returns at once.
    fn wait(&mut self, until: Option<Instant>, events: &mut Vec<Event>);

    /// Whether the user asked to stop. Checked between waits; a wait ends early when it happens.
    fn stop_requested(&mut self) -> bool {
        false
    }
}
