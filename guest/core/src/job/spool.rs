//! The queue between the reader of the listing and the triggers.
//!
//! The server cuts a listing whose reader is slower than about 90 KB/s, and a rate limit makes the
//! triggers slower than that. So the listing is read at full speed into this queue, and in small steps once
//! that is full. It is compact, because a backlog has millions of versions: names come sorted, so each is stored as what
//! differs from the one before, and a version id as 16 bytes. An entry of 350 bytes on the wire
//! takes about 25 here, so 64 MiB hold two and a half million.

use crate::listing::{Item, Modified};
use crate::wire::VersionId;
use std::collections::VecDeque;

/// Bytes per block. Blocks are freed as they are read, so this is the granularity of memory.
pub(super) const BLOCK: usize = 64 * 1024;

const DELETE_MARKER: u8 = 1;
const VERSION_UUID: u8 = 2;
const VERSION_OTHER: u8 = 4;
const MODIFIED_TEXT: u8 = 8;
const MODIFIED_NANOS: u8 = 16;
const SHAPED: u8 = 32;
const VERSION_LATEST: u8 = 64;

/// A first-in first-out queue of items, encoded.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    blocks: VecDeque<Vec<u8>>,
    /// Read position in the first block.
    at: usize,
    len: usize,
    used: usize,
    last_in: Neighbour,
    last_out: Neighbour,
    scratch: Vec<u8>,
    times: bool,
    /// The oldest item, taken out to be looked at.
    front: Option<Item>,
}

/// What the next item is encoded against.
#[derive(Debug, Default)]
struct Neighbour {
    key: String,
    seconds: i64,
}

impl Spool {
    /// An empty spool. Only with `times` are modification times kept, six bytes each, which only
    /// copies and JSON lines need.
    pub(crate) fn new(times: bool) -> Self {
        Self { times, ..Self::default() }
    }

    /// Items inside.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is inside.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that the items take. The blocks take up to two more of them.
    pub(crate) fn used(&self) -> usize {
        self.used
    }

    /// Appends an item.
    pub(crate) fn push(&mut self, item: &Item) {
        let mut record = std::mem::take(&mut self.scratch);
        record.clear();
        let modified = item.modified.compact();
        let flags = (u8::from(item.delete_marker) * DELETE_MARKER)
            | match item.version {
                VersionId::Null => 0,
                VersionId::Latest => VERSION_LATEST,
                VersionId::Uuid(_) => VERSION_UUID,
                VersionId::Other(_) => VERSION_OTHER,
            }
            | match *modified {
                _ if !self.times => 0,
                Modified::Nanos(_) => MODIFIED_NANOS,
                Modified::Text(_) => MODIFIED_TEXT,
            }
            | if item.statuses == 0 { 0 } else { SHAPED };
        record.push(flags);
        let shared = common_prefix(&self.last_in.key, &item.key);
        put_number(&mut record, shared as u64);
        put_bytes(&mut record, item.key.as_bytes().get(shared..).unwrap_or_default());
        match &item.version {
            VersionId::Null | VersionId::Latest => {}
            VersionId::Uuid(uuid) => record.extend_from_slice(uuid),
            VersionId::Other(text) => put_bytes(&mut record, text.as_bytes()),
        }
        match &*modified {
            _ if !self.times => {}
            Modified::Text(text) => put_bytes(&mut record, text.as_bytes()),
            Modified::Nanos(nanos) => {
                let (seconds, fraction) = split_nanos(*nanos);
                put_number(&mut record, zigzag(seconds.wrapping_sub(self.last_in.seconds)));
                record.extend_from_slice(&fraction.to_le_bytes());
                self.last_in.seconds = seconds;
            }
        }
        if item.statuses != 0 {
            put_number(&mut record, u64::from(item.statuses));
        }
        self.last_in.key.truncate(shared);
        self.last_in.key.push_str(item.key.get(shared..).unwrap_or_default());

        if self.blocks.back().is_none_or(|block| block.len() + record.len() > block.capacity()) {
            self.blocks.push_back(Vec::with_capacity(BLOCK.max(record.len())));
        }
        if let Some(block) = self.blocks.back_mut() {
            block.extend_from_slice(&record);
        }
        self.used += record.len();
        self.len += 1;
        self.scratch = record;
    }

    /// Makes [`Spool::front`] show the oldest item.
    pub(super) fn prepare(&mut self) {
        if self.front.is_none() {
            self.front = self.decode();
        }
    }

    /// The oldest item, once it is prepared.
    pub(super) fn front(&self) -> Option<&Item> {
        self.front.as_ref()
    }

    /// Takes the oldest item.
    pub(super) fn pop(&mut self) -> Option<Item> {
        let item = self.front.take().or_else(|| self.decode())?;
        self.len -= 1;
        Some(item)
    }

