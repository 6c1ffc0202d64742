//! The component's standard streams.

use bytes::Bytes;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

/// Taken from the component at once. The adapter that wasmtime offers takes 8 KiB and hands it to
/// another task; a million lines of JSON are 300 MB.
const PIECE: usize = 256 * 1024;

/// Standard output or standard error.
#[derive(Debug, Clone)]
pub struct Output {
    stderr: bool,
    broken: Arc<AtomicBool>,
}

impl Output {
    /// Standard output.
    pub fn stdout() -> Self {
        Self { stderr: false, broken: Arc::default() }
    }

    /// Standard error.
    pub fn stderr() -> Self {
        Self { stderr: true, broken: Arc::default() }
    }

    /// Whether its reader has gone away.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    fn put(&self, bytes: &[u8]) -> io::Result<()> {
        let result = if self.stderr {
            io::stderr().lock().write_all(bytes)
        } else {
            let mut out = io::stdout().lock();
            out.write_all(bytes).and_then(|()| out.flush())
        };
        if result.is_err() {
            self.broken.store(true, Ordering::Relaxed);
        }
        result
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        if self.stderr {
            io::IsTerminal::is_terminal(&io::stderr())
        } else {
            io::IsTerminal::is_terminal(&io::stdout())
        }
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        // Blocking here is the back-pressure: a component whose output nobody reads has nothing
        // else to do, and a signal is handled by a thread of its own.
        self.put(&bytes).map_err(|_| StreamError::Closed)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        if self.is_broken() { Err(StreamError::Closed) } else { Ok(PIECE) }
    }
}

impl AsyncWrite for Output {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.put(bytes).map(|()| bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Standard input: silent until the user asks to stop, at its end from then on. WASI has no
/// signals, and this needs nothing that a stock host lacks.
#[derive(Debug, Clone, Default)]
pub struct StopInput {
    stop: Arc<AtomicBool>,
    notify: Arc<Notify>,
}

impl StopInput {
    /// Ends the stream.
    pub fn stop(&self) {
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
