//! Standard input of the component, by which it is asked to stop, and after that what `--from` names.

use crate::given_input::GivenInput;
use bytes::Bytes;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::Notify;
use wasmtime_wasi::cli::{IsTerminal, StdinStream};
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};

/// Silent until the user asks to stop, at its end from then on. WASI has no
/// signals, and this needs nothing that a stock host lacks.
#[derive(Debug, Clone, Default)]
pub(crate) struct StopInput {
    stop: Arc<AtomicBool>,
    notify: Arc<Notify>,
}

impl StopInput {
    /// Ends the stream.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        // `notify_one` keeps a permit for a waiter that comes later.
        self.notify.notify_one();
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

/// What the component gets each time that it takes standard input: first what asks it to stop, then what is
/// given. They are two streams, because a stop must be heard also while the other one is not read.
#[derive(Debug, Default)]
pub(crate) struct Stdin {
    stop: StopInput,
    given: Mutex<Taken>,
}

/// What is given, and whether the other one was taken.
#[derive(Debug, Default)]
struct Taken(bool, Option<GivenInput>);

impl Stdin {
    /// Both streams.
    pub(crate) fn new(stop: StopInput, given: Option<GivenInput>) -> Self {
        Self { stop, given: Mutex::new(Taken(false, given)) }
    }
}

impl IsTerminal for Stdin {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Stdin {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(self.stop.clone())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let Taken(stop_is_taken, given) = &mut *given;
        match given.take_if(|_| *stop_is_taken) {
            Some(given) => Box::new(given),
            None => {
                *stop_is_taken = true;
                Box::new(self.stop.clone())
            }
        }
    }
}

impl AsyncRead for StopInput {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // At its end: only WASI 0.3 reads this way, which this host does not link.
        Poll::Ready(Ok(()))
    }
}

#[wasmtime_wasi::async_trait]
impl InputStream for StopInput {
    fn read(&mut self, _: usize) -> StreamResult<Bytes> {
        if self.stopped() { Err(StreamError::Closed) } else { Ok(Bytes::new()) }
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for StopInput {
    async fn ready(&mut self) {
        while !self.stopped() {
            self.notify.notified().await;
        }
    }
}
