//! `--clear-checksum`: a version is copied onto itself in place, which replaces its checksum.
//!
//! A server offers many forms of self-copy, and most of them do harm: new versions, lost metadata,
//! an old version that becomes the latest, a decrypted object. This one was observed to change the
//! checksum and nothing else: same version on both sides, `COPY` of the metadata, a checksum
//! algorithm, the modification time of the listing to the nanosecond, and the object's own
//! encryption. `if-match` ties it to the object that was looked at.
//!
//! A server that compresses computes the new checksum over the compressed bytes, and whoever reads the
//! object then takes it for damaged. It never compresses what is of a type that is compressed already, and
//! goes by the header of the request for that, which has no other effect on a copy with `COPY`: the
//! object keeps its own type (observed, also of objects that were stored compressed: they are stored plain
//! after it, with the right checksum).

use crate::wire::{Cause, Foreign, Response, S3Error, timestamp};

use crate::job::outcome::{Trigger, Verdict};
use crate::listing::Item;

/// The checksum a copied object gets. A checksum cannot be removed, only replaced; this one is a
/// full-object checksum for every way an object was uploaded, and the one servers add by default.
pub(crate) const ALGORITHM: &str = "CRC64NVME";

/// The type that keeps a server from compressing the copy.
pub const PLAIN: (&str, &str) = ("content-type", "application/zip");

/// The largest object a server copies (`globalMaxObjectSize`).
const MAX_SIZE: u64 = 5 << 40;

/// The headers of a copy, without its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    headers: Vec<(&'static str, String)>,
}

impl Plan {
    /// Plans the copy of a version from the answer to its HEAD.
    ///
    /// # Errors
    /// Why this version must not or cannot be copied.
    pub(crate) fn new(
        item: &Item,
        head: &Response,
        encrypts: bool,
        now_unix: u64,
    ) -> Result<Self, Cause> {
        let refuse = |reason: &str| Err(Cause::Declined(reason.to_owned()));
        if let Some(lock) = active_lock(head, now_unix) {
            return Err(Cause::Declined(lock));
        }
        if head.header("x-amz-server-side-encryption-customer-algorithm").is_some() {
            return refuse(CUSTOMER_KEY);
        }
        if encrypts && head.header(ENCRYPTION).is_none() {
            return refuse(
                "The bucket encrypts what is written, and this version is not encrypted: the copy would be, and a target without keys refuses it.",
            );
        }
        if let Some(tier) = tier(head) {
            return Err(Cause::Declined(format!(
                "The version is in the tier `{tier}` (ILM transition): a copy would bring its data back from there."
            )));
        }
        let size = head.header("content-length").and_then(|size| size.parse::<u64>().ok());
        if size.is_some_and(|size| size > MAX_SIZE) {
            return refuse(
                "The object is larger than 5 TiB, which no server copies in one request.",
            );
        }
        let modified = item.modified.to_string();
        let Some(nanos) = timestamp::parse_rfc3339(&modified) else {
            return refuse(NO_TIME);
        };
        let answered = head.header("last-modified").and_then(timestamp::parse_http_date);
        if answered.is_some_and(|seconds| i128::from(seconds) != nanos.div_euclid(1_000_000_000)) {
            return Err(Cause::Declined(format!(
                "The server does not say that the version was modified at {modified}; a copy would give it that time."
            )));
        }
        let Some(etag) = head.header("etag") else {
            return refuse("The server returned no ETag, without which the copy is not safe.");
        };
        let mut headers = vec![
            (PLAIN.0, PLAIN.1.to_owned()),
            ("x-amz-checksum-algorithm", ALGORITHM.to_owned()),
            ("x-amz-copy-source-if-match", etag.to_owned()),
            ("x-amz-metadata-directive", "COPY".to_owned()),
            ("x-minio-source-mtime", modified),
        ];
        for name in [
            "x-amz-server-side-encryption",
            "x-amz-server-side-encryption-aws-kms-key-id",
            "x-amz-server-side-encryption-context",
        ] {
            if let Some(value) = head.header(name) {
                headers.push((name, value.to_owned()));
            }
        }
        Ok(Self { headers })
    }

