//! `--summary`: a dry run summed up by prefix, in memory that does not grow with the backlog.
//!
//! Names come sorted, so a prefix is finished when a name comes that does not begin with it. When there
//! are too many rows, the smallest finished ones go into the others. They could not have become one of the
//! largest again, so the largest are exact, although no more than twice as many are ever kept. Ten million
//! versions below ten thousand prefixes took wasmtime 43 MiB.
//!
//! A cluster older than RELEASE.2024-05-07 does not list in order, and neither do two listings one after
//! the other. A prefix whose row is gone may come again there, and its new row lacks what the others have.
//! That is said. What all rows add up to is the backlog in any order.

mod kinds;
mod print;
mod row;

use crate::command::args::Args;
use crate::listing::{Item, Modified, Statuses};
use crate::wire::timestamp;
use kinds::Kinds;
pub(super) use print::Table;
use row::{Row, Seen, ranking};
use std::ops::RangeInclusive;

/// What DEPTH may be. A key has at most 1,024 bytes and no two `/` in a row, so none has more levels.
pub(super) const DEPTH_RANGE: RangeInclusive<usize> = 0..=512;

/// Rows shown at most, which is more than anyone reads. Twice as many take some 500 KB, and 25 MB where each
/// has all the kinds that are told apart.
const ROWS: usize = 1_000;

/// Bytes of a prefix that are kept: all of them, from a server that keeps to the limit of keys.
const MAX_PREFIX: usize = 1_024;

/// A dry run as it is summed up.
pub(super) struct Breakdown {
    depth: usize,
    /// The prefix of TARGET, below which levels are counted.
    base: String,
    rate: Option<f64>,
    /// When the run began, in nanoseconds since 1970.
    began: i128,
    kinds: Kinds,
    all: Row,
    /// By name. In order, a new one is the last, but for a few.
    rows: Vec<(String, Row)>,
    others: Row,
    /// The last name.
    last: String,
    ordered: bool,
    /// Whether a row went into the others while versions still came.
    thinned: bool,
}

impl Breakdown {
    /// One of a run that begins at this Unix time, where the arguments ask for it.
    pub(super) fn of(args: &Args, began: u64) -> Option<Self> {
        let depth = args.summary?;
        Some(Self {
            depth,
            base: args.target.prefix.clone(),
            rate: args.rate_limit,
            began: i128::from(began) * 1_000_000_000,
            kinds: Kinds::default(),
            all: Row::default(),
            rows: Vec::new(),
            others: Row::default(),
            last: String::new(),
            ordered: true,
            thinned: false,
        })
    }

    /// Counts a version.
    pub(super) fn add(&mut self, item: &Item, statuses: &Statuses) {
        let time = match &item.modified {
            Modified::Text(text) => timestamp::parse_rfc3339(text),
            Modified::Nanos(nanos) => Some(*nanos),
        };
        let seen = Seen::new(self.kinds.number(item, statuses), time, self.began);
        self.ordered &= self.last <= item.key;
        self.last.clone_from(&item.key);
        self.all.add(&seen);
        let prefix = self.prefix(&item.key);
        let mut place = self.place(prefix);
        if place.is_err() && self.rows.len() >= 2 * ROWS {
            self.thin_out(&item.key);
            place = self.place(prefix);
        }
        let at = place.unwrap_or_else(|at| {
            self.rows.insert(at, (prefix.to_owned(), Row::default()));
            at
        });
        if let Some((_, row)) = self.rows.get_mut(at) {
            row.add(&seen);
        }
    }

    /// Where the row of a prefix is, or where it belongs.
    fn place(&self, prefix: &str) -> Result<usize, usize> {
        self.rows.binary_search_by(|(known, _)| known.as_str().cmp(prefix))
    }

    /// The prefix of a name: so many levels below TARGET, or as many as there are.
    fn prefix<'a>(&self, key: &'a str) -> &'a str {
        let (start, below) = match key.strip_prefix(self.base.as_str()) {
            Some(below) => (self.base.len(), below),
            None => (0, key),
        };
        let last = below.match_indices('/').take(self.depth).last();
        let end = last.map_or(start, |(at, _)| start + at + 1);
        key.get(..key.floor_char_boundary(end.min(MAX_PREFIX))).unwrap_or(key)
    }

    /// Keeps the largest rows, and those to which a name in order may still belong.
    fn thin_out(&mut self, key: &str) {
        self.thinned = true;
        let mut kept = vec![false; self.rows.len()];
        for place in self.largest() {
            kept.get_mut(place).into_iter().for_each(|kept| *kept = true);
        }
        let mut kept = kept.into_iter();
        let others = &mut self.others;
        self.rows.retain(|(prefix, row)| {
            let stays = kept.next() == Some(true) || key.starts_with(prefix);
            if !stays {
                others.merge(row);
            }
            stays
        });
    }

    /// The places of the largest rows, the largest first, and of equal ones the first by name.
    fn largest(&self) -> Vec<usize> {
        let mut places = ranking(self.rows.iter().map(|(_, row)| row.versions));
        places.truncate(ROWS);
        places
    }

    /// What there is to show.
    pub(super) fn finish(mut self) -> Table {
        let mut rows = Vec::new();
        for place in self.largest() {
            rows.extend(self.rows.get_mut(place).map(std::mem::take));
        }
        // Nothing is left of those that were taken.
        self.rows.iter().for_each(|(_, row)| self.others.merge(row));
        Table {
            depth: self.depth,
            rate: self.rate,
            began: self.began,
            exact: self.ordered || !self.thinned,
            kinds: self.kinds.into_list(),
            rows,
            others: self.others,
            all: self.all,
        }
    }
}

#[cfg(test)]
mod tests;
