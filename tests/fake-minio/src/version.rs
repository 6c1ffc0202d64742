//! One version of one object, as far as replication and its triggers look at
//! it.
//!
//! Nothing here has content: no request of this client reads any.

use super::answer::S3Error;

/// ARN of the target that versions are due for unless told otherwise.
pub const DEFAULT_ARN: &str =
    "arn:minio:replication::ed53f1a4-7d5c-4a5e-9d3b-5c1f2f6b8a10:mybucket";

/// `lastModified` of the first version of a key unless told otherwise.
const DEFAULT_MODIFIED: &str = "2026-11-24T08:28:26.645675391Z";

/// What a never replicated version has for `replTimestamp`: Go's zero time.
pub(crate) const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

/// What the version is, or is going to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An object's data.
    Put,
    /// A delete marker.
    DeleteMarker,
    /// A version deleted for good here and still to be deleted on a target.
    Purge,
}

/// Replication status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Gave up.
    Failed,
    /// Not tried, or under way.
    Pending,
    /// Done.
    Completed,
    /// Came from another site.
    Replica,
}

impl Status {
    /// The server's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "FAILED",
            Self::Pending => "PENDING",
            Self::Completed => "COMPLETED",
            Self::Replica => "REPLICA",
        }
    }

    pub(crate) fn is_due(self) -> bool {
        matches!(self, Self::Failed | Self::Pending)
    }
}

/// One target's part in a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetState {
    /// The target.
    pub arn: String,
    /// Member `rStatus`.
    pub replication: Option<Status>,
    /// Member `drStatus`, of purges only.
    pub deletion: Option<Status>,
}

impl TargetState {
    /// A target that the version did not get to.
    pub fn new(arn: impl Into<String>, replication: Status) -> Self {
        Self { arn: arn.into(), replication: Some(replication), deletion: None }
    }
}

/// Encryption at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// SSE-S3.
    S3,
    /// SSE-KMS with the id of a key, as the header gives it.
    Kms(String),
    /// SSE-C: without the customer's key a `HEAD` is refused, but triggers.
    CustomerKey,
}

/// A checksum stored with the version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// For example `SHA256`.
    pub algorithm: String,
    /// Base64; composite ones end in `-N`.
    pub value: String,
}

impl Checksum {
    /// Value of `x-amz-checksum-type`.
    pub fn kind(&self) -> &'static str {
        if self.value.contains('-') { "COMPOSITE" } else { "FULL_OBJECT" }
    }
}

/// Object lock of a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// Legal hold is on.
    pub legal_hold: bool,
    /// `GOVERNANCE` or `COMPLIANCE`, and until when (RFC 3339).
    pub retention: Option<(String, String)>,
}

/// Whether a listed version can still be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It can.
    Here,
    /// Removed since it was listed.
    Vanished,
    /// Removed here, but the server asks a target and passes on its answer.
    OnTarget,
    /// As above, and the target is down and not yet known to be.
    OnTargetDown,
}

/// A version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Key of the object.
    pub key: String,
    /// Id; `None` is the null version.
    pub version_id: Option<String>,
    /// What it is.
    pub kind: Kind,
    /// Overall status (`rStatus`); `None` for a version older than the rule.
    pub status: Option<Status>,
    /// Overall status of a purge (`dStatus`).
    pub delete_status: Option<Status>,
    /// Status by target.
    pub targets: Vec<TargetState>,
    /// RFC 3339 with nanoseconds, sent as it stands here.
    pub last_modified: String,
    /// When it was last tried.
    pub repl_timestamp: String,
    /// Bytes.
    pub size: u64,
    /// Without quotes; multipart ones end in `-N`.
    pub etag: String,
    /// `Content-Type`.
    pub content_type: String,
    /// Names without `x-amz-meta-`.
    pub metadata: Vec<(String, String)>,
    /// Tags.
    pub tags: Vec<(String, String)>,
    /// Stored checksum.
    pub checksum: Option<Checksum>,
    /// Encryption at rest.
    pub encryption: Option<Encryption>,
    /// Object lock.
    pub lock: Lock,
    /// Whether a `HEAD` finds it.
    pub presence: Presence,
    /// What every `HEAD` and copy of it is answered, if not the truth.
    pub refusal: Option<S3Error>,
    /// Triggering it changes nothing, as when its rule was disabled.
    pub inert: bool,
    /// It is in the backlog.
    pub listed: bool,
}

impl Version {
    /// A version of an object whose replication failed.
    pub fn put(key: impl Into<String>) -> Self {
        let key = key.into();
        Self {
            // The server gives `name/` no version ids, even in a versioned bucket.
            version_id: (!key.ends_with('/')).then(|| derived_id(&key, 1)),
            kind: Kind::Put,
            status: Some(Status::Failed),
            delete_status: None,
            targets: vec![TargetState::new(DEFAULT_ARN, Status::Failed)],
            last_modified: DEFAULT_MODIFIED.to_owned(),
            repl_timestamp: DEFAULT_MODIFIED.to_owned(),
            size: 1024,
            etag: format!("{:032x}", hash(&key)),
            content_type: "application/octet-stream".to_owned(),
            metadata: Vec::new(),
            tags: Vec::new(),
            checksum: None,
            encryption: None,
            lock: Lock::default(),
            presence: Presence::Here,
            refusal: None,
            inert: false,
            listed: true,
            key,
        }
    }

    /// A delete marker whose replication failed.
    pub fn delete_marker(key: impl Into<String>) -> Self {
        Self { kind: Kind::DeleteMarker, size: 0, ..Self::put(key) }
    }

