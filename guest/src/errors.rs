//! What `wasi:http` says went wrong, in the terms of the job.

use crate::bindings::wasi::http::types::ErrorCode;
use resync_core::wire::{LOCAL_ERROR, PROXY_ERROR, TransportError};
use std::time::Duration;

/// What to do about a certificate on a host that has no certificates of its own user.
const PUBLIC_ONLY: &str = "this host trusts public authorities only: run mc-wasi, which also trusts those in ~/.mc/certs/CAs";

/// wasmtime's words, "address not available", where a host that opens a connection for each request
/// ran out of ports. It calls that an error of DNS.
const NO_PORT: &str = "not available";

/// Deno's words where `--allow-net` does not name the server.
const NOT_CAPABLE: &str = "Requires net access to";

/// What is said of a `fetch` that failed, whyever it did: by Chromium, Firefox, Safari, Node and Deno, and Bun.
const FETCH: [&str; 5] =
    ["Failed to fetch", "NetworkError", "Load failed", "fetch failed", "Unable to connect"];

/// Reads an error code. `bundled` says that the host knows the user's own authorities.
pub(crate) fn transport_error(code: &ErrorCode, bundled: bool) -> TransportError {
    match read(code) {
        TransportError::Tls(text) if !bundled => {
            TransportError::Tls(format!("{text}; {PUBLIC_ONLY}"))
        }
        error => error,
    }
}

fn read(code: &ErrorCode) -> TransportError {
    use ErrorCode as E;
    match code {
        E::ConnectionRefused => TransportError::ConnectionRefused,
        E::DnsError(payload) => match payload.rcode.as_deref().unwrap_or_default() {
            text if text.contains(NO_PORT) => TransportError::Local(format!(
                "{LOCAL_ERROR}has no free port for another connection: {text}"
            )),
            text => TransportError::Dns(text.to_owned()),
        },
        E::DestinationNotFound => TransportError::Dns(String::new()),
        E::DnsTimeout => TransportError::Dns("timed out".to_owned()),
        E::ConnectionTerminated | E::HttpResponseIncomplete => {
            TransportError::Closed(String::new())
        }
        E::ConnectionTimeout
        | E::ConnectionReadTimeout
        | E::ConnectionWriteTimeout
        | E::HttpResponseTimeout => TransportError::Timeout(Duration::ZERO),
        E::TlsCertificateError => TransportError::Tls("certificate not accepted".to_owned()),
        E::TlsProtocolError => TransportError::Tls("protocol error".to_owned()),
        E::TlsAlertReceived(alert) => {
            TransportError::Tls(alert.alert_message.clone().unwrap_or_default())
        }
        E::HttpRequestDenied | E::DestinationIpProhibited => TransportError::Denied(String::new()),
        E::HttpProtocolError => TransportError::Protocol(String::new()),
        // jco hands over Node's words: "unable to verify the first certificate" and its like.
        E::InternalError(Some(text)) if text.contains("certificate") => {
            TransportError::Tls(text.clone())
        }
        E::InternalError(Some(text)) if text.contains(NOT_CAPABLE) => {
            TransportError::Denied(text.clone())
        }
        E::InternalError(Some(text)) if FETCH.iter().any(|words| text.contains(words)) => {
            TransportError::Fetch(text.trim_end_matches('.').to_owned())
        }
        E::InternalError(Some(text)) if text.starts_with(PROXY_ERROR) => {
            TransportError::Proxy(text.clone())
        }
        E::InternalError(Some(text)) if text.starts_with(LOCAL_ERROR) => {
            TransportError::Local(text.clone())
        }
        E::HttpResponseHeaderSectionSize(_) | E::HttpResponseHeaderSize(_) => {
            TransportError::Protocol("the answer has more headers than can be read".to_owned())
        }
        E::InternalError(Some(text)) => TransportError::Other(text.clone()),
        other => TransportError::Other(other.to_string()),
    }
}
