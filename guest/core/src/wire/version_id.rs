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
    let mut bytes = uuid.iter_mut();
    let mut wrong = 0;
    for (group, length) in text.split(|byte| *byte == b'-').zip([8, 4, 4, 4, 12]) {
        if group.len() != length {
            return None;
        }
        for ([high, low], byte) in group.as_chunks().0.iter().zip(&mut bytes) {
            let (high, low) = (digit(*high), digit(*low));
            wrong |= high | low;
            *byte = high << 4 | low & 0xf;
        }
    }
    (bytes.next().is_none() && wrong <= 0xf).then_some(uuid)
}

/// The value of a lower-case hexadecimal digit, and of another byte more than any digit has.
fn digit(byte: u8) -> u8 {
    DIGITS.get(usize::from(byte)).copied().unwrap_or(NO_DIGIT)
}

const NO_DIGIT: u8 = 0x10;

static DIGITS: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut rest = values.as_mut_slice();
    let mut byte = 0_u8;
    while let Some((value, after)) = rest.split_first_mut() {
        *value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => NO_DIGIT,
        };
        rest = after;
        byte = byte.wrapping_add(1);
    }
    values
};

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
