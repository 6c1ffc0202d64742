//! Opens connections: name, address, TCP, proxy, TLS, and the limits on bytes.

use crate::deadline::Watched;
use crate::dial;
use crate::nodes::{Nodes, Turn};
use crate::proxy::Proxy;
use crate::throttle::{Throttle, Throttled};
use crate::tls;
use crate::trace::Tracer;
use mc_wasi_policy::{Denial, Denials, Reason, address};
use resync_core::command::Resolve;
use resync_core::wire::{Endpoint, Scheme};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Once};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::Error;

/// How long opening a connection may take, TLS included: mc's dial timeout.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long nothing may move on a connection: mc's `--conn-read-deadline` and
/// `--conn-write-deadline`.
const DEADLINE: Duration = Duration::from_secs(600);

/// A connection of any kind.
pub(crate) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// Opens connections to one server.
#[derive(Debug)]
pub struct Connector {
    server: Endpoint,
    config: Arc<ClientConfig>,
    proxy: Option<Proxy>,
    resolve: Vec<Resolve>,
    upload: Option<Arc<Throttle>>,
    download: Option<Arc<Throttle>>,
    deadlines: Deadlines,
    denials: Arc<Denials>,
    tracer: Option<Tracer>,
    told: Once,
}

impl Connector {
    /// A connector for `server`, which tells `denials` of addresses that it refuses.
    pub fn new(server: &Endpoint, config: Arc<ClientConfig>, denials: Arc<Denials>) -> Self {
        Self {
            server: server.clone(),
            config,
            proxy: None,
            resolve: Vec::new(),
            upload: None,
            download: None,
            deadlines: Deadlines { read: DEADLINE, write: DEADLINE },
            denials,
            tracer: None,
            told: Once::new(),
        }
    }

    /// Goes to these addresses instead of asking for names.
    #[must_use]
    pub(crate) fn with_resolve(mut self, resolve: Vec<Resolve>) -> Self {
        self.resolve = resolve;
        self
    }

    /// Goes through a proxy.
    #[must_use]
    pub(crate) fn with_proxy(mut self, proxy: Option<Proxy>) -> Self {
        self.proxy = proxy;
        self
    }

    /// Limits the bytes per second of all connections together.
    #[must_use]
    pub(crate) fn with_limits(mut self, upload: Option<u64>, download: Option<u64>) -> Self {
        self.upload = upload.map(|rate| Arc::new(Throttle::new(rate)));
        self.download = download.map(|rate| Arc::new(Throttle::new(rate)));
        self
    }

    /// Ends connections on which nothing moves for this long.
    #[must_use]
    pub(crate) fn with_deadlines(
        mut self,
        read: Option<Duration>,
        write: Option<Duration>,
    ) -> Self {
        self.deadlines =
            Deadlines { read: read.unwrap_or(DEADLINE), write: write.unwrap_or(DEADLINE) };
        self
    }

    /// Tells the addresses, once.
    #[must_use]
    pub(crate) fn with_tracer(mut self, tracer: Option<Tracer>) -> Self {
        self.tracer = tracer;
        self
    }

    /// The proxy that takes requests in place of the server: that of a server without TLS.
    pub(crate) fn forwarder(&self) -> Option<&Proxy> {
        self.proxy.as_ref().filter(|proxy| self.server.scheme == Scheme::Http && !proxy.is_socks())
    }

    /// Opens a connection to the address whose turn it is, or to the next that answers.
    ///
    /// # Errors
    /// In the terms of `wasi:http`, which is how the component will see it.
    pub(crate) async fn connect(&self, turn: &mut Turn) -> Result<Box<dyn Connection>, Error> {
        self.look_up(turn.nodes()).await?;
        let stream = timeout(CONNECT_TIMEOUT, self.open(turn));
        let stream = stream.await.map_err(|_| Error::ConnectionTimeout)??;
        let Deadlines { read, write } = self.deadlines;
        Ok(Box::new(Watched::new(stream, read, write)))
    }

