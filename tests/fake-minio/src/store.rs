//! The versions of the bucket, and which of them are in the backlog.
//!
//! Two kinds live side by side and are listed as one: versions that tests put
//! in one by one, with every property they like, and the computed ones of
//! [`Synthetic`]. A version leaves the backlog when it is triggered, so that a
//! second listing is as short as a real server's.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::answer::S3Error;
use super::clock::Moment;
use super::entry;
use super::synthetic::{Item, Synthetic};
use super::version::{Kind, Status, Version};

/// Versions to start a server with.
#[derive(Debug, Default)]
pub struct Backlog {
    pub(crate) versions: Vec<Version>,
    pub(crate) synthetic: Option<Synthetic>,
}

impl Backlog {
    /// Exactly these versions.
    pub fn of(versions: impl IntoIterator<Item = Version>) -> Self {
        Self { versions: versions.into_iter().collect(), synthetic: None }
    }

    /// `count` computed versions; the same `seed` gives the same ids.
    pub fn synthetic(count: u64, seed: u64) -> Self {
        Self::mixed(count, seed, 0, 0, S3Error::new(500, "InternalError"))
    }

    /// As [`Backlog::synthetic`], with `delete_markers` of them being markers
    /// and `failing` answering `refusal` to every `HEAD`.
    pub fn mixed(
        count: u64,
        seed: u64,
        delete_markers: u64,
        failing: u64,
        refusal: S3Error,
    ) -> Self {
        let synthetic = Synthetic::new(count, seed, delete_markers, failing, refusal);
        Self { versions: Vec::new(), synthetic: Some(synthetic) }
    }
}

/// Size of the buffer that listings are made in to count them.
const COUNTING_BYTES: usize = 64 * 1024;

/// How often each version was triggered, by key and version id.
pub type Triggered = BTreeMap<(String, String), u32>;

/// All versions.
#[derive(Debug)]
pub(crate) struct Store {
    held: Mutex<Held>,
    pub(crate) synthetic: Option<Synthetic>,
    replicates: bool,
    delay: Duration,
}

#[derive(Debug, Default)]
struct Held {
    /// By key, oldest first.
    objects: BTreeMap<String, Vec<Version>>,
    triggered: Triggered,
    /// Triggered and not yet replicated, in the order of their time.
    replicating: VecDeque<(Instant, String, Option<String>)>,
}

/// What a `HEAD` found.
pub(crate) enum Found {
    Held(Box<Version>),
    Synthetic(Item),
    Nothing,
}

/// How far a listing has come.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    prefix: String,
    arn: Option<String>,
    /// Key, and how many of its versions were passed.
    held: Option<(String, usize)>,
    synthetic: u64,
    synthetic_end: u64,
}

impl Store {
    pub(crate) fn new(backlog: Backlog, replicates: bool, delay: Duration) -> Self {
        let store =
            Self { held: Mutex::default(), synthetic: backlog.synthetic, replicates, delay };
        for version in backlog.versions {
            store.push(version);
        }
        store
    }

    /// Adds a version, in place of the one with the same key and id.
    pub(crate) fn push(&self, version: Version) {
        let mut held = self.held();
        let versions = held.objects.entry(version.key.clone()).or_default();
        versions.retain(|other| other.version_id != version.version_id);
        let modified = Moment::parse_rfc3339(&version.last_modified);
        let place = versions
            .partition_point(|other| Moment::parse_rfc3339(&other.last_modified) <= modified);
        versions.insert(place, version);
    }

    /// Takes a version out of the bucket.
    pub(crate) fn remove(&self, key: &str, version_id: Option<&str>) -> Option<Version> {
        let mut held = self.held();
        let versions = held.objects.get_mut(key)?;
        let place = versions.iter().position(|v| v.version_id.as_deref() == version_id)?;
        let version = versions.remove(place);
        if versions.is_empty() {
            held.objects.remove(key);
        }
        Some(version)
    }

    /// The version with this id, or the latest one.
    pub(crate) fn find(&self, key: &str, version_id: Option<&str>) -> Found {
        if let Some(item) = self.synthetic.as_ref().and_then(|s| s.find(key, version_id)) {
            return Found::Synthetic(item);
        }
        let held = self.held();
        let found = held.objects.get(key).and_then(|versions| match version_id {
            Some(id) => versions.iter().find(|version| version.id_text() == id),
            None => versions.last(),
        });
        found.map_or(Found::Nothing, |version| Found::Held(Box::new(version.clone())))
    }

