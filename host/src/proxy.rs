//! The proxy of the environment, by the rules of Go's `ProxyFromEnvironment`, which are mc's.
//!
//! `HTTPS_PROXY` serves https, `HTTP_PROXY` http, upper case before lower, each with the URL of a proxy
//! that speaks HTTP or SOCKS 5; `NO_PROXY` names what needs none. This machine is never asked through a proxy. A proxy
//! that cannot be used is an error: going around it in silence would go where nobody is watching.

use crate::no_proxy;
use bytes::Bytes;
use http::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use resync_core::command::Env;
use resync_core::report::Message;
use resync_core::wire::{Endpoint, PROXY_ERROR, Scheme, Secret};
use std::fmt;
use std::net::IpAddr;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_socks::tcp::Socks5Stream;
use wasmtime_wasi_http::Error;

/// What to do about a proxy that wants to know who asks.
const LOGIN: &str = "it asks for credentials; put them into its URL: http://USER:PASSWORD@host";

/// A proxy between this host and the server.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    /// Where it is.
    pub(crate) endpoint: Endpoint,
    authorization: Option<HeaderValue>,
    socks: Option<Socks>,
}

/// What is said to a proxy that speaks SOCKS 5.
#[derive(Debug, Clone)]
struct Socks {
    login: Option<(String, Secret)>,
}

/// Why a proxy that is named cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProxyError {
    /// The alias has no host that could be asked for.
    NoHost,
    /// What is named is not a URL.
    NotAUrl,
    /// It speaks version 4 of SOCKS, which Go does not either.
    Socks4,
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHost => "The alias has no host a proxy could be asked for.",
            Self::NotAUrl => "It must be a URL such as http://proxy:8080.",
            Self::Socks4 => "SOCKS 4 is not supported; name an HTTP or a socks5:// proxy.",
        })
    }
}

impl std::error::Error for ProxyError {}

impl Proxy {
    /// The proxy for `server`, if the environment names one.
    ///
    /// # Errors
    /// What is named is not a proxy this host can use. The value is not repeated: it may hold a
    /// password.
    pub(crate) fn for_server(server: &Endpoint, env: Env<'_>) -> Result<Option<Self>, Message> {
        let names = match server.scheme {
            Scheme::Https => ["HTTPS_PROXY", "https_proxy"],
            Scheme::Http => ["HTTP_PROXY", "http_proxy"],
        };
        // In a CGI program HTTP_PROXY is the Proxy header of whoever calls.
        if server.scheme == Scheme::Http && env("REQUEST_METHOD").is_some() {
            return Ok(None);
        }
        let Some((name, value)) = names.iter().find_map(|name| env(name).map(|v| (*name, v)))
        else {
            return Ok(None);
        };
        let no = env("NO_PROXY").or_else(|| env("no_proxy")).unwrap_or_default();
        if is_this_machine(server) || no_proxy::exempts(&no, server) {
            return Ok(None);
        }
        let unusable =
            |cause: ProxyError| Message::fatal(format!("Unable to use {name}."), cause.to_string());
        let uri: Uri = server.to_string().parse().map_err(|_| unusable(ProxyError::NoHost))?;
        let matcher = Matcher::builder().http(value.as_str()).https(value.as_str()).build();
        let found = matcher.intercept(&uri).ok_or_else(|| unusable(ProxyError::NotAUrl))?;
        Self::from_intercept(&found).map(Some).map_err(unusable)
    }

    fn from_intercept(found: &Intercept) -> Result<Self, ProxyError> {
        let uri = found.uri();
        let scheme = uri.scheme_str().unwrap_or_default();
        let authority = uri.authority().map_or("", http::uri::Authority::as_str);
        let parse = |scheme: &str, authority: &str| {
            let endpoint = Endpoint::parse(&format!("{scheme}://{authority}"));
            endpoint.map_err(|_| ProxyError::NotAUrl)
        };
        let login = found.raw_auth().map(|(user, word)| (user.to_owned(), Secret::new(word)));
        match scheme {
            // Go resolves names at the proxy for both.
            "socks5" | "socks5h" => {
                let port = if uri.port_u16().is_none() { ":1080" } else { "" };
                let endpoint = parse("http", &format!("{authority}{port}"))?;
                Ok(Self { endpoint, authorization: None, socks: Some(Socks { login }) })
            }
            "socks4" | "socks4a" => Err(ProxyError::Socks4),
            _ => {
                let endpoint = parse(scheme, authority)?;
                Ok(Self { endpoint, authorization: found.basic_auth().cloned(), socks: None })
            }
        }
    }

    /// Whether it speaks SOCKS, and not HTTP.
    pub(crate) fn is_socks(&self) -> bool {
        self.socks.is_some()
    }

