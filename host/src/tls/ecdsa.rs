//! ECDSA signatures that Go verifies and ring does not: with keys on P-521, and by SHA-512.
//!
//! Authorities of companies are made with what their tools offer, and MinIO serves what it is given. The
//! arithmetic is that of RustCrypto; but for the key exchange that goes with it (`key_exchange`), everything
//! else stays with ring. Changing to aws-lc-rs would have brought the same with a C library, and a C compiler
//! and CMake to build it.

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rustls::SignatureScheme;
use rustls::crypto::{WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::sync::OnceLock;

/// The curve of a key.
#[derive(Debug, Clone, Copy)]
enum Curve {
    P256,
    P384,
    P521,
}

/// What is signed instead of the message.
#[derive(Debug, Clone, Copy)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// One pair of them.
#[derive(Debug)]
struct Ecdsa(Curve, Hash);

const P256_SHA512: &dyn SignatureVerificationAlgorithm = &Ecdsa(Curve::P256, Hash::Sha512);
const P384_SHA512: &dyn SignatureVerificationAlgorithm = &Ecdsa(Curve::P384, Hash::Sha512);
const P521_SHA256: &dyn SignatureVerificationAlgorithm = &Ecdsa(Curve::P521, Hash::Sha256);
const P521_SHA384: &dyn SignatureVerificationAlgorithm = &Ecdsa(Curve::P521, Hash::Sha384);
const P521_SHA512: &dyn SignatureVerificationAlgorithm = &Ecdsa(Curve::P521, Hash::Sha512);

impl SignatureVerificationAlgorithm for Ecdsa {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let digest = match self.1 {
            Hash::Sha256 => Sha256::digest(message).to_vec(),
            Hash::Sha384 => Sha384::digest(message).to_vec(),
            Hash::Sha512 => Sha512::digest(message).to_vec(),
        };
        macro_rules! verify {
            ($curve:ident) => {{
                let key = $curve::ecdsa::VerifyingKey::from_sec1_bytes(public_key);
                let signature = $curve::ecdsa::Signature::from_der(signature);
                match (key, signature) {
                    (Ok(key), Ok(signature)) => key.verify_prehash(&digest, &signature).is_ok(),
                    _ => false,
                }
            }};
        }
        let valid = match self.0 {
            Curve::P256 => verify!(p256),
            Curve::P384 => verify!(p384),
            Curve::P521 => verify!(p521),
        };
        if valid { Ok(()) } else { Err(InvalidSignature) }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        match self.0 {
            Curve::P256 => alg_id::ECDSA_P256,
            Curve::P384 => alg_id::ECDSA_P384,
            Curve::P521 => alg_id::ECDSA_P521,
        }
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        match self.1 {
            Hash::Sha256 => alg_id::ECDSA_SHA256,
            Hash::Sha384 => alg_id::ECDSA_SHA384,
            Hash::Sha512 => alg_id::ECDSA_SHA512,
        }
    }
}

/// What ring verifies, and this.
pub(super) fn algorithms() -> WebPkiSupportedAlgorithms {
    static ALL: OnceLock<WebPkiSupportedAlgorithms> = OnceLock::new();
    *ALL.get_or_init(|| {
        let of_ring = ring::default_provider().signature_verification_algorithms;
        let own = [P256_SHA512, P384_SHA512, P521_SHA256, P521_SHA384, P521_SHA512];
        let all: Vec<_> = of_ring.all.iter().copied().chain(own).collect();
        // In TLS 1.3 the first of a scheme is the one that it names, in 1.2 all of them are tried.
        let more = |scheme| match scheme {
            SignatureScheme::ECDSA_NISTP256_SHA256 => &[P521_SHA256][..],
            SignatureScheme::ECDSA_NISTP384_SHA384 => &[P521_SHA384],
            _ => &[],
        };
        let mut mapping: Vec<(SignatureScheme, &'static [_])> = of_ring
            .mapping
            .iter()
            .map(|(scheme, known)| (*scheme, &*[known, more(*scheme)].concat().leak()))
            .collect();
        let of_512: &[_] = [P521_SHA512, P384_SHA512, P256_SHA512].to_vec().leak();
        mapping.insert(0, (SignatureScheme::ECDSA_NISTP521_SHA512, of_512));
        WebPkiSupportedAlgorithms { all: all.leak(), mapping: mapping.leak() }
    })
}
