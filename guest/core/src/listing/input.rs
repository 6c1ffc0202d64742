//! The versions that the user gives, read line by line in the place of a listing.
//!
//! It is as long as the user has patience, so nothing of it is kept but the line that is being read: what
//! it names goes into the spool, and while that is full it is read no further. A program has its versions in
//! memory and hands over all of them at once.

use crate::listing::entry::Item;
use crate::listing::given::{Given, named, parse_given};
use crate::listing::lines::{LineTooLong, Lines};
use crate::listing::reader::State;
use crate::listing::statuses::StatusTable;
use crate::wire::{Event, Net, Ticket, VersionId};

/// Lines that cannot be used, with none among them that can, before no more is read: it is another file
/// than the one that was meant.
const HOPELESS: u64 = 20;

/// What a line says to the job.
#[derive(Debug)]
pub(crate) enum Said<'a> {
    /// A version to be driven.
    Version(Item),
    /// A version with which an earlier run was done.
    Done,
    /// The run that wrote it did not come to its end.
    Unfinished,
    /// Nothing, for this reason.
    Bad(&'a str),
}

/// The reader of what the user gives.
#[derive(Debug)]
pub(crate) struct Input {
    bucket: String,
    prefix: String,
    state: State,
    lines: Lines,
    /// Lines read.
    number: u64,
    /// The rest of a line that is too long.
    skipping: bool,
    good: bool,
    bad: u64,
}

impl Input {
    /// A reader of versions of this bucket, of those whose key begins with `prefix`.
    pub(crate) fn new(bucket: &str, prefix: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            state: State::Idle,
            lines: Lines::default(),
            number: 0,
            skipping: false,
            good: false,
            bad: 0,
        }
    }

    /// Where it is.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Takes all of it at once, instead of reading: versions of which only the names are known.
    pub(crate) fn take(
        &mut self,
        names: impl IntoIterator<Item = (String, VersionId)>,
        table: &mut StatusTable,
        mut each: impl FnMut(&Item, &StatusTable),
    ) {
        for (key, version) in names {
            if key.starts_with(&self.prefix) {
                each(&named(key, version, table), table);
            }
        }
        self.state = State::Complete;
    }

    /// Begins to read.
    pub(crate) fn open<N: Net>(&mut self, net: &mut N) {
        net.read_input();
        self.state = State::Reading;
    }

    /// Reads no more, because the run is to end.
    pub(crate) fn close<N: Net>(&mut self, net: &mut N) {
        if matches!(self.state, State::Reading | State::Holding) {
            net.cancel(Ticket::Input);
            self.state = State::Idle;
        }
    }

    /// Stops reading, because the spool is full, or goes on.
    pub(crate) fn hold<N: Net>(&mut self, net: &mut N, held: bool) {
        net.hold(Ticket::Input, held);
        self.state = if held { State::Holding } else { State::Reading };
    }

    /// Takes a piece, or the end. Every line that says something goes to `each`, with its number.
    ///
    /// # Errors
    /// Why no more can be read, as a sentence.
    pub(crate) fn on_event(
        &mut self,
        event: Event,
        table: &mut StatusTable,
        mut each: impl FnMut(u64, Said<'_>, &StatusTable),
    ) -> Result<(), String> {
        if !matches!(self.state, State::Reading | State::Holding) {
            return Ok(());
        }
        match event {
            Event::Chunk(_, chunk) => self.on_chunk(&chunk, table, &mut each),
            Event::End(_, Ok(())) => {
                // The last line may lack its end.
                self.on_chunk(b"\n", table, &mut each)?;
                self.state = State::Complete;
                Ok(())
            }
            Event::End(_, Err(error)) => Err(format!("{error}.")),
            Event::Response(..) => Ok(()),
        }
    }

    fn on_chunk(
        &mut self,
        mut chunk: &[u8],
        table: &mut StatusTable,
        each: &mut impl FnMut(u64, Said<'_>, &StatusTable),
    ) -> Result<(), String> {
        if self.skipping {
            let Some(end) = memchr::memchr(b'\n', chunk) else { return Ok(()) };
            chunk = chunk.get(end + 1..).unwrap_or_default();
            self.skipping = false;
        }
        let mut lines = std::mem::take(&mut self.lines);
        let mut result = Ok(());
        let fed = lines.feed_all(chunk, |line| {
            result = self.on_line(line, table, each);
            result.is_ok()
        });
        result?;
        if fed == Err(LineTooLong) {
            // Its beginning is dropped with `lines`.
            self.skipping = true;
            self.number += 1;
            return self.on_bad("It is longer than a megabyte.", table, each);
        }
        self.lines = lines;
        Ok(())
    }

    fn on_line(
        &mut self,
        line: &[u8],
        table: &mut StatusTable,
        each: &mut impl FnMut(u64, Said<'_>, &StatusTable),
    ) -> Result<(), String> {
        self.number += 1;
        let first = self.number == 1;
        let text = match std::str::from_utf8(line) {
            Ok(text) if !first => text,
            // Editors of one system mark files with this.
            Ok(text) if !text.contains('\0') => text.trim_start_matches('\u{feff}'),
            _ if first => {
                return Err("It is not text in UTF-8: a compressed file has to be unpacked first, and one in UTF-16 converted.".to_owned());
            }
            _ => return self.on_bad("It is not UTF-8.", table, each),
        };
        if text.trim_ascii().is_empty() {
            return Ok(());
        }
        match parse_given(text, &self.bucket, table) {
            Err(why) => return self.on_bad(&why, table, each),
            Ok(Given::Version(item)) if item.key.starts_with(&self.prefix) => {
                each(self.number, Said::Version(item), table);
            }
            Ok(Given::Done) => each(self.number, Said::Done, table),
            Ok(Given::Message { unfinished: true }) => each(self.number, Said::Unfinished, table),
            Ok(Given::Version(_) | Given::Message { .. }) => {}
        }
        self.good = true;
        Ok(())
    }

    fn on_bad(
        &mut self,
        why: &str,
        table: &StatusTable,
        each: &mut impl FnMut(u64, Said<'_>, &StatusTable),
    ) -> Result<(), String> {
        each(self.number, Said::Bad(why), table);
        self.bad += 1;
        if !self.good && self.bad >= HOPELESS {
            return Err(format!(
                "None of its first {HOPELESS} lines can be used; the last one: {why}"
            ));
        }
        Ok(())
    }
}
