//! The grant against an oracle that knows nothing of how it is checked.
//!
//! The oracle reads a request as a lenient server would: it decodes everything that can be decoded,
//! as often as it can, and asks whether what is left stays inside of TARGET. What the grant lets
//! through must be harmless to that reader; and what the command itself sends must be let through.

#![no_main]

use arbitrary::Arbitrary;
use http::{Method, Request, Uri};
use libfuzzer_sys::fuzz_target;
use mc_wasi_policy::Grant;
use resync_core::command::Args;
use resync_core::wire::{Endpoint, encode};

#[derive(Debug, Arbitrary)]
enum Piece {
    Bucket,
    Prefix,
    Slash,
    Dots(u8),
    Escape(u8),
    Lower(u8),
    Text(String),
    Version,
    VersionId,
    And,
    Question,
    Location,
    Lock,
    Tagging,
    Diff,
    Targets,
    OfBucket,
    OfPrefix,
}

#[derive(Debug, Arbitrary)]
struct Input {
    prefix: String,
    clear: bool,
    validate: bool,
    dry: bool,
    method: u8,
    shape: u8,
    pieces: Vec<Piece>,
    tail: Vec<Piece>,
    headers: Vec<(u8, String)>,
    own_key: String,
}

const BUCKET: &str = "my.bucket";
const METHODS: [&str; 7] = ["HEAD", "GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"];
const HEADERS: [&str; 8] = [
    "x-amz-copy-source",
    "x-amz-metadata-directive",
    "x-amz-acl",
    "x-amz-meta-a",
    "x-amz-storage-class",
    "host",
    "user-agent",
    "content-type",
];

fn text(piece: &Piece, prefix: &str) -> String {
    let encoded = |text: &str| {
        let mut out = String::new();
        encode::path(&mut out, text);
        out
    };
    match piece {
        Piece::Bucket => format!("/{BUCKET}"),
        Piece::Prefix => encoded(prefix),
        Piece::Slash => "/".to_owned(),
        Piece::Dots(count) => ".".repeat(usize::from(count % 4)),
        Piece::Escape(byte) => format!("%{byte:02X}"),
        Piece::Lower(byte) => format!("%{byte:02x}"),
        Piece::Text(text) => text.clone(),
        Piece::Version => "versionId=".to_owned(),
        Piece::VersionId => "null".to_owned(),
        Piece::And => "&".to_owned(),
        Piece::Question => "?".to_owned(),
        Piece::Location => "location=".to_owned(),
        Piece::Lock => "object-lock=".to_owned(),
        Piece::Tagging => "tagging=&".to_owned(),
        Piece::Diff => "/minio/admin/v3/replication/diff".to_owned(),
        Piece::Targets => "/minio/admin/v4/list-remote-targets".to_owned(),
        Piece::OfBucket => format!("bucket={BUCKET}"),
        Piece::OfPrefix => {
            let mut out = String::from("&prefix=");
            encode::query_value(&mut out, prefix);
            out
        }
    }
}

/// Decodes once, leniently: what is not an escape stays as it is.
fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let digits = text.get(at + 1..at + 3).and_then(|d| std::str::from_utf8(d).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (text[at], byte) {
            (b'%', Some(byte)) if digits.is_some_and(|d| !d.starts_with('+')) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// What a server would make of a path, or `None` where it leaves its bucket on the way.
fn resolve(path: &str) -> Option<Vec<u8>> {
    let decoded = decode(path.as_bytes());
    let bad = |segment: &[u8]| segment == b"." || segment == b"..";
    (!decoded.split(|b| *b == b'/').any(bad)).then_some(decoded)
}

fn harmless(
    input: &Input,
    prefix: &str,
    method: &str,
    uri: &Uri,
    headers: &[(&str, &str)],
) -> bool {
    if uri.scheme_str() != Some("http") || uri.authority().map(|a| a.as_str()) != Some("minio:9000")
    {
        return false;
    }
    let parameters: Vec<(Vec<u8>, Vec<u8>)> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name.as_bytes()), decode(value.as_bytes())))
        .collect();
    let names: Vec<&[u8]> = parameters.iter().map(|(name, _)| name.as_slice()).collect();
    let value = |name: &str| {
        parameters.iter().find(|(known, _)| known == name.as_bytes()).map(|(_, value)| value)
    };
    let admin = uri.path().starts_with("/minio/");
    if admin {
        let of_bucket = value("bucket").is_some_and(|bucket| bucket == BUCKET.as_bytes());
        let diff = method == "POST"
            && matches!(
                uri.path(),
                "/minio/admin/v3/replication/diff" | "/minio/admin/v4/replication/diff"
            )
            && matches!(
                names.as_slice(),
                [b"bucket"]
                    | [b"bucket", b"prefix"]
                    | [b"bucket", b"arn"]
                    | [b"bucket", b"arn", b"prefix"]
            )
            && match value("prefix") {
                Some(given) => given.starts_with(prefix.as_bytes()),
                None => prefix.is_empty(),
            };
        let targets = method == "GET" && uri.path().ends_with("/list-remote-targets");
        return of_bucket && (diff || targets) && headers.iter().all(|(n, _)| *n == "user-agent");
    }
    let Some(path) = resolve(uri.path()) else { return false };
    let copies = input.clear && !input.dry;
    if path == format!("/{BUCKET}").as_bytes() {
        let setting = names == [b"object-lock"] || names == [b"encryption"];
        return method == "GET" && (names == [b"location"] || copies && setting);
    }
    let within = path.starts_with(format!("/{BUCKET}/{prefix}").as_bytes());
    if !within || path == format!("/{BUCKET}/").as_bytes() {
        return false;
    }
    let plain_headers = headers.iter().all(|(name, _)| *name == "user-agent");
    match method {
        "HEAD" => names == [b"versionId"] && plain_headers,
        "GET" => {
            let asked = names == [&b"tagging"[..], b"versionId"] || names == [b"versionId"];
            copies && input.validate && asked && plain_headers
        }
        "PUT" => {
            let one = |name: &str| {
                let mut found = headers.iter().filter(|(known, _)| *known == name);
                found.next().filter(|_| found.next().is_none()).map(|(_, value)| *value)
            };
            let allowed = |name: &str| {
                matches!(
                    name,
                    "user-agent"
                        | "content-type"
                        | "x-amz-copy-source"
                        | "x-amz-metadata-directive"
                )
            };
            copies
                && names == [b"versionId"]
                && one("x-amz-copy-source") == uri.path_and_query().map(|target| target.as_str())
                && one("x-amz-metadata-directive") == Some("COPY")
                && headers.iter().all(|(name, _)| allowed(name))
        }
        _ => false,
    }
}

