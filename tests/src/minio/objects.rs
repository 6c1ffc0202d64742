//! Writing to the source bucket: one object of each kind, or thousands of small ones.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::client::{Reply, object_target};
use super::pair::{Pair, SOURCE_BUCKET};
use super::xml::text_of;

/// Connections that write at once. A single-drive server on two cores gains nothing from more.
const WRITERS: usize = 8;
/// The least S3 allows for a part that is not the last.
const PART_SIZE: usize = 5 * 1024 * 1024;

/// A version that was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written {
    /// Object key.
    pub key: String,
    /// Version id, `null` in a bucket without versioning.
    pub version_id: String,
}

impl Pair {
    /// Writes `count` objects `prefix000000`, `prefix000001`, …, several at once; returned in the
    /// order of their keys.
    ///
    /// # Panics
    /// When the source refuses one.
    pub fn put_many(&self, prefix: &str, count: usize, body: &[u8]) -> Vec<Written> {
        self.write_many("PUT", count, body, |number| format!("{prefix}{number:06}"))
    }

    /// Writes `count` versions of `names` objects `prefix0`, `prefix1`, …, in turn; returned in the order of
    /// their keys.
    ///
    /// # Panics
    /// When the source refuses one.
    pub fn put_versions(&self, prefix: &str, names: usize, count: usize) -> Vec<Written> {
        self.write_many("PUT", count, b"", |number| format!("{prefix}{}", number % names))
    }

    /// Deletes what [`Pair::put_many`] wrote: the delete markers, in the order of their keys.
    ///
    /// # Panics
    /// When the source refuses one.
    pub fn delete_many(&self, prefix: &str, count: usize) -> Vec<Written> {
        self.write_many("DELETE", count, b"", |number| format!("{prefix}{number:06}"))
    }

