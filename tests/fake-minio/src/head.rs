//! `HEAD /B/K?versionId=V`: the request that triggers replication.
//!
//! The status alone does not say whether it did. It did on 200, on the 405 of
//! delete markers and purges, and on the 400 of a version encrypted with a
//! customer's key; not on a 200 that another site gave, nor on anything else.
//!
//! `GET` reads what a `HEAD` describes: objects consist of zeros.

use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use super::answer::{Answer, S3Error, set};
use super::body::Body;
use super::clock::Moment;
use super::service::Asked;
use super::state::State;
use super::store::Found;
use super::synthetic::{Item, size};
use super::version::{Encryption, Kind, Presence, Version, is_version_id};

/// Longest key in bytes (`isMaxObjectNameLength`).
const MAX_KEY_BYTES: usize = 1024;

/// Answers a `HEAD` and triggers what it names.
pub(crate) fn head(state: &State, asked: &Asked) -> Result<Answer, S3Error> {
    if asked.key.len() > MAX_KEY_BYTES {
        return Err(S3Error::new(400, "XMinioInvalidObjectName"));
    }
    let version_id = asked.query.get("versionId").filter(|id| !id.is_empty());
    check_version_id(version_id)?;
    match state.store.find(&asked.key, version_id) {
        Found::Synthetic(item) => head_computed(state, item),
        Found::Held(version) => head_held(state, asked, &version),
        Found::Nothing => Err(missing(version_id)),
    }
}

/// Answers a `GET` of an object that is here.
pub(crate) fn get(state: &State, asked: &Asked) -> Result<Answer, S3Error> {
    let version_id = asked.query.get("versionId").filter(|id| !id.is_empty());
    check_version_id(version_id)?;
    let Found::Held(version) = state.store.find(&asked.key, version_id) else {
        return Err(missing(version_id));
    };
    if version.kind != Kind::Put {
        return Err(S3Error::new(405, "MethodNotAllowed"));
    }
    let mut answer = Response::new(Body::full(vec![0; version.size as usize]));
    describe(answer.headers_mut(), &version);
    Ok(answer)
}

/// The answer of another site to a version that is not here any more.
pub(crate) fn replica() -> Answer {
    let mut answer = Response::new(Body::Empty);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("1024"));
    set(headers, "x-amz-replication-status", "REPLICA");
    answer
}

pub(crate) fn check_version_id(version_id: Option<&str>) -> Result<(), S3Error> {
    match version_id {
        Some(id) if !is_version_id(id) => {
            Err(S3Error::new(400, "InvalidArgument").message("Invalid version id specified"))
        }
        _ => Ok(()),
    }
}

pub(crate) fn missing(version_id: Option<&str>) -> S3Error {
    S3Error::new(404, if version_id.is_some() { "NoSuchVersion" } else { "NoSuchKey" })
}

/// The path of benchmarks: static values wherever one can be.
fn head_computed(state: &State, item: Item) -> Result<Answer, S3Error> {
    if let Some(error) = state.store.refusal(item) {
        return Err(error);
    }
    state.store.trigger_computed(item);
    let mut answer = Response::new(Body::Empty);
    if item.is_marker {
        *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    }
    let headers = answer.headers_mut();
    headers.reserve(24);
    let id = HeaderValue::from_bytes(&item.version_id).expect("a UUID is ASCII");
    headers.insert(HeaderName::from_static("x-amz-version-id"), id);
    let fixed: &[(&'static str, &'static str)] = if item.is_marker {
        &MARKER_HEADERS
    } else {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(size(item.number)));
        &OBJECT_HEADERS
    };
    for &(name, value) in fixed {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    Ok(answer)
}

/// Headers of computed versions; their second is the one of their listing.
const OBJECT_HEADERS: [(&str, &str); 4] = [
    ("content-type", "application/octet-stream"),
    ("etag", "\"9a0364b9e99bb480dd25e1f0284c8555\""),
    ("last-modified", "Tue, 24 Nov 2026 08:28:26 GMT"),
    ("x-amz-replication-status", "FAILED"),
];

const MARKER_HEADERS: [(&str, &str); 6] = [
    ("content-length", "0"),
    ("last-modified", "Tue, 24 Nov 2026 08:28:26 GMT"),
    ("x-amz-delete-marker", "true"),
    ("x-minio-error-code", "MethodNotAllowed"),
    ("x-minio-error-desc", "\"The specified method is not allowed against this resource.\""),
    ("x-minio-replication-deletemarker-status", "FAILED"),
];

