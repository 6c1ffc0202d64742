//! A server with one bucket that is replicated, as far as this program can tell it from a real one.
//!
//! It answers the listing, HEAD, copies and the settings of the bucket. What it must never be asked
//! makes it panic: a version that is not listed, a copy that is not in place, another bucket.

use super::answer::{Refusal, Turns, answer, ok};
use super::version::{Copying, Fate, Name, Replication, Version};
use resync_core::wire::{Call, Method, Response};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// When every object was last modified.
pub(crate) const MODIFIED: &str = "2026-11-24T08:28:26.645675391Z";

/// When the backlog got stuck.
const STUCK: &str = "2026-11-24T08:28:30Z";

/// What a HEAD of an object says that nothing else is known of.
const HEADERS: [(&str, &str); 6] = [
    ("x-amz-replication-status", "FAILED"),
    ("etag", "\"e\""),
    ("content-length", "5"),
    ("content-type", "text/plain"),
    ("last-modified", "Tue, 24 Nov 2026 08:28:26 GMT"),
    ("x-amz-checksum-sha256", "BBBB"),
];

/// The server, and what it was asked.
#[derive(Debug)]
pub(crate) struct Server {
    /// Sorted by key; the versions of a key in the order of the listing.
    pub(crate) versions: Vec<Version>,
    pub(crate) replication: Replication,
    /// Whether it speaks version 4 of the admin API, or only version 3.
    pub(crate) speaks_v4: bool,
    /// The region it signs for; only signed requests for objects are checked.
    pub(crate) region: Option<&'static str>,
    /// Whether answers name the region, as a server does that has one.
    pub(crate) names_region: bool,
    /// What `?object-lock` answers.
    pub(crate) lock: Turns,
    /// What `list-remote-targets` answers.
    pub(crate) remote_targets: Turns,
    /// What the tags of any version are.
    pub(crate) tags: Turns,

    /// When each version was queued, by the clock of the run.
    pub(crate) queued: BTreeMap<Name, Vec<Duration>>,
    /// How often each version was copied.
    pub(crate) copied: BTreeMap<Name, u32>,
    /// Every request.
    pub(crate) log: Vec<Asked>,
    index: HashMap<Name, usize>,
}

/// What the server was asked.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) at: Duration,
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    headers: Vec<(String, String)>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// An answer of the server.
pub(crate) enum Reply {
    Whole(Response),
    /// The head and the body of a listing.
    Listing(Response, Vec<u8>),
}

/// An entry of the listing.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    object: &'a str,
    version_id: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    targets: BTreeMap<&'a str, Target<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    r_status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    d_status: Option<&'a str>,
    repl_timestamp: String,
    last_modified: &'a str,
    #[serde(rename = "deletemarker")]
    delete_marker: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Target<'a> {
    r_status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dr_status: Option<&'a str>,
}