    async fn open(&self, turn: &mut Turn) -> Result<Box<dyn Connection>, Error> {
        let stream: Box<dyn Connection> = match &self.proxy {
            None => self.dial(turn).await?,
            Some(proxy) => {
                let stream = self.dial(turn).await.map_err(|error| proxy.failed(error))?;
                if proxy.is_socks() {
                    Box::new(proxy.socks(stream, &self.server).await?)
                } else {
                    let stream = self.encrypt(&proxy.endpoint, stream).await?;
                    if self.server.scheme == Scheme::Http {
                        return Ok(stream);
                    }
                    let target = format!("{}:{}", self.server.host(), self.server.port());
                    Box::new(proxy.tunnel(stream, &target).await?)
                }
            }
        };
        self.encrypt(&self.server, stream).await
    }

    /// TLS, if the endpoint is an https one.
    async fn encrypt(
        &self,
        endpoint: &Endpoint,
        stream: Box<dyn Connection>,
    ) -> Result<Box<dyn Connection>, Error> {
        if endpoint.scheme == Scheme::Http {
            return Ok(stream);
        }
        let host = endpoint.bare_host();
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Error::DnsError {
            rcode: Some(format!("`{host}` is not a valid host name")),
            info_code: None,
        })?;
        match TlsConnector::from(Arc::clone(&self.config)).connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(tls_error(&error, host)),
        }
    }

    async fn dial(&self, turn: &mut Turn) -> Result<Box<dyn Connection>, Error> {
        let (stream, address) = dial::connect(turn.nodes(), turn.address()).await?;
        turn.connected(address);
        // A request is one small write; waiting for more to send with it only costs time.
        let _ = stream.set_nodelay(true);
        Ok(self.throttled(stream))
    }

    fn throttled(&self, stream: TcpStream) -> Box<dyn Connection> {
        if self.upload.is_none() && self.download.is_none() {
            return Box::new(stream);
        }
        Box::new(Throttled::new(stream, self.upload.clone(), self.download.clone()))
    }

    /// Looks for the addresses, unless that was done a moment ago. Those known are good for more
    /// connections if no name server answers in the middle of a run.
    ///
    /// # Errors
    /// There are none, or none that is allowed.
    pub(crate) async fn look_up(&self, nodes: &Nodes) -> Result<(), Error> {
        if nodes.are_fresh() {
            return Ok(());
        }
        let endpoint = self.proxy.as_ref().map_or(&self.server, |proxy| &proxy.endpoint);
        let failed = |error| match (error, &self.proxy) {
            (error @ Error::DestinationIpProhibited, _) | (error, None) => error,
            (error, Some(proxy)) => proxy.failed(error),
        };
        let found = timeout(CONNECT_TIMEOUT, self.addresses(endpoint)).await;
        match found.unwrap_or(Err(Error::DnsTimeout)) {
            Ok(found) if found.is_empty() => return Err(failed(dial::nowhere())),
            Ok(found) => nodes.named(&found),
            Err(Error::DnsError { .. } | Error::DnsTimeout) if nodes.len() > 0 => return Ok(()),
            Err(error) => return Err(failed(error)),
        }
        if let Some(tracer) = &self.tracer {
            self.told.call_once(|| tracer.addresses(&endpoint.authority, &nodes.addresses()));
        }
        Ok(())
    }

    /// Where an endpoint is, without the addresses a name must not lead to.
    async fn addresses(&self, endpoint: &Endpoint) -> Result<Vec<SocketAddr>, Error> {
        let (host, port) = (endpoint.bare_host(), endpoint.port());
        let mut found = self.resolve(host, port).await?;
        if host.parse::<IpAddr>().is_ok_and(|named| found.iter().all(|a| a.ip() == named)) {
            return Ok(found);
        }
        let refused = found.iter().find(|found| address::is_refused(found.ip())).copied();
        found.retain(|found| !address::is_refused(found.ip()));
        match refused {
            Some(refused) if found.is_empty() => {
                self.denials.deny(&Denial {
                    request: format!("connecting to {}", endpoint.authority),
                    reason: Reason::Address(refused.ip()),
                });
                Err(Error::DestinationIpProhibited)
            }
            _ => Ok(found),
        }
    }

    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
        let given = self.resolve.iter().filter(|entry| entry.is_for(host, port));
        let given: Vec<_> = given.map(|entry| SocketAddr::new(entry.address, port)).collect();
        if !given.is_empty() {
            return Ok(given);
        }
        let found = tokio::net::lookup_host((host, port)).await;
        found.map(Iterator::collect).map_err(|error| {
            if dial::lacking(&error).is_some() {
                return dial::failed(&error);
            }
            // getaddrinfo's own words come after these and say the same.
            let text = error.to_string();
            let rcode = text.strip_prefix("failed to lookup address information: ");
            Error::DnsError { rcode: Some(rcode.unwrap_or(&text).to_owned()), info_code: None }
        })
    }
}

