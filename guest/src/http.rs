//! [`Net`] over `wasi:http/outgoing-handler`, and over standard input for what the user gives.
//!
//! Two rules of this file were measured. A request without a body never calls
//! `outgoing-request.body`: flushing the empty one races the host, and 7 to 20 % of HEADs were lost
//! to "connection reset". And of an answer only what is needed is fetched, because each header is a
//! call out of the sandbox.

use crate::bindings::wasi::cli::stdin;
use crate::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use crate::bindings::wasi::http::outgoing_handler;
use crate::bindings::wasi::http::types::{
    self, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingRequest, Scheme,
};
use crate::bindings::wasi::io::poll::{self, Pollable};
use crate::bindings::wasi::io::streams::{InputStream, StreamError};
use crate::bindings::wasi::random::random;
use crate::errors::transport_error;
use resync_core::command::{BUNDLED, STOP};
use resync_core::wire::{
    self, Call, Delivery, Event, Instant, MAX_BODY, Method, Net, Response, Ticket, TransportError,
};
use std::time::Duration;

/// The most read from a body at once. A host hands out what it has, mostly less.
const CHUNK: u64 = 256 * 1024;

/// With so many exchanges under way, answers are gathered for a while before they are asked for, unless the last
/// question brought this part of them: the host looks at every exchange each time, however few are ready.
const MANY: usize = 200;
const PART: usize = 32;

/// How long they are gathered, in nanoseconds. With that many under way an answer takes ten times as long.
const GATHER: u64 = 1_000_000;

/// One exchange under way. Fields are dropped in this order, which the resources require: a
/// pollable before what it watches, a stream before its body.
struct Exchange {
    pollable: Pollable,
    stage: Stage,
    ticket: Ticket,
    method: Method,
    delivery: Delivery,
}

enum Stage {
    Head(FutureIncomingResponse),
    Body { stream: InputStream, _body: IncomingBody, _response: IncomingResponse, head: Response },
}

/// What the user gives.
struct Input {
    pollable: Pollable,
    stream: InputStream,
    held: bool,
}

impl Input {
    /// What there is of it. Nothing, when it turns out that there was no more to wait for.
    fn read(&self) -> Option<Event> {
        let result = match self.stream.read(CHUNK) {
            Ok(bytes) if bytes.is_empty() => return None,
            Ok(bytes) => return Some(Event::Chunk(Ticket::Input, bytes)),
            Err(StreamError::Closed) => Ok(()),
            Err(StreamError::LastOperationFailed(error)) => {
                let text = error.to_debug_string();
                let words = text.lines().next().unwrap_or_default().trim_end_matches('.');
                Err(TransportError::Local(words.to_owned()))
            }
        };
        Some(Event::End(Ticket::Input, result))
    }
}

/// HTTP, clocks and randomness of the host.
pub(crate) struct WasiNet {
    headers: LastHeaders,
    exchanges: Vec<Exchange>,
    /// Those whose bodies are not to be read for now.
    held: Vec<Exchange>,
    /// Events that happened at once, such as a refused request.
    immediate: Vec<Event>,
    timer: Option<(Instant, Pollable)>,
    /// How many answers the last question brought.
    brought: usize,
    stop: Option<(Pollable, InputStream)>,
    /// What the user gives, as long as there is more of it.
    input: Option<Input>,
    stop_requested: bool,
    /// Whether the host is mc-wasi: it has the certificates of its user, and none of the faults of
    /// others that are worked around here.
    bundled: bool,
    jitter: u64,
}

/// The headers sent last. Unsigned triggers all have the same, and having the host copy them costs
/// less than handing them over again: 27.1 µs a version instead of 28.5.
#[derive(Default)]
struct LastHeaders {
    list: Vec<(String, Vec<u8>)>,
    fields: Option<Fields>,
}

impl LastHeaders {
    fn fields(&mut self, headers: &[(&str, &str)]) -> Result<Fields, TransportError> {
        let same = self.list.len() == headers.len()
            && self.list.iter().zip(headers).all(|(a, b)| a.0 == b.0 && a.1 == b.1.as_bytes());
        if !same {
            self.fields = None;
            self.list =
                headers.iter().map(|(n, v)| ((*n).to_owned(), v.as_bytes().to_vec())).collect();
            return self.make();
        }
        let fields = match self.fields.take() {
            Some(fields) => fields,
            None => self.make()?,
        };
        Ok(self.fields.insert(fields).clone())
    }

    fn make(&self) -> Result<Fields, TransportError> {
        Fields::from_list(&self.list).map_err(|error| {
            TransportError::Other(format!("this host does not allow one of the headers: {error}"))
        })
    }
}