    /// A permanent deletion that did not reach its target.
    pub fn purge(key: impl Into<String>) -> Self {
        let mut version = Self { kind: Kind::Purge, ..Self::put(key) };
        version.delete_status = Some(Status::Pending);
        version.targets[0].deletion = Some(Status::Pending);
        version
    }

    /// The id and time of the `nth` version of the key, counted from 1. Without
    /// it, two versions of one key would be the same one.
    #[must_use]
    pub fn nth(mut self, nth: u8) -> Self {
        self.version_id = Some(derived_id(&self.key, nth));
        self.modified(format!("2026-11-24T08:{:02}:26.645675391Z", 28 + nth % 30))
    }

    /// Sets the version id.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.version_id = Some(id.into());
        self
    }

    /// Makes it the null version.
    #[must_use]
    pub fn null(mut self) -> Self {
        self.version_id = None;
        self
    }

    /// Sets `lastModified`, and with it the place among the key's versions.
    #[must_use]
    pub fn modified(mut self, rfc3339: impl Into<String>) -> Self {
        self.last_modified = rfc3339.into();
        self
    }

    /// Gives it this status, overall and for its targets.
    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.status = Some(status);
        for target in &mut self.targets {
            target.replication = Some(status);
        }
        self
    }

    /// Older than the replication rule: listed without any status.
    #[must_use]
    pub fn never_replicated(mut self) -> Self {
        self.status = None;
        self.targets.clear();
        self.repl_timestamp = ZERO_TIME.to_owned();
        self
    }

    /// Sets which targets it is due for.
    #[must_use]
    pub fn targets(mut self, targets: Vec<TargetState>) -> Self {
        self.targets = targets;
        self
    }

    /// Sets whether a `HEAD` finds it.
    #[must_use]
    pub fn presence(mut self, presence: Presence) -> Self {
        self.presence = presence;
        self
    }

    /// Answers every `HEAD` and copy of it with an error, and is not triggered.
    #[must_use]
    pub fn refusing(mut self, error: S3Error) -> Self {
        self.refusal = Some(error);
        self
    }

    /// Stays in the backlog whatever triggers it.
    #[must_use]
    pub fn inert(mut self) -> Self {
        self.inert = true;
        self
    }

    /// Encrypts it.
    #[must_use]
    pub fn encrypted(mut self, encryption: Encryption) -> Self {
        self.encryption = Some(encryption);
        self
    }

    /// Stores a checksum with it.
    #[must_use]
    pub fn checksum(mut self, algorithm: &str, value: &str) -> Self {
        self.checksum = Some(Checksum { algorithm: algorithm.to_owned(), value: value.to_owned() });
        self
    }

    /// Adds user metadata.
    #[must_use]
    pub fn meta(mut self, name: &str, value: &str) -> Self {
        self.metadata.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, name: &str, value: &str) -> Self {
        self.tags.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Locks it.
    #[must_use]
    pub fn lock(mut self, lock: Lock) -> Self {
        self.lock = lock;
        self
    }

    /// The id as listings and queries spell it.
    pub fn id_text(&self) -> &str {
        self.version_id.as_deref().unwrap_or("null")
    }
}

/// Hex digits of a UUID of version 4 for 128 bits.
pub(crate) fn write_uuid(out: &mut [u8; 36], bits: u128) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bits = bits & !(0xF000 << 64) | 0x4000 << 64;
    let bits = bits & !(0xC000 << 48) | 0x8000 << 48;
    let mut at = 0;
    for (nth, byte) in bits.to_be_bytes().into_iter().enumerate() {
        if matches!(nth, 4 | 6 | 8 | 10) {
            out[at] = b'-';
            at += 1;
        }
        out[at] = HEX[usize::from(byte >> 4)];
        out[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
}

/// The finalizer of SplitMix64: a bijection that looks random.
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// 128 bits that depend on a text; the same in every run.
pub(crate) fn hash(text: &str) -> u128 {
    let half = |seed: u64| text.bytes().fold(seed, |sum, byte| mix(sum ^ u64::from(byte)));
    u128::from(half(1)) << 64 | u128::from(half(2))
}

fn derived_id(key: &str, nth: u8) -> String {
    let mut uuid = [0; 36];
    write_uuid(&mut uuid, hash(key) ^ u128::from(nth) << 32);
    String::from_utf8_lossy(&uuid).into_owned()
}

/// Whether the server takes this for a version id at all.
pub(crate) fn is_version_id(text: &str) -> bool {
    let hex_or_dash = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text == "null" || text.len() == 36 && text.bytes().enumerate().all(hex_or_dash)
}

#[cfg(test)]
mod tests {
    use super::{Version, is_version_id, write_uuid};

    #[test]
    fn derived_ids_are_uuids_and_differ_by_key_and_number() {
        let first = Version::put("a");
        let second = Version::put("a").nth(2);
        assert!(is_version_id(first.id_text()));
        assert_ne!(first.version_id, second.version_id);
        assert!(first.last_modified < second.last_modified);
        assert_ne!(first.version_id, Version::put("b").version_id);
        assert_eq!(Version::put("a").nth(1).version_id, first.version_id);
        assert_eq!(Version::put("dir/").id_text(), "null");
    }

    #[test]
    fn uuids_have_version_and_variant() {
        let mut uuid = [0; 36];
        write_uuid(&mut uuid, u128::MAX);
        assert_eq!(&uuid, b"ffffffff-ffff-4fff-bfff-ffffffffffff");
        write_uuid(&mut uuid, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        assert_eq!(&uuid, b"01234567-89ab-4def-8123-456789abcdef");
    }

    #[test]
    fn garbage_is_no_version_id() {
        for text in ["", "latest", "8a38", "8a38f2c0x1111-4111-8111-111111111111"] {
            assert!(!is_version_id(text), "{text}");
        }
    }
}
