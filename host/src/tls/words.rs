//! What is wrong with a certificate, or with the TLS of a server, in words: what it is, and what to do.

use super::is_authority;
use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

/// What is wrong with a certificate and what to do about it.
pub(crate) fn explain(error: &Error, host: &str) -> String {
    match error {
        Error::InvalidCertificate(_) if is_authority(error) => format!(
            "the certificate of {host} is an authority of its own that is not known here; put its PEM file into <config-dir>/certs/CAs/, or use --insecure"
        ),
        Error::InvalidCertificate(reason) => about_certificate(reason, host),
        Error::InvalidMessage(_) => {
            format!("{host} does not speak TLS on this port; an alias with http:// may be meant")
        }
        Error::AlertReceived(alert) => {
            format!("{host} ended the TLS handshake: {}", alerted(*alert))
        }
        Error::PeerIncompatible(PeerIncompatible::NoSignatureSchemesInCommon) => {
            format!("{host} has no signature that is known here")
        }
        Error::PeerIncompatible(_) => format!(
            "{host} speaks no version or cipher of TLS that is known here; TLS 1.2 and 1.3 are"
        ),
        Error::PeerMisbehaved(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. } => {
            format!("{host} does not keep to the rules of TLS")
        }
        Error::DecryptError => format!("{host} sent what cannot be decrypted"),
        Error::General(text) => format!("{host}: {text}"),
        _ => format!("the TLS handshake with {host} failed"),
    }
}

fn about_certificate(reason: &CertificateError, host: &str) -> String {
    use CertificateError as C;
    let certificate = format!("the certificate of {host}");
    match reason {
        C::UnknownIssuer => format!(
            "{certificate} is signed by an unknown authority; put the authority's PEM file into <config-dir>/certs/CAs/, or use --insecure"
        ),
        C::Expired | C::ExpiredContext { .. } => {
            format!("{certificate} has expired; renew it, or use --insecure")
        }
        C::NotValidYet | C::NotValidYetContext { .. } => {
            format!("{certificate} is not valid yet; check the clock of this machine")
        }
        C::NotValidForNameContext { presented, .. } if presented.is_empty() => format!(
            "the certificate names its host only in CN, if at all, which is not looked at any more; make one with the host as a subject alternative name ({host}), or use --insecure"
        ),
        C::NotValidForNameContext { presented, .. } => format!(
            "the certificate is not for {host} but for {}; use such a name as the host of the alias (--resolve can keep the address), or --insecure",
            names(presented)
        ),
        C::NotValidForName => format!(
            "the certificate is not for {host}; use the name it was made for as the host of the alias (--resolve can keep the address), or --insecure"
        ),
        C::BadSignature => format!(
            "{certificate} has a signature that is not that of its authority; an old authority of the same name may be in <config-dir>/certs/CAs/"
        ),
        C::UnsupportedSignatureAlgorithmContext { .. }
        | C::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => format!(
            "{certificate}, or its authority's, has a key or a signature of a kind that is not known or not safe (SHA-1, RSA of less than 2,048 bits, DSA); make a new one"
        ),
        C::InvalidPurpose | C::InvalidPurposeContext { .. } => {
            format!(
                "{certificate} was not made for servers (extended key usage); make one that was"
            )
        }
        C::UnhandledCriticalExtension => {
            format!("{certificate} has an extension that must be understood and is not known here")
        }
        C::Revoked => format!("{certificate} was revoked; renew it"),
        C::BadEncoding => format!("{certificate} is damaged or of version 1; make a new one"),
        C::Other(other) => {
            let reason = match other.0.downcast_ref() {
                Some(webpki::Error::EndEntityUsedAsCa) => {
                    "is signed by a certificate that is no authority"
                }
                Some(webpki::Error::NameConstraintViolation) => {
                    "has a name that its authority may not sign"
                }
                Some(webpki::Error::PathLenConstraintViolated) => {
                    "has more authorities above it than the highest one allows"
                }
                Some(webpki::Error::UnsupportedCertVersion) => {
                    "is of a version before 3, which knows no names of hosts"
                }
                Some(
                    webpki::Error::MaximumPathDepthExceeded
                    | webpki::Error::MaximumPathBuildCallsExceeded
                    | webpki::Error::MaximumSignatureChecksExceeded,
                ) => "has too many authorities above it",
                _ => "does not follow the rules for certificates",
            };
            format!("{certificate} {reason}; make a new one, or use --insecure")
        }
        _ => format!("{certificate} is not accepted; make a new one, or use --insecure"),
    }
}