impl WasiNet {
    /// `serves` says what the host does beyond WASI.
    pub(crate) fn new(serves: impl Fn(&str) -> bool) -> Self {
        let stop = serves(STOP).then(|| {
            let stream = stdin::get_stdin();
            (stream.subscribe(), stream)
        });
        Self {
            headers: LastHeaders::default(),
            exchanges: Vec::new(),
            held: Vec::new(),
            immediate: Vec::new(),
            timer: None,
            brought: 0,
            stop,
            input: None,
            stop_requested: false,
            bundled: serves(BUNDLED),
            jitter: random::get_random_u64(),
        }
    }

    /// Asks the run to stop, as the end of standard input would.
    pub(crate) fn request_stop(&mut self) {
        self.stop_requested = true;
    }

    fn begin(&mut self, call: &Call<'_>) -> Result<FutureIncomingResponse, TransportError> {
        let headers = self.headers.fields(call.headers)?;
        let request = OutgoingRequest::new(headers);
        let invalid = |()| TransportError::Other("this host does not take the request".to_owned());
        let method = match call.method {
            Method::Get => types::Method::Get,
            Method::Head => types::Method::Head,
            Method::Post => types::Method::Post,
            Method::Put => types::Method::Put,
        };
        let scheme = match call.endpoint.scheme {
            wire::Scheme::Http => Scheme::Http,
            wire::Scheme::Https => Scheme::Https,
        };
        if call.method != Method::Get {
            request.set_method(&method).map_err(invalid)?;
        }
        request.set_scheme(Some(&scheme)).map_err(invalid)?;
        request.set_authority(Some(&call.endpoint.authority)).map_err(invalid)?;
        request.set_path_with_query(Some(call.path_and_query)).map_err(invalid)?;
        outgoing_handler::handle(request, None).map_err(|code| transport_error(&code, self.bundled))
    }

    /// The timer for `until`. One that fires earlier serves as well: waking up for nothing costs
    /// less than a new timer for every wait.
    fn set_timer(&mut self, until: Option<Instant>) {
        let Some(until) = until else { return };
        let now = self.now();
        if self.timer.as_ref().is_some_and(|(at, _)| *at <= until && *at > now) {
            return;
        }
        let nanos = u64::try_from(until.origin_age().as_nanos()).unwrap_or(u64::MAX);
        self.timer = Some((until, monotonic_clock::subscribe_instant(nanos)));
    }

    /// Goes on with an exchange that is ready. Returns whether it is still under way.
    fn proceed(&mut self, index: usize, events: &mut Vec<Event>) -> bool {
        let Some(exchange) = self.exchanges.get_mut(index) else { return false };
        let bundled = self.bundled;
        let transport_error = |code: &types::ErrorCode| transport_error(code, bundled);
        match &mut exchange.stage {
            Stage::Head(future) => {
                let response = match future.get() {
                    None => return true,
                    Some(Ok(Ok(response))) => response,
                    Some(Ok(Err(code))) => {
                        events.push(Event::Response(exchange.ticket, Err(transport_error(&code))));
                        return false;
                    }
                    Some(Err(())) => return false,
                };
                on_head(exchange, response, events)
            }
            Stage::Body { stream, head, .. } => match stream.read(CHUNK) {
                Ok(bytes) if bytes.is_empty() => true,
                Ok(bytes) if exchange.delivery == Delivery::Stream && head.status == 200 => {
                    events.push(Event::Chunk(exchange.ticket, bytes));
                    true
                }
                Ok(bytes) => {
                    let room = MAX_BODY.saturating_sub(head.body.len()).min(bytes.len());
                    head.body.extend_from_slice(bytes.get(..room).unwrap_or_default());
                    let full = head.body.len() >= MAX_BODY;
                    if full {
                        let head = std::mem::take(head);
                        events.push(Event::Response(exchange.ticket, Ok(head)));
                    }
                    !full
                }
                Err(end) => {
                    let result = match end {
                        StreamError::Closed => Ok(()),
                        // jco 1.35 crashes when it is asked for the code of an error of Node's own.
                        StreamError::LastOperationFailed(_) if !bundled => {
                            Err(TransportError::Closed(String::new()))
                        }
                        StreamError::LastOperationFailed(error) => {
                            Err(types::http_error_code(&error).map_or_else(
                                || TransportError::Closed(error.to_debug_string()),
                                |code| transport_error(&code),
                            ))
                        }
                    };
                    events.push(if exchange.delivery == Delivery::Stream && head.status == 200 {
                        Event::End(exchange.ticket, result)
                    } else {
                        let head = std::mem::take(head);
                        Event::Response(exchange.ticket, result.map(|()| head))
                    });
                    false
                }
            },
        }
    }
}

