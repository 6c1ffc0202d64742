//! The replication targets of the bucket, where the account may see them.
//!
//! A HEAD of a version whose target is offline is answered 200 and queues nothing. So the targets
//! are looked at first. `isOnline` turns true up to 5 s after a target has returned, so it is given
//! some time. It is also false for a target to which a restarted server has not replicated yet,
//! however well it is; that one has never been seen online nor offline, and says nothing (observed).

use crate::wire::exchange::{once, pause};
use crate::wire::{Client, Foreign, Net};
use serde::Deserialize;
use std::time::Duration;

/// How long an offline target is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long an answer is waited for.
const ANSWER: Duration = Duration::from_secs(5);

/// A replication target, as madmin's `BucketTarget` describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct RemoteTarget {
    /// Its ARN.
    pub arn: String,
    /// The bucket there.
    #[serde(rename = "targetbucket")]
    pub bucket: String,
    /// Whether the server reaches it.
    #[serde(rename = "isOnline")]
    pub online: bool,
    /// When it was last seen online; the year 1 when never.
    #[serde(rename = "lastOnline")]
    pub last_online: String,
    /// For how long it was seen offline, in nanoseconds.
    #[serde(rename = "totalDowntime")]
    pub downtime: i64,
}

impl RemoteTarget {
    /// Whether the server knows that it does not reach it.
    pub(super) fn is_offline(&self) -> bool {
        let known = self.downtime > 0
            || !(self.last_online.is_empty() || self.last_online.starts_with("0001-"));
        !self.online && known
    }
}

/// The targets that stay offline, of all or of the one named; `None` where the account may not see
/// them, which needs `admin:GetBucketTarget`, or where no answer came soon: the look is a courtesy,
/// and the run must not wait for it.
pub(super) fn offline<N: Net>(
    net: &mut N,
    client: &mut Client,
    arn: Option<&str>,
) -> Option<Vec<RemoteTarget>> {
    let until = net.now() + PATIENCE;
    loop {
        let mut offline = list(net, client)?;
        offline.retain(|target| target.is_offline() && arn.is_none_or(|arn| target.arn == arn));
        if offline.is_empty() || net.now() >= until || net.stop_requested() {
            return Some(offline);
        }
        pause(net, Duration::from_secs(1));
    }
}

fn list<N: Net>(net: &mut N, client: &mut Client) -> Option<Vec<RemoteTarget>> {
    loop {
        let answer = once(net, client, ANSWER, |net, client| client.remote_targets(net))?;
        match answer.status {
            200 => return serde_json::from_slice(&answer.body).ok(),
            426 if Foreign::of(&answer).is_none() && client.lower_api() => {}
            _ => return None,
        }
    }
}
