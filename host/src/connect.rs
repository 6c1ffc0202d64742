//! Opens connections: name, address, TCP, TLS, and the limits on bytes.

use crate::throttle::Throttle;
use crate::tls;
use resync_core::alias::{Endpoint, Scheme};
use resync_core::args::Resolve;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, timeout};
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::Error;

/// For a connection to stand, TLS included; mc's dial timeout.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// TLS alert numbers, by which the guest tells that another attempt is of no use (RFC 8446, 6).
const ALERT_BAD_CERTIFICATE: u8 = 42;

/// A connection of any kind.
pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// Opens connections to one server.
#[derive(Debug)]
pub struct Connector {
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    resolve: Vec<Resolve>,
    upload: Option<Arc<Throttle>>,
    download: Option<Arc<Throttle>>,
}

impl Connector {
    /// A connector for `endpoint`; `tls` is used if its scheme is https.
    pub fn new(endpoint: &Endpoint, tls: Arc<ClientConfig>, resolve: Vec<Resolve>) -> Self {
        Self {
            host: endpoint.host().trim_matches(['[', ']']).to_owned(),
            port: endpoint.port(),
            tls: (endpoint.scheme == Scheme::Https).then_some(tls),
            resolve,
            upload: None,
            download: None,
        }
    }

    /// Limits the bytes per second of all connections together.
    pub fn limit(&mut self, upload: Option<u64>, download: Option<u64>) {
        self.upload = upload.map(|rate| Arc::new(Throttle::new(rate)));
        self.download = download.map(|rate| Arc::new(Throttle::new(rate)));
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// In the terms of `wasi:http`, which is how the component will see it.
    pub async fn connect(&self) -> Result<Box<dyn Connection>, Error> {
        timeout(CONNECT_TIMEOUT, self.open()).await.map_err(|_| Error::ConnectionTimeout)?
    }

    async fn open(&self) -> Result<Box<dyn Connection>, Error> {
        let stream = self.dial().await?;
        // A request is one small write; waiting for more to send with it only costs time.
        let _ = stream.set_nodelay(true);
        let stream: Box<dyn Connection> = if self.upload.is_some() || self.download.is_some() {
            Box::new(Throttled {
                stream,
                upload: self.upload.clone(),
                download: self.download.clone(),
                reading: None,
                writing: None,
            })
        } else {
            Box::new(stream)
        };
        let Some(tls) = &self.tls else { return Ok(stream) };
        let name = ServerName::try_from(self.host.clone()).map_err(|_| Error::DnsError {
            rcode: Some(format!("`{}` is no valid host name", self.host)),
            info_code: None,
        })?;
        match TlsConnector::from(Arc::clone(tls)).connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(self.tls_error(&error)),
        }
    }

    async fn dial(&self) -> Result<TcpStream, Error> {
        let mut last = None;
        for address in self.addresses().await? {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(match last {
            Some(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
                io::ErrorKind::TimedOut => Error::ConnectionTimeout,
                io::ErrorKind::ConnectionReset => Error::ConnectionTerminated,
                _ => Error::InternalError(Some(format!("connect: {error}"))),
            },
            None => Error::DnsError { rcode: Some("no such host".to_owned()), info_code: None },
        })
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, Error> {
        let with_port = format!("{}:{}", self.host, self.port);
        let given =
            self.resolve.iter().find(|entry| entry.host == with_port || entry.host == self.host);
        if let Some(entry) = given {
            return Ok(vec![SocketAddr::new(entry.address, self.port)]);
        }
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await;
        found.map(Iterator::collect).map_err(|error| {
            // getaddrinfo's own words come behind ours and say the same.
            let text = error.to_string();
            let rcode = text.strip_prefix("failed to lookup address information: ");
            Error::DnsError { rcode: Some(rcode.unwrap_or(&text).to_owned()), info_code: None }
        })
    }

    fn tls_error(&self, error: &io::Error) -> Error {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match inner {
            Some(inner) => Error::TlsAlertReceived {
                alert_id: Some(ALERT_BAD_CERTIFICATE),
                alert_message: Some(tls::explain(inner, &self.host)),
            },
            None if error.kind() == io::ErrorKind::UnexpectedEof => Error::ConnectionTerminated,
            None => Error::InternalError(Some(format!("tls handshake: {error}"))),
        }
    }
}

/// A stream that pauses so that the limits are kept.
struct Throttled {
    stream: TcpStream,
    upload: Option<Arc<Throttle>>,
    download: Option<Arc<Throttle>>,
    reading: Option<Pin<Box<Sleep>>>,
    writing: Option<Pin<Box<Sleep>>>,
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
    (!pause.is_zero()).then(|| Box::pin(tokio::time::sleep(pause)))
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
