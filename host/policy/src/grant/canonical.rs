//! Whether a path or a version id is written in the one way there is.
//!
//! A server decodes what it is sent. What can be written in two ways could be checked here in one
//! and understood there in the other.

use resync_core::wire::encode::is_unreserved;

/// Unreserved characters and well-formed escapes only.
pub(super) fn is_plain(text: &str) -> bool {
    !text.is_empty() && escapes_are_canonical(text, |_| false)
}

/// Whether the path is the one way to write its key: every byte that needs an escape has one in
/// upper case and no other has, no `.` or `..` segment, and no empty one but at the end.
pub(super) fn is_canonical(path: &str) -> bool {
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let empty_inside = segment.is_empty() && segments.peek().is_some();
        if empty_inside || segment == "." || segment == ".." {
            return false;
        }
    }
    escapes_are_canonical(path, |byte| byte == b'/')
}

fn escapes_are_canonical(text: &str, also: impl Fn(u8) -> bool) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if is_unreserved(byte) || also(byte) {
            continue;
        }
        let mut digit = || {
            let digit = bytes.next().filter(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(b))?;
            char::from(digit).to_digit(16)
        };
        let escaped = if byte == b'%' { digit().zip(digit()) } else { None };
        let decoded = escaped.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        if decoded.is_none_or(|decoded| is_unreserved(decoded) || also(decoded)) {
            return false;
        }
    }
    true
}
