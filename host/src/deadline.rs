//! `--conn-read-deadline` and `--conn-write-deadline`: a connection on which nothing moves for so long is ended.
//!
//! tokio-io-timeout does the same and sets a timer back at every answer, which the runtime tells itself by a write
//! to a file: 16,000 writes for 20,000 versions. Here a timer stands until it has gone off, and is then set
//! for the rest of the time, if something has moved since.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// A stream whose reads and writes fail after waiting for so long.
pub(crate) struct Watched<S> {
    stream: S,
    read: Deadline,
    write: Deadline,
}

impl<S> Watched<S> {
    /// With a deadline for each direction.
    pub(crate) fn new(stream: S, read: Duration, write: Duration) -> Self {
        Self { stream, read: Deadline::new(read), write: Deadline::new(write) }
    }
}

/// How long one direction has waited.
struct Deadline {
    limit: Duration,
    since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    fn new(limit: Duration) -> Self {
        Self { limit, since: None, timer: None }
    }

    /// What came of an attempt, or that it has been waited for too long.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        attempt: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if attempt.is_ready() {
            self.since = None;
            return attempt;
        }
        let end = *self.since.get_or_insert_with(Instant::now) + self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
        while timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= end {
                self.timer = None;
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            timer.as_mut().reset(end);
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let attempt = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.read.watch(cx, attempt)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.write.watch(cx, attempt)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.write.watch(cx, attempt)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let attempt = Pin::new(&mut self.stream).poll_flush(cx);
        self.write.watch(cx, attempt)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let attempt = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.write.watch(cx, attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const LIMIT: Duration = Duration::from_millis(80);

    fn block_on<T>(test: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
    }

    #[test]
    fn a_read_fails_when_nothing_has_come_for_as_long_as_allowed_since_the_last_byte() {
        block_on(async {
            let (near, mut far) = duplex(64);
            let mut near = Watched::new(near, LIMIT, LIMIT);
            let (read, ()) = tokio::join!(near.read_u8(), async {
                tokio::time::sleep(LIMIT / 2).await;
                far.write_u8(7).await.unwrap();
            });
            assert_eq!(read.unwrap(), 7);
            // The timer of the first read goes off in the middle of the second one.
            let began = Instant::now();
            assert_eq!(near.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert!(began.elapsed() >= LIMIT, "{:?}", began.elapsed());
            far.write_u8(8).await.unwrap();
            assert_eq!(near.read_u8().await.unwrap(), 8);
        });
    }

    #[test]
    fn a_write_fails_when_nothing_has_gone_for_as_long_as_allowed() {
        block_on(async {
            let (near, _far) = duplex(4);
            let mut near = Watched::new(near, LIMIT, LIMIT);
            near.write_all(b"room").await.unwrap();
            let began = Instant::now();
            let full = near.write_all(b"none").await;
            assert_eq!(full.unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert!(began.elapsed() >= LIMIT, "{:?}", began.elapsed());
        });
    }
}
