//! A string that must not be seen: secret keys and session tokens.

use std::fmt;
use zeroize::Zeroizing;

/// A secret. `Debug` and `Display` print `**REDACTED**`; the memory is overwritten on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of the secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself. Call it only where it goes into a signature or onto the wire.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// What is shown in place of a secret, in mc's notation.
pub const REDACTED: &str = "**REDACTED**";

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formatting_a_secret_never_shows_it() {
        let secret = Secret::new("wJalrXUtnFEMI");
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)).matches("wJal").count(), 0);
        assert_eq!(secret.reveal(), "wJalrXUtnFEMI");
    }
}