    fn write_many(
        &self,
        method: &str,
        count: usize,
        body: &[u8],
        key: impl Fn(usize) -> String + Sync,
    ) -> Vec<Written> {
        let client = self.source_client();
        let next = AtomicUsize::new(0);
        let written = Mutex::new(Vec::with_capacity(count));
        thread::scope(|scope| {
            for _ in 0..WRITERS.min(count) {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            return;
                        }
                        let key = key(number);
                        let target = object_target(SOURCE_BUCKET, &key, None);
                        let version_id =
                            client.send(method, &target, &[], body).ok(&key).version_id();
                        written
                            .lock()
                            .expect("no writer panicked")
                            .push(Written { key, version_id });
                    }
                });
            }
        });
        let mut written = written.into_inner().expect("no writer panicked");
        written.sort_unstable();
        written
    }

    /// Writes one object and returns its version id.
    ///
    /// # Panics
    /// When the source refuses it.
    #[track_caller]
    pub fn put(&self, key: &str, body: &[u8], headers: &[(&str, &str)]) -> String {
        self.request("PUT", key, None, "", headers, body).version_id()
    }

    /// Writes one object with the SHA-256 of its content as its checksum.
    ///
    /// # Panics
    /// When the source refuses it.
    #[track_caller]
    pub fn put_with_checksum(&self, key: &str, body: &[u8], headers: &[(&str, &str)]) -> String {
        let checksum = checksum(body);
        let headers = [headers, &[("x-amz-checksum-sha256", checksum.as_str())]].concat();
        self.put(key, body, &headers)
    }

    /// Writes one object of `parts` parts of 5 MiB, whose checksum is a composite SHA-256 (`…=-2`).
    ///
    /// # Panics
    /// When the source refuses it.
    #[track_caller]
    pub fn put_multipart(&self, key: &str, parts: u8, headers: &[(&str, &str)]) -> String {
        let start = [headers, &[("x-amz-checksum-algorithm", "SHA256")]].concat();
        let started = self.request("POST", key, None, "uploads=", &start, b"").text();
        let upload = text_of(&started, "UploadId");
        let mut complete = String::from("<CompleteMultipartUpload>");
        for number in 1..=parts {
            let body = vec![number; PART_SIZE];
            let checksum = checksum(&body);
            let query = format!("partNumber={number}&uploadId={upload}");
            let part = self.request(
                "PUT",
                key,
                None,
                &query,
                &[("x-amz-checksum-sha256", &checksum)],
                &body,
            );
            let etag = part.header("etag").unwrap_or_default();
            complete.push_str(&format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>\
                 <ChecksumSHA256>{checksum}</ChecksumSHA256></Part>"
            ));
        }
        complete.push_str("</CompleteMultipartUpload>");
        self.request("POST", key, None, &format!("uploadId={upload}"), &[], complete.as_bytes())
            .version_id()
    }

    /// Deletes an object the everyday way: returns the version id of the delete marker.
    ///
    /// # Panics
    /// When the source refuses.
    #[track_caller]
    pub fn delete(&self, key: &str) -> String {
        self.request("DELETE", key, None, "", &[], b"").version_id()
    }

    /// Deletes one version for good. While the link is stuck its purge is pending.
    ///
    /// # Panics
    /// When the source refuses.
    #[track_caller]
    pub fn delete_version(&self, key: &str, version: &str) {
        let _ = self.request("DELETE", key, Some(version), "", &[], b"");
    }

    /// Sets one tag, which has to be replicated like the object itself.
    ///
    /// # Panics
    /// When the source refuses.
    #[track_caller]
    pub fn tag(&self, key: &str, version: &str, name: &str, value: &str) {
        let body = format!(
            "<Tagging><TagSet><Tag><Key>{name}</Key><Value>{value}</Value></Tag></TagSet></Tagging>"
        );
        self.subresource(key, version, "tagging", &body);
    }

    /// Locks a version: `mode` is `GOVERNANCE` or `COMPLIANCE`, `until` RFC 3339.
    ///
    /// # Panics
    /// When the source refuses, for example because the bucket has no object locking.
    #[track_caller]
    pub fn retain(&self, key: &str, version: &str, mode: &str, until: &str) {
        let body = format!(
            "<Retention><Mode>{mode}</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>"
        );
        self.subresource(key, version, "retention", &body);
    }

    /// Puts a version under legal hold, or takes it off.
    ///
    /// # Panics
    /// When the source refuses, for example because the bucket has no object locking.
    #[track_caller]
    pub fn legal_hold(&self, key: &str, version: &str, on: bool) {
        let status = if on { "ON" } else { "OFF" };
        let body = format!("<LegalHold><Status>{status}</Status></LegalHold>");
        self.subresource(key, version, "legal-hold", &body);
    }

    /// Spoils an object on the source's (only) drive behind the server's back: a listing that comes
    /// to it ends there, with an entry that carries an `error`.
    ///
    /// # Panics
    /// When there is no such object.
    #[track_caller]
    pub fn corrupt(&self, key: &str) {
        let file = self.source().data_dir().join(SOURCE_BUCKET).join(key).join("xl.meta");
        assert!(file.is_file(), "{} is missing", file.display());
        fs::write(&file, "not what it was").expect("overwrite an object");
    }

    #[track_caller]
    fn subresource(&self, key: &str, version: &str, name: &str, body: &str) {
        // Any checksum is enough for newer releases.
        let md5 = BASE64.encode(Md5::digest(body.as_bytes()));
        let headers = [("content-md5", md5.as_str())];
        let _ =
            self.request("PUT", key, Some(version), &format!("{name}="), &headers, body.as_bytes());
    }

    #[track_caller]
    fn request(
        &self,
        method: &str,
        key: &str,
        version: Option<&str>,
        query: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let mut target = object_target(SOURCE_BUCKET, key, version);
        if !query.is_empty() {
            target.push(if version.is_some() { '&' } else { '?' });
            target.push_str(query);
        }
        self.source_client().send(method, &target, headers, body).ok(&format!("{method} {target}"))
    }
}

fn checksum(body: &[u8]) -> String {
    BASE64.encode(Sha256::digest(body))
}
