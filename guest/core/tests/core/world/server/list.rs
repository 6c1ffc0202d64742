//! The replication diff, as this server lists it.

use super::{Fate, Method, Replication, Server, Version, decode};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// When the backlog got stuck.
const STUCK: &str = "2026-11-24T08:28:30Z";

/// An entry of the listing.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    object: &'a str,
    version_id: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    targets: BTreeMap<&'a str, Target<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    r_status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    d_status: Option<&'a str>,
    repl_timestamp: String,
    last_modified: &'a str,
    #[serde(rename = "deletemarker")]
    delete_marker: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Target<'a> {
    r_status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dr_status: Option<&'a str>,
}

impl Server {
    /// The backlog, filtered as a server does: by prefix, and not by ARN (observed).
    pub(super) fn list(&self, query: &str, now: Duration, unix: u64) -> Vec<u8> {
        let parameters: HashMap<&str, String> = query
            .split('&')
            .filter_map(|p| p.split_once('='))
            .map(|(n, v)| (n, decode(v)))
            .collect();
        assert_eq!(parameters["bucket"], "bucket");
        let prefix = parameters.get("prefix").map(String::as_str).unwrap_or_default();
        // The blanks that keep a connection alive.
        let mut body = b"  ".to_vec();
        let shown = |v: &&Version| v.listed && v.name.0.starts_with(prefix);
        for version in self.in_turn().filter(shown) {
            if let Some(entry) = self.entry(version, now, unix) {
                serde_json::to_writer(&mut body, &entry).expect("JSON");
                body.push(b'\n');
            }
        }
        body
    }

    /// The versions in the order of this listing.
    fn in_turn(&self) -> impl Iterator<Item = &Version> {
        let listing = self.asked(Method::Post).count();
        let place = |key: &str| key.bytes().fold(7_usize, |h, b| h.wrapping_mul(31) + b as usize);
        let mut random = listing.wrapping_mul(0x9E37_79B9) | 1;
        let mut draw = move |below: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let mut all = Vec::with_capacity(self.versions.len());
        for pool in 0..self.pools {
            let mut sets: Vec<std::collections::VecDeque<&Version>> =
                vec![Default::default(); self.sets];
            for version in &self.versions {
                let place = place(&version.name.0);
                if place % self.pools == pool {
                    sets[place / self.pools % self.sets].push_back(version);
                }
            }
            if self.lame.contains(&listing) {
                let half = sets[0].len() / 2;
                sets[0].truncate(half);
            }
            while sets.iter().any(|set| !set.is_empty()) {
                let set = draw(self.sets);
                all.extend(sets[set].pop_front());
            }
        }
        all.into_iter()
    }

    /// The entry of a version, if it is still in the backlog.
    fn entry<'a>(&self, version: &'a Version, now: Duration, unix: u64) -> Option<Entry<'a>> {
        let gone = matches!(version.fate, Fate::Gone | Fate::Elsewhere);
        if gone && self.looked_for.contains(&version.name) {
            return None;
        }
        if self.is_replicated(version, now) {
            return None;
        }
        let queued = self.queued.get(&version.name).map_or(&[][..], Vec::as_slice);
        let replication = version.replication.unwrap_or(self.replication);
        let repl_timestamp = match (queued, replication) {
            // At once when it was queued.
            ([.., at], Replication::Fails) => {
                let origin = unix.saturating_add_signed(self.ahead) - now.as_secs();
                rfc3339(Duration::from_secs(origin) + *at)
            }
            _ => STUCK.to_owned(),
        };
        let pending = (version.fate == Fate::Purge).then_some("PENDING");
        let tried = !queued.is_empty() && replication == Replication::Fails;
        let r_status = match tried {
            _ if version.targets.is_empty() => "",
            true => "FAILED",
            false => version.status,
        };
        let target = |arn: &&'static str| {
            let own = version.status_at.filter(|(at, _)| at == arn && !tried);
            let r_status = own.map_or(r_status, |(_, status)| status);
            (*arn, Target { r_status, dr_status: pending })
        };
        Some(Entry {
            object: &version.name.0,
            version_id: &version.name.1,
            targets: version
                .targets
                .iter()
                .filter(|arn| self.queued.is_empty() || !self.replicated_to.contains(arn))
                .map(target)
                .collect(),
            r_status,
            d_status: pending,
            repl_timestamp,
            last_modified: version.modified,
            delete_marker: matches!(version.fate, Fate::Marker | Fate::Purge),
        })
    }

    /// Whether a version that was queued has been replicated by now.
    pub(super) fn is_replicated(&self, version: &Version, now: Duration) -> bool {
        let due = self.due.get(&version.name);
        if due.is_some_and(|due| *due <= now && !self.queue.ignores) {
            return true;
        }
        let queued = self.queued.get(&version.name).map_or(&[][..], Vec::as_slice);
        match (queued, version.replication.unwrap_or(self.replication)) {
            ([.., at], Replication::After(time)) => now >= *at + time,
            (times, Replication::OnceQueued(often)) => times.len() >= often,
            _ => false,
        }
    }
}

fn rfc3339(unix: Duration) -> String {
    let nanos = unix.as_nanos().try_into().expect("a time");
    let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).expect("a time");
    at.format(&Rfc3339).expect("a time")
}
