//! The versions below one prefix, by kind and age.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Where one age ends and the next begins, in nanoseconds: an hour, a day, a week.
const AGES: [i128; 3] = [3_600_000_000_000, 86_400_000_000_000, 604_800_000_000_000];

/// The number of the versions without a time that can be read, which follow on the ages.
pub(super) const UNDATED: usize = AGES.len() + 1;

/// What counts of a version.
#[derive(Debug)]
pub(super) struct Seen {
    kind: usize,
    /// A number below [`UNDATED`], or that.
    age: usize,
    /// When it was last modified, in nanoseconds since 1970.
    time: Option<i128>,
}

impl Seen {
    /// One of this kind and time, seen from the beginning of the run. Go's zero time is the year 1 and
    /// means that there is none.
    pub(super) fn new(kind: usize, time: Option<i128>, began: i128) -> Self {
        let time = time.filter(|time| *time > 0);
        let age = time.map_or(UNDATED, |time| AGES.partition_point(|end| *end <= began - time));
        Self { kind, age, time }
    }
}

/// The versions of one kind below one prefix.
#[derive(Debug, Default)]
pub(super) struct Cell {
    pub(super) kind: usize,
    pub(super) versions: u64,
    /// Under an hour, a day, a week, older, undated; each version once.
    pub(super) ages: [u64; UNDATED + 1],
    /// When the oldest and the newest were last modified.
    pub(super) times: Option<(i128, i128)>,
}

impl Cell {
    fn merge(&mut self, other: &Self) {
        self.versions += other.versions;
        for (sum, part) in self.ages.iter_mut().zip(other.ages) {
            *sum += part;
        }
        self.times = match (self.times, other.times) {
            (Some((oldest, newest)), Some((old, new))) => Some((oldest.min(old), newest.max(new))),
            (one, other) => one.or(other),
        };
    }
}

/// The versions below one prefix.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) versions: u64,
    /// Few, so they are looked through.
    pub(super) cells: Vec<Cell>,
}

impl Row {
    pub(super) fn add(&mut self, seen: &Seen) {
        let mut ages = [0; UNDATED + 1];
        if let Some(count) = ages.get_mut(seen.age) {
            *count = 1;
        }
        let times = seen.time.map(|time| (time, time));
        self.count(&Cell { kind: seen.kind, versions: 1, ages, times });
    }

    /// The kinds, the largest first, and of equal ones that which was seen first.
    pub(super) fn ranked(&self) -> impl Iterator<Item = &Cell> {
        let places = ranking(self.cells.iter().map(|cell| cell.versions));
        places.into_iter().filter_map(|place| self.cells.get(place))
    }

    pub(super) fn merge(&mut self, other: &Self) {
        other.cells.iter().for_each(|cell| self.count(cell));
    }

    fn count(&mut self, part: &Cell) {
        self.versions += part.versions;
        match self.cells.iter_mut().find(|cell| cell.kind == part.kind) {
            Some(cell) => cell.merge(part),
            None => {
                let mut cell = Cell { kind: part.kind, ..Cell::default() };
                cell.merge(part);
                self.cells.push(cell);
            }
        }
    }
}

/// The places of these sizes, the largest first, and of equal ones the first. A heap, because every type
/// that a slice is sorted of costs the component 5 KB.
pub(super) fn ranking(sizes: impl Iterator<Item = u64>) -> Vec<usize> {
    let places = sizes.enumerate().map(|(place, size)| (Reverse(size), place));
    let sorted = places.collect::<BinaryHeap<_>>().into_sorted_vec();
    sorted.into_iter().map(|(_, place)| place).collect()
}
