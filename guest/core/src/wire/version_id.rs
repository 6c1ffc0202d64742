//! The id of a version, as the server writes it.

use std::fmt;
use uuid::Uuid;

/// A version id. `null` and UUIDs, which is all a server makes, take 16 bytes in the spool.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum VersionId {
    /// The null version of an unversioned or suspended bucket, and of every `name/` object.
    Null,
    /// Whichever is the latest, of a version that the user gives without an id.
    Latest,
    /// A lower-case hyphenated UUID.
    Uuid([u8; 16]),
    /// Anything else. It is sent as it is; the server answers for it.
    Other(Box<str>),
}

impl VersionId {
    /// Reads an id; only what [`fmt::Display`] gives back letter by letter becomes a `Uuid`.
    pub fn parse(text: &str) -> Self {
        if text == "null" || text.is_empty() {
            return Self::Null;
        }
        parse_uuid(text).map_or_else(|| Self::Other(text.into()), Self::Uuid)
    }

    /// Reads an id that the user gives, who may leave it out.
    pub fn given(text: &str) -> Self {
        if text.is_empty() { Self::Latest } else { Self::parse(text) }
    }
}

/// A UUID, if this is the one way that servers write it: lower-case, with hyphens.
fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
    let mut uuid = [0; 16];
    let mut digits = text.iter().enumerate().filter_map(|(at, byte)| match (at, byte) {
        (8 | 13 | 18 | 23, b'-') => None,
        (8 | 13 | 18 | 23, _) => Some(u8::MAX),
        (_, b'0'..=b'9') => Some(byte - b'0'),
        (_, b'a'..=b'f') => Some(byte - b'a' + 10),
        _ => Some(u8::MAX),
    });
    for byte in &mut uuid {
        let (high, low) = (digits.next()?, digits.next()?);
        if high | low > 0xf {
            return None;
        }
        *byte = high << 4 | low;
    }
    digits.next().is_none().then_some(uuid)
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Latest => Ok(()),
            Self::Other(text) => f.write_str(text),
            Self::Uuid(uuid) => Uuid::from_bytes_ref(uuid).hyphenated().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_not_a_uuid_are_kept_letter_by_letter() {
        for id in [
            "8A38E1A2-0000-4000-8000-0123456789AB",
            "v1",
            "8a38e1a2x0000-4000-8000-0123456789ab",
            "8a38e1a20000400080000123456789ab",
            "{8a38e1a2-0000-4000-8000-0123456789ab}",
            "urn:uuid:8a38e1a2-0000-4000-8000-0123456789ab",
        ] {
            assert_eq!(VersionId::parse(id), VersionId::Other(id.into()));
            assert_eq!(VersionId::parse(id).to_string(), id);
        }
    }
}
