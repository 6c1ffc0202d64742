//! What the component may ask the server for, and nothing else.
//!
//! The grant is made from the command line before the component runs. It is checked on the request
//! as it will be sent, before anything is signed: a component that turned hostile could list one
//! bucket's backlog and HEAD its objects, because that is what the user asked for.

mod canonical;
mod print;

use crate::denials::{Denial, Reason};
use canonical::{is_canonical, is_plain};
use http::{HeaderMap, HeaderName, Method, Request, Uri};
use resync_core::command::Args;
use resync_core::wire::{Endpoint, encode};
use std::net::IpAddr;

/// The requests of one run.
#[derive(Debug, Clone)]
pub struct Grant {
    origin: Endpoint,
    /// Where `--resolve` says that it is.
    addresses: Vec<IpAddr>,
    /// `/bucket/prefix`, encoded: every object path begins so.
    objects: String,
    /// `/bucket`, encoded.
    bucket: String,
    listing: Listing,
    /// The versions are given: nothing is listed, and one may be named by its key alone.
    given: bool,
    copies: bool,
    tags: bool,
    metrics: bool,
}

/// The parameters of a listing, encoded.
#[derive(Debug, Clone)]
struct Listing {
    /// `bucket=…`.
    bucket: String,
    /// The target that was asked for. Without one, a listing may name any: it is still of this bucket.
    arn: Option<String>,
    /// Every listing is of keys that begin so.
    prefix: String,
}

impl Listing {
    /// Whether these are the parameters, after that of the bucket, of a listing of what was asked for, or
    /// of a part of it.
    fn covers<'a>(&self, parameters: impl Iterator<Item = &'a str>) -> bool {
        let mut parameters = parameters.peekable();
        let mut take = |name: &str| {
            let value = parameters.peek().and_then(|parameter| parameter.strip_prefix(name));
            value.inspect(|_| _ = parameters.next())
        };
        let (arn, prefix) = (take("arn="), take("prefix="));
        let is_target = match (&self.arn, arn) {
            (Some(asked), arn) => arn == Some(asked),
            (None, arn) => arn.is_none_or(is_plain),
        };
        let is_below = match prefix {
            Some(prefix) => prefix.starts_with(&self.prefix) && is_plain(prefix),
            None => self.prefix.is_empty(),
        };
        is_target && is_below && parameters.next().is_none()
    }
}

/// What kind of granted request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The replication diff.
    Listing,
    /// The bucket's replication targets.
    Targets,
    /// The bucket's region.
    Location,
    /// What the server has counted of the bucket's replication.
    Metrics,
    /// The bucket's object lock configuration.
    LockConfiguration,
    /// The bucket's default encryption.
    EncryptionConfiguration,
    /// HEAD of a version.
    Head,
    /// The tags of a version.
    Tags,
    /// A copy of a version onto itself.
    Copy,
    /// A version itself, to compute the checksum that its copy must have.
    Read,
}

/// The most shown of a request. A component may ask for a path of 64 KiB.
const SHOWN: usize = 200;

/// Headers that may go out with any request.
const COMMON: &[&str] = &[
    "accept-encoding",
    "cache-control",
    "host",
    "pragma",
    "user-agent",
    "x-amz-checksum-mode",
    "x-minio-source-proxy-request",
];

/// Headers that may go out with a copy. None of them changes an ACL, a storage class, a lock, tags
/// or metadata.
const FOR_COPY: &[&str] = &[
    "content-type",
    "x-amz-checksum-algorithm",
    "x-amz-copy-source",
    "x-amz-copy-source-if-match",
    "x-amz-metadata-directive",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-context",
    "x-minio-source-mtime",
];

/// Headers of a signature. What the component sets here is dropped, not denied: a component made
/// for other hosts signs its requests, and here only the host does.
const SIGNATURE: &[&str] = &[
    "authorization",
    "x-amz-date",
    "x-amz-content-sha256",
    "x-amz-security-token",
    "date",
    "cookie",
];

impl Grant {
    /// The grant of a command line, for the server of its alias.
    pub fn new(args: &Args, origin: &Endpoint) -> Self {
        let target = &args.target;
        let mut bucket = String::from("/");
        encode::path(&mut bucket, &target.bucket);
        let mut objects = format!("{bucket}/");
        encode::path(&mut objects, &target.prefix);
        let encoded = |value: &str| {
            let mut encoded = String::new();
            encode::query_value(&mut encoded, value);
            encoded
        };
        let writes = args.clear_checksum && !args.dry_run;
        Self {
            origin: origin.clone(),
            addresses: args
                .resolve
                .iter()
                .filter(|entry| entry.is_for(origin.bare_host(), origin.port()))
                .map(|entry| entry.address)
                .collect(),
            objects,
            bucket,
            listing: Listing {
                bucket: format!("bucket={}", encoded(&target.bucket)),
                arn: args.arn.as_deref().map(encoded),
                prefix: encoded(&target.prefix),
            },
            given: args.from.is_some(),
            copies: writes,
            tags: writes && args.validate,
            metrics: args.max_queue > 0 && !args.dry_run && !args.validate,
        }
    }

    /// Whether anything may be copied.
    pub fn copies(&self) -> bool {
        self.copies
    }

    /// `/bucket`, encoded.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The server.
    pub fn origin(&self) -> &Endpoint {
        &self.origin
    }

    /// Checks a request as the component made it.
    ///
    /// # Errors
    /// [`Denial`] says what the user is told.
    pub fn check<B>(&self, request: &Request<B>) -> Result<Kind, Denial> {
        let verdict = self
            .check_origin(request.uri(), request.headers())
            .and_then(|()| self.check_request(request.method(), request.uri()))
            .and_then(|kind| self.check_headers(kind, request).map(|()| kind));
        verdict.map_err(|reason| {
            let asked = format!("{} {}", request.method(), request.uri());
            let request = match asked.char_indices().nth(SHOWN) {
                Some((end, _)) => format!("{}…", asked.get(..end).unwrap_or_default()),
                None => asked,
            };
            Denial { request, reason }
        })
    }

