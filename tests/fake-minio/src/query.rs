//! Percent-encoding as S3 understands it, and query strings.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All but the unreserved bytes.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const RESERVED_IN_PATHS: &AsciiSet = &RESERVED.remove(b'/');

/// Decodes `%XX`; a `%` without two hex digits stays as it is.
pub(crate) fn decode(raw: &str) -> String {
    percent_decode_str(raw).decode_utf8_lossy().into_owned()
}

/// Encodes every byte of a path but the unreserved ones and `/`.
pub(crate) fn encode_path(path: &str) -> impl Iterator<Item = &str> {
    utf8_percent_encode(path, RESERVED_IN_PATHS)
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
        let encoded = |text| utf8_percent_encode(text, RESERVED).to_string();
        let mut parts: Vec<(String, String)> =
            self.0.iter().map(|(name, value)| (encoded(name), encoded(value))).collect();
        parts.sort_unstable();
        let parts: Vec<String> =
            parts.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        parts.join("&")
    }
}

#[cfg(test)]
mod tests {
    use super::{Query, decode, encode_path};

    #[test]
    fn decoding_takes_any_byte_and_leaves_stray_percents() {
        assert_eq!(decode("a%20b%2Fc%2fd"), "a b/c/d");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%41"), "%zzA");
        assert_eq!(decode("%E2%82%AC"), "€");
    }

    #[test]
    fn encoding_leaves_only_unreserved_bytes() {
        let encoded: String = encode_path("a-b_c.d~e/f+ €*").collect();
        assert_eq!(encoded, "a-b_c.d~e/f%2B%20%E2%82%AC%2A");
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