    /// Asks the proxy at the other end of `stream` to connect it with the server (RFC 1928).
    ///
    /// # Errors
    /// The proxy's answer in words.
    pub(crate) async fn socks<S>(
        &self,
        stream: S,
        server: &Endpoint,
    ) -> Result<Socks5Stream<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let target = (server.bare_host(), server.port());
        let login = self.socks.as_ref().and_then(|socks| socks.login.as_ref());
        let connected = match login {
            None => Socks5Stream::connect_with_socket(stream, target).await,
            Some((user, word)) => {
                let word = word.reveal();
                Socks5Stream::connect_with_password_and_socket(stream, target, user, word).await
            }
        };
        connected.map_err(|error| match error {
            tokio_socks::Error::NoAcceptableAuthMethods
            | tokio_socks::Error::PasswordAuthFailure(_) => self.failed(
                "it does not take these credentials; put them into its URL: socks5://USER:PASSWORD@host",
            ),
            error => {
                let (host, port) = target;
                self.failed(format!("it does not connect to {host}:{port}: {error}"))
            }
        })
    }

    /// The error of a request without TLS that this proxy, or something after it, answered itself.
    pub(crate) fn answered(&self, status: StatusCode) -> Error {
        if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return self.failed(LOGIN);
        }
        self.failed(format!("it answered {status} in the server's place"))
    }

    /// Credentials for the proxy, of a request that is not tunnelled.
    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// The error of a request that this proxy kept from the server.
    pub(crate) fn failed(&self, cause: impl fmt::Display) -> Error {
        Error::InternalError(Some(format!("{PROXY_ERROR}{}: {cause}", self.endpoint.authority)))
    }

    /// Asks the proxy at the other end of `stream` for a tunnel to `host:port`.
    ///
    /// # Errors
    /// The proxy's answer in words.
    pub(crate) async fn tunnel<S>(
        &self,
        stream: S,
        target: &str,
    ) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let broken = |error: hyper::Error| self.failed(error);
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        tokio::spawn(async move {
            let _ = connection.with_upgrades().await;
        });
        let mut request =
            Request::builder().method(Method::CONNECT).uri(target).header(HOST, target);
        if let Some(authorization) = &self.authorization {
            request = request.header(PROXY_AUTHORIZATION, authorization);
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(|error| self.failed(error))?;
        let response = sender.send_request(request).await.map_err(broken)?;
        match response.status() {
            status if status.is_success() => {}
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                return Err(self.failed(LOGIN));
            }
            status => {
                return Err(self.failed(format!("it refuses a tunnel to {target}: {status}")));
            }
        }
        let upgraded = hyper::upgrade::on(response).await.map_err(broken)?;
        Ok(TokioIo::new(upgraded))
    }
}

/// Go asks for `localhost` and loopback addresses itself.
fn is_this_machine(server: &Endpoint) -> bool {
    let host = server.bare_host();
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(server: &str, variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let env = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned())
        };
        let found = Proxy::for_server(&Endpoint::parse(server).unwrap(), &env);
        found
            .map(|proxy| proxy.map(|proxy| proxy.endpoint.to_string()))
            .map_err(|message| message.line("mc", false))
    }

    #[test]
    fn the_proxy_is_that_of_the_scheme_and_upper_case_wins() {
        let both = [("HTTPS_PROXY", "http://s:1"), ("http_proxy", "p:2")];
        assert_eq!(proxy("https://minio.example", &both), Ok(Some("http://s:1".to_owned())));
        assert_eq!(proxy("http://minio.example:9000", &both), Ok(Some("http://p:2".to_owned())));
        let cgi = [("HTTP_PROXY", "http://p:2"), ("REQUEST_METHOD", "GET")];
        assert_eq!(proxy("http://minio.example", &cgi), Ok(None));
        assert_eq!(proxy("http://minio.example", &[]), Ok(None));
        let two = [("HTTP_PROXY", "http://upper:1"), ("http_proxy", "http://lower:1")];
        assert_eq!(proxy("http://h", &two), Ok(Some("http://upper:1".to_owned())));
    }

    #[test]
    fn this_machine_and_no_proxy_are_asked_without() {
        let with = |no: &'static str| [("HTTP_PROXY", "http://p:2"), ("NO_PROXY", no)];
        for local in ["http://localhost:9000", "http://127.0.0.2", "http://[::1]:9000"] {
            assert_eq!(proxy(local, &with("")[..1]), Ok(None), "{local}");
        }
        let direct = proxy("http://minio.example:9000", &with("*.example"));
        assert_eq!(direct, Ok(None), "`no_proxy` has the table");
        let other = proxy("http://minio.example:9000", &with("*.example:1"));
        assert!(matches!(other, Ok(Some(_))));
    }

    #[test]
    fn socks_proxies_are_taken_with_their_port_and_their_login() {
        for (value, endpoint) in
            [("socks5://p:1", "http://p:1"), ("socks5h://u:topsecret@p", "http://p:1080")]
        {
            let env = |name: &str| (name == "HTTPS_PROXY").then(|| value.to_owned());
            let server = Endpoint::parse("https://minio.example").unwrap();
            let proxy = Proxy::for_server(&server, &env).unwrap().unwrap();
            assert_eq!((proxy.endpoint.to_string().as_str(), proxy.is_socks()), (endpoint, true));
            assert!(!format!("{proxy:?}").contains("topsecret"));
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_an_error_that_shows_no_password() {
        for value in ["socks4://u:topsecret@p:1", "ftp://u:topsecret@p", "http://u:topsecret@:x"] {
            let error = proxy("http://minio.example", &[("HTTP_PROXY", value)]).unwrap_err();
            assert!(error.contains("HTTP_PROXY") && !error.contains("topsecret"), "{error}");
        }
    }
}
