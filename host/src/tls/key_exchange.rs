//! Key exchange on P-521, which ring does not have.
//!
//! In TLS 1.2 a server looks for the curve of its certificate among the groups of its client (RFC 8422,
//! 5.1). Without this one nginx said that there is no cipher in common, although `ecdsa` verifies the
//! signature. It is offered last, so that nobody takes it who can have another.

use p521::PublicKey;
use p521::ecdh::EphemeralSecret;
use p521::elliptic_curve::Generate;
use p521::elliptic_curve::sec1::ToSec1Point;
use rustls::crypto::{ActiveKeyExchange, GetRandomFailed, SharedSecret, SupportedKxGroup};
use rustls::{Error, NamedGroup, PeerMisbehaved};

/// The first byte of a point in the one form that TLS has (RFC 8446, 4.2.8.2).
const UNCOMPRESSED: u8 = 4;

/// The group.
#[derive(Debug)]
pub(super) struct P521;

struct Started {
    secret: EphemeralSecret,
    public: Vec<u8>,
}

impl SupportedKxGroup for P521 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let secret = EphemeralSecret::try_generate().map_err(|_| GetRandomFailed)?;
        let public = secret.public_key().to_sec1_point(false).as_bytes().to_vec();
        Ok(Box::new(Started { secret, public }))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

impl ActiveKeyExchange for Started {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let point = Some(peer).filter(|peer| peer.first() == Some(&UNCOMPRESSED));
        let peer = point.and_then(|point| PublicKey::from_sec1_bytes(point).ok());
        let peer = peer.ok_or(PeerMisbehaved::InvalidKeyShare)?;
        Ok(SharedSecret::from(self.secret.diffie_hellman(&peer).raw_secret_bytes().as_slice()))
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn group(&self) -> NamedGroup {
        P521.name()
    }
}
