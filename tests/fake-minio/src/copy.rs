//! `PUT /B/K` with itself as the copy source: how checksums are replaced.
//!
//! What makes this request dangerous is here too, so that a client which does
//! it wrongly is seen to do harm: a copy without a version id adds a version,
//! one without the time makes an old version the latest, and one without the
//! encryption headers decrypts.

use std::sync::{Mutex, PoisonError};

use super::answer::{Answer, S3Error, XML_PROLOGUE, escape_xml, ok, set};
use super::clock::Moment;
use super::head::{check_version_id, describe_checksum, missing};
use super::options::ObjectLock;
use super::query::{Query, decode};
use super::service::Asked;
use super::state::State;
use super::store::Found;
use super::synthetic::Item;
use super::version::{
    Checksum, Encryption, Kind, Lock, Presence, Status, Version, hash, write_uuid,
};

/// Values of the right form. That of CRC64NVME, which alone is compared with what is read, is the
/// checksum of what every held object has for content: 1,024 zeros.
const CHECKSUMS: [(&str, &str); 5] = [
    ("CRC32", "DUoRhQ=="),
    ("CRC32C", "yZRlqg=="),
    ("CRC64NVME", "aRuysJvlSYo="),
    ("SHA1", "Kq5sNclPz7QV2+lfQIuc6R7oRu0="),
    ("SHA256", "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="),
];

/// What a version without a usable checksum is given.
const DEFAULT_ALGORITHM: &str = "CRC64NVME";

/// A copy that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Key.
    pub key: String,
    /// Version copied from.
    pub source_version_id: String,
    /// Version written; the same if the copy was made in place.
    pub version_id: String,
    /// Checksum afterwards.
    pub checksum: Option<Checksum>,
    /// The version was encrypted and is not any more.
    pub decrypted: bool,
    /// `lastModified` stayed as it was.
    pub kept_time: bool,
}

impl Copied {
    /// No version was added.
    pub fn is_in_place(&self) -> bool {
        self.source_version_id == self.version_id
    }
}

/// All copies, in their order.
#[derive(Debug, Default)]
pub(crate) struct Copies(Mutex<Vec<Copied>>);

impl Copies {
    fn push(&self, copied: Copied) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(copied);
    }

    pub(crate) fn all(&self) -> Vec<Copied> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The request, read.
struct Wanted<'a> {
    source_id: Option<String>,
    in_place: bool,
    replaces_metadata: bool,
    /// Unknown names are ignored, as by the server.
    algorithm: Option<&'static str>,
    modified: Option<&'a str>,
    if_match: Option<&'a str>,
    encryption: Option<Encryption>,
}

/// Answers a copy and carries it out.
pub(crate) fn copy(state: &State, asked: &Asked) -> Result<Answer, S3Error> {
    let wanted = Wanted::read(asked)?;
    if wanted.source_id.is_none() && !wanted.replaces_metadata {
        return Err(S3Error::new(400, "InvalidRequest").message(
            "This copy request is illegal because it is trying to copy an object to itself \
             without changing the object's metadata, storage class, website redirect location \
             or encryption attributes.",
        ));
    }
    let version = match state.store.find(&asked.key, wanted.source_id.as_deref()) {
        Found::Held(version) => version,
        Found::Synthetic(item) => return copy_computed(state, &wanted, item),
        Found::Nothing => return Err(missing(wanted.source_id.as_deref())),
    };
    wanted.check(&version)?;

    let copy = wanted.carry_out(state, asked, &version);
    state.copies.push(Copied {
        key: copy.key.clone(),
        source_version_id: version.id_text().to_owned(),
        version_id: copy.id_text().to_owned(),
        checksum: copy.checksum.clone(),
        decrypted: version.encryption.is_some() && copy.encryption.is_none(),
        kept_time: version.last_modified == copy.last_modified,
    });
    state.store.push(copy.clone());
    if wanted.in_place {
        state.store.queue(&copy);
    }
    Ok(done(&copy, version.id_text()))
}

impl<'a> Wanted<'a> {
    fn read(asked: &'a Asked) -> Result<Self, S3Error> {
        let source = asked.header("x-amz-copy-source").unwrap_or_default();
        let (path, query) = source.split_once('?').unwrap_or((source, ""));
        let path = decode(path.trim_start_matches('/'));
        if path.split_once('/') != Some((asked.bucket.as_str(), asked.key.as_str())) {
            return Err(S3Error::new(501, "NotImplemented")
                .message("only copies of an object to itself are known here"));
        }
        let source_id = Query::parse(query).get("versionId").map(str::to_owned);
        let own_id = asked.query.get("versionId");
        check_version_id(source_id.as_deref())?;
        check_version_id(own_id)?;
        if own_id.is_some() && own_id != source_id.as_deref() {
            return Err(S3Error::new(501, "NotImplemented")
                .message("only copies of a version to itself or to a new one are known here"));
        }
        let modified = asked.header("x-minio-source-mtime");
        if modified.is_some_and(|time| Moment::parse_rfc3339(time).is_none()) {
            return Err(S3Error::new(400, "InvalidArgument"));
        }
        let algorithm = asked.header("x-amz-checksum-algorithm").and_then(|name| {
            let known = CHECKSUMS.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
            known.map(|(own, _)| *own)
        });
        let key_id = asked.header("x-amz-server-side-encryption-aws-kms-key-id");
        let encryption = match asked.header("x-amz-server-side-encryption") {
            Some("AES256") => Some(Encryption::S3),
            Some("aws:kms") => Some(Encryption::Kms(key_id.unwrap_or_default().to_owned())),
            _ => None,
        };
        Ok(Self {
            in_place: own_id.is_some(),
            source_id,
            replaces_metadata: asked.header("x-amz-metadata-directive") == Some("REPLACE"),
            algorithm,
            modified,
            if_match: asked.header("x-amz-copy-source-if-match").map(|tag| tag.trim_matches('"')),
            encryption,
        })
    }

