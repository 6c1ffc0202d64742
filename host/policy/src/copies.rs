//! What a copy may change: nothing but the checksum.
//!
//! A copy onto itself can do harm that no method and no path shows: give an old version the time that
//! makes it the latest, store an encrypted object plain, bring data back from a tier. So a copy is
//! admitted only after a HEAD of the same version, and only if it keeps what that answered.

use crate::denials::Reason;
use http::HeaderMap;
use resync_core::job::{PLAIN, is_in_tier};
use resync_core::wire::{parse_http_date, parse_rfc3339};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Versions that were looked at and not copied yet, at most. Those in flight are a thousand; of a
/// component that looks at more, the copies of some are denied.
const MOST: usize = 10_000;

/// The checksums that a copy may ask for.
const ALGORITHMS: [&str; 5] = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"];

/// The encryption of a version, in the order of these headers.
const ENCRYPTION: [&str; 3] = [
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-context",
];

/// What a HEAD answered of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Looked {
    etag: Option<String>,
    /// Unix seconds.
    modified: Option<i128>,
    encryption: [Option<String>; 3],
    /// It is where a copy would take it from.
    moved: bool,
}

/// The versions that were looked at.
#[derive(Debug, Default)]
pub struct Copies {
    looked: Mutex<HashMap<String, Looked>>,
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

impl Copies {
    /// Remembers what a HEAD of this path and query answered with 200.
    pub fn looked_at(&self, target: &str, answer: &HeaderMap) {
        let class = text(answer, "x-amz-storage-class").unwrap_or_default();
        let modified = text(answer, "last-modified").and_then(|date| parse_http_date(&date));
        let looked = Looked {
            etag: text(answer, "etag"),
            modified: modified.map(i128::from),
            encryption: ENCRYPTION.map(|name| text(answer, name)),
            moved: is_in_tier(&class, answer.contains_key("x-amz-restore")),
        };
        let mut all = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(target.to_owned(), looked);
    }

    /// Whether a HEAD of this path and query was answered and no copy made since.
    ///
    /// # Errors
    /// It was not: then there is nothing that the server would have to be asked.
    pub fn check_looked_at(&self, target: &str) -> Result<(), Reason> {
        let all = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if all.contains_key(target) { Ok(()) } else { Err(Reason::NotLookedAt) }
    }

