//! The proxy of the environment, by the rules of Go's `ProxyFromEnvironment`, which are mc's.
//!
//! `HTTPS_PROXY` serves https, `HTTP_PROXY` http, upper case before lower; `NO_PROXY` names hosts,
//! domains, networks and ports that need none. This machine is never asked through a proxy. A proxy
//! that cannot be used is an error: going around it in silence would go where nobody is watching.

use bytes::Bytes;
use http::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use resync_core::command::Env;
use resync_core::report::Message;
use resync_core::wire::{Endpoint, PROXY_ERROR, Scheme};
use std::fmt;
use std::net::IpAddr;
use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime_wasi_http::Error;

/// A proxy between this host and the server.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    /// Where it is.
    pub(crate) endpoint: Endpoint,
    authorization: Option<HeaderValue>,
}

/// Why a proxy that is named cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProxyError {
    /// The alias has no host that could be asked for.
    NoHost,
    /// What is named is not a URL.
    NotAUrl,
    /// It speaks another protocol than HTTP.
    Socks,
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHost => "The alias has no host a proxy could be asked for.",
            Self::NotAUrl => "It must be a URL such as http://proxy:8080.",
            Self::Socks => "SOCKS proxies are not supported; name an HTTP proxy.",
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
        // The matcher takes `*` for names only.
        if is_this_machine(server) || no.split(',').any(|entry| entry.trim() == "*") {
            return Ok(None);
        }
        let unusable =
            |cause: ProxyError| Message::fatal(format!("Unable to use {name}."), cause.to_string());
        let uri: Uri = server.to_string().parse().map_err(|_| unusable(ProxyError::NoHost))?;
        let both = |matcher: &Matcher| matcher.intercept(&uri);
        let builder = || Matcher::builder().http(value.as_str()).https(value.as_str());
        let Some(found) = both(&builder().build()) else {
            return Err(unusable(ProxyError::NotAUrl));
        };
        if both(&builder().no(without_ports(&no, server.port())).build()).is_none() {
            return Ok(None);
        }
        Self::from_intercept(&found).map(Some).map_err(unusable)
    }

    fn from_intercept(found: &Intercept) -> Result<Self, ProxyError> {
        let uri = found.uri();
        let scheme = uri.scheme_str().unwrap_or_default();
        if scheme.starts_with("socks") {
            return Err(ProxyError::Socks);
        }
        let authority = uri.authority().map_or("", http::uri::Authority::as_str);
        let endpoint =
            Endpoint::parse(&format!("{scheme}://{authority}")).map_err(|_| ProxyError::NotAUrl)?;
        Ok(Self { endpoint, authorization: found.basic_auth().cloned() })
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
                return Err(self.failed(
                    "it asks for credentials; put them into its URL: http://USER:PASSWORD@host",
                ));
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

/// `NO_PROXY` for this port: Go takes `host:port` entries, the matcher does not.
fn without_ports(list: &str, port: u16) -> String {
    let entries = list.split(',').map(str::trim).filter_map(|entry| {
        let Some((host, digits)) = entry.rsplit_once(':') else { return Some(entry) };
        // The last group of an IPv6 address is not a port.
        if host.contains(':') && !host.ends_with(']') {
            return Some(entry);
        }
        (digits.parse() == Ok(port)).then(|| host.trim_matches(['[', ']']))
    });
    entries.collect::<Vec<_>>().join(",")
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
        for (no, server) in [
            ("*", "http://minio.example"),
            ("x, *", "http://10.1.2.3"),
            ("other, minio.example", "http://minio.example:9000"),
            ("example", "http://minio.example"),
            (".example", "http://minio.example"),
            ("minio.example:9000", "http://minio.example:9000"),
            ("10.0.0.0/8", "http://10.1.2.3:9000"),
            ("10.1.2.3", "http://10.1.2.3:9000"),
            ("fd00::1", "http://[fd00::1]:9000"),
            ("[fd00::1]:9000", "http://[fd00::1]:9000"),
        ] {
            assert_eq!(proxy(server, &with(no)), Ok(None), "{no} {server}");
        }
        for (no, server) in [
            ("minio.example:9001", "http://minio.example:9000"),
            ("ample", "http://minio.example"),
            ("10.0.0.0/16", "http://10.1.2.3:9000"),
        ] {
            assert!(matches!(proxy(server, &with(no)), Ok(Some(_))), "{no} {server}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_an_error_that_shows_no_password() {
        for value in ["socks5://u:topsecret@p:1", "ftp://u:topsecret@p", "http://u:topsecret@:x"] {
            let error = proxy("http://minio.example", &[("HTTP_PROXY", value)]).unwrap_err();
            assert!(error.contains("HTTP_PROXY") && !error.contains("topsecret"), "{error}");
        }
    }
}
