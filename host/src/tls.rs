//! Which certificates are accepted: those of the system and of `<config-dir>/certs/CAs`, as in mc; and on a system
//! that has none, as in an image with nothing but the program, those that Mozilla trusts.

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

/// Whose signature makes a certificate good.
#[derive(Debug)]
pub struct Authorities {
    certificates: Vec<CertificateDer<'static>>,
    built_in: bool,
}

impl Authorities {
    /// Those of the system, or of `SSL_CERT_FILE` and `SSL_CERT_DIR`, and of a folder of configuration.
    ///
    /// Unreadable and malformed certificates are passed over, as mc does: one bad file among the
    /// system's must not keep everybody out.
    pub fn find(folder: Option<&Path>) -> Self {
        let system = rustls_native_certs::load_native_certs().certs;
        let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].map(std::env::var_os);
        let own = folder.map(own).unwrap_or_default();
        Self::of(system, named.iter().flatten().any(|value| !value.is_empty()), own)
    }

    /// Where somebody said which authorities to trust, an empty answer is meant: nobody else is trusted then.
    fn of(
        system: Vec<CertificateDer<'static>>,
        named: bool,
        own: Vec<CertificateDer<'static>>,
    ) -> Self {
        let built_in = system.is_empty() && !named;
        Self { certificates: [system, own].concat(), built_in }
    }

    /// Whether the system has none, and the list of Mozilla, as of this build, serves.
    pub fn are_built_in(&self) -> bool {
        self.built_in
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self.certificates.iter().cloned());
        if self.built_in {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        roots
    }
}

/// A TLS client for HTTP/1.1, TLS 1.2 and 1.3. Without authorities it believes whoever answers: `--insecure`.
///
/// # Errors
/// The library refuses its own defaults, which does not happen.
pub fn client(authorities: Option<Authorities>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut provider = ring::default_provider();
    provider.signature_verification_algorithms = ecdsa::algorithms();
    provider.kx_groups.push(&key_exchange::P521);
    let provider = Arc::new(provider);
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let Some(authorities) = authorities else {
        let any = Arc::new(AnyCertificate(provider));
        let config = builder.dangerous().with_custom_certificate_verifier(any);
        return Ok(Arc::new(config.with_no_client_auth()));
    };
    let roots = Arc::new(authorities.roots());
    let trusted = authorities.certificates;
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

/// The certificates of `<config-dir>/certs/CAs`.
fn own(folder: &Path) -> Vec<CertificateDer<'static>> {
    let mut own = Vec::new();
    let entries = std::fs::read_dir(folder.join("certs").join("CAs")).ok();
    for entry in entries.into_iter().flatten().flatten() {
        if let Ok(certificates) = CertificateDer::pem_file_iter(entry.path()) {
            own.extend(certificates.flatten());
        }
    }
    own
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

#[cfg(test)]
mod tests {
    use super::{Authorities, CertificateDer};

    /// Of no use, but there.
    fn some() -> Vec<CertificateDer<'static>> {
        vec![CertificateDer::from(vec![1])]
    }

    #[test]
    fn the_built_in_authorities_serve_only_where_there_are_no_others_and_none_were_named() {
        for (system, named, built_in) in [
            (Vec::new(), false, true),
            (some(), false, false),
            (Vec::new(), true, false),
            (some(), true, false),
        ] {
            let authorities = Authorities::of(system, named, Vec::new());
            assert_eq!(authorities.are_built_in(), built_in);
            assert_eq!(authorities.roots().len() > 50, built_in);
        }
    }

    #[test]
    fn ones_own_authorities_do_not_take_the_place_of_the_systems() {
        assert!(Authorities::of(Vec::new(), false, some()).are_built_in());
    }
}
