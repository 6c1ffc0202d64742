//! What a bucket's own counters say of its replication.
//!
//! A node counts from its start, for each target of the bucket, and an answer adds up all nodes that can be
//! reached: the same from each, within half a second, but for one that was just started and sees the others half a
//! second later. The share of a node that dies is missing at once, and after its start until it has counted anew.
//! One that hangs holds up the answer for 20 seconds, and then its share is missing until it goes on. A rule that is
//! disabled or removed leaves its counters as they are; without any rule there is no answer (404). (All of this
//! observed, as is what follows.)
//!
//! | | just written | triggered |
//! |---|---|---|
//! | object, or one older than the rule | counted | counted |
//! | the same, and it fails | counted as failed | nowhere |
//! | delete marker | nowhere | counted |
//! | delete marker that fails | nowhere | nowhere |
//! | purge of a version, whether that was replicated or not | nowhere | nowhere |
//! | tags of a replicated version | nowhere | nowhere |
//! | version that the target has already | | nowhere |
//!
//! So failures are of others and not read here. What was `FAILED` and fails again leaves no trace in the backlog
//! either: its time stays. With several targets each has its own counters, and a version is counted where it is
//! replicated and nowhere else.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The counters of a bucket, as far as they are used.
#[derive(Debug)]
pub(crate) struct Counters {
    /// Versions replicated, by target. Empty after a restart of the server, until something leaves the queue.
    pub(crate) targets: BTreeMap<String, i128>,
    /// The nodes that have counted, and for how many seconds each is up.
    pub(crate) nodes: BTreeMap<String, u64>,
}

impl Counters {
    /// Reads the server's answer, if it is one.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let Metrics { current, queue } = serde_json::from_slice(body).ok()?;
        let targets = current.targets.into_iter();
        let targets = targets.map(|(arn, target)| (arn, i128::from(target.replicated)));
        let nodes = queue.nodes.into_iter().flatten().map(|node| (node.name, node.uptime));
        Some(Self { targets: targets.collect(), nodes: nodes.collect() })
    }
}

#[derive(Debug, Deserialize)]
struct Metrics {
    #[serde(rename = "currStats")]
    current: Current,
    #[serde(rename = "queueStats", default)]
    queue: Queue,
}

#[derive(Debug, Deserialize)]
struct Current {
    #[serde(rename = "Stats", default)]
    targets: BTreeMap<String, Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    #[serde(rename = "replicationCount", default)]
    replicated: u64,
}

#[derive(Debug, Default, Deserialize)]
struct Queue {
    #[serde(default)]
    nodes: Option<Vec<Node>>,
}

#[derive(Debug, Deserialize)]
struct Node {
    #[serde(rename = "nodeName", default)]
    name: String,
    #[serde(default)]
    uptime: u64,
}