    /// Whether this version may be copied so.
    fn check(&self, version: &Version) -> Result<(), S3Error> {
        if let Some(error) = &version.refusal {
            return Err(error.clone());
        }
        if version.presence != Presence::Here {
            return Err(missing(self.source_id.as_deref()));
        }
        if version.kind != Kind::Put {
            return Err(S3Error::new(405, "MethodNotAllowed"));
        }
        if version.encryption == Some(Encryption::CustomerKey) {
            return Err(S3Error::new(400, "InvalidRequest").message(
                "The object was stored using a form of Server Side Encryption. \
                 The correct parameters must be provided to retrieve the object.",
            ));
        }
        if self.if_match.is_some_and(|etag| etag != version.etag) {
            return Err(S3Error::new(412, "PreconditionFailed"));
        }
        // Without a new checksum nothing but metadata is written, which only a
        // legal hold forbids.
        let is_protected = if self.algorithm.is_some() {
            is_locked(&version.lock)
        } else {
            version.lock.legal_hold
        };
        if self.in_place && is_protected {
            return Err(S3Error::new(400, "InvalidRequest")
                .message("Object is WORM protected and cannot be overwritten"));
        }
        Ok(())
    }

    /// The version that is written.
    fn carry_out(&self, state: &State, asked: &Asked, version: &Version) -> Version {
        let mut copy = version.clone();
        copy.last_modified = self.modified.map_or_else(|| Moment::now().to_string(), str::to_owned);
        copy.encryption.clone_from(&self.encryption);
        self.renew_checksum(&mut copy);
        if self.replaces_metadata {
            replace_metadata(&mut copy, asked);
        }
        if !self.in_place {
            let mut id = [0; 36];
            write_uuid(&mut id, hash(&format!("{}{}", copy.last_modified, copy.id_text())));
            copy.version_id = Some(String::from_utf8_lossy(&id).into_owned());
            copy.lock = Lock::default();
            // It replicates at once; only the version copied from is stuck.
            copy.listed = false;
            copy.status = Some(Status::Completed);
        }
        if let ObjectLock::Default { mode, days } = &state.options.object_lock
            && (self.algorithm.is_some() || !self.in_place)
        {
            let mut until = Moment::now();
            until.seconds += i64::from(*days) * 86_400;
            copy.lock.retention = Some((mode.clone(), until.to_string()));
        }
        copy
    }

    fn renew_checksum(&self, copy: &mut Version) {
        let is_composite = copy.checksum.as_ref().is_some_and(|own| own.kind() == "COMPOSITE");
        let is_rewritten = self.in_place && (is_composite || copy.checksum.is_none());
        let algorithm = self.algorithm.or_else(|| is_rewritten.then_some(DEFAULT_ALGORITHM));
        let Some(algorithm) = algorithm else { return };
        let known = CHECKSUMS.iter().find(|(own, _)| *own == algorithm);
        copy.checksum = known.map(|(algorithm, value)| Checksum {
            algorithm: (*algorithm).to_owned(),
            value: (*value).to_owned(),
        });
        // Many parts have become one.
        if let Some((etag, _)) = copy.etag.split_once('-') {
            copy.etag = etag.to_owned();
        }
    }
}

fn is_locked(lock: &Lock) -> bool {
    let until = lock.retention.as_ref().and_then(|(_, until)| Moment::parse_rfc3339(until));
    lock.legal_hold || until.is_some_and(|until| until > Moment::now())
}

/// `REPLACE` takes what the request has, which may be nothing.
fn replace_metadata(copy: &mut Version, asked: &Asked) {
    copy.content_type = asked.header("content-type").unwrap_or("binary/octet-stream").to_owned();
    copy.metadata = asked
        .headers
        .iter()
        .filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix("x-amz-meta-")?;
            Some((name.to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect();
}

/// Computed versions have nothing that a copy could change: it triggers them.
fn copy_computed(state: &State, wanted: &Wanted<'_>, item: Item) -> Result<Answer, S3Error> {
    if let Some(error) = state.store.refusal(item) {
        return Err(error);
    }
    if item.is_marker {
        return Err(S3Error::new(405, "MethodNotAllowed"));
    }
    state.store.trigger_computed(item);
    let mut version = Version::put("").id(String::from_utf8_lossy(&item.version_id));
    wanted.renew_checksum(&mut version);
    Ok(done(&version, version.id_text()))
}

fn done(copy: &Version, source_id: &str) -> Answer {
    let mut answer = ok(
        "application/xml",
        format!(
            "{XML_PROLOGUE}<CopyObjectResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LastModified>{}</LastModified><ETag>{}</ETag></CopyObjectResult>",
            copy.last_modified,
            escape_xml(&format!("\"{}\"", copy.etag)),
        ),
    );
    let headers = answer.headers_mut();
    set(headers, "x-amz-version-id", copy.id_text());
    set(headers, "x-amz-copy-source-version-id", source_id);
    describe_checksum(headers, copy);
    answer
}
