//! `--clear-checksum`: a version is copied onto itself in place, which replaces its checksum.
//!
//! A server offers many forms of self-copy, and most of them do harm: new versions, lost metadata,
//! an old version that becomes the latest, a decrypted object. This one was observed to change the
//! checksum and nothing else: same version on both sides, `COPY` of the metadata, a checksum
//! algorithm, the modification time of the listing to the nanosecond, and the object's own
//! encryption. `if-match` ties it to the object that was looked at.

use crate::wire::{Cause, Response, S3Error, timestamp};

use crate::job::outcome::{Trigger, Verdict};
use crate::listing::Item;

/// The checksum a copied object gets. A checksum cannot be removed, only replaced; this one is a
/// full-object checksum for every way an object was uploaded, and the one servers add by default.
pub(crate) const ALGORITHM: &str = "CRC64NVME";

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
    pub(crate) fn new(item: &Item, head: &Response, now_unix: u64) -> Result<Self, Cause> {
        let refuse = |reason: &str| Err(Cause::Declined(reason.to_owned()));
        if let Some(lock) = active_lock(head, now_unix) {
            return Err(Cause::Declined(lock));
        }
        if head.header("x-amz-server-side-encryption-customer-algorithm").is_some() {
            return refuse(CUSTOMER_KEY);
        }
        let size = head.header("content-length").and_then(|size| size.parse::<u64>().ok());
        if size.is_some_and(|size| size > MAX_SIZE) {
            return refuse(
                "The object is larger than 5 TiB, which no server copies in one request.",
            );
        }
        let Some(etag) = head.header("etag") else {
            return refuse("The server returned no ETag, without which the copy is not safe.");
        };
        let mut headers = vec![
            ("x-amz-checksum-algorithm", ALGORITHM.to_owned()),
            ("x-amz-copy-source-if-match", etag.to_owned()),
            ("x-amz-metadata-directive", "COPY".to_owned()),
            ("x-minio-source-mtime", item.modified.to_string()),
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
        let plan = Plan::new(&item(), &head, 0).unwrap();
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
            Plan::new(&item(), &response(200, &all, ""), 1_795_000_000)
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
    fn a_copy_counts_only_if_it_was_made_in_place() {
        let copied = |status, headers: &[(&str, &str)], body| {
            Verdict::from_copy(&item(), &response(status, headers, body))
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
            Verdict::Fatal(_)
        ));
        assert_eq!(
            copied(404, &[], "<Error><Code>NoSuchVersion</Code></Error>"),
            Verdict::Vanished
        );
    }
}
