//! `--limit-upload` and `--limit-download`: bytes per second over all connections.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// How much may pass at once: small enough to be smooth, large enough for a TLS record.
const BURST_SECONDS: f64 = 0.1;
const MIN_BURST: f64 = 16_384.0;

/// A token bucket shared by all connections of a direction.
#[derive(Debug)]
pub(crate) struct Throttle {
    rate: f64,
    bucket: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    since: Instant,
}

impl Throttle {
    /// Lets `bytes_per_second` pass.
    pub(crate) fn new(bytes_per_second: u64) -> Self {
        let rate = bytes_per_second as f64;
        let bucket = Bucket { tokens: burst(rate), since: Instant::now() };
        Self { rate, bucket: Mutex::new(bucket) }
    }

    /// Takes `bytes`, which have passed already, and returns how long to wait before the next.
    fn spend(&self, bytes: usize) -> Duration {
        self.spend_at(bytes, Instant::now())
    }

    fn spend_at(&self, bytes: usize, now: Instant) -> Duration {
        let Ok(mut bucket) = self.bucket.lock() else { return Duration::ZERO };
        let earned = now.duration_since(bucket.since).as_secs_f64() * self.rate;
        bucket.tokens = (bucket.tokens + earned).min(burst(self.rate)) - bytes as f64;
        bucket.since = now;
        Duration::try_from_secs_f64(-bucket.tokens / self.rate).unwrap_or_default()
    }

    /// The most to pass at once.
    fn burst(&self) -> usize {
        burst(self.rate) as usize
    }
}

fn burst(rate: f64) -> f64 {
    (rate * BURST_SECONDS).max(MIN_BURST)
}

/// A stream that pauses so that the limits are kept.
pub(crate) struct Throttled {
    stream: TcpStream,
    upload: Option<Arc<Throttle>>,
    download: Option<Arc<Throttle>>,
    reading: Option<Pin<Box<Sleep>>>,
    writing: Option<Pin<Box<Sleep>>>,
}

impl Throttled {
    /// Without a throttle, a direction is not limited.
    pub(crate) fn new(
        stream: TcpStream,
        upload: Option<Arc<Throttle>>,
        download: Option<Arc<Throttle>>,
    ) -> Self {
        Self { stream, upload, download, reading: None, writing: None }
    }
}

/// Waits for a pause to be over.
fn poll_pause(pause: &mut Option<Pin<Box<Sleep>>>, cx: &mut Context<'_>) -> Poll<()> {
    if let Some(sleep) = pause {
        ready!(sleep.as_mut().poll(cx));
        *pause = None;
    }
    Poll::Ready(())
}

fn pause_after(throttle: Option<&Throttle>, bytes: usize) -> Option<Pin<Box<Sleep>>> {
    let pause = throttle?.spend(bytes);
    (!pause.is_zero()).then(|| Box::pin(sleep(pause)))
}

impl AsyncRead for Throttled {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(poll_pause(&mut self.reading, cx));
        let most = self.download.as_ref().map_or(usize::MAX, |throttle| throttle.burst());
        let room = buf.initialize_unfilled_to(buf.remaining().min(most));
        let mut part = ReadBuf::new(room);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut part))?;
        let count = part.filled().len();
        buf.advance(count);
        self.reading = pause_after(self.download.as_deref(), count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Throttled {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(poll_pause(&mut self.writing, cx));
        let most = self.upload.as_ref().map_or(usize::MAX, |throttle| throttle.burst());
        let part = buf.get(..most).unwrap_or(buf);
        let count = ready!(Pin::new(&mut self.stream).poll_write(cx, part))?;
        self.writing = pause_after(self.upload.as_deref(), count);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_pass_at_the_rate() {
        let throttle = Throttle::new(1_000_000);
        let mut now = Instant::now();
        let start = now;
        for _ in 0..100 {
            now += throttle.spend_at(50_000, now);
        }
        let rate = 5_000_000.0 / (now - start).as_secs_f64();
        assert!((900_000.0..1_050_000.0).contains(&rate), "{rate}");
    }
}
