//! The two requests of the admin API: the listing of the backlog and the list
//! of remote targets.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response};
use serde_json::json;

use super::answer::{Answer, S3Error, ok};
use super::body::{Body, Gzip};
use super::fault::{Effect, Route};
use super::listing::Listing;
use super::options::Options;
use super::query::Query;
use super::service::Asked;
use super::state::State;
use super::version::ZERO_TIME;
use super::wire::Control;

/// The route of an admin request. The bucket is part of it: without one there
/// is no route, as there is none for another method or version.
pub(crate) fn route(
    options: &Options,
    method: &Method,
    path: &str,
    query: &Query,
) -> Option<Route> {
    let path = path.strip_prefix("/minio/admin/")?;
    let path = match path.strip_prefix("v3/") {
        Some(path) => path,
        None => path.strip_prefix("v4/").filter(|_| options.speaks_v4)?,
    };
    match path {
        "replication/diff" if method == Method::POST && query.has("bucket") => Some(Route::Diff),
        "list-remote-targets"
            if method == Method::GET && query.has("bucket") && query.has("type") =>
        {
            Some(Route::Targets)
        }
        _ => None,
    }
}

/// 426: the server's answer to all that it has no route for.
pub(crate) fn version_mismatch(path: &str) -> S3Error {
    let version = path.split('/').nth(3).unwrap_or_default();
    S3Error::new(426, "XMinioAdminVersionMismatch").message(format!(
        "Unexpected client 'admin' API version found '{version}', expected 'v3', \
         please downgrade the client to older release"
    ))
}

/// `POST /minio/admin/v3/replication/diff`.
pub(crate) async fn diff(
    state: &Arc<State>,
    control: &Arc<Control>,
    asked: &Asked,
    faults: Vec<Effect>,
) -> Result<Answer, S3Error> {
    let targets = &state.options.targets;
    if targets.is_empty() {
        return Err(S3Error::new(404, "XMinioAdminRemoteTargetNotFoundError"));
    }
    let arn = asked.query.get("arn").filter(|arn| !arn.is_empty());
    if let Some(arn) = arn.filter(|arn| targets.iter().all(|target| target.arn != *arn)) {
        return Err(S3Error::new(400, "InvalidRequest")
            .message(format!("Invalid Request (invalid arn : '{arn}')")));
    }
    state.counters.listings.fetch_add(1, Ordering::Relaxed);
    let cursor = state.store.cursor(asked.query.get("prefix").unwrap_or_default(), arn);
    let listing = Listing::new(Arc::clone(state), Arc::clone(control), cursor, faults);
    let Some(listing) = listing.started().await else {
        let mut answer = Response::new(Body::Empty);
        answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        return Ok(answer);
    };
    let gzip = asked.header("accept-encoding").is_some_and(|all| all.contains("gzip"));
    let body = Body::Listing(Box::new(listing), gzip.then(Gzip::new));
    let mut answer = Response::new(body);
    if gzip {
        answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    // Sniffed by Go from the first bytes, never JSON.
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    Ok(answer)
}

/// `GET /minio/admin/v3/list-remote-targets`: `madmin.BucketTarget` each.
pub(crate) fn targets(options: &Options) -> Answer {
    let targets: Vec<_> = options
        .targets
        .iter()
        .map(|target| {
            json!({
                "sourcebucket": options.bucket,
                "endpoint": target.endpoint,
                "credentials": null,
                "targetbucket": target.bucket,
                "secure": target.secure,
                "path": "auto",
                "api": "s3v4",
                "arn": target.arn,
                "type": "replication",
                "replicationSync": false,
                "healthCheckDuration": 60_000_000_000_u64,
                "disableProxy": false,
                "resetBeforeDate": ZERO_TIME,
                // A target that is offline has been seen online before; one that never was is
                // reported offline too, with both of these at zero.
                "totalDowntime": if target.online { 0 } else { 4_000_000_000_u64 },
                "lastOnline": if target.online { ZERO_TIME } else { "2026-11-24T08:00:00Z" },
                "isOnline": target.online,
                "latency": { "curr": 0, "avg": 0, "max": 0 },
                "edge": false,
                "edgeSyncBeforeExpiry": false,
            })
        })
        .collect();
    ok("application/json", serde_json::Value::from(targets).to_string())
}