fn tls_error(error: &io::Error, host: &str) -> Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(inner) => tls::permanent(tls::explain(inner, host)),
        None if error.kind() == io::ErrorKind::UnexpectedEof => Error::ConnectionTerminated,
        None => Error::InternalError(Some(format!("tls handshake: {error}"))),
    }
}

/// Idle deadlines of a connection.
#[derive(Debug, Clone, Copy)]
struct Deadlines {
    read: Duration,
    write: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connector(url: &str) -> Connector {
        let server = Endpoint::parse(url).unwrap();
        Connector::new(&server, tls::client(None).unwrap(), Denials::new(|_| {}))
    }

    async fn connected(connector: &Connector) -> Result<Box<dyn Connection>, Error> {
        let nodes = Nodes::new(1);
        connector.look_up(&nodes).await?;
        connector.connect(&mut nodes.turn(&[]).expect("an address")).await
    }

    #[tokio::test]
    async fn an_address_that_the_alias_names_is_meant() {
        for url in ["http://169.254.169.254", "http://[fe80::1]:9000"] {
            let connector = connector(url);
            let found = connector.addresses(&connector.server).await.unwrap();
            assert_eq!(found.len(), 1, "{url}");
        }
        let elsewhere = Resolve { host: "10.0.0.1".into(), address: "fe80::1".parse().unwrap() };
        let connector = connector("http://10.0.0.1:9000").with_resolve(vec![elsewhere]);
        let refused = connector.addresses(&connector.server).await;
        assert!(matches!(refused, Err(Error::DestinationIpProhibited)), "{refused:?}");
    }

    #[tokio::test]
    async fn a_server_that_never_answers_the_handshake_is_given_up_after_ten_seconds() {
        // The kernel accepts the connection; nobody ever reads from it.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", silent.local_addr().unwrap());
        let began = std::time::Instant::now();
        let result = connected(&connector(&url)).await;
        assert!(matches!(result, Err(Error::ConnectionTimeout)));
        assert!((9..30).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn both_versions_of_tls_are_spoken() {
        use rustls::pki_types::pem::PemObject;
        use rustls::pki_types::{CertificateDer, PrivateKeyDer};
        let certs = mc_wasi_tests::minio::Certs::generate();
        let certificate = CertificateDer::from_pem_file(certs.dir().join("public.crt")).unwrap();
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let key = PrivateKeyDer::from_pem_file(certs.dir().join("private.key")).unwrap();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = rustls::ServerConfig::builder_with_provider(provider)
                .with_protocol_versions(&[version])
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate.clone()], key)
                .unwrap();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("https://{}", listener.local_addr().unwrap());
            let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
            let server = tokio::spawn(async move {
                let (stream, _) = listener.accept().await.unwrap();
                acceptor.accept(stream).await.unwrap().get_ref().1.protocol_version()
            });
            let connector = connector(&url);
            let connection = connected(&connector).await;
            assert!(connection.is_ok(), "{version:?}");
            assert_eq!(server.await.unwrap(), Some(version.version));
        }
    }
}
