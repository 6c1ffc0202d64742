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

/// The requests of one run.
#[derive(Debug, Clone)]
pub struct Grant {
    origin: Endpoint,
    /// `/bucket/prefix`, encoded: every object path begins so.
    objects: String,
    /// `/bucket`, encoded.
    bucket: String,
    /// `bucket=…` of the listing, and after it `arn=…` and `prefix=…` if they were asked for.
    listing: (String, Vec<String>),
    copies: bool,
    tags: bool,
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
    /// The bucket's object lock configuration.
    LockConfiguration,
    /// HEAD of a version.
    Head,
    /// The tags of a version.
    Tags,
    /// A copy of a version onto itself.
    Copy,
}

/// The most shown of a request. A component may ask for a path of 64 KiB.
const SHOWN: usize = 200;

/// Headers that may go out with any request.
const COMMON: &[&str] =
    &["host", "user-agent", "x-minio-source-proxy-request", "x-amz-checksum-mode"];

/// Headers that may go out with a copy. None of them changes an ACL, a storage class, a lock, tags
/// or metadata.
const FOR_COPY: &[&str] = &[
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
        let parameter = |name: &str, value: &str| {
            let mut parameter = format!("{name}=");
            encode::query_value(&mut parameter, value);
            parameter
        };
        let arn = args.arn.iter().map(|arn| parameter("arn", arn));
        let prefix = (!target.prefix.is_empty()).then(|| parameter("prefix", &target.prefix));
        let writes = args.clear_checksum && !args.dry_run;
        Self {
            origin: origin.clone(),
            objects,
            bucket,
            listing: (parameter("bucket", &target.bucket), arn.chain(prefix).collect()),
            copies: writes,
            tags: writes && args.validate,
        }
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
                "object-lock=" | "object-lock" if self.copies => Ok(Kind::LockConfiguration),
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
        let version = version.strip_prefix("versionId=").filter(|id| is_plain(id));
        if version.is_none() {
            return Err(Reason::NotOneVersion);
        }
        match (method, query.starts_with("tagging=&")) {
            (&Method::HEAD, false) => Ok(Kind::Head),
            (&Method::PUT, false) if self.copies => Ok(Kind::Copy),
            (&Method::PUT, false) => Err(Reason::Copy),
            (&Method::GET, true) if self.tags => Ok(Kind::Tags),
            (&Method::GET, true) => Err(Reason::Tags),
            _ => Err(Reason::ObjectAccess),
        }
    }

    fn check_admin(&self, method: &Method, rest: &str, query: &str) -> Result<Kind, Reason> {
        let (version, call) = rest.split_once('/').ok_or(Reason::AdminCall)?;
        if !matches!(version, "v3" | "v4") {
            return Err(Reason::AdminCall);
        }
        let mut parameters = query.split('&');
        let of_bucket = parameters.next() == Some(self.listing.0.as_str());
        match (call, method) {
            ("replication/diff", &Method::POST) if !of_bucket => Err(Reason::AnotherBucket),
            ("replication/diff", &Method::POST) => {
                if parameters.eq(self.listing.1.iter().map(String::as_str)) {
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
        for name in SIGNATURE {
            headers.remove(HeaderName::from_static(name));
        }
    }
}

fn is_zero(headers: &HeaderMap) -> bool {
    headers.get_all(http::header::CONTENT_LENGTH).iter().all(|length| length.as_bytes() == b"0")
}

#[cfg(test)]
mod tests;
