//! Reads a line of the listing as servers write it, without a JSON parser.
//!
//! They write known members, without white space, and strings that rarely hold an escape: of such a line only the
//! ends of the strings have to be found, eight bytes at a time. Whatever else it holds, serde_json decides about
//! the whole line; a property compares the two.

/// A line, with its strings as they stand there.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plain<'a> {
    /// The object's key.
    pub(super) object: &'a str,
    /// `versionId`.
    pub(super) version_id: &'a str,
    /// `rStatus`.
    pub(super) status: &'a str,
    /// `dStatus`.
    pub(super) delete_status: &'a str,
    /// The text of `targets`: an object whose braces match.
    pub(super) targets: &'a str,
    /// `lastModified`.
    pub(super) modified: &'a str,
    /// `replTimestamp`.
    pub(super) status_time: &'a str,
    /// `deletemarker`.
    pub(super) delete_marker: bool,
}

/// Reads a line, if it is one of those.
pub(super) fn read(line: &[u8]) -> Option<Plain<'_>> {
    let text = std::str::from_utf8(line).ok()?;
    let mut plain = Plain::default();
    let mut known = 0_u8;
    let mut rest = text.strip_prefix('{')?;
    loop {
        let (name, after) = string(rest)?;
        rest = after.strip_prefix(':')?;
        // A member that comes twice is not what it seems.
        let mut once = |member: u8| {
            let new = known & (1 << member) == 0;
            known |= 1 << member;
            new.then_some(())
        };
        match name {
            "targets" => {
                once(6)?;
                (plain.targets, rest) = object(rest)?;
            }
            "deletemarker" => {
                once(7)?;
                let no = rest.strip_prefix("false");
                plain.delete_marker = no.is_none();
                rest = no.or_else(|| rest.strip_prefix("true"))?;
            }
            _ => {
                let (member, place) = match name {
                    "object" => (0, &mut plain.object),
                    "versionId" => (1, &mut plain.version_id),
                    "rStatus" => (2, &mut plain.status),
                    "dStatus" => (3, &mut plain.delete_status),
                    "lastModified" => (4, &mut plain.modified),
                    "replTimestamp" => (5, &mut plain.status_time),
                    _ => return None,
                };
                once(member)?;
                (*place, rest) = string(rest)?;
            }
        }
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => return (rest == "}" && !plain.object.is_empty()).then_some(plain),
        }
    }
}

/// The string that a text begins with, and what comes after it.
fn string(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('"')?;
    let end = end(text.as_bytes())?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// The object that a text begins with, and what comes after it.
fn object(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_u32);
    loop {
        match bytes.get(at)? {
            b'"' => at += 1 + end(bytes.get(at + 1..)?)?,
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ if depth == 0 => return None,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some((text.get(..at)?, text.get(at..)?));
        }
    }
}

/// Where the string that a text is in ends, if no escape and no control character comes before.
fn end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let mark = special(u64::from_le_bytes(*eight));
        if mark != 0 {
            at += (mark.trailing_zeros() / 8) as usize;
            return (bytes.get(at) == Some(&b'"')).then_some(at);
        }
        at += 8;
    }
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' | ..0x20 => return None,
            _ => at += 1,
        }
    }
}

/// Whether a text is the same within the quotation marks of JSON.
pub(crate) fn needs_no_escape(text: &str) -> bool {
    let (eights, rest) = text.as_bytes().as_chunks();
    eights.iter().all(|eight| special(u64::from_le_bytes(*eight)) == 0)
        && !rest.iter().any(|byte| matches!(byte, b'"' | b'\\' | ..0x20))
}

/// Marks the bytes that are a quotation mark, a backslash or a control character, in their highest bits. Those after the
/// first may be marked in vain.
fn special(bytes: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let below = |bytes: u64, least: u64| bytes.wrapping_sub(EACH * least) & !bytes;
    let is = |byte: u8| below(bytes ^ (EACH * u64::from(byte)), 1);
    (below(bytes, 0x20) | is(b'"') | is(b'\\')) & (EACH << 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_as_servers_write_it_is_read() {
        let line = r#"{"object":"a/ü","versionId":"null","targets":{"arn:x":{"rStatus":"FAILED"}},"rStatus":"FAILED","replTimestamp":"2026-11-24T08:28:26Z","lastModified":"2026-11-24T08:28:25Z","deletemarker":true}"#;
        let plain = Plain {
            object: "a/ü",
            version_id: "null",
            status: "FAILED",
            targets: r#"{"arn:x":{"rStatus":"FAILED"}}"#,
            modified: "2026-11-24T08:28:25Z",
            status_time: "2026-11-24T08:28:26Z",
            delete_marker: true,
            ..Plain::default()
        };
        assert_eq!(read(line.as_bytes()), Some(plain));
    }

    #[test]
    fn the_first_special_byte_is_found_wherever_it_stands() {
        for length in 0..20 {
            for byte in 0..=u8::MAX {
                let mut bytes = vec![b'x'; length];
                bytes.extend([byte, b'"', b'"']);
                let found = match byte {
                    b'"' => Some(length),
                    b'\\' | ..0x20 => None,
                    _ => Some(length + 1),
                };
                assert_eq!(end(&bytes), found, "{byte} at {length}");
                let text = String::from_utf8_lossy(bytes.get(..=length).unwrap_or_default());
                let json = serde_json::to_string(&text).unwrap();
                assert_eq!(needs_no_escape(&text), json == format!("\"{text}\""), "{json}");
            }
        }
        assert_eq!(end(b"without an end"), None);
    }

    #[test]
    fn whatever_is_not_plain_is_left_to_the_parser() {
        for line in [
            r#" {"object":"a"}"#,
            r#"{"object": "a"}"#,
            r#"{"object":"a"} "#,
            r#"{"object":"a","object":"b"}"#,
            r#"{"object":"\u0061"}"#,
            r#"{"object":"a","error":{}}"#,
            r#"{"object":"a","targets":null}"#,
            r#"{"object":"a","targets":{}x}"#,
            r#"{"object":"a","targets":{"}"#,
            r#"{"object":"a","deletemarker":0}"#,
            r#"{"object":"a","deletemarker":"true"}"#,
            r#"{"object":1}"#,
            r#"{"object":""}"#,
            r#"{"object":"a",}"#,
            r#"{"object":"a"}{"#,
            r#"{"versionId":"a"}"#,
            r#"{"object":"a","more":1}"#,
            "{}",
            "",
        ] {
            assert_eq!(read(line.as_bytes()), None, "{line}");
        }
        assert_eq!(read(b"{\"object\":\"\xff\"}"), None);
    }
}
