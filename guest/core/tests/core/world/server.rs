//! A server with one bucket that is replicated, as far as this program can tell it from a real one.
//!
//! It answers the listing, HEAD, copies and the settings of the bucket. What it must never be asked
//! makes it panic: a version that is not listed, a copy that is not in place, another bucket.

mod list;

use super::answer::{Refusal, Turns, answer, ok};
use super::queue::Queue;
use super::version::{Copying, Fate, Name, Replication, Version};
use resync_core::wire::{Call, Delivery, Method, Response};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// When every object was last modified.
pub(crate) const MODIFIED: &str = "2026-11-24T08:28:26.645675391Z";

/// What a HEAD of an object says that nothing else is known of.
const HEADERS: [(&str, &str); 5] = [
    ("x-amz-replication-status", "FAILED"),
    ("etag", "\"e\""),
    ("content-length", "5"),
    ("content-type", "text/plain"),
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
    /// What `?encryption` answers.
    pub(crate) encryption: Turns,
    /// What `list-remote-targets` answers.
    pub(crate) remote_targets: Turns,
    /// What every object holds, and the checksum that the server computes of it.
    pub(crate) body: &'static str,
    pub(crate) checksum: &'static str,
    /// What the tags of any version are.
    pub(crate) tags: Turns,

    /// Targets that have everything by the time it is listed a second time.
    pub(crate) replicated_to: Vec<&'static str>,
    /// Whether a version is gone once its permanent delete is replicated.
    pub(crate) purges: bool,
    /// Seconds by which its clock is ahead.
    pub(crate) ahead: i64,
    /// How many erasure sets it has that it lists side by side, interleaved as it happens; and of these, how
    /// many pools that it lists one after the other. Releases before 2024-05-07 do.
    pub(crate) sets: usize,
    pub(crate) pools: usize,
    /// Whether its listings have something to show for their ends.
    pub(crate) framed: bool,
    /// How often a listing starts over.
    pub(crate) repeats: usize,
    /// Of these listings, one set ends early without a word.
    pub(crate) lame: std::ops::Range<usize>,

    /// Versions that were asked for: by then those that are gone have gone.
    looked_for: std::collections::BTreeSet<Name>,
    /// When each version was queued, by the clock of the run.
    pub(crate) queued: BTreeMap<Name, Vec<Duration>>,
    /// How often each version was copied.
    pub(crate) copied: BTreeMap<Name, u32>,
    /// What waits for replication.
    pub(crate) queue: Queue,
    /// When each version is replicated, where the queue says so.
    due: HashMap<Name, Duration>,
    /// Every request.
    pub(crate) log: Vec<Asked>,
    index: HashMap<Name, usize>,
    now: Duration,
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
            encryption: Refusal::new(404, "ServerSideEncryptionConfigurationNotFoundError")
                .in_xml()
                .into(),
            remote_targets: ok("[]").into(),
            body: "hello",
            checksum: "M3eFcAZSQlc=",
            tags: ok("<Tagging><TagSet></TagSet></Tagging>").into(),
            replicated_to: Vec::new(),
            purges: false,
            ahead: 0,
            sets: 1,
            pools: 1,
            framed: true,
            repeats: 0,
            lame: 0..0,
            looked_for: std::collections::BTreeSet::new(),
            queued: BTreeMap::new(),
            copied: BTreeMap::new(),
            queue: Queue::default(),
            due: HashMap::new(),
            log: Vec::new(),
            now: Duration::ZERO,
        }
    }

    /// What it was asked by this method, in the order of the requests.
    pub(crate) fn asked(&self, method: Method) -> impl Iterator<Item = &Asked> {
        self.log.iter().filter(move |asked| asked.method == method)
    }

    /// Answers a request at this time.
    pub(crate) fn answer(&mut self, call: &Call<'_>, now: Duration, unix: u64) -> Reply {
        self.now = now;
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
            None if call.delivery == Delivery::Stream => {
                self.version(target);
                let body = self.body.as_bytes().to_vec();
                return Reply::Listing(self.stamped(answer(200, &[])), body);
            }
            None => self.serve(call, query, now),
        };
        // What it does not know at all it does not number (observed).
        Reply::Whole(if response.status == 426 { response } else { self.stamped(response) })
    }

    /// What every answer says besides: its number, and the region.
    fn stamped(&self, mut response: Response) -> Response {
        let id = match self.ahead {
            0 => format!("{:X}", self.log.len()),
            // The time, as MinIO has it.
            ahead => {
                let seconds = super::BEGINNING.saturating_add_signed(ahead);
                format!("{:X}", seconds * 1_000_000_000 + self.now.as_nanos() as u64)
            }
        };
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
                let framed = [("server", "MinIO"), ("x-mc-wasi-framed", "1")];
                let head = answer(200, &framed[..1 + usize::from(self.framed)]);
                let list = self.list(query, now, unix);
                Reply::Listing(head, list.repeat(1 + self.repeats))
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
            Method::Get if target == "/bucket?replication-metrics=2" => self.queue.metrics(now),
            Method::Get if target == "/bucket?encryption=" => self.encryption.next(),
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

    /// The version that is asked for; without an id, the latest.
    fn version(&self, target: &str) -> &Version {
        let name = name_in(target);
        let known = self.index.get(&name).map(|index| &self.versions[*index]);
        let latest = || self.versions.iter().rfind(|v| name.1.is_empty() && v.name.0 == name.0);
        known.or_else(latest).unwrap_or_else(|| panic!("{name:?} was never listed"))
    }

    fn queue(&mut self, name: Name, now: Duration) {
        let version = self.index.get(&name).and_then(|index| self.versions.get(*index));
        let ignored = version.is_some_and(|v| v.replication == Some(Replication::Never));
        let counted = version.is_none_or(|v| v.fate != Fate::Purge);
        if !ignored && let Some(due) = self.queue.push(now, counted) {
            self.due.insert(name.clone(), due);
        }
        self.queued.entry(name).or_default().push(now);
    }

    /// What a HEAD of an object says.
    fn headers(&self, version: &Version) -> BTreeMap<&'static str, String> {
        let mut headers: BTreeMap<_, _> =
            HEADERS.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        headers.insert("x-amz-version-id", version.name.1.clone());
        if let Ok(modified) = OffsetDateTime::parse(version.modified, &Rfc3339)
            && modified.unix_timestamp() > 0
        {
            headers.insert("last-modified", httpdate::fmt_http_date(modified.into()));
        }
        let mut set = |(name, value): &(&'static str, &'static str)| {
            headers.insert(name, (*value).to_owned());
        };
        version.headers.iter().for_each(&mut set);
        let is_stale = version.replication.unwrap_or(self.replication) == Replication::Stale;
        if is_stale && self.queued.contains_key(&version.name) {
            set(&("x-amz-replication-status", "COMPLETED"));
        }
        if self.copied.contains_key(&version.name) {
            set(&("x-amz-checksum-sha256", ""));
            set(&("x-amz-checksum-crc64nvme", self.checksum));
            version.headers_after.iter().for_each(&mut set);
        }
        headers.retain(|_, value| !value.is_empty());
        headers
    }

    /// The answer to a HEAD, which takes effect at once.
    fn head(&mut self, target: &str, now: Duration) -> Response {
        let version = self.version(target).clone();
        self.looked_for.insert(version.name.clone());
        // What it says is how it was before.
        let replicated = self.is_replicated(&version, now);
        let mut said = self.headers(&version);
        if replicated {
            said.insert("x-amz-replication-status", "COMPLETED".to_owned());
        }
        let said = said.into_iter();
        if matches!(version.fate, Fate::Queued | Fate::Marker | Fate::Purge | Fate::CustomerKey) {
            self.queue(version.name.clone(), now);
        }
        let marker = ("x-amz-delete-marker", "true");
        match version.fate {
            Fate::Queued => {
                let headers = said.map(|(name, value)| (name.to_owned(), value)).collect();
                Response { status: 200, headers, body: Vec::new() }
            }
            Fate::Elsewhere => answer(200, &[("x-amz-replication-status", "REPLICA")]),
            Fate::Marker => {
                let status = ("x-minio-replication-deletemarker-status", "FAILED");
                answer(405, &[marker, status][..2 - usize::from(replicated)])
            }
            Fate::Purge if replicated && self.purges => {
                Refusal::new(404, "NoSuchVersion").in_headers()
            }
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
        assert_ne!(name_in(call.path_and_query).1, "", "or it would make a new version");
        assert_eq!(header("x-amz-copy-source"), Some(call.path_and_query), "a copy in place");
        assert_eq!(header("x-amz-metadata-directive"), Some("COPY"));
        assert_eq!(header("content-type"), Some("application/zip"), "or it would be compressed");
        assert_eq!(header("x-amz-copy-source-if-match"), etag.as_deref());
        assert_eq!(header("x-minio-source-mtime"), Some(version.modified));
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
