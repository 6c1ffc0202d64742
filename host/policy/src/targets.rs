//! What a component may know of the replication targets of its bucket: which of them are offline. The
//! server says where they are and with which account it writes there, too.

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Target {
    arn: String,
    targetbucket: String,
    is_online: bool,
    last_online: String,
    total_downtime: i64,
}

/// An answer to `list-remote-targets` with what is needed of it, or an empty list if it is none.
pub fn needed(answer: &[u8]) -> Vec<u8> {
    let targets: Option<Vec<Target>> = serde_json::from_slice(answer).unwrap_or_default();
    serde_json::to_vec(&targets.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_the_place_nor_the_account_of_a_target_is_told() {
        let answer = br#"[{"sourcebucket":"src","endpoint":"replica.example:9000","credentials":{"accessKey":"replicator","secretKey":"s"},
            "targetbucket":"dst","secure":false,"arn":"arn:minio:replication::1:dst","isOnline":false,
            "lastOnline":"2026-11-24T08:00:00Z","totalDowntime":7,"latency":{"curr":3}}]"#;
        assert_eq!(
            String::from_utf8(needed(answer)).unwrap(),
            r#"[{"arn":"arn:minio:replication::1:dst","targetbucket":"dst","isOnline":false,"lastOnline":"2026-11-24T08:00:00Z","totalDowntime":7}]"#
        );
        for nothing in [&b"null"[..], b"", b"{}", b"[1]", b"<html>"] {
            assert_eq!(needed(nothing), b"[]");
        }
    }
}
