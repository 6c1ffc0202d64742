//! The id of a version, as the server writes it.

use std::fmt;

/// A version id. `null` and UUIDs, which is all a server makes, take 16 bytes in the spool.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum VersionId {
    /// The null version of an unversioned or suspended bucket, and of every `name/` object.
    Null,
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
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
    let mut uuid = [0u8; 16];
    let mut nibbles = 0usize;
    for (at, byte) in text.iter().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        let nibble = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        let slot = uuid.get_mut(nibbles / 2)?;
        *slot = (*slot << 4) | nibble;
        nibbles += 1;
    }
    Some(uuid)
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        match self {
            Self::Null => f.write_str("null"),
            Self::Other(text) => f.write_str(text),
            Self::Uuid(uuid) => {
                let mut text = [b'-'; 36];
                let mut slots = text.iter_mut().enumerate();
                for nibble in uuid.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
                    let slot = slots.by_ref().find(|(at, _)| !matches!(at, 8 | 13 | 18 | 23));
                    if let (Some((_, slot)), Some(hex)) = (slot, HEX.get(usize::from(nibble))) {
                        *slot = *hex;
                    }
                }
                f.write_str(std::str::from_utf8(&text).unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_no_uuid_are_kept_letter_by_letter() {
        for id in
            ["8A38E1A2-0000-4000-8000-0123456789AB", "v1", "8a38e1a2x0000-4000-8000-0123456789ab"]
        {
            assert_eq!(VersionId::parse(id), VersionId::Other(id.into()));
            assert_eq!(VersionId::parse(id).to_string(), id);
        }
    }
}
