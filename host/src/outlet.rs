//! Standard output and standard error: everything that this process writes goes through here, the
//! component's output as well as the host's own words.

use bytes::Bytes;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// Taken from the component at once. The adapter that wasmtime offers takes 8 KiB and hands it to
/// another task; a million lines of JSON are 300 MB.
const PIECE: usize = 256 * 1024;

/// Standard output or standard error.
#[derive(Debug, Clone)]
pub(crate) struct Outlet {
    stderr: bool,
    broken: Arc<AtomicBool>,
}

impl Outlet {
    /// Standard output.
    pub(crate) fn stdout() -> Self {
        Self { stderr: false, broken: Arc::default() }
    }

    /// Standard error.
    pub(crate) fn stderr() -> Self {
        Self { stderr: true, broken: Arc::default() }
    }

    /// Whether its reader has gone away.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Writes all of it at once, so that lines of the host and of the component do not mix.
    ///
    /// # Errors
    /// Nobody reads any more, or the device is full.
    pub(crate) fn put(&self, bytes: &[u8]) -> io::Result<()> {
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

    /// Writes the last that comes out on standard error: nobody can write there after it.
    pub(crate) fn end_stderr(bytes: &[u8]) {
        let mut stderr = io::stderr().lock();
        let _ = stderr.write_all(bytes);
        // Whoever wants to write waits for the lock until the process ends.
        std::mem::forget(stderr);
    }
}

impl IsTerminal for Outlet {
    fn is_terminal(&self) -> bool {
        if self.stderr {
            io::IsTerminal::is_terminal(&io::stderr())
        } else {
            io::IsTerminal::is_terminal(&io::stdout())
        }
    }
}

impl StdoutStream for Outlet {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Outlet {
    async fn ready(&mut self) {}
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Outlet {
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

impl AsyncWrite for Outlet {
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