/// Takes the head of an answer, and the body where there is one to read.
fn on_head(exchange: &mut Exchange, response: IncomingResponse, events: &mut Vec<Event>) -> bool {
    let status = response.status();
    let headers = response.headers();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let get = |name: &str| headers.get(name).into_iter().next().map(text);
    let few = (exchange.delivery == Delivery::Brief && status == 200).then(|| wire::brief(get));
    let wanted = few.flatten().unwrap_or_else(|| {
        let all = headers.entries().into_iter();
        all.map(|(name, value)| (name.to_ascii_lowercase(), text(value))).collect()
    });
    drop(headers);
    let head = Response { status, headers: wanted, body: Vec::new() };
    let streams = exchange.delivery == Delivery::Stream && status == 200;
    let bodiless =
        exchange.method == Method::Head || (exchange.delivery == Delivery::Brief && status == 200);
    let stream = if bodiless {
        None
    } else {
        response.consume().ok().and_then(|body| body.stream().ok().map(|stream| (stream, body)))
    };
    let Some((stream, body)) = stream else {
        events.push(Event::Response(exchange.ticket, Ok(head)));
        return false;
    };
    if streams {
        events.push(Event::Response(exchange.ticket, Ok(head.clone())));
    }
    exchange.pollable = stream.subscribe();
    exchange.stage = Stage::Body { stream, _body: body, _response: response, head };
    true
}

impl Net for WasiNet {
    fn now(&self) -> Instant {
        Instant::since_origin(Duration::from_nanos(monotonic_clock::now()))
    }

    fn unix(&self) -> u64 {
        wall_clock::now().seconds
    }

    fn random(&mut self) -> u64 {
        // xorshift64*: jitter needs no more, and a call out of the sandbox for each costs more.
        self.jitter |= 1;
        self.jitter ^= self.jitter >> 12;
        self.jitter ^= self.jitter << 25;
        self.jitter ^= self.jitter >> 27;
        self.jitter.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn send(&mut self, ticket: Ticket, call: &Call<'_>) {
        match self.begin(call) {
            Ok(future) => self.exchanges.push(Exchange {
                pollable: future.subscribe(),
                stage: Stage::Head(future),
                ticket,
                method: call.method,
                delivery: call.delivery,
            }),
            Err(error) => self.immediate.push(Event::Response(ticket, Err(error))),
        }
    }

    fn cancel(&mut self, ticket: Ticket) {
        for exchanges in [&mut self.exchanges, &mut self.held] {
            exchanges.retain(|exchange| exchange.ticket != ticket);
        }
        self.immediate.retain(|event| event.ticket() != ticket);
        self.input = self.input.take().filter(|_| ticket != Ticket::Input);
    }

    fn hold(&mut self, ticket: Ticket, held: bool) {
        let (from, to) = match held {
            true => (&mut self.exchanges, &mut self.held),
            false => (&mut self.held, &mut self.exchanges),
        };
        if let Some(index) = from.iter().position(|exchange| exchange.ticket == ticket) {
            to.push(from.swap_remove(index));
        }
        if let (Some(input), Ticket::Input) = (&mut self.input, ticket) {
            input.held = held;
        }
    }

    fn read_input(&mut self) {
        // Where the host serves stops, it was taken once for them, and this is the other one.
        let stream = stdin::get_stdin();
        self.input = Some(Input { pollable: stream.subscribe(), stream, held: false });
    }

    fn wait(&mut self, until: Option<Instant>, events: &mut Vec<Event>) {
        if !self.immediate.is_empty() {
            events.append(&mut self.immediate);
            return;
        }
        if self.exchanges.len() >= MANY && self.brought < self.exchanges.len() / PART {
            monotonic_clock::subscribe_duration(GATHER).block();
        }
        self.set_timer(until);
        let mut watched: Vec<&Pollable> = self.exchanges.iter().map(|e| &e.pollable).collect();
        let exchanges = watched.len();
        let input = self.input.as_ref().filter(|input| !input.held);
        watched.extend(input.map(|input| &input.pollable));
        let inputs = watched.len();
        if until.is_some() {
            watched.extend(self.timer.as_ref().map(|(_, pollable)| pollable));
        }
        if watched.is_empty() {
            return;
        }
        let timers = watched.len();
        watched.extend(self.stop.as_ref().map(|(pollable, _)| pollable));
        let mut ready = poll::poll(&watched);
        self.brought = ready.len();
        // From the back, so that removing one does not move those still to come.
        ready.sort_unstable_by(|a, b| b.cmp(a));
        for index in ready.into_iter().filter_map(|index| usize::try_from(index).ok()) {
            if index >= timers {
                self.stop = None;
                self.stop_requested = true;
            } else if index < exchanges {
                if !self.proceed(index, events) {
                    self.exchanges.swap_remove(index);
                }
            } else if index < inputs
                && let Some(event) = self.input.as_ref().and_then(Input::read)
            {
                if matches!(event, Event::End(..)) {
                    self.input = None;
                }
                events.push(event);
            }
        }
    }

    fn stop_requested(&mut self) -> bool {
        self.stop_requested
    }
}
