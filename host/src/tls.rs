//! Which certificates are accepted: those of the system and of `<config-dir>/certs/CAs`, as in mc.

mod ecdsa;
mod key_exchange;
mod words;

pub(crate) use words::explain;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use std::path::Path;
use std::sync::Arc;
use wasmtime_wasi_http::Error;

/// The TLS alert by which the guest tells that another attempt is of no use (RFC 8446, 6).
const ALERT_BAD_CERTIFICATE: u8 = 42;

/// An error of TLS that stays, however often it is tried again.
pub(crate) fn permanent(text: String) -> Error {
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
    let mut provider = ring::default_provider();
    provider.signature_verification_algorithms = ecdsa::algorithms();
    provider.kx_groups.push(&key_exchange::P521);
    let provider = Arc::new(provider);
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    if insecure {
        let any = Arc::new(AnyCertificate(provider));
        let config = builder.dangerous().with_custom_certificate_verifier(any);
        return Ok(Arc::new(config.with_no_client_auth()));
    }
    let trusted = trusted(folder);
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trusted.iter().cloned());
    let roots = Arc::new(roots);
    let by_authority =
        WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), provider).build();
    let config = match by_authority {
        Ok(by_authority) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Trusted { by_authority, trusted })),
        // Nobody is trusted, which the library takes for a mistake.
        Err(_) => builder.with_root_certificates(roots),
    };
    Ok(Arc::new(config.with_no_client_auth()))
}

fn trusted(folder: Option<&Path>) -> Vec<CertificateDer<'static>> {
    let mut trusted = rustls_native_certs::load_native_certs().certs;
    let own = folder.map(|folder| folder.join("certs").join("CAs"));
    for entry in own.and_then(|dir| std::fs::read_dir(dir).ok()).into_iter().flatten().flatten() {
        if let Ok(certificates) = CertificateDer::pem_file_iter(entry.path()) {
            trusted.extend(certificates.flatten());
        }
    }
    trusted
}

/// Accepts what an authority signed, and a server whose own certificate is among the trusted ones.
///
/// `openssl req -x509` makes certificates that are servers' and authorities at once. They are common
/// in front of MinIO, mc accepts them, and the library does not.
#[derive(Debug)]
struct Trusted {
    by_authority: Arc<WebPkiServerVerifier>,
    trusted: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Trusted {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict =
            self.by_authority.verify_server_cert(end_entity, intermediates, name, ocsp, now);
        match verdict {
            // Its dates were found good before this.
            Err(error) if is_authority(&error) && self.trusted.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.by_authority.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.by_authority.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_authority.supported_verify_schemes()
    }
}

/// Whether a server's certificate was refused only because it says that it is an authority.
fn is_authority(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
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
