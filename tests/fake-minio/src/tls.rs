//! A certificate authority for one server, and the server's certificate.
//!
//! The two are apart because a client rightly refuses an authority that comes
//! as a server's own certificate.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::TlsAcceptor;

/// Names and addresses that the certificate is for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What a server needs to serve TLS, and a client to trust it.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) ca_pem: String,
}

impl Tls {
    /// A new authority and certificate.
    pub(crate) fn generate() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "fake-minio test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(NAMES.map(str::to_owned))?;
        params.distinguished_name.push(DnType::CommonName, "fake-minio");
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &authority)?;

        // Named, so that a second provider elsewhere in a program cannot make
        // the choice ambiguous.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )?;
        // The server prefers HTTP/1.1 to h2, so h2 is never chosen there.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), ca_pem: authority.pem() })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::sync::Arc;

    use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
    use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

    use super::super::{FakeServer, Options};

    /// Sends a request that has no signature and returns the answer.
    fn ask(server: &FakeServer, roots: RootCertStore) -> std::io::Result<String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let client = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(client, TcpStream::connect(server.addr())?);
        stream.write_all(
            b"GET /mybucket?location HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    #[test]
    fn only_who_trusts_the_authority_is_served() {
        let server = FakeServer::start(Options { tls: true, ..Options::default() });
        assert!(server.url().starts_with("https://127.0.0.1:"));
        assert!(ask(&server, RootCertStore::empty()).is_err());
        let mut roots = RootCertStore::empty();
        let pem = server.ca_pem().unwrap();
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
        let answer = ask(&server, roots).unwrap();
        assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("AccessDenied"), "{answer}");
    }

    #[test]
    fn http_on_the_tls_port_is_told_so() {
        let server = FakeServer::start(Options { tls: true, ..Options::default() });
        let mut stream = TcpStream::connect(server.addr()).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = [0; 28];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.0 400 Bad Request\r\n\r\n");
    }
}