impl Server {
    pub(crate) fn new(versions: Vec<Version>) -> Self {
        let names = versions.iter().enumerate();
        Self {
            index: names.map(|(index, version)| (version.name.clone(), index)).collect(),
            versions,
            replication: Replication::After(Duration::ZERO),
            speaks_v4: false,
            region: None,
            names_region: true,
            lock: Refusal::new(404, "ObjectLockConfigurationNotFoundError").in_xml().into(),
            remote_targets: ok("[]").into(),
            tags: ok("<Tagging><TagSet></TagSet></Tagging>").into(),
            queued: BTreeMap::new(),
            copied: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    /// What it was asked by this method, in the order of the requests.
    pub(crate) fn asked(&self, method: Method) -> impl Iterator<Item = &Asked> {
        self.log.iter().filter(move |asked| asked.method == method)
    }

    /// Answers a request at this time.
    pub(crate) fn answer(&mut self, call: &Call<'_>, now: Duration, unix: u64) -> Reply {
        let target = call.path_and_query;
        let headers = call.headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        self.log.push(Asked {
            at: now,
            method: call.method,
            target: target.to_owned(),
            headers: headers.collect(),
        });
        let (path, query) = target.split_once('?').expect("a query");
        let response = match path.strip_prefix("/minio/admin/") {
            Some(path) => match self.administer(call.method, path, query, now, unix) {
                Reply::Listing(head, body) => return Reply::Listing(self.stamped(head), body),
                Reply::Whole(response) => response,
            },
            None => self.serve(call, query, now),
        };
        Reply::Whole(self.stamped(response))
    }

    /// What every answer says besides: its number, and the region.
    fn stamped(&self, mut response: Response) -> Response {
        let id = format!("{:X}", self.log.len());
        response.headers.push(("x-amz-request-id".to_owned(), id));
        if let Some(region) = self.region.filter(|_| self.names_region) {
            response.headers.push(("x-amz-bucket-region".to_owned(), region.to_owned()));
        }
        response
    }

    /// The admin API.
    fn administer(
        &mut self,
        method: Method,
        path: &str,
        query: &str,
        now: Duration,
        unix: u64,
    ) -> Reply {
        let own = if self.speaks_v4 { "v4" } else { "v3" };
        match (method, path.split_once('/')) {
            (_, Some((version, _))) if version != own => {
                Reply::Whole(Refusal::new(426, "XMinioAdminVersionMismatch").in_json())
            }
            (Method::Post, Some((_, "replication/diff"))) => {
                Reply::Listing(answer(200, &[]), self.list(query, now, unix))
            }
            (Method::Get, Some((_, "list-remote-targets"))) => {
                Reply::Whole(self.remote_targets.next())
            }
            _ => panic!("nobody asks for {} {path}", method.as_str()),
        }
    }

    /// The S3 API.
    fn serve(&mut self, call: &Call<'_>, query: &str, now: Duration) -> Response {
        let target = call.path_and_query;
        let elsewhere = self.is_signed_for_elsewhere(call);
        let refusal = Refusal::new(400, "AuthorizationHeaderMalformed");
        match call.method {
            Method::Get if target == "/bucket?object-lock=" => self.lock.next(),
            Method::Get if target == "/bucket?location=" => self.location(),
            Method::Get if query.starts_with("tagging=") => self.tags.next(),
            Method::Head if elsewhere => refusal.in_headers(),
            Method::Put if elsewhere => refusal.in_xml(),
            Method::Head => self.head(target, now),
            Method::Put => self.copy(call, now),
            _ => panic!("nobody asks for {} {target}", call.method.as_str()),
        }
    }

    fn location(&self) -> Response {
        let region = self.region.unwrap_or_default();
        ok(&format!("<LocationConstraint>{region}</LocationConstraint>"))
    }

    fn is_signed_for_elsewhere(&self, call: &Call<'_>) -> bool {
        let authorization = call.headers.iter().find(|(name, _)| *name == "authorization");
        self.region.zip(authorization).is_some_and(|(region, (_, value))| {
            !value.contains(&format!("/{region}/s3/aws4_request"))
        })
    }

    /// The backlog, filtered as a server does: by prefix, and not by ARN (observed).
    fn list(&self, query: &str, now: Duration, unix: u64) -> Vec<u8> {
        let parameters: HashMap<&str, String> = query
            .split('&')
            .filter_map(|p| p.split_once('='))
            .map(|(n, v)| (n, decode(v)))
            .collect();
        assert_eq!(parameters["bucket"], "bucket");
        let prefix = parameters.get("prefix").map(String::as_str).unwrap_or_default();
        // The blanks that keep a connection alive.
        let mut body = b"  ".to_vec();
        for version in self.versions.iter().filter(|version| version.name.0.starts_with(prefix)) {
            if let Some(entry) = self.entry(version, now, unix) {
                serde_json::to_writer(&mut body, &entry).expect("JSON");
                body.push(b'\n');
            }
        }
        body
    }

    /// The entry of a version, if it is still in the backlog.
    fn entry<'a>(&self, version: &'a Version, now: Duration, unix: u64) -> Option<Entry<'a>> {
        let queued = self.queued.get(&version.name).map_or(&[][..], Vec::as_slice);
        let repl_timestamp = match (queued, version.replication.unwrap_or(self.replication)) {
            ([.., at], Replication::After(time)) if now >= *at + time => return None,
            (times, Replication::OnceQueued(often)) if times.len() >= often => return None,
            ([.., _], Replication::Fails) => rfc3339(unix),
            _ => STUCK.to_owned(),
        };
        let pending = (version.fate == Fate::Purge).then_some("PENDING");
        let r_status = if version.targets.is_empty() { "" } else { version.status };
        let target = |arn: &&'static str| (*arn, Target { r_status, dr_status: pending });
        Some(Entry {
            object: &version.name.0,
            version_id: &version.name.1,
            targets: version.targets.iter().map(target).collect(),
            r_status,
            d_status: pending,
            repl_timestamp,
            last_modified: MODIFIED,
            delete_marker: matches!(version.fate, Fate::Marker | Fate::Purge),
        })
    }

