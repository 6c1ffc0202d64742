//! What `wasi:http` says went wrong, in the terms of the job.

use crate::bindings::wasi::http::types::ErrorCode;
use resync_core::net::TransportError;
use std::time::Duration;

/// Reads an error code.
pub(crate) fn transport_error(code: &ErrorCode) -> TransportError {
    use ErrorCode as E;
    match code {
        E::ConnectionRefused => TransportError::Refused,
        // Hosts that open a connection per request run out of ports and call that a DNS error.
        E::DnsError(payload) => match payload.rcode.as_deref().unwrap_or_default() {
            text if text.contains("not available") => TransportError::Other(text.to_owned()),
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
        E::HttpRequestDenied | E::DestinationIpProhibited => TransportError::Denied,
        E::HttpProtocolError => TransportError::Protocol(String::new()),
        // WASI has no word for it; mc-wasi says which proxy and why.
        E::InternalError(Some(text)) if text.starts_with("proxy ") => {
            TransportError::Proxy(text.clone())
        }
        E::InternalError(Some(text)) => TransportError::Other(text.clone()),
        other => TransportError::Other(other.to_string()),
    }
}
