//! Which certificates are accepted: those of the system and of `<config-dir>/certs/CAs`, as in mc.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use std::path::Path;
use std::sync::Arc;
use wasmtime_wasi_http::Error;

/// The TLS alert by which the guest tells that another attempt is of no use (RFC 8446, 6).
const ALERT_BAD_CERTIFICATE: u8 = 42;

/// An error of TLS that stays, however often it is tried again.
pub fn refused(text: String) -> Error {
    Error::TlsAlertReceived { alert_id: Some(ALERT_BAD_CERTIFICATE), alert_message: Some(text) }
}

/// A TLS client for HTTP/1.1, TLS 1.2 and 1.3.
///
/// Unreadable and malformed certificates are passed over, as mc does: one bad file among the
/// system's must not keep everybody out.
///
/// # Errors
/// The library refuses its own defaults, which does not happen.
pub fn client(folder: Option<&Path>, insecure: bool) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let config = if insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
    } else {
        builder.with_root_certificates(roots(folder))
    };
    Ok(Arc::new(config.with_no_client_auth()))
}

fn roots(folder: Option<&Path>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let own = folder.map(|folder| folder.join("certs").join("CAs"));
    for entry in own.and_then(|dir| std::fs::read_dir(dir).ok()).into_iter().flatten().flatten() {
        if let Ok(certificates) = CertificateDer::pem_file_iter(entry.path()) {
            roots.add_parsable_certificates(certificates.flatten());
        }
    }
    roots
}

/// `--insecure`: encrypts, but for whoever answers.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// What is wrong with a certificate and what to do about it.
pub fn explain(error: &rustls::Error, host: &str) -> String {
    use CertificateError as C;
    match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            C::UnknownIssuer => format!(
                "the certificate of {host} is signed by an unknown authority; put the authority's PEM file into <config-dir>/certs/CAs/, or use --insecure"
            ),
            C::Expired | C::ExpiredContext { .. } => {
                format!("the certificate of {host} has expired; renew it, or use --insecure")
            }
            C::NotValidYet | C::NotValidYetContext { .. } => format!(
                "the certificate of {host} is not valid yet; check the clock of this machine"
            ),
            C::NotValidForName | C::NotValidForNameContext { .. } => format!(
                "the certificate is not for {host}; use the name it was made for as the host of the alias (--resolve can keep the address), or --insecure"
            ),
            reason => format!("the certificate of {host} is not accepted: {reason:?}"),
        },
        rustls::Error::InvalidMessage(_) => {
            format!("{host} does not speak TLS on this port; an alias with http:// may be meant")
        }
        error => format!("{host}: {error}"),
    }
}