fuzz_target!(|input: Input| {
    let target = format!("a/{BUCKET}/{}", input.prefix);
    let mut words = Vec::new();
    for (given, flag) in [
        (input.clear, "--clear-checksum"),
        (input.validate, "--validate"),
        (input.dry, "--dry-run"),
    ] {
        if given {
            words.push(flag.to_owned());
        }
    }
    words.extend(["--".to_owned(), target]);
    let Ok(args) = Args::parse(&words, &|_| None) else { return };
    let prefix = args.target.prefix.clone();
    let grant = Grant::new(&args, &Endpoint::parse("http://minio:9000").expect("an endpoint"));

    // Most requests are nearly right: what is wholly random is denied at its first byte.
    let write =
        |pieces: &[Piece]| -> String { pieces.iter().map(|piece| text(piece, &prefix)).collect() };
    let (middle, tail) = (write(&input.pieces), write(&input.tail));
    let own = write(&[Piece::Prefix]);
    let path = match input.shape % 6 {
        0 => format!("/{BUCKET}/{own}{middle}?versionId=null{tail}"),
        1 => format!("/{BUCKET}/{own}{middle}?tagging=&versionId={tail}"),
        2 => format!("/{BUCKET}{middle}?{tail}"),
        3 => format!("/minio/admin/v3/replication/diff?bucket={BUCKET}{tail}"),
        4 => format!("/minio/admin/v4/list-remote-targets?{tail}"),
        _ => format!("{middle}{tail}"),
    };
    let method = METHODS[usize::from(input.method) % METHODS.len()];
    let uri = format!("http://minio:9000{path}");
    let same = path.clone();
    let headers: Vec<(&str, &str)> = input
        .headers
        .iter()
        .map(|(name, value)| (HEADERS[usize::from(*name) % HEADERS.len()], value.as_str()))
        .map(|(name, value)| match (name, value.len() % 3) {
            ("x-amz-copy-source", 0) => (name, same.as_str()),
            ("x-amz-metadata-directive", 0) => (name, "COPY"),
            other => (other.0, value),
        })
        .collect();
    let mut request =
        Request::builder().method(Method::from_bytes(method.as_bytes()).expect("one")).uri(&uri);
    for (name, value) in &headers {
        request = request.header(*name, *value);
    }
    if let Ok(request) = request.body(())
        && let Ok(kind) = grant.check(&request)
    {
        let uri = request.uri();
        assert!(
            harmless(&input, &prefix, method, uri, &headers),
            "{kind:?} {method} {uri} {headers:?}"
        );
    }

    // What the command itself sends is let through, for every key a server takes.
    let key = format!("{prefix}{}", input.own_key);
    let bad = key.is_empty() || key.starts_with('/') || key.contains("//");
    if bad || key.split('/').any(|segment| segment == "." || segment == "..") {
        return;
    }
    let mut own = format!("http://minio:9000/{BUCKET}/");
    encode::path(&mut own, &key);
    own.push_str("?versionId=null");
    let request = Request::head(&own).body(());
    if let Ok(request) = request {
        assert!(grant.check(&request).is_ok(), "{own}");
    }
});
