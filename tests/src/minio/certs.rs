//! A throw-away certificate for `127.0.0.1` and `localhost`, in the layout MinIO expects of
//! `--certs-dir`.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

/// Where tests ask a server.
const NAMES: [&str; 2] = ["127.0.0.1", "localhost"];

/// A self-signed certificate and its key in a directory of their own.
///
/// It is its own certificate authority: whoever is given [`Certs::ca_file`] trusts the server,
/// everyone else refuses it.
#[derive(Debug)]
pub struct Certs {
    dir: TempDir,
}

impl Certs {
    /// Makes a new certificate and key.
    ///
    /// # Panics
    /// When the directory cannot be written.
    #[must_use]
    pub fn generate() -> Self {
        Self::made(&NAMES, |_| {})
    }

    /// One that was valid once.
    #[must_use]
    pub fn expired() -> Self {
        Self::made(&NAMES, |params| params.not_after = date_time_ymd(2020, 1, 1))
    }

    /// One that will be valid.
    #[must_use]
    pub fn not_yet_valid() -> Self {
        Self::made(&NAMES, |params| params.not_before = date_time_ymd(2999, 1, 1))
    }

    /// One for other names.
    #[must_use]
    pub fn for_names(names: &[&str]) -> Self {
        Self::made(names, |_| {})
    }

    /// One that calls itself an authority, as `openssl req -x509` makes them.
    #[must_use]
    pub fn as_authority(names: &[&str]) -> Self {
        Self::made(names, |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained))
    }

    /// As [`Certs::as_authority`], and expired.
    #[must_use]
    pub fn as_expired_authority() -> Self {
        Self::made(&NAMES, |params| {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.not_after = date_time_ymd(2020, 1, 1);
        })
    }

    fn made(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Self {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("names for a certificate");
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let made = params.self_signed(&key).expect("a self-signed certificate");
        let dir = TempDir::new().expect("a temporary directory");
        fs::write(dir.path().join("public.crt"), made.pem()).expect("write public.crt");
        fs::write(dir.path().join("private.key"), key.serialize_pem()).expect("write private.key");
        Self { dir }
    }

    /// What `minio server --certs-dir` is given.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The certificate in PEM, to be put where a client keeps its trusted authorities.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("public.crt")
    }
}
