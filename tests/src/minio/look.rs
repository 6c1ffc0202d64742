//! A version as its owner sees it, to be compared with what it was before.

use std::collections::BTreeMap;

use super::client::object_target;
use super::pair::{Pair, SOURCE_BUCKET};

/// Headers that differ from one answer to the next, whatever happens to the version.
const VOLATILE: [&str; 5] =
    ["date", "x-amz-request-id", "x-amz-id-2", "x-ratelimit-limit", "x-ratelimit-remaining"];

/// One version as HEAD and its tags tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Status of the HEAD: 405 for a delete marker, 400 for an object with a customer key.
    pub status: u16,
    /// Headers, but for the checksum, the replication status and those that always differ.
    pub headers: BTreeMap<String, String>,
    /// `x-amz-checksum-*`, without these words in front.
    pub checksum: BTreeMap<String, String>,
    /// The document of its tags, or of the error that there are none.
    pub tags: String,
}

impl Look {
    /// The names of the headers that another look has otherwise.
    #[must_use]
    pub fn changed<'a>(&'a self, other: &'a Self) -> Vec<&'a str> {
        let names = self.headers.keys().chain(other.headers.keys());
        let mut changed: Vec<&str> = names
            .filter(|name| self.headers.get(*name) != other.headers.get(*name))
            .map(String::as_str)
            .collect();
        changed.sort_unstable();
        changed.dedup();
        changed
    }
}

impl Pair {
    /// Looks at a version on the source, which **re-queues** it: only while the link is stuck, or
    /// after the counting.
    #[must_use]
    pub fn look_requeue(&self, key: &str, version: &str) -> Look {
        let client = self.source_client();
        let head = client.head(SOURCE_BUCKET, key, Some(version));
        let (mut headers, mut checksum) = (BTreeMap::new(), BTreeMap::new());
        for (name, value) in &head.headers {
            let (name, value) = (name.as_str(), String::from_utf8_lossy(value.as_bytes()));
            if let Some(algorithm) = name.strip_prefix("x-amz-checksum-") {
                checksum.insert(algorithm.to_owned(), value.into_owned());
            } else if !VOLATILE.contains(&name) && !name.contains("replication") {
                headers.insert(name.to_owned(), value.into_owned());
            }
        }
        let target = format!("{}&tagging=", object_target(SOURCE_BUCKET, key, Some(version)));
        let tags = client.send("GET", &target, &[], b"").text();
        let tags = tags.split("<RequestId>").next().unwrap_or_default().to_owned();
        Look { status: head.status, headers, checksum, tags }
    }
}