    /// The headers, for [`crate::wire::Client::copy`].
    pub(crate) fn headers(&self) -> Vec<(&str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}

/// Why a version that was given without a time is not copied. The answer to a HEAD has whole seconds, and
/// of two versions of one second the older one could become the latest.
const NO_TIME: &str = "Its line has no modification time, which a copy has to keep to the nanosecond: take the version from `mc replicate backlog --full --json`, or from this command with --json.";

/// The header that says how a version is encrypted.
const ENCRYPTION: &str = "x-amz-server-side-encryption";

/// The tier that a version was moved to, which its storage class names.
fn tier(head: &Response) -> Option<&str> {
    let class = head.header("x-amz-storage-class").filter(|class| !class.is_empty())?;
    is_in_tier(class, head.header("x-amz-restore").is_some()).then_some(class)
}

/// Whether a version of this storage class is in a tier. It still is when a copy of it was `restored` for a
/// while.
pub fn is_in_tier(class: &str, restored: bool) -> bool {
    restored || !matches!(class, "" | "STANDARD" | "REDUCED_REDUNDANCY")
}

/// What a copy has changed that it must not change, from the HEADs before and after it. Nothing else shows
/// what a server does with everything that is written, such as encrypting it (`MINIO_KMS_AUTO_ENCRYPTION`).
pub(crate) fn harm(before: &Response, after: &Response) -> Option<Cause> {
    let changed = |name: &str| before.header(name) != after.header(name);
    let what = if changed(ENCRYPTION) {
        "its encryption is another one than before, which the server applies to everything that is written"
    } else if changed("content-length") || changed("content-type") || changed("last-modified") {
        "its size, type or modification time changed"
    } else if after.header("x-minio-compressed").is_some() {
        "the server compressed it, so that its checksum is not that of its data"
    } else if after.header("x-amz-checksum-crc64nvme").is_none() {
        "it has no new checksum"
    } else {
        return None;
    };
    Some(Cause::Declined(format!(
        "The first copy did not come out as it must: {what}. Nothing else was copied; look at this version."
    )))
}

/// Why an object encrypted with a customer key is counted failed.
pub(crate) const CUSTOMER_KEY: &str =
    "The object is encrypted with a customer key (SSE-C), which only its owner can copy.";

/// The words for a lock that forbids the copy, or `None`.
fn active_lock(head: &Response, now_unix: u64) -> Option<String> {
    if head
        .header("x-amz-object-lock-legal-hold")
        .is_some_and(|hold| hold.eq_ignore_ascii_case("on"))
    {
        return Some("The object is under legal hold and cannot be overwritten.".to_owned());
    }
    let mode = head.header("x-amz-object-lock-mode")?;
    let until = head.header("x-amz-object-lock-retain-until-date").unwrap_or_default();
    let expired = timestamp::parse_rfc3339(until)
        .is_some_and(|until| until <= i128::from(now_unix) * 1_000_000_000);
    (!expired)
        .then(|| format!("The object is locked ({mode} until {until}) and cannot be overwritten."))
}

impl Verdict {
    /// Reads the answer to the copy.
    pub(crate) fn from_copy(item: &Item, response: &Response) -> Self {
        if let Some(foreign) = Foreign::of(response) {
            return Self::Again(Cause::Foreign(foreign));
        }
        // A copy that takes long may begin its answer before it has failed.
        let failed_late = response.body.windows(6).any(|window| window == b"<Error");
        if response.status != 200 || failed_late {
            return match Self::from_error(S3Error::from_response(response)) {
                Self::Triggered(_) => Self::Failed(Cause::Declined(CUSTOMER_KEY.to_owned())),
                verdict => verdict,
            };
        }
        let copied_to = response.header("x-amz-version-id");
        let expected = item.version.to_string();
        match copied_to {
            Some(id) if id != expected => Self::Fatal(Cause::Declined(format!(
                "The server copied version {expected} to a new version {id} instead of in place."
            ))),
            _ => Self::Triggered(Trigger::Copy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::Modified;
    use crate::wire::VersionId;

    const ID: &str = "8a38e1a2-0000-4000-8000-0123456789ab";

    fn item() -> Item {
        Item {
            key: "k".into(),
            version: VersionId::parse(ID),
            modified: Modified::Text("2026-11-24T08:28:26.645675391Z".into()),
            delete_marker: false,
            statuses: 0,
        }
    }

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        Response {
            status,
            headers: headers.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(),
            body: body.into(),
        }
    }

    #[test]
    fn a_copy_keeps_time_encryption_and_identity() {
        let head = response(
            200,
            &[
                ("etag", "\"abc\""),
                ("content-length", "5"),
                ("x-amz-server-side-encryption", "aws:kms"),
                ("x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:key"),
            ],
            "",
        );
        let plan = Plan::new(&item(), &head, false, 0).unwrap();
        for header in [
            ("x-amz-checksum-algorithm", "CRC64NVME"),
            ("x-amz-copy-source-if-match", "\"abc\""),
            ("x-amz-metadata-directive", "COPY"),
            ("x-minio-source-mtime", "2026-11-24T08:28:26.645675391Z"),
            ("x-amz-server-side-encryption", "aws:kms"),
            ("x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:key"),
        ] {
            assert!(plan.headers().contains(&header), "{header:?}");
        }
    }

    #[test]
    fn locked_encrypted_and_oversized_objects_are_refused_each_with_its_reason() {
        let refused = |headers: &[(&str, &str)]| {
            let mut all = vec![("etag", "\"e\"")];
            all.extend_from_slice(headers);
            Plan::new(&item(), &response(200, &all, ""), false, 1_795_000_000)
                .err()
                .map(|cause| cause.to_string())
        };
        assert!(refused(&[("x-amz-object-lock-legal-hold", "ON")]).unwrap().contains("legal hold"));
        let lock = [
            ("x-amz-object-lock-mode", "GOVERNANCE"),
            ("x-amz-object-lock-retain-until-date", "2099-01-01T00:00:00Z"),
        ];
        assert!(refused(&lock).unwrap().contains("GOVERNANCE until 2099"));
        assert_eq!(
            refused(&[lock[0], ("x-amz-object-lock-retain-until-date", "2020-01-01T00:00:00Z")]),
            None
        );
        assert!(refused(&[("content-length", "5497558138881")]).unwrap().contains("5 TiB"));
        assert!(
            refused(&[("x-amz-server-side-encryption-customer-algorithm", "AES256")])
                .unwrap()
                .contains("SSE-C")
        );
    }

    #[test]
    fn what_a_copy_would_change_is_not_copied() {
        let plan = |headers: &[(&str, &str)], encrypts| {
            let all = [headers, &[("etag", "\"e\"")]].concat();
            Plan::new(&item(), &response(200, &all, ""), encrypts, 0).err().map(|c| c.to_string())
        };
        let aes = ("x-amz-server-side-encryption", "AES256");
        assert!(plan(&[], true).unwrap().contains("not encrypted"));
        assert_eq!((plan(&[aes], true), plan(&[aes], false), plan(&[], false)), (None, None, None));
        for (class, tiered) in
            [("COLD", true), ("STANDARD", false), ("REDUCED_REDUNDANCY", false), ("", false)]
        {
            let refused = plan(&[("x-amz-storage-class", class)], false);
            assert_eq!(refused.is_some_and(|words| words.contains("COLD")), tiered, "{class}");
        }
        let restored =
            [("x-amz-storage-class", "STANDARD"), ("x-amz-restore", "ongoing-request=\"false\"")];
        assert!(plan(&restored, false).is_some());
    }

    #[test]
    fn a_first_copy_is_held_against_what_was_there_before() {
        let before =
            [("content-length", "5"), ("content-type", "text/plain"), ("last-modified", "x")];
        let new = ("x-amz-checksum-crc64nvme", "A");
        for (after, harmed) in [
            (vec![new], false),
            (vec![], true),
            (vec![new, ("x-amz-server-side-encryption", "aws:kms")], true),
            (vec![new, ("x-minio-compressed", "s2")], true),
        ] {
            let head = |more: &[(&str, &str)]| response(200, &[&before, more].concat(), "");
            assert_eq!(harm(&head(&[]), &head(&after)).is_some(), harmed, "{after:?}");
        }
        let zipped = response(200, &[new, ("content-type", "application/zip")], "");
        assert!(harm(&response(200, &before, ""), &zipped).is_some());
    }

    #[test]
    fn a_copy_counts_only_if_it_was_made_in_place() {
        let copied = |status, headers: &[(&str, &str)], body| {
            let headers = [headers, &[("x-amz-request-id", "187B")]].concat();
            Verdict::from_copy(&item(), &response(status, &headers, body))
        };
        assert_eq!(
            copied(200, &[("x-amz-version-id", ID)], "<CopyObjectResult/>"),
            Verdict::Triggered(Trigger::Copy)
        );
        assert!(matches!(copied(200, &[("x-amz-version-id", "other")], ""), Verdict::Fatal(_)));
        assert!(matches!(
            copied(200, &[], "<Error><Code>InternalError</Code></Error>"),
            Verdict::Again(_)
        ));
        assert!(matches!(
            copied(412, &[], "<Error><Code>PreconditionFailed</Code></Error>"),
            Verdict::Failed(_)
        ));
        assert!(matches!(
            copied(403, &[], "<Error><Code>AccessDenied</Code></Error>"),
            Verdict::Failed(_)
        ));
        assert_eq!(
            copied(404, &[], "<Error><Code>NoSuchVersion</Code></Error>"),
            Verdict::Vanished
        );
    }
}
