//! Standard input of the component, by which it is asked to stop.

use bytes::Bytes;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

impl IsTerminal for StopInput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for StopInput {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
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
