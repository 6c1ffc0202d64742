//! A server with one bucket that is replicated, as far as this program can tell it from a real one.
//!
//! It answers the listing, HEAD, copies and the settings of the bucket. What it must never be asked
//! makes it panic: a version that is not listed, a copy that is not in place, another bucket.

use super::answer::{answer, error, json, xml};
use super::version::{Copying, Fate, Name, Replication, Version};
use resync_core::wire::{Call, Method, Response};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// When every object was last modified.
const MODIFIED: &str = "2026-11-24T08:28:26.645675391Z";

/// When the backlog got stuck.
const STUCK: &str = "2026-11-24T08:28:30Z";

/// The server, and what it was asked.
#[derive(Debug)]
pub(crate) struct Server {
    /// Sorted by key; the versions of a key in the order of the listing.
    pub(crate) versions: Vec<Version>,
    pub(crate) replication: Replication,
    /// The region it signs for; only signed requests for objects are checked.
    pub(crate) region: Option<&'static str>,
    /// Whether answers name the region, as a server does that has one.
    pub(crate) names_region: bool,
    /// What `?object-lock` answers.
    pub(crate) lock: Response,
    /// What `list-remote-targets` answers.
    pub(crate) remote_targets: Response,
    /// What the tags of any version are.
    pub(crate) tags: Response,

    /// When each version was queued, by the clock of the run.
    pub(crate) queued: BTreeMap<Name, Vec<Duration>>,
    /// How often each version was copied.
    pub(crate) copied: BTreeMap<Name, u32>,
    /// Every request: method, path and query.
    pub(crate) log: Vec<String>,
    index: HashMap<Name, usize>,
}

/// An answer of the server.
pub(crate) enum Reply {
    Whole(Response),
    /// The lines of a listing, each with its end.
    Listing(Vec<String>),
}

