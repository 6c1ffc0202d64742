//! The canonical request: what is signed depends on every part of the request and on nothing else,
//! and the order of parameters is none of its parts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use resync_core::wire::{Credentials, Secret, Signer, Unsigned, encode};

fn signature(path: &str, query: &str, header: &str, time: u64) -> String {
    let credentials = Credentials {
        access_key: "AK".to_owned(),
        secret_key: Secret::new("secret"),
        session_token: None,
    };
    let headers = [("x-amz-copy-source", header)];
    let request = Unsigned { method: "PUT", path, query, host: "h:9000", headers: &headers };
    let signed = Signer::new(credentials, "us-east-1").sign(&request, time);
    let (scope, signature) = signed.authorization.rsplit_once("Signature=").expect("a signature");
    assert!(
        scope.ends_with("SignedHeaders=host;x-amz-content-sha256;x-amz-copy-source;x-amz-date, ")
    );
    assert!(signature.len() == 64 && signature.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(signed.date.len(), 16);
    signature.to_owned()
}

fuzz_target!(|input: (&str, &str, &str, u32)| {
    let (key, other, value, time) = input;
    let time = u64::from(time);
    let path = |key: &str| {
        let mut path = String::from("/b/");
        encode::path(&mut path, key);
        path
    };
    let query = |name: &str, value: &str| {
        let mut query = format!("{name}=");
        encode::query_value(&mut query, value);
        query
    };
    let (a, b) = (query("prefix", value), query("versionId", other));
    let both = signature(&path(key), &format!("{a}&{b}"), "x", time);
    assert_eq!(both, signature(&path(key), &format!("{b}&{a}"), "x", time));
    if key != other {
        assert_ne!(path(key), path(other), "two keys, one path");
        assert_ne!(both, signature(&path(other), &format!("{a}&{b}"), "x", time));
        assert_ne!(query("a", key), query("a", other));
    }
    // What a client encodes, a server decodes to the same.
    let encoded = path(key);
    assert_eq!(decode(encoded.strip_prefix("/b/").expect("the bucket")), key.as_bytes());
});

fn decode(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digits = [bytes.next(), bytes.next()].map(|digit| digit.expect("two digits"));
        let digits = std::str::from_utf8(&digits).expect("ASCII").to_owned();
        out.push(u8::from_str_radix(&digits, 16).expect("hex"));
    }
    out
}