    fn decode(&mut self) -> Option<Item> {
        while self.blocks.front().is_some_and(|block| self.at == block.len()) {
            self.blocks.pop_front();
            self.at = 0;
        }
        let block = self.blocks.front()?;
        let mut read = Cursor { bytes: block.get(self.at..)? };
        let flags = read.byte()?;
        let shared = usize::try_from(read.number()?).ok()?;
        let suffix = read.text()?;
        let mut key = String::with_capacity(shared + suffix.len());
        key.push_str(self.last_out.key.get(..shared)?);
        key.push_str(suffix);
        let version = if flags & VERSION_UUID != 0 {
            VersionId::Uuid(*read.array()?)
        } else if flags & VERSION_OTHER != 0 {
            VersionId::Other(read.text()?.into())
        } else if flags & VERSION_LATEST != 0 {
            VersionId::Latest
        } else {
            VersionId::Null
        };
        let mut seconds = self.last_out.seconds;
        let modified = if flags & MODIFIED_TEXT != 0 {
            Modified::Text(read.text()?.into())
        } else if flags & MODIFIED_NANOS == 0 {
            Modified::Text("".into())
        } else {
            seconds = seconds.wrapping_add(unzigzag(read.number()?));
            let fraction = u32::from_le_bytes(*read.array()?);
            Modified::Nanos(i128::from(seconds) * 1_000_000_000 + i128::from(fraction))
        };
        let statuses = if flags & SHAPED == 0 { 0 } else { u32::try_from(read.number()?).ok()? };
        let at = block.len() - read.bytes.len();
        self.used -= at - self.at;
        self.at = at;
        self.last_out.key.truncate(shared);
        self.last_out.key.push_str(key.get(shared..)?);
        self.last_out.seconds = seconds;
        Some(Item { key, version, modified, delete_marker: flags & DELETE_MARKER != 0, statuses })
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.bytes.split_at_checked(count)?;
        self.bytes = tail;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| *byte)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'a str> {
        let count = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.take(count)?).ok()
    }
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or(0));
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Length of the common beginning, at a character boundary of both.
fn common_prefix(a: &str, b: &str) -> usize {
    let mut shared = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    while !b.is_char_boundary(shared) || !a.is_char_boundary(shared) {
        shared -= 1;
    }
    shared
}

fn split_nanos(nanos: i128) -> (i64, u32) {
    let seconds = nanos.div_euclid(1_000_000_000);
    let fraction = nanos.rem_euclid(1_000_000_000);
    (i64::try_from(seconds).unwrap_or(0), u32::try_from(fraction).unwrap_or(0))
}

/// Small magnitudes of either sign become small numbers.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn item() -> impl Strategy<Value = Item> {
        let version = prop_oneof![
            Just(VersionId::Null),
            Just(VersionId::Latest),
            any::<[u8; 16]>().prop_map(VersionId::Uuid),
            "\\PC{1,50}".prop_map(|text| VersionId::Other(text.into())),
        ];
        let modified = prop_oneof![
            (-62_135_596_800_000_000_000i128..253_402_300_799_000_000_000)
                .prop_map(Modified::Nanos),
            "\\PC{0,40}".prop_map(|text| Modified::Text(text.into())),
        ];
        ("(data/|é/|😀){0,3}\\PC{1,30}", version, modified, any::<bool>(), 0u32..70_000).prop_map(
            |(key, version, modified, delete_marker, statuses)| Item {
                key,
                version,
                modified,
                delete_marker,
                statuses,
            },
        )
    }

    fn compact(item: Item) -> Item {
        Item { modified: item.modified.compact().into_owned(), ..item }
    }

    proptest! {
        #[test]
        fn it_behaves_as_a_queue(actions in proptest::collection::vec(proptest::option::of(item()), 0..300)) {
            let (mut spool, mut model) = (Spool::new(true), VecDeque::new());
            for action in actions {
                match action {
                    Some(item) => { spool.push(&item); model.push_back(item); }
                    None => {
                        if spool.len() % 3 > 0 {
                            spool.prepare();
                            prop_assert_eq!(spool.front().cloned(), model.front().cloned().map(compact));
                        }
                        prop_assert_eq!(spool.pop(), model.pop_front().map(compact));
                    }
                }
                prop_assert_eq!(spool.len(), model.len());
            }
            while let Some(expected) = model.pop_front() {
                prop_assert_eq!(spool.pop(), Some(compact(expected)));
            }
            prop_assert!(spool.is_empty() && spool.pop().is_none());
        }
    }

    #[test]
    fn a_typical_entry_takes_under_26_bytes_and_memory_is_given_back() {
        let mut spool = Spool::new(false);
        let entries = 100_000u32;
        for n in 0..entries {
            let mut uuid = [7u8; 16];
            uuid[..4].copy_from_slice(&n.to_be_bytes());
            spool.push(&Item {
                key: format!("data/2026/11/24/part-{:07}/object-{n:09}.bin", n / 1000),
                version: VersionId::Uuid(uuid),
                modified: Modified::Nanos(1_795_000_000_000_000_000 + i128::from(n) * 7_000_001),
                delete_marker: false,
                statuses: 0,
            });
        }
        assert!(
            spool.used() < entries as usize * 26,
            "{} bytes each",
            spool.used() / entries as usize
        );
        for n in 0..entries {
            assert!(spool.pop().unwrap().key.ends_with(&format!("{n:09}.bin")));
        }
        assert_eq!((spool.used(), spool.blocks.len()), (0, 1));
    }
}