impl Server {
    pub(crate) fn new(versions: Vec<Version>) -> Self {
        let names = versions.iter().enumerate();
        Self {
            index: names.map(|(index, version)| (version.name.clone(), index)).collect(),
            versions,
            replication: Replication::After(Duration::ZERO),
            region: None,
            names_region: true,
            lock: error(404, "ObjectLockConfigurationNotFoundError", "There is none"),
            remote_targets: json("[]"),
            tags: xml(200, "<Tagging><TagSet></TagSet></Tagging>"),
            queued: BTreeMap::new(),
            copied: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    /// How often each version was queued.
    pub(crate) fn times_queued(&self, name: &Name) -> usize {
        self.queued.get(name).map_or(0, Vec::len)
    }

    /// Requests whose line begins so.
    pub(crate) fn count(&self, beginning: &str) -> usize {
        self.log.iter().filter(|line| line.starts_with(beginning)).count()
    }

    /// Answers a request at this time.
    pub(crate) fn answer(&mut self, call: &Call<'_>, now: Duration, unix: u64) -> Reply {
        let target = call.path_and_query;
        self.log.push(format!("{} {target}", call.method.as_str()));
        let (path, query) = target.split_once('?').expect("a query");
        let mut reply = match (call.method, path) {
            (_, path) if path.starts_with("/minio/admin/v4/") => {
                Reply::Whole(error(426, "XMinioInvalidIAMCredentials", "Use v3"))
            }
            (Method::Post, "/minio/admin/v3/replication/diff") => {
                Reply::Listing(self.list(query, now, unix))
            }
            (Method::Get, "/minio/admin/v3/list-remote-targets") => {
                Reply::Whole(self.remote_targets.clone())
            }
            (Method::Get, "/bucket") if query == "object-lock=" => Reply::Whole(self.lock.clone()),
            (Method::Get, "/bucket") if query == "location=" => Reply::Whole(self.location()),
            (Method::Get, _) if query.starts_with("tagging=") => Reply::Whole(self.tags.clone()),
            (Method::Head | Method::Put, _) if self.is_signed_for_elsewhere(call) => {
                Reply::Whole(error(400, "AuthorizationHeaderMalformed", "the region is wrong"))
            }
            (Method::Head, _) => Reply::Whole(self.head(target, now)),
            (Method::Put, _) => Reply::Whole(self.copy(call, now)),
            _ => panic!("nobody asks for {} {target}", call.method.as_str()),
        };
        if let Reply::Whole(response) = &mut reply {
            let id = format!("{:X}", self.log.len());
            response.headers.push(("x-amz-request-id".to_owned(), id));
            if let Some(region) = self.region.filter(|_| self.names_region) {
                response.headers.push(("x-amz-bucket-region".to_owned(), region.to_owned()));
            }
        }
        reply
    }

    fn location(&self) -> Response {
        let region = self.region.unwrap_or_default();
        xml(200, &format!("<LocationConstraint>{region}</LocationConstraint>"))
    }

    fn is_signed_for_elsewhere(&self, call: &Call<'_>) -> bool {
        let authorization = call.headers.iter().find(|(name, _)| *name == "authorization");
        self.region.zip(authorization).is_some_and(|(region, (_, value))| {
            !value.contains(&format!("/{region}/s3/aws4_request"))
        })
    }

    /// The backlog, filtered as a server does: by prefix, and not by ARN (observed).
    fn list(&self, query: &str, now: Duration, unix: u64) -> Vec<String> {
        let parameters: HashMap<&str, String> = query
            .split('&')
            .filter_map(|p| p.split_once('='))
            .map(|(n, v)| (n, decode(v)))
            .collect();
        assert_eq!(parameters["bucket"], "bucket");
        let prefix = parameters.get("prefix").cloned().unwrap_or_default();
        let chosen = self.versions.iter().filter(|version| version.name.0.starts_with(&prefix));
        chosen.filter_map(|version| self.line(version, now, unix)).collect()
    }

    /// The line of a version, if it is still in the backlog.
    fn line(&self, version: &Version, now: Duration, unix: u64) -> Option<String> {
        let queued = self.queued.get(&version.name).and_then(|times| times.last());
        let status_time = match (queued, self.replication) {
            (Some(at), Replication::After(time)) if now >= *at + time => return None,
            (Some(_), Replication::Fails) => rfc3339(unix),
            _ => STUCK.to_owned(),
        };
        let status = if version.targets.is_empty() { "" } else { "FAILED" };
        let purges = version.fate == Fate::Purge;
        let target = match purges {
            true => serde_json::json!({ "rStatus": status, "drStatus": "PENDING" }),
            false => serde_json::json!({ "rStatus": status }),
        };
        let targets: serde_json::Map<String, serde_json::Value> =
            version.targets.iter().map(|arn| ((*arn).to_owned(), target.clone())).collect();
        let mut entry = serde_json::json!({
            "object": version.name.0, "versionId": version.name.1, "rStatus": status,
            "targets": targets, "replTimestamp": status_time, "lastModified": MODIFIED,
            "deletemarker": matches!(version.fate, Fate::Marker | Fate::Purge),
        });
        if purges {
            entry["dStatus"] = "PENDING".into();
        }
        Some(format!("{entry}\n"))
    }

    fn version(&self, target: &str) -> &Version {
        let name = name_in(target);
        let index = self.index.get(&name).unwrap_or_else(|| panic!("{name:?} was never listed"));
        &self.versions[*index]
    }

    fn queue(&mut self, name: Name, now: Duration) {
        self.queued.entry(name).or_default().push(now);
    }

    /// The answer to a HEAD, which takes effect at once.
    fn head(&mut self, target: &str, now: Duration) -> Response {
        let version = self.version(target).clone();
        if matches!(version.fate, Fate::Queued | Fate::Marker | Fate::Purge | Fate::CustomerKey) {
            self.queue(version.name.clone(), now);
        }
        let coded = |status, code: &str| answer(status, &[("x-minio-error-code", code)]);
        match version.fate {
            Fate::Queued => {
                let mut response = answer(
                    200,
                    &[
                        ("x-amz-replication-status", "FAILED"),
                        ("etag", "\"e\""),
                        ("content-length", "5"),
                        ("x-amz-version-id", &version.name.1),
                    ],
                );
                let checksum = match self.copied.get(&version.name) {
                    Some(_) => ("x-amz-checksum-crc64nvme".to_owned(), "AAAA".to_owned()),
                    None => ("x-amz-checksum-sha256".to_owned(), "BBBB".to_owned()),
                };
                response.headers.push(checksum);
                let more =
                    version.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
                response.headers.extend(more);
                response
            }
            Fate::Elsewhere => answer(200, &[("x-amz-replication-status", "REPLICA")]),
            Fate::Marker => answer(405, &[("x-amz-delete-marker", "true")]),
            Fate::Purge => answer(
                405,
                &[
                    ("x-amz-delete-marker", "true"),
                    ("x-minio-replication-delete-status", "PENDING"),
                ],
            ),
            Fate::CustomerKey => answer(
                400,
                &[
                    ("x-minio-error-code", "InvalidRequest"),
                    (
                        "x-minio-error-desc",
                        "The object was stored using a form of Server Side Encryption.",
                    ),
                ],
            ),
            Fate::Gone => coded(404, "NoSuchVersion"),
            Fate::Refused => coded(400, "InvalidArgument"),
            Fate::Denied => coded(403, "AccessDenied"),
        }
    }

    /// The answer to a copy. One that is not in place is not answered but fails the test.
    fn copy(&mut self, call: &Call<'_>, now: Duration) -> Response {
        let header = |wanted: &str| {
            call.headers.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value)
        };
        assert_eq!(header("x-amz-copy-source"), Some(call.path_and_query), "a copy in place");
        assert_eq!(header("x-amz-metadata-directive"), Some("COPY"));
        assert_eq!(header("x-amz-copy-source-if-match"), Some("\"e\""));
        assert_eq!(header("x-minio-source-mtime"), Some(MODIFIED));
        let version = self.version(call.path_and_query).clone();
        assert_eq!(version.fate, Fate::Queued, "only objects are copied");
        match version.copying {
            Copying::Denied => return error(403, "AccessDenied", "Access Denied."),
            Copying::Changed => return error(412, "PreconditionFailed", "It has changed."),
            Copying::InPlace | Copying::AsNewVersion => {}
        }
        *self.copied.entry(version.name.clone()).or_default() += 1;
        self.queue(version.name.clone(), now);
        let id = match version.copying {
            Copying::AsNewVersion => "another",
            _ => version.name.1.as_str(),
        };
        let mut response = xml(200, "<CopyObjectResult></CopyObjectResult>");
        response.headers.push(("x-amz-version-id".to_owned(), id.to_owned()));
        response
    }
}

fn rfc3339(unix: u64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(unix.try_into().expect("a time")).expect("a time");
    at.format(&Rfc3339).expect("a time")
}

/// The version in `/bucket/key?versionId=id`.
pub(crate) fn name_in(target: &str) -> Name {
    let (path, query) = target.split_once('?').expect("a query");
    let key = path.strip_prefix("/bucket/").expect("the bucket");
    let id = query.rsplit_once("versionId=").expect("a version id").1;
    (decode(key), decode(id))
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8().expect("UTF-8").into_owned()
}
