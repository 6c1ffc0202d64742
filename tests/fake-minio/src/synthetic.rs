//! A backlog of any size that is computed, not stored.
//!
//! Ten million versions would take gigabytes and the machine that measures a
//! client has none to spare. Key, version id and times follow from a number;
//! what is kept is one bit a version, whether it was triggered.

use std::sync::atomic::{AtomicU64, Ordering};

use super::answer::S3Error;
use super::entry;
use super::version::{Kind, Version, mix, write_uuid};

/// Objects in one `part-…` directory.
const OBJECTS_A_PART: u64 = 1000;

/// Zeroes stand where the digits of the number go. The digits have a fixed
/// width, so that keys sort as numbers do.
const KEY: &str = "data/2026/11/24/part-0000000/object-000000000.bin";
const PART_DIGITS: std::ops::Range<usize> = 21..28;
const OBJECT_DIGITS: std::ops::Range<usize> = 36..45;

/// Nanoseconds follow from the number too; the last digit is a 1, since Go
/// would drop a zero.
const MODIFIED: &str = "2026-11-24T08:28:26.000000001Z";
const NANO_DIGITS: std::ops::Range<usize> = 20..28;

/// The largest backlog, from the width of the digits.
const MAX_COUNT: u64 = 1_000_000_000;

/// A computed backlog.
#[derive(Debug)]
pub(crate) struct Synthetic {
    count: u64,
    seed: u64,
    delete_markers: u64,
    failing: u64,
    refusal: S3Error,
    /// Bit `n % 64` of word `n / 64`: version `n` was triggered.
    triggered: Vec<AtomicU64>,
    repeats: AtomicU64,
    object: Template,
    marker: Template,
}

/// A version of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub(crate) number: u64,
    pub(crate) version_id: [u8; 36],
    pub(crate) is_marker: bool,
    pub(crate) is_refused: bool,
}

/// A line of the listing with the places where numbers go.
#[derive(Debug)]
struct Template {
    line: Vec<u8>,
    key: usize,
    version_id: usize,
    tried: usize,
    modified: usize,
}