fn head_held(state: &State, asked: &Asked, version: &Version) -> Result<Answer, S3Error> {
    if let Some(error) = &version.refusal {
        return Err(error.clone());
    }
    let asks_others = asked.header("x-minio-source-proxy-request") != Some("false");
    if version.presence != Presence::Here {
        // It was listed before it was removed, and is not any more.
        state.store.remove(&version.key, version.version_id.as_deref());
    }
    match version.presence {
        Presence::Here => {}
        Presence::OnTarget if asks_others => return Ok(replica()),
        Presence::OnTargetDown if asks_others => {
            let cause = format!(
                "cause(Head \"http://replica.example:9000/{}/{}\": \
                 dial tcp 192.0.2.1:9000: connect: connection refused)",
                asked.bucket, asked.key
            );
            return Err(S3Error::new(500, "InternalError")
                .message(format!("We encountered an internal error, please try again.: {cause}")));
        }
        _ => return Err(missing(Some(version.id_text()))),
    }

    state.store.trigger(version);
    if version.encryption == Some(Encryption::CustomerKey) {
        return Err(S3Error::new(400, "InvalidRequest").message(
            "The object was stored using a form of Server Side Encryption. \
             The correct parameters must be provided to retrieve the object.",
        ));
    }
    if version.kind != Kind::Put {
        return Ok(deleted(asked, state, version));
    }
    let mut answer = Response::new(Body::Empty);
    let headers = answer.headers_mut();
    describe(headers, version);
    if asked.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("enabled"))
    {
        describe_checksum(headers, version);
    }
    Ok(answer)
}

/// 405, with the header that tells a trigger from a refusal.
fn deleted(asked: &Asked, state: &State, version: &Version) -> Answer {
    let mut answer = asked.refuse(state, &S3Error::new(405, "MethodNotAllowed"));
    let headers = answer.headers_mut();
    set(headers, "x-amz-delete-marker", "true");
    let (name, status) = if version.kind == Kind::Purge {
        ("x-minio-replication-delete-status", version.delete_status)
    } else {
        set_version_id(headers, version);
        ("x-minio-replication-deletemarker-status", version.status)
    };
    if let Some(status) = status {
        set(headers, name, status.as_str());
    }
    answer
}

fn describe(headers: &mut HeaderMap, version: &Version) {
    headers.insert(CONTENT_LENGTH, HeaderValue::from(version.size));
    if let Ok(content_type) = HeaderValue::from_str(&version.content_type) {
        headers.insert(CONTENT_TYPE, content_type);
    }
    if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", version.etag)) {
        headers.insert(ETAG, etag);
    }
    let modified = Moment::parse_rfc3339(&version.last_modified).unwrap_or_default();
    set(headers, "last-modified", &modified.to_http());
    set_version_id(headers, version);
    if let Some(status) = version.status {
        set(headers, "x-amz-replication-status", status.as_str());
    }
    for (name, value) in &version.metadata {
        let name = HeaderName::from_bytes(format!("x-amz-meta-{name}").as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    if !version.tags.is_empty() {
        headers.insert("x-amz-tagging-count", HeaderValue::from(version.tags.len()));
    }
    match &version.encryption {
        Some(Encryption::S3) => set(headers, "x-amz-server-side-encryption", "AES256"),
        Some(Encryption::Kms(key)) => {
            set(headers, "x-amz-server-side-encryption", "aws:kms");
            set(headers, "x-amz-server-side-encryption-aws-kms-key-id", key);
        }
        Some(Encryption::CustomerKey) | None => {}
    }
    if let Some((mode, until)) = &version.lock.retention {
        set(headers, "x-amz-object-lock-mode", mode);
        set(headers, "x-amz-object-lock-retain-until-date", until);
    }
    if version.lock.legal_hold {
        set(headers, "x-amz-object-lock-legal-hold", "ON");
    }
}

pub(crate) fn describe_checksum(headers: &mut HeaderMap, version: &Version) {
    let Some(checksum) = &version.checksum else { return };
    let name = format!("x-amz-checksum-{}", checksum.algorithm.to_lowercase());
    let name = HeaderName::from_bytes(name.as_bytes());
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&checksum.value)) {
        headers.insert(name, value);
        set(headers, "x-amz-checksum-type", checksum.kind());
    }
}

/// The null version has no such header.
pub(crate) fn set_version_id(headers: &mut HeaderMap, version: &Version) {
    if let Some(id) = &version.version_id {
        set(headers, "x-amz-version-id", id);
    }
}