    /// Admits a copy of this path and query. `encrypts` says that the bucket encrypts what is written.
    ///
    /// # Errors
    /// What the copy would change.
    pub fn admit(&self, target: &str, copy: &HeaderMap, encrypts: bool) -> Result<(), Reason> {
        let mut all = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let looked = all.get(target).ok_or(Reason::NotLookedAt)?;
        let one = |name: &str| {
            let mut values = copy.get_all(name).iter();
            let first = values.next().and_then(|value| value.to_str().ok()).map(str::to_owned);
            if values.next().is_some() { None } else { first }
        };
        if looked.etag.is_none() || one("x-amz-copy-source-if-match") != looked.etag {
            return Err(Reason::CopyOfAnother);
        }
        if ENCRYPTION.map(one) != looked.encryption
            || (encrypts && looked.encryption.iter().all(Option::is_none))
        {
            return Err(Reason::CopyEncryption);
        }
        let modified = one("x-minio-source-mtime")
            .and_then(|text| parse_rfc3339(&text))
            .map(|nanos| nanos.div_euclid(1_000_000_000));
        if modified.is_none() || modified != looked.modified {
            return Err(Reason::CopyTime);
        }
        if looked.moved {
            return Err(Reason::CopyTier);
        }
        if one(PLAIN.0).as_deref() != Some(PLAIN.1)
            || one("x-amz-checksum-algorithm").is_none_or(|name| !ALGORITHMS.contains(&&*name))
        {
            return Err(Reason::CopyChecksum);
        }
        // One look is good for one copy: after it the version is another one.
        all.remove(target);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    const HEAD: [(&str, &str); 2] =
        [("etag", "\"e\""), ("last-modified", "Tue, 24 Nov 2026 08:28:26 GMT")];

    const COPY: [(&str, &str); 4] = [
        ("content-type", "application/zip"),
        ("x-amz-checksum-algorithm", "CRC64NVME"),
        ("x-amz-copy-source-if-match", "\"e\""),
        ("x-minio-source-mtime", "2026-11-24T08:28:26.645675391Z"),
    ];

    fn verdict(
        head: &[(&'static str, &str)],
        copy: &[(&'static str, &str)],
        encrypts: bool,
    ) -> Result<(), Reason> {
        let copies = Copies::default();
        copies.looked_at("/b/k?versionId=v", &headers(head));
        copies.admit("/b/k?versionId=v", &headers(copy), encrypts)
    }

    fn but(
        copy: &[(&'static str, &'static str)],
        name: &str,
        value: Option<&'static str>,
    ) -> Vec<(&'static str, &'static str)> {
        let mut changed: Vec<_> =
            copy.iter().filter(|(known, _)| *known != name).copied().collect();
        let known = copy.iter().find(|(known, _)| *known == name).map(|(known, _)| *known);
        changed.extend(known.zip(value));
        changed
    }

    #[test]
    fn a_copy_that_keeps_what_was_looked_at_is_admitted_once() {
        assert_eq!(verdict(&HEAD, &COPY, false), Ok(()));
        let copies = Copies::default();
        assert_eq!(copies.check_looked_at("/b/k?versionId=v"), Err(Reason::NotLookedAt));
        copies.looked_at("/b/k?versionId=v", &headers(&HEAD));
        assert_eq!(copies.check_looked_at("/b/k?versionId=v"), Ok(()));
        let copy = headers(&COPY);
        assert_eq!(copies.admit("/b/k?versionId=v", &copy, false), Ok(()));
        assert_eq!(copies.admit("/b/k?versionId=v", &copy, false), Err(Reason::NotLookedAt));
        assert_eq!(copies.admit("/b/other?versionId=v", &copy, false), Err(Reason::NotLookedAt));
    }

    #[test]
    fn whatever_it_would_change_is_named() {
        for (name, value, reason) in [
            ("x-amz-copy-source-if-match", None, Reason::CopyOfAnother),
            ("x-amz-copy-source-if-match", Some("\"f\""), Reason::CopyOfAnother),
            ("x-amz-copy-source-if-match", Some("*"), Reason::CopyOfAnother),
            ("x-minio-source-mtime", None, Reason::CopyTime),
            ("x-minio-source-mtime", Some("2036-11-24T08:28:26Z"), Reason::CopyTime),
            ("x-minio-source-mtime", Some("2026-11-24T08:28:27Z"), Reason::CopyTime),
            ("x-minio-source-mtime", Some("yesterday"), Reason::CopyTime),
            ("content-type", None, Reason::CopyChecksum),
            ("content-type", Some("text/plain"), Reason::CopyChecksum),
            ("x-amz-checksum-algorithm", None, Reason::CopyChecksum),
            ("x-amz-checksum-algorithm", Some("NONE"), Reason::CopyChecksum),
        ] {
            assert_eq!(
                verdict(&HEAD, &but(&COPY, name, value), false),
                Err(reason),
                "{name} {value:?}"
            );
        }
        let twice = [&COPY[..], &[("x-minio-source-mtime", "2036-01-01T00:00:00Z")]].concat();
        assert_eq!(verdict(&HEAD, &twice, false), Err(Reason::CopyTime));
        assert_eq!(verdict(&HEAD[1..], &COPY, false), Err(Reason::CopyOfAnother), "no ETag");
    }

    #[test]
    fn encryption_stays_as_it_was() {
        let aes = ("x-amz-server-side-encryption", "AES256");
        let (head, copy) = ([&HEAD[..], &[aes]].concat(), [&COPY[..], &[aes]].concat());
        assert_eq!(verdict(&head, &copy, true), Ok(()));
        assert_eq!(
            verdict(&head, &COPY, false),
            Err(Reason::CopyEncryption),
            "it would be stored plain"
        );
        assert_eq!(verdict(&HEAD, &copy, false), Err(Reason::CopyEncryption));
        assert_eq!(
            verdict(&HEAD, &COPY, true),
            Err(Reason::CopyEncryption),
            "the bucket would encrypt it"
        );
        let kms = [&COPY[..], &[("x-amz-server-side-encryption", "aws:kms")]].concat();
        assert_eq!(verdict(&head, &kms, false), Err(Reason::CopyEncryption));
    }

    #[test]
    fn what_is_in_a_tier_stays_there() {
        for (header, moved) in [
            (("x-amz-storage-class", "COLD"), true),
            (("x-amz-storage-class", "REDUCED_REDUNDANCY"), false),
            (("x-amz-restore", "ongoing-request=\"false\""), true),
        ] {
            let head = [&HEAD[..], &[header]].concat();
            assert_eq!(verdict(&head, &COPY, false) == Err(Reason::CopyTier), moved, "{header:?}");
        }
    }
}
