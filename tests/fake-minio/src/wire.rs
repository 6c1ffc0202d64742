//! The socket of one connection, with a hand on it.
//!
//! Half an answer cannot be asked of an HTTP library, which would rather send
//! none: so the answer is written in full and the socket lets only a part of
//! it through.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;

/// "As much as there is": no limit is set.
const UNLIMITED: usize = usize::MAX;

/// The hand: shared between the socket and whoever answers on it.
#[derive(Debug)]
pub(crate) struct Control {
    /// Bytes that may still be written.
    budget: AtomicUsize,
    /// Bytes of what is waiting to be written that never will be.
    keep_back: AtomicUsize,
    reset: AtomicBool,
}

impl Default for Control {
    fn default() -> Self {
        Self {
            budget: AtomicUsize::new(UNLIMITED),
            keep_back: AtomicUsize::new(UNLIMITED),
            reset: AtomicBool::new(false),
        }
    }
}

impl Control {
    /// Ends the connection after `bytes` more.
    pub(crate) fn close_after(&self, bytes: usize) {
        self.budget.store(bytes, Ordering::Relaxed);
    }

    /// Ends the connection when all but the last `bytes` of what is waiting are
    /// written. HTTP/1 output is one buffer here, so its end is known.
    pub(crate) fn keep_back(&self, bytes: usize) {
        self.keep_back.store(bytes, Ordering::Relaxed);
    }

    /// Makes the end of the connection a reset.
    pub(crate) fn reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }

    /// How many of `waiting` bytes may be written.
    fn allowed(&self, waiting: usize) -> usize {
        let kept = match self.keep_back.load(Ordering::Relaxed) {
            UNLIMITED => 0,
            kept => kept,
        };
        waiting.saturating_sub(kept).min(self.budget.load(Ordering::Relaxed))
    }

    fn spend(&self, bytes: usize) {
        let budget = self.budget.load(Ordering::Relaxed);
        if budget != UNLIMITED {
            self.budget.store(budget - bytes, Ordering::Relaxed);
        }
    }

    fn is_cut(&self) -> bool {
        self.keep_back.load(Ordering::Relaxed) != UNLIMITED
    }
}

/// TCP, or TLS over it.
pub(crate) enum Stream {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// The socket.
pub(crate) struct Wire {
    stream: Stream,
    control: Arc<Control>,
    /// Within which a write has to make progress, as on the real server, which
    /// so cuts off readers that are too slow.
    write_deadline: Option<Duration>,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Wire {
    pub(crate) fn new(
        stream: Stream,
        control: Arc<Control>,
        write_deadline: Option<Duration>,
    ) -> Self {
        Self { stream, control, write_deadline, stalled: None }
    }

    /// Fails a write that has been pending for too long.
    fn poll_stalled(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Some(deadline) = self.write_deadline else { return Poll::Pending };
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(deadline)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let allowed = this.control.allowed(buffer.len());
        if allowed == 0 && !buffer.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let buffer = &buffer[..allowed];
        let written = match &mut this.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, buffer),
        };
        let Poll::Ready(written) = written else { return this.poll_stalled(context) };
        this.stalled = None;
        let written = written?;
        this.control.spend(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Stream::Tls(stream) = &mut this.stream {
            ready!(Pin::new(stream).poll_flush(context))?;
        }
        // All that a cut lets through is out.
        if this.control.is_cut() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.control.reset.load(Ordering::Relaxed) {
            let socket = match &self.stream {
                Stream::Tcp(stream) => stream,
                Stream::Tls(stream) => stream.get_ref().0,
            };
            // Without lingering, closing discards what is unsent and resets.
            let _ = socket.set_zero_linger();
        }
    }
}
