//! A throw-away certificate for `127.0.0.1` and `localhost`, in the layout MinIO expects of
//! `--certs-dir`.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

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
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a self-signed certificate");
        let dir = TempDir::new().expect("a temporary directory");
        fs::write(dir.path().join("public.crt"), made.cert.pem()).expect("write public.crt");
        fs::write(dir.path().join("private.key"), made.signing_key.serialize_pem())
            .expect("write private.key");
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
