//! Percent-encoding as S3 understands it, and query strings.
//!
//! Written apart from the client under test: a client that encodes a key
//! wrongly must not meet a server that is wrong in the same way.

/// Decodes `%XX`; a `%` without two hex digits stays as it is.
pub(crate) fn decode(raw: &str) -> String {
    if !raw.contains('%') {
        return raw.to_owned();
    }
    let bytes = raw.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes
            .get(at + 1..at + 3)
            .and_then(|pair| Some(hex_digit(pair[0])? << 4 | hex_digit(pair[1])?));
        match pair {
            Some(byte) if bytes[at] == b'%' => {
                decoded.push(byte);
                at += 3;
            }
            _ => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into())
}

/// Encodes every byte but the unreserved ones, and `/` only in queries.
pub(crate) fn encode_into(out: &mut String, text: &str, keep_slash: bool) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(byte.into());
            }
            b'/' if keep_slash => out.push('/'),
            _ => {
                out.push('%');
                out.push(HEX[usize::from(byte >> 4)].into());
                out.push(HEX[usize::from(byte & 15)].into());
            }
        }
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// A decoded query string, in the order received.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Splits at `&` and the first `=`; a `+` is a space, as in Go.
    pub(crate) fn parse(raw: &str) -> Self {
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        };
        Self(raw.split('&').filter(|part| !part.is_empty()).map(pair).collect())
    }

    /// The first value of `name`; a bare `name` has the empty value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The canonical query of SigV4: encoded strictly, then sorted by name and
    /// value.
    pub(crate) fn canonical(&self) -> String {
        let mut parts: Vec<(String, String)> = self
            .0
            .iter()
            .map(|(name, value)| {
                let (mut encoded_name, mut encoded_value) = (String::new(), String::new());
                encode_into(&mut encoded_name, name, false);
                encode_into(&mut encoded_value, value, false);
                (encoded_name, encoded_value)
            })
            .collect();
        parts.sort_unstable();
        let parts: Vec<String> =
            parts.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        parts.join("&")
    }
}

#[cfg(test)]
mod tests {
    use super::{Query, decode, encode_into};

    #[test]
    fn decoding_takes_any_byte_and_leaves_stray_percents() {
        assert_eq!(decode("a%20b%2Fc%2fd"), "a b/c/d");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%41"), "%zzA");
        assert_eq!(decode("%E2%82%AC"), "€");
    }

    #[test]
    fn encoding_leaves_only_unreserved_bytes() {
        let mut out = String::new();
        encode_into(&mut out, "a-b_c.d~e/f+ €*", true);
        assert_eq!(out, "a-b_c.d~e/f%2B%20%E2%82%AC%2A");
    }

    #[test]
    fn queries_are_canonical_whatever_their_order() {
        let query = Query::parse("versionId=a%2Fb&tagging&x=1+2");
        assert!(query.has("tagging"));
        assert_eq!(query.get("versionId"), Some("a/b"));
        assert_eq!(query.get("x"), Some("1 2"));
        assert_eq!(query.canonical(), "tagging=&versionId=a%2Fb&x=1%202");
    }
}
