//! The replication targets of the bucket, where the account may see them.
//!
//! A HEAD of a version whose target is offline is answered 200 and queues nothing. So the targets
//! are looked at first. `isOnline` turns true up to 5 s after a target has returned, so it is given
//! some time. It is also false for a target to which a restarted server has not replicated yet,
//! however well it is; that one has never been seen online nor offline, and says nothing (observed).

use crate::wire::exchange::{once, pause};
use crate::wire::{Client, Foreign, Instant, Net};
use serde::Deserialize;
use std::time::Duration;

/// How long an offline target is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long all targets have to be offline for nothing to be waited for any more. One that is restarted is back
/// sooner.
const GIVEN_UP: Duration = Duration::from_secs(60);

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

/// The targets that stay offline, of all or of the one named, and how many do not; `None` where the account may
/// not see them, which needs `admin:GetBucketTarget`, or where no answer came soon: the look is a courtesy,
/// and the run must not wait for it.
pub(super) fn offline<N: Net>(
    net: &mut N,
    client: &mut Client,
    arn: Option<&str>,
) -> Option<(Vec<RemoteTarget>, usize)> {
    let until = net.now() + PATIENCE;
    loop {
        let mut offline = list(net, client)?;
        offline.retain(|target| arn.is_none_or(|arn| target.arn == arn));
        let all = offline.len();
        offline.retain(RemoteTarget::is_offline);
        if offline.is_empty() || net.now() >= until || net.stop_requested() {
            let online = all - offline.len();
            return Some((offline, online));
        }
        pause(net, Duration::from_secs(1));
    }
}

/// Whether it is in vain to wait, because nothing that is waited for can be replicated.
#[derive(Debug, Default)]
pub(super) struct Absence(Option<Instant>);

impl Absence {
    /// Whether that was so when it was last looked at.
    pub(super) fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Whether it lasts.
    pub(super) fn lasts(&self, now: Instant) -> bool {
        self.0.is_some_and(|since| now >= since + GIVEN_UP)
    }

    /// Looks whether all of these targets are offline; all of the bucket's where it is not known which wait. Returns
    /// those that are.
    pub(super) fn look<N: Net>(
        &mut self,
        net: &mut N,
        client: &mut Client,
        arn: Option<&str>,
        waiting: &[&str],
    ) -> Vec<RemoteTarget> {
        let began = net.now();
        let (offline, online) = offline(net, client, arn).unwrap_or_default();
        let all = !offline.is_empty()
            && if waiting.is_empty() {
                online == 0
            } else {
                waiting.iter().all(|arn| offline.iter().any(|target| target.arn == **arn))
            };
        self.0 = all.then(|| self.0.unwrap_or(began));
        offline
    }
}

fn list<N: Net>(net: &mut N, client: &mut Client) -> Option<Vec<RemoteTarget>> {
    loop {
        let answer = once(net, client, ANSWER, |net, client| client.remote_targets(net)).ok()?;
        match answer.status {
            200 => return serde_json::from_slice(&answer.body).ok(),
            426 if Foreign::of(&answer).is_none() && client.lower_api() => {}
            _ => return None,
        }
    }
}