    fn check_origin(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Reason> {
        let scheme = uri.scheme_str().unwrap_or_default();
        let authority = uri.authority().map_or("", http::uri::Authority::as_str);
        if scheme != self.origin.scheme.as_str() || authority != self.origin.authority {
            return Err(Reason::AnotherServer(self.origin.to_string()));
        }
        let mut hosts = headers.get_all(http::header::HOST).iter();
        if hosts.any(|host| host.as_bytes() != self.origin.authority.as_bytes()) {
            return Err(Reason::AnotherHost);
        }
        Ok(())
    }

    fn check_request(&self, method: &Method, uri: &Uri) -> Result<Kind, Reason> {
        let (path, query) = (uri.path(), uri.query().unwrap_or_default());
        if let Some(rest) = path.strip_prefix("/minio/admin/") {
            return self.check_admin(method, rest, query);
        }
        if path == self.bucket && method == Method::GET {
            return match query {
                "location=" | "location" => Ok(Kind::Location),
                "replication-metrics=2" if self.metrics => Ok(Kind::Metrics),
                "object-lock=" | "object-lock" if self.copies => Ok(Kind::LockConfiguration),
                "encryption=" | "encryption" if self.copies => Ok(Kind::EncryptionConfiguration),
                "object-lock=" | "object-lock" => Err(Reason::ObjectLock),
                _ => Err(Reason::BucketSetting),
            };
        }
        if !path.starts_with(&self.objects) || path.len() <= self.bucket.len() + 1 {
            return Err(Reason::OutsideTarget);
        }
        if !is_canonical(path) {
            return Err(Reason::NotCanonical);
        }
        let version = query.strip_prefix("tagging=&").unwrap_or(query);
        let latest = self.given && *method == Method::HEAD;
        let version = version
            .strip_prefix("versionId=")
            .filter(|id| is_plain(id) || (latest && id.is_empty()));
        if version.is_none() {
            return Err(Reason::NotOneVersion);
        }
        match (method, query.starts_with("tagging=&")) {
            (&Method::HEAD, false) => Ok(Kind::Head),
            (&Method::PUT, false) if self.copies => Ok(Kind::Copy),
            (&Method::PUT, false) => Err(Reason::Copy),
            (&Method::GET, true) if self.tags => Ok(Kind::Tags),
            (&Method::GET, true) => Err(Reason::Tags),
            (&Method::GET, false) if self.tags => Ok(Kind::Read),
            (&Method::GET, false) => Err(Reason::Reading),
            _ => Err(Reason::ObjectAccess),
        }
    }

    fn check_admin(&self, method: &Method, rest: &str, query: &str) -> Result<Kind, Reason> {
        let (version, call) = rest.split_once('/').ok_or(Reason::AdminCall)?;
        if !matches!(version, "v3" | "v4") {
            return Err(Reason::AdminCall);
        }
        let mut parameters = query.split('&');
        let of_bucket = parameters.next() == Some(self.listing.bucket.as_str());
        match (call, method) {
            ("replication/diff", &Method::POST) if self.given => Err(Reason::Listing),
            ("replication/diff", &Method::POST) if !of_bucket => Err(Reason::AnotherBucket),
            ("replication/diff", &Method::POST) => {
                if self.listing.covers(parameters) {
                    Ok(Kind::Listing)
                } else {
                    Err(Reason::OutsideTarget)
                }
            }
            ("list-remote-targets", &Method::GET) if !of_bucket => Err(Reason::AnotherBucket),
            ("list-remote-targets", &Method::GET) => match (parameters.next(), parameters.next()) {
                (None | Some("type=replication"), None) => Ok(Kind::Targets),
                _ => Err(Reason::AdminCall),
            },
            _ => Err(Reason::AdminCall),
        }
    }

    fn check_headers<B>(&self, kind: Kind, request: &Request<B>) -> Result<(), Reason> {
        for name in request.headers().keys() {
            let name = name.as_str();
            let allowed = COMMON.contains(&name)
                || SIGNATURE.contains(&name)
                || (kind == Kind::Copy && FOR_COPY.contains(&name))
                || (name == "content-length" && is_zero(request.headers()));
            if !allowed {
                return Err(Reason::Header(name.to_owned()));
            }
        }
        if kind == Kind::Copy {
            let one = |name: &str| {
                let mut values = request.headers().get_all(name).iter();
                values.next().filter(|_| values.next().is_none()).map(http::HeaderValue::as_bytes)
            };
            let target = request.uri().path_and_query().map_or("", http::uri::PathAndQuery::as_str);
            if one("x-amz-copy-source") != Some(target.as_bytes()) {
                return Err(Reason::CopySource);
            }
            if one("x-amz-metadata-directive") != Some(b"COPY") {
                return Err(Reason::CopyMetadata);
            }
        }
        Ok(())
    }

    /// Removes what the component set of a signature.
    pub fn strip_signature(headers: &mut HeaderMap) {
        // A component that leaves signing to the host sets none.
        let set = headers.keys().filter(|name| SIGNATURE.contains(&name.as_str()));
        let set: Vec<HeaderName> = set.cloned().collect();
        for name in set {
            headers.remove(name);
        }
    }
}

fn is_zero(headers: &HeaderMap) -> bool {
    headers.get_all(http::header::CONTENT_LENGTH).iter().all(|length| length.as_bytes() == b"0")
}

#[cfg(test)]
mod tests;