    fn version(&self, target: &str) -> &Version {
        let name = name_in(target);
        let index = self.index.get(&name).unwrap_or_else(|| panic!("{name:?} was never listed"));
        &self.versions[*index]
    }

    fn queue(&mut self, name: Name, now: Duration) {
        self.queued.entry(name).or_default().push(now);
    }

    /// What a HEAD of an object says.
    fn headers(&self, version: &Version) -> BTreeMap<&'static str, String> {
        let mut headers: BTreeMap<_, _> =
            HEADERS.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        headers.insert("x-amz-version-id", version.name.1.clone());
        let mut set = |(name, value): &(&'static str, &'static str)| {
            headers.insert(name, (*value).to_owned());
        };
        version.headers.iter().for_each(&mut set);
        if self.copied.contains_key(&version.name) {
            set(&("x-amz-checksum-sha256", ""));
            set(&("x-amz-checksum-crc64nvme", "AAAA"));
            version.headers_after.iter().for_each(&mut set);
        }
        headers.retain(|_, value| !value.is_empty());
        headers
    }

    /// The answer to a HEAD, which takes effect at once.
    fn head(&mut self, target: &str, now: Duration) -> Response {
        let version = self.version(target).clone();
        if matches!(version.fate, Fate::Queued | Fate::Marker | Fate::Purge | Fate::CustomerKey) {
            self.queue(version.name.clone(), now);
        }
        let marker = ("x-amz-delete-marker", "true");
        match version.fate {
            Fate::Queued => {
                let headers = self.headers(&version).into_iter();
                let headers = headers.map(|(name, value)| (name.to_owned(), value)).collect();
                Response { status: 200, headers, body: Vec::new() }
            }
            Fate::Elsewhere => answer(200, &[("x-amz-replication-status", "REPLICA")]),
            Fate::Marker => answer(405, &[marker]),
            Fate::Purge => answer(405, &[marker, ("x-minio-replication-delete-status", "PENDING")]),
            Fate::CustomerKey => Refusal::new(400, "InvalidRequest")
                .saying("The object was stored using a form of Server Side Encryption.")
                .in_headers(),
            Fate::Gone => Refusal::new(404, "NoSuchVersion").in_headers(),
            Fate::Refused(refusal) => refusal.in_headers(),
        }
    }

    /// The answer to a copy. One that is not in place is not answered but fails the test.
    fn copy(&mut self, call: &Call<'_>, now: Duration) -> Response {
        let header = |wanted: &str| {
            call.headers.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value)
        };
        let version = self.version(call.path_and_query).clone();
        let etag = self.headers(&version).remove("etag");
        assert_eq!(header("x-amz-copy-source"), Some(call.path_and_query), "a copy in place");
        assert_eq!(header("x-amz-metadata-directive"), Some("COPY"));
        assert_eq!(header("x-amz-copy-source-if-match"), etag.as_deref());
        assert_eq!(header("x-minio-source-mtime"), Some(MODIFIED));
        assert_eq!(version.fate, Fate::Queued, "only objects are copied");
        if let Copying::Refused(refusal) | Copying::RefusedLate(refusal) = version.copying {
            return refusal.in_xml();
        }
        *self.copied.entry(version.name.clone()).or_default() += 1;
        self.queue(version.name.clone(), now);
        let id = match version.copying {
            Copying::AsNewVersion => "another",
            _ => version.name.1.as_str(),
        };
        let mut response = ok("<CopyObjectResult></CopyObjectResult>");
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