/// Some of the names, as the library writes them: `DnsName("a")`.
fn names(presented: &[String]) -> String {
    let plain = |name: &String| {
        let inner = name.split_once('(').map_or(name.as_str(), |(_, rest)| rest);
        inner.trim_end_matches(')').trim_matches('"').to_owned()
    };
    let mut shown: Vec<String> = presented.iter().take(3).map(plain).collect();
    if presented.len() > shown.len() {
        shown.push(format!("{} more", presented.len() - shown.len()));
    }
    shown.join(", ")
}

fn alerted(alert: AlertDescription) -> String {
    let words = match alert {
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "there is no cipher that both know"
        }
        AlertDescription::ProtocolVersion => "there is no version of TLS that both know",
        AlertDescription::CertificateRequired | AlertDescription::BadCertificate => {
            "it wants a certificate of its client, and there is none here"
        }
        AlertDescription::UnrecognisedName => "it does not know this name",
        AlertDescription::InternalError => "it has an error of its own",
        other => return format!("alert {}", u8::from(other)),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::ServerName;
    use rustls::{OtherError, PeerMisbehaved};
    use std::sync::Arc;

    fn other(error: webpki::Error) -> CertificateError {
        CertificateError::Other(OtherError(Arc::new(error)))
    }

    #[test]
    fn every_reason_is_in_words() {
        use CertificateError as C;
        let name = || ServerName::try_from("h.example").unwrap();
        for (reason, said) in [
            (C::UnknownIssuer, "unknown authority"),
            (C::Expired, "has expired"),
            (C::NotValidYet, "not valid yet"),
            (C::NotValidForName, "is not for h.example;"),
            (
                C::NotValidForNameContext { expected: name(), presented: Vec::new() },
                "names its host only in CN",
            ),
            (
                C::NotValidForNameContext {
                    expected: name(),
                    presented: ["DnsName(\"a.example\")", "IpAddress(127.0.0.1)", "c", "d", "e"]
                        .map(str::to_owned)
                        .to_vec(),
                },
                "is not for h.example but for a.example, 127.0.0.1, c, 2 more;",
            ),
            (C::BadSignature, "not that of its authority"),
            (C::InvalidPurpose, "not made for servers"),
            (C::UnhandledCriticalExtension, "an extension"),
            (C::Revoked, "revoked"),
            (C::BadEncoding, "damaged"),
            (C::UnknownRevocationStatus, "is not accepted"),
            (other(webpki::Error::CaUsedAsEndEntity), "an authority of its own"),
            (other(webpki::Error::EndEntityUsedAsCa), "no authority"),
            (other(webpki::Error::NameConstraintViolation), "may not sign"),
            (other(webpki::Error::PathLenConstraintViolated), "more authorities"),
            (other(webpki::Error::UnsupportedCertVersion), "version before 3"),
            (other(webpki::Error::MaximumPathDepthExceeded), "too many authorities"),
            (other(webpki::Error::MalformedExtensions), "does not follow the rules"),
        ] {
            let words = explain(&Error::InvalidCertificate(reason), "h.example");
            assert!(words.contains(said), "{words}");
            assert!(!words.contains("Error") && !words.contains(['{', '[']), "{words}");
        }
        for (error, said) in [
            (Error::AlertReceived(AlertDescription::HandshakeFailure), "no cipher"),
            (Error::AlertReceived(AlertDescription::AccessDenied), "alert 49"),
            (Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered), "TLS 1.2 and 1.3"),
            (Error::PeerMisbehaved(PeerMisbehaved::InvalidCertCompression), "the rules of TLS"),
            (Error::HandshakeNotComplete, "failed"),
            (Error::General("text".into()), "h.example: text"),
        ] {
            let words = explain(&error, "h.example");
            assert!(words.contains(said), "{words}");
        }
    }
}
