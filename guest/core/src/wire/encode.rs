//! Percent-encoding of object keys and query values.
//!
//! SigV4 signs the path as it is sent, so both must come from one place. Every byte except
//! `A-Z a-z 0-9 - _ . ~` becomes `%XX`; a `/` stays in a path and is encoded in a query value
//! (a bare `/` in a query is answered 403 SignatureDoesNotMatch, observed).

/// Appends the key as a path: `/` is kept.
pub fn path(out: &mut String, key: &str) {
    encode(out, key, true);
}

/// Appends the text as the value of a query parameter: `/` is encoded.
pub fn query_value(out: &mut String, value: &str) {
    encode(out, value, false);
}

/// The text that was percent-encoded to this, whichever bytes were. `None` where a `%` begins no byte, or
/// what comes out is not UTF-8.
pub fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (code, after) = rest.split_at_checked(2)?;
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        let code = code.iter().try_fold(0, |code, byte| Some(code * 16 + digit(byte)?))?;
        bytes.push(u8::try_from(code).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// Whether a byte stands for itself everywhere (RFC 3986, 2.3).
pub fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
}

fn encode(out: &mut String, text: &str, keep_slash: bool) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let hex = |nibble: u8| HEX.get(usize::from(nibble)).copied().map_or('0', char::from);
    out.reserve(text.len());
    for &byte in text.as_bytes() {
        if is_unreserved(byte) || (byte == b'/' && keep_slash) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(hex(byte >> 4));
            out.push(hex(byte & 15));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str) -> (String, String) {
        let (mut a, mut b) = (String::new(), String::new());
        path(&mut a, text);
        query_value(&mut b, text);
        (a, b)
    }

    #[test]
    fn what_is_encoded_comes_back_and_what_is_not_is_no_text() {
        for text in ["a/b c+%&?é", "\r\n\0,\"", ""] {
            assert_eq!(decoded(&encoded(text).0).as_deref(), Some(text));
            assert_eq!(decoded(&encoded(text).1).as_deref(), Some(text));
        }
        assert_eq!(decoded("a+b%2fé").as_deref(), Some("a+b/é"));
        for wrong in ["%", "%4", "%zz", "%+1", "100%", "%ff", "%é0"] {
            assert_eq!(decoded(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_unreserved_bytes_stay() {
        assert_eq!(encoded("a/b c+%&?é").0, "a/b%20c%2B%25%26%3F%C3%A9");
        assert_eq!(encoded("a/b~").1, "a%2Fb~");
        assert_eq!(encoded("\r\t\u{1F600}").0, "%0D%09%F0%9F%98%80");
    }
}