    /// A `HEAD` triggered this version.
    pub(crate) fn trigger(&self, version: &Version) {
        let name = (version.key.clone(), version.id_text().to_owned());
        *self.held().triggered.entry(name).or_default() += 1;
        self.queue(version);
    }

    /// As [`Store::trigger`], for a computed version.
    pub(crate) fn trigger_computed(&self, item: Item) {
        if let Some(synthetic) = &self.synthetic {
            synthetic.trigger(item.number);
        }
    }

    /// Queues a version for replication, which takes place after the delay.
    pub(crate) fn queue(&self, version: &Version) {
        let mut held = self.held();
        if self.replicates && !version.inert {
            let due = Instant::now() + self.delay;
            held.replicating.push_back((due, version.key.clone(), version.version_id.clone()));
        }
        held.replicate();
    }

    /// What a computed version answers, if it is one that always fails.
    pub(crate) fn refusal(&self, item: Item) -> Option<S3Error> {
        let synthetic = self.synthetic.as_ref().filter(|_| item.is_refused)?;
        Some(synthetic.refusal().clone())
    }

    /// What was triggered, computed versions included: for a large backlog a
    /// large answer.
    pub(crate) fn triggered(&self) -> Triggered {
        let mut triggered = self.held().triggered.clone();
        let computed = self.synthetic.iter().flat_map(Synthetic::triggered);
        triggered.extend(computed.map(|name| (name, 1)));
        triggered
    }

    /// How many versions were triggered, and how many triggers came on top.
    pub(crate) fn triggers(&self) -> (u64, u64) {
        let (versions, repeats) = self.synthetic.as_ref().map_or((0, 0), Synthetic::triggers);
        let held = self.held();
        let all: u64 = held.triggered.values().copied().map(u64::from).sum();
        let distinct = held.triggered.len() as u64;
        (versions + distinct, repeats + all - distinct)
    }

    /// How many versions are queued and not yet replicated.
    pub(crate) fn waiting(&self) -> u64 {
        let mut held = self.held();
        held.replicate();
        held.replicating.len() as u64
    }

    /// A listing from the start.
    pub(crate) fn cursor(&self, prefix: &str, arn: Option<&str>) -> Cursor {
        // `/` lists everything: it is stripped as the start of a path.
        let prefix = if prefix == "/" { "" } else { prefix };
        let range = |synthetic: &Synthetic| {
            (synthetic.position(prefix.as_bytes()), synthetic.prefix_end(prefix.as_bytes()))
        };
        let (synthetic, synthetic_end) = self.synthetic.as_ref().map_or((0, 0), range);
        Cursor {
            prefix: prefix.to_owned(),
            arn: arn.map(str::to_owned),
            held: None,
            synthetic,
            synthetic_end,
        }
    }

    /// Appends lines until there are `entries` of them, `out` is longer than
    /// `bytes`, or none is left. Returns how many were appended.
    pub(crate) fn write(
        &self,
        cursor: &mut Cursor,
        entries: u64,
        bytes: usize,
        out: &mut Vec<u8>,
    ) -> u64 {
        let mut held = self.held();
        held.replicate();
        let mut written = 0;
        while written < entries && out.len() < bytes {
            let next = held.next(cursor);
            let bound = match (&self.synthetic, next) {
                (Some(synthetic), Some(version)) => synthetic.position(version.key.as_bytes()),
                (Some(synthetic), None) => synthetic.count(),
                (None, _) => 0,
            };
            let (bound, before) = (bound.min(cursor.synthetic_end), written);
            if let Some(synthetic) = &self.synthetic {
                while written < entries && out.len() < bytes {
                    let due = synthetic.next_due(cursor.synthetic, self.replicates);
                    let Some(number) = due.filter(|number| *number < bound) else { break };
                    synthetic.write(out, number);
                    cursor.synthetic = number + 1;
                    written += 1;
                }
            }
            if written == before {
                let Some(version) = next else { break };
                entry::write(out, version, cursor.arn.as_deref());
                cursor.pass(&version.key);
                written += 1;
            }
        }
        written
    }

