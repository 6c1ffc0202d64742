//! Hides what is secret in what a server sends back.
//!
//! Some servers and gateways answer a wrong signature with the request as they saw it: the access key,
//! the session token and the signature are in there, in plain text, escaped, or as bytes in hexadecimal
//! (`StringToSignBytes` of AWS). None of it may reach the component, a trace or an error. What is secret
//! is known here, so it is looked for literally, and not by what it might look like.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use resync_core::wire::{Credentials, REDACTED, Secret};
use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

/// Shorter values would be found everywhere. MinIO's access keys have three characters at least.
const SHORTEST: usize = 3;

/// What is to be hidden.
#[derive(Debug, Default)]
pub struct Mask {
    /// In every form in which it may come back, longest first.
    forms: Vec<Secret>,
    /// The same of keys that came later, and of those before them: an answer may be to a request of then.
    later: Mutex<(Vec<Secret>, Vec<Secret>)>,
}

impl Mask {
    /// Hides the keys of an account and other values, such as those of the user's own headers.
    pub fn new<'a>(
        credentials: Option<&'a Credentials>,
        others: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let keys = credentials.into_iter().flat_map(|keys| {
            let token = keys.session_token.as_ref().map(Secret::reveal);
            [Some(keys.access_key.as_str()), Some(keys.secret_key.reveal()), token]
        });
        let mut mask = Self::default();
        keys.flatten().chain(others).for_each(|value| mask.add(value));
        mask
    }

    /// Hides these keys, too, until there are two that came later.
    pub(crate) fn learn(&self, credentials: &Credentials) {
        let forms = Self::new(Some(credentials), []).forms;
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        later.1 = std::mem::replace(&mut later.0, forms);
    }

    /// The same, and the signature of the request that is answered.
    pub(crate) fn with_signature(&self, authorization: Option<&HeaderValue>) -> Self {
        let mut mask = Self { forms: self.forms.clone(), later: Mutex::default() };
        let later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        mask.forms.extend(later.0.iter().chain(&later.1).cloned());
        mask.sort();
        let text = authorization.and_then(|value| value.to_str().ok()).unwrap_or_default();
        if let Some((_, signature)) = text.split_once("Signature=") {
            mask.add(signature);
        }
        mask
    }

    fn add(&mut self, value: &str) {
        if value.len() < SHORTEST {
            return;
        }
        let escaped = |special: &str, with: &dyn Fn(char) -> String| {
            let write = |c| if special.contains(c) { with(c) } else { String::from(c) };
            value.chars().map(write).collect::<String>()
        };
        let xml = |c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&#34;".to_owned(),
            c => format!("&#{};", u32::from(c)),
        };
        let bytes = |digits: &dyn Fn(u8) -> String, between: &str| {
            value.bytes().map(digits).collect::<Vec<_>>().join(between)
        };
        let mut forms = vec![
            value.to_owned(),
            escaped("&<>\"'", &xml),
            escaped("&<>\"'", &|c| xml(c).replace("&#34;", "&quot;").replace("&#39;", "&apos;")),
            escaped("\"\\", &|c| format!("\\{c}")),
            escaped("\"\\/", &|c| format!("\\{c}")),
            escaped("\"\\&<>+='/", &|c| format!("\\u{:04x}", u32::from(c))),
            escaped("&<>", &|c| format!("\\u{:04x}", u32::from(c))),
        ];
        for upper in [true, false] {
            let hex = move |byte: u8| {
                if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }
            };
            let plain = |byte: u8, kept: &[u8]| {
                if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
                    char::from(byte).to_string()
                } else {
                    format!("%{}", hex(byte))
                }
            };
            forms.extend([
                bytes(&hex, " "),
                bytes(&hex, ""),
                bytes(&|byte| plain(byte, b"-_.~"), ""),
                bytes(&|byte| plain(byte, b"-_.~/"), ""),
            ]);
        }
        self.forms.extend(forms.into_iter().map(Secret::new));
        self.sort();
    }

    fn sort(&mut self) {
        self.forms.sort_by_key(|form| std::cmp::Reverse(form.reveal().len()));
        self.forms.dedup();
    }

    /// The text without what is secret in it.
    pub(crate) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for form in &self.forms {
            if text.contains(form.reveal()) {
                text = Cow::Owned(text.replace(form.reveal(), REDACTED));
            }
        }
        text
    }

    /// A body without what is secret in it. Bytes that are not text are replaced.
    pub(crate) fn body(&self, body: &Bytes) -> Bytes {
        match self.text(&String::from_utf8_lossy(body)) {
            Cow::Borrowed(_) => body.clone(),
            Cow::Owned(text) => Bytes::from(text),
        }
    }

    /// Takes what is secret out of headers.
    pub(crate) fn headers(&self, headers: &mut HeaderMap) {
        for value in headers.values_mut() {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            if let Cow::Owned(masked) = self.text(&text)
                && let Ok(masked) = HeaderValue::from_str(&masked)
            {
                *value = masked;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "IQoJb3J<pZ2&luX+2V/jE'M\"a==";

    fn mask() -> Mask {
        let credentials = Credentials {
            access_key: "AKIAKEY".to_owned(),
            secret_key: Secret::new("wJalr/XUt"),
            session_token: Some(Secret::new(TOKEN)),
        };
        Mask::new(Some(&credentials), ["Bearer xyz", "ab", ""])
    }

    #[test]
    fn whatever_form_it_comes_back_in_is_hidden() {
        let percent = "IQoJb3J%3CpZ2%26luX%2B2V%2FjE%27M%22a%3D%3D";
        let bytes: Vec<String> = TOKEN.bytes().map(|byte| format!("{byte:02X}")).collect();
        for form in [
            TOKEN.to_owned(),
            "IQoJb3J&lt;pZ2&amp;luX+2V/jE&#39;M&#34;a==".to_owned(),
            "IQoJb3J&lt;pZ2&amp;luX+2V/jE&apos;M&quot;a==".to_owned(),
            serde_json::to_string(TOKEN).unwrap().trim_matches('"').to_owned(),
            r"IQoJb3J\u003cpZ2\u0026luX+2V/jE'M".to_owned() + "\"a==",
            percent.to_owned(),
            percent
                .to_ascii_lowercase()
                .replace("iqojb3j", "IQoJb3J")
                .replace("pz2", "pZ2")
                .replace("lux", "luX")
                .replace("2v", "2V")
                .replace("je", "jE")
                .replace("27m", "27M"),
            bytes.join(" "),
            bytes.concat(),
            bytes.join(" ").to_ascii_lowercase(),
        ] {
            let masked = mask().text(&format!("before {form} after")).into_owned();
            assert_eq!(masked, format!("before {REDACTED} after"), "{form}");
        }
    }

    #[test]
    fn keys_that_come_later_are_hidden_with_those_before_them() {
        let keys = |number: u32| Credentials {
            access_key: format!("access-{number}"),
            secret_key: Secret::new(format!("secret-{number}")),
            session_token: Some(Secret::new(format!("token-{number}"))),
        };
        let mask = mask();
        let body = Bytes::from_static(b"AKIAKEY access-1 token-1 access-2 token-2 token-3");
        (1..=3).for_each(|number| mask.learn(&keys(number)));
        let shown = mask.with_signature(None).body(&body);
        let r = REDACTED;
        assert_eq!(shown, format!("{r} access-1 token-1 {r} {r} {r}").as_bytes());
    }

    #[test]
    fn keys_headers_and_the_signature_are_hidden_and_nothing_else() {
        let authorization = "AWS4-HMAC-SHA256 Credential=AKIAKEY/d/r/s3/aws4_request, SignedHeaders=host, Signature=deadbeef";
        let mask = mask().with_signature(Some(&HeaderValue::from_static(authorization)));
        let body = Bytes::from_static(
            b"<Error>ab AKIAKEY deadbeef wJalr/XUt Bearer xyz SignedHeaders=host</Error>",
        );
        let expected = format!(
            "<Error>ab {REDACTED} {REDACTED} {REDACTED} {REDACTED} SignedHeaders=host</Error>"
        );
        assert_eq!(mask.body(&body), expected.as_bytes());
        let mut headers = HeaderMap::new();
        headers.insert("x-echo", HeaderValue::from_static("key AKIAKEY"));
        headers.insert("x-other", HeaderValue::from_static("kept"));
        mask.headers(&mut headers);
        assert_eq!(headers["x-echo"], format!("key {REDACTED}"));
        assert_eq!(headers["x-other"], "kept");
        assert!(!format!("{mask:?}").contains("AKIAKEY"));
    }
}