impl Synthetic {
    /// `count` versions, of which `delete_markers` are markers and `failing`
    /// answer `refusal` to every `HEAD`, both spread evenly.
    pub(crate) fn new(
        count: u64,
        seed: u64,
        delete_markers: u64,
        failing: u64,
        refusal: S3Error,
    ) -> Self {
        assert!(count <= MAX_COUNT, "a synthetic backlog has at most {MAX_COUNT} versions");
        let words = usize::try_from(count.div_ceil(64)).expect("the bound is small");
        Self {
            count,
            seed,
            delete_markers: delete_markers.min(count),
            failing: failing.min(count),
            refusal,
            triggered: std::iter::repeat_with(AtomicU64::default).take(words).collect(),
            repeats: AtomicU64::new(0),
            object: Template::new(Kind::Put),
            marker: Template::new(Kind::DeleteMarker),
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn refusal(&self) -> &S3Error {
        &self.refusal
    }

    /// The first number from `from` on that is still to be listed. Words
    /// without such a bit are passed at once, or a second listing of a large
    /// backlog would take as long as the first.
    pub(crate) fn next_due(&self, from: u64, skip_triggered: bool) -> Option<u64> {
        if !skip_triggered {
            return (from < self.count).then_some(from);
        }
        let mut number = from;
        while number < self.count {
            let due = !self.word(number).load(Ordering::Relaxed) >> (number % 64);
            if due != 0 {
                let number = number + u64::from(due.trailing_zeros());
                return (number < self.count).then_some(number);
            }
            number = (number / 64 + 1) * 64;
        }
        None
    }

    /// Appends the line of version `number`.
    pub(crate) fn write(&self, out: &mut Vec<u8>, number: u64) {
        let template = if self.is_marker(number) { &self.marker } else { &self.object };
        let start = out.len();
        out.extend_from_slice(&template.line);
        let line = &mut out[start..];
        write_key(&mut line[template.key..], number);
        let id = &mut line[template.version_id..][..36];
        write_uuid(id.try_into().expect("36 bytes"), self.id_bits(number));
        for time in [template.tried, template.modified] {
            write_digits(&mut line[time..][NANO_DIGITS], number);
        }
    }

    /// The number at which keys from `key` on begin.
    pub(crate) fn position(&self, key: &[u8]) -> u64 {
        self.partition_point(|own| own < key)
    }

    /// The number after the last key that starts with `prefix`.
    pub(crate) fn prefix_end(&self, prefix: &[u8]) -> u64 {
        self.partition_point(|own| own < prefix || own.starts_with(prefix))
    }

    /// The version with this key and, if given, this id.
    pub(crate) fn find(&self, key: &str, version_id: Option<&str>) -> Option<Item> {
        let digits = key.as_bytes().get(OBJECT_DIGITS)?;
        let number = std::str::from_utf8(digits).ok()?.parse().ok().filter(|n| *n < self.count)?;
        let item = self.item(number);
        let same_key = key_of(number) == *key.as_bytes();
        let same_id = version_id.is_none_or(|id| item.version_id == *id.as_bytes());
        (same_key && same_id).then_some(item)
    }

    /// Notes that the version was triggered.
    pub(crate) fn trigger(&self, number: u64) {
        let bit = 1 << (number % 64);
        if self.word(number).fetch_or(bit, Ordering::Relaxed) & bit != 0 {
            self.repeats.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many versions were triggered, and how many triggers came on top.
    pub(crate) fn triggers(&self) -> (u64, u64) {
        let bits = |word: &AtomicU64| u64::from(word.load(Ordering::Relaxed).count_ones());
        (self.triggered.iter().map(bits).sum(), self.repeats.load(Ordering::Relaxed))
    }

    /// Key and id of every triggered version.
    pub(crate) fn triggered(&self) -> impl Iterator<Item = (String, String)> {
        let is_triggered =
            |number: &u64| self.word(*number).load(Ordering::Relaxed) >> (number % 64) & 1 == 1;
        (0..self.count).filter(is_triggered).map(|number| {
            let id = self.item(number).version_id;
            (text(&key_of(number)), text(&id))
        })
    }

    fn item(&self, number: u64) -> Item {
        let mut version_id = [0; 36];
        write_uuid(&mut version_id, self.id_bits(number));
        // Counted from the other end, so that markers and failures seldom meet.
        let is_refused = is_chosen(self.count - 1 - number, self.failing, self.count);
        Item { number, version_id, is_marker: self.is_marker(number), is_refused }
    }

    fn is_marker(&self, number: u64) -> bool {
        is_chosen(number, self.delete_markers, self.count)
    }

    fn id_bits(&self, number: u64) -> u128 {
        let high = mix(self.seed ^ number);
        u128::from(high) << 64 | u128::from(mix(high))
    }

    fn word(&self, number: u64) -> &AtomicU64 {
        &self.triggered[(number / 64) as usize]
    }

    fn partition_point(&self, is_before: impl Fn(&[u8]) -> bool) -> u64 {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(&key_of(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

impl Template {
    fn new(kind: Kind) -> Self {
        let version = Version {
            kind,
            repl_timestamp: MODIFIED.to_owned(),
            last_modified: MODIFIED.to_owned(),
            ..Version::put(KEY)
        };
        let mut line = Vec::new();
        entry::write(&mut line, &version, None);
        let find = |what: &str| {
            let found = line.windows(what.len()).position(|window| window == what.as_bytes());
            found.expect("the line was written from it")
        };
        let tried = find(MODIFIED);
        Self {
            key: find(KEY),
            version_id: find(version.id_text()),
            tried,
            modified: tried + MODIFIED.len() + "\",\"lastModified\":\"".len(),
            line,
        }
    }
}

/// The size in bytes that a `HEAD` of version `number` tells.
pub(crate) fn size(number: u64) -> u64 {
    number % 65_536
}

fn key_of(number: u64) -> [u8; KEY.len()] {
    let mut key: [u8; KEY.len()] = KEY.as_bytes().try_into().expect("same length");
    write_key(&mut key, number);
    key
}

fn write_key(key: &mut [u8], number: u64) {
    write_digits(&mut key[PART_DIGITS], number / OBJECTS_A_PART);
    write_digits(&mut key[OBJECT_DIGITS], number);
}

/// Overwrites all of `digits` with the last digits of `number`.
fn write_digits(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Whether `number` is one of `chosen` that are spread evenly over `count`.
fn is_chosen(number: u64, chosen: u64, count: u64) -> bool {
    chosen != 0 && (number + 1) * chosen / count != number * chosen / count
}

fn text(ascii: &[u8]) -> String {
    String::from_utf8_lossy(ascii).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::answer::S3Error;
    use super::{Synthetic, key_of};

    fn backlog(count: u64, markers: u64, failing: u64) -> Synthetic {
        Synthetic::new(count, 7, markers, failing, S3Error::new(500, "InternalError"))
    }

    fn line(backlog: &Synthetic, number: u64) -> serde_json::Value {
        let mut out = Vec::new();
        backlog.write(&mut out, number);
        assert_eq!(out.pop(), Some(b'\n'));
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn lines_are_what_head_finds() {
        let backlog = backlog(5000, 5, 3);
        let entry = line(&backlog, 4242);
        assert_eq!(entry["object"], "data/2026/11/24/part-0000004/object-000004242.bin");
        assert_eq!(entry["lastModified"], "2026-11-24T08:28:26.000042421Z");
        assert_eq!(entry["replTimestamp"], entry["lastModified"]);
        let id = entry["versionId"].as_str().unwrap();
        let key = entry["object"].as_str().unwrap();
        assert_eq!(backlog.find(key, Some(id)).unwrap().number, 4242);
        assert_eq!(backlog.find(key, None).unwrap().number, 4242);
        assert!(backlog.find(key, Some("null")).is_none());
        assert!(backlog.find("data/2026/11/24/part-0000005/object-000004242.bin", None).is_none());
        assert!(backlog.find("data/2026/11/24/part-0000005/object-000005000.bin", None).is_none());
        assert!(backlog.find("x", None).is_none());
    }

    #[test]
    fn the_asked_number_of_markers_and_failures_is_spread() {
        let backlog = backlog(1000, 7, 13);
        let items: Vec<_> = (0..1000).map(|number| backlog.item(number)).collect();
        assert_eq!(items.iter().filter(|item| item.is_marker).count(), 7);
        assert_eq!(items.iter().filter(|item| item.is_refused).count(), 13);
        let marker = items.iter().find(|item| item.is_marker).unwrap();
        assert_eq!(line(&backlog, marker.number)["deletemarker"], true);
    }

    #[test]
    fn triggered_versions_are_passed_over() {
        let backlog = backlog(200, 0, 0);
        for number in (0..130).chain([131, 199]) {
            backlog.trigger(number);
        }
        backlog.trigger(0);
        assert_eq!(backlog.next_due(0, true), Some(130));
        assert_eq!(backlog.next_due(131, true), Some(132));
        assert_eq!(backlog.next_due(199, true), None);
        assert_eq!(backlog.next_due(199, false), Some(199));
        assert_eq!(backlog.next_due(200, false), None);
        assert_eq!(backlog.triggers(), (132, 1));
        assert_eq!(backlog.triggered().count(), 132);
    }

    #[test]
    fn prefixes_are_found_by_their_place() {
        let backlog = backlog(10_000, 0, 0);
        let prefix = b"data/2026/11/24/part-0000003/";
        assert_eq!((backlog.position(prefix), backlog.prefix_end(prefix)), (3000, 4000));
        assert_eq!((backlog.position(b""), backlog.prefix_end(b"")), (0, 10_000));
        assert_eq!((backlog.position(b"e"), backlog.prefix_end(b"e")), (10_000, 10_000));
        assert_eq!(backlog.position(&key_of(77)), 77);
    }
}