    /// How many versions a listing from the start would have.
    pub(crate) fn backlog_len(&self) -> u64 {
        let (mut cursor, mut out, mut count) = (self.cursor("", None), Vec::new(), 0);
        loop {
            out.clear();
            match self.write(&mut cursor, u64::MAX, COUNTING_BYTES, &mut out) {
                0 => return count,
                written => count += written,
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// The next listed version at or after the cursor, which is moved over the
    /// ones that are not.
    fn next(&self, cursor: &mut Cursor) -> Option<&Version> {
        loop {
            let start = match &cursor.held {
                Some((key, _)) => Bound::Included(key.as_str()),
                None => Bound::Included(cursor.prefix.as_str()),
            };
            let passed = |key: &str| match &cursor.held {
                Some((current, passed)) if current == key => *passed,
                _ => 0,
            };
            let (key, version) = self
                .objects
                .range::<str, _>((start, Bound::Unbounded))
                .take_while(|(key, _)| key.starts_with(&cursor.prefix))
                .find_map(|(key, versions)| Some((key, versions.get(passed(key))?)))?;
            if version.listed {
                return Some(version);
            }
            cursor.pass(key);
        }
    }

    /// Lets the versions go whose time has come.
    fn replicate(&mut self) {
        let now = Instant::now();
        while self.replicating.front().is_some_and(|(due, ..)| *due <= now) {
            let Some((_, key, id)) = self.replicating.pop_front() else { return };
            let Some(versions) = self.objects.get_mut(&key) else { continue };
            let Some(place) = versions.iter().position(|v| v.version_id == id) else { continue };
            if versions[place].kind == Kind::Purge {
                versions.remove(place);
            } else {
                versions[place].listed = false;
                versions[place].status = Some(Status::Completed);
            }
        }
    }
}

impl Cursor {
    fn pass(&mut self, key: &str) {
        match &mut self.held {
            Some((current, passed)) if current == key => *passed += 1,
            held => *held = Some((key.to_owned(), 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::version::{Status, Version};
    use super::{Backlog, Found, Store};

    fn store(backlog: Backlog) -> Store {
        Store::new(backlog, true, Duration::ZERO)
    }

    fn keys(store: &Store, prefix: &str) -> Vec<String> {
        let (mut cursor, mut out) = (store.cursor(prefix, None), Vec::new());
        while store.write(&mut cursor, 1, usize::MAX, &mut out) != 0 {}
        let out = String::from_utf8(out).unwrap();
        let object = |line: &str| {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            entry["object"].as_str().unwrap().to_owned()
        };
        out.lines().map(object).collect()
    }

    #[test]
    fn listings_go_by_key_and_then_oldest_first() {
        let newer = Version::put("b").nth(2);
        let store = store(Backlog::of([
            newer.clone(),
            Version::put("c"),
            Version::put("b"),
            Version::put("a"),
        ]));
        assert_eq!(keys(&store, ""), ["a", "b", "b", "c"]);
        assert_eq!(keys(&store, "b"), ["b", "b"]);
        assert_eq!(keys(&store, "/"), ["a", "b", "b", "c"]);
        let Found::Held(latest) = store.find("b", None) else { panic!("not found") };
        assert_eq!(*latest, newer);
    }

    #[test]
    fn held_and_computed_versions_are_one_sorted_listing() {
        let store = store(Backlog::synthetic(3, 1));
        for key in ["aaa", "data/2026/11/24/part-0000000/object-000000001.bin0", "zzz"] {
            store.push(Version::put(key));
        }
        let all = keys(&store, "");
        assert!(all.is_sorted());
        assert_eq!(all.len(), 6);
        assert_eq!(all[3], "data/2026/11/24/part-0000000/object-000000001.bin0");
    }

    #[test]
    fn triggered_versions_leave_and_are_counted() {
        let store =
            store(Backlog::of([Version::put("a"), Version::put("b").inert(), Version::purge("c")]));
        for key in ["a", "b", "b", "c"] {
            let Found::Held(version) = store.find(key, None) else { panic!("not found") };
            store.trigger(&version);
        }
        assert_eq!(keys(&store, ""), ["b"]);
        assert_eq!(store.triggers(), (3, 1));
        assert_eq!(store.triggered()[&("b".into(), Version::put("b").id_text().into())], 2);
        let Found::Held(version) = store.find("a", None) else { panic!("not found") };
        assert_eq!(version.status, Some(Status::Completed));
        assert!(matches!(store.find("c", None), Found::Nothing), "a purge leaves nothing behind");
    }

    #[test]
    fn replication_takes_its_delay() {
        let backlog = Backlog::of([Version::put("a")]);
        let store = Store::new(backlog, true, Duration::from_secs(3600));
        store.trigger(&Version::put("a"));
        assert_eq!((keys(&store, ""), store.waiting()), (vec!["a".to_owned()], 1));
    }
}
