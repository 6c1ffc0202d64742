//! Reads the replication diff from its first to its last entry, whatever happens to the stream.
//!
//! A listing is complete only if its body ended cleanly, its last line was whole and no entry
//! carried an `error`. Anything else is resumed: the API has no marker, but names come
//! sorted and the versions of a name oldest first, so the bucket is listed once more and what was
//! read before is skipped. The same path serves a full spool, for which the listing is closed on
//! purpose.

use crate::listing::entry::{BadLine, Item, parse_line};
use crate::listing::lines::{LineTooLong, Lines};
use crate::listing::statuses::StatusTable;
use crate::listing::unfinished::{Break, Unfinished};
use crate::wire::{
    Cause, Client, Event, Instant, NO_BUCKET, Net, Response, S3Error, Ticket, TransportError,
    VersionId, is_wrong_region, retry,
};
use std::cmp::Ordering;
use std::collections::HashSet;
use std::time::Duration;

/// Listings without a new entry before the reader gives up.
const MAX_FRUITLESS: u32 = 5;

/// Listings that end with the server's own error at the same name before the reader gives up: one
/// damaged object ends every listing at the same place, and asking a third time heals nothing.
const MAX_SAME_ERROR: u32 = 2;

/// The server sends a blank every 0.5 s while it has nothing to say, so this much silence means
/// that nobody is there any more.
const SILENCE: Duration = Duration::from_secs(60);

/// The bucket has no replication target, or the server has started so recently that it does not
/// know of any yet.
const NO_TARGET: &str = "XMinioAdminRemoteTargetNotFoundError";

/// Where the reader is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Not started, or paused because the spool is full.
    Idle,
    /// Asked, no answer yet.
    Opening,
    /// Entries come.
    Reading,
    /// Failed, to be resumed at this time.
    Waiting(Instant),
    /// Read to the end.
    Complete,
    /// Given up.
    Failed(Box<Unfinished>),
}

/// The reader of one backlog.
#[derive(Debug)]
pub(crate) struct Reader {
    prefix: String,
    state: State,
    lines: Lines,
    /// Skipping what was read by an earlier listing.
    skipping: bool,
    last_key: Option<String>,
    last_versions: HashSet<VersionId>,
    ordered: bool,
    attempts: u32,
    fruitless: u32,
    errors_here: u32,
    progressed: bool,
    heard: Instant,
    listings: u32,
    retry_after: Duration,
}

impl Reader {
    /// A reader of all versions whose key begins with `prefix`.
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            state: State::Idle,
            lines: Lines::default(),
            skipping: false,
            last_key: None,
            last_versions: HashSet::new(),
            ordered: true,
            attempts: 0,
            fruitless: 0,
            errors_here: 0,
            progressed: false,
            heard: Instant::default(),
            listings: 0,
            retry_after: Duration::ZERO,
        }
    }

    /// Where it is.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// The attempt at opening the listing that is made or waited for, when it is not the first.
    pub(crate) fn attempt(&self) -> Option<u32> {
        let attempt = match self.state {
            State::Opening => self.attempts,
            State::Waiting(_) => self.attempts + 1,
            _ => 0,
        };
        (attempt > 1).then_some(attempt)
    }

    /// The longest `Retry-After` it was answered with.
    pub(crate) fn retry_after(&self) -> Duration {
        self.retry_after
    }

    /// Listings opened so far.
    pub(crate) fn listings(&self) -> u32 {
        self.listings
    }

    /// Whether nothing more will come.
    pub(crate) fn ended(&self) -> bool {
        matches!(self.state, State::Complete | State::Failed(_))
    }

    /// Opens the listing, or opens it once more.
    pub(crate) fn open<N: Net>(&mut self, net: &mut N, client: &mut Client) {
        if !self.ordered {
            return self.fail(Break::Unordered(self.last_key.clone().unwrap_or_default()));
        }
        self.attempts += 1;
        self.listings += 1;
        self.ask(net, client);
    }

    /// Asks for the listing, as a part of the attempt that was begun.
    fn ask<N: Net>(&mut self, net: &mut N, client: &mut Client) {
        self.state = State::Opening;
        self.lines = Lines::default();
        self.skipping = self.last_key.is_some();
        self.progressed = false;
        self.heard = net.now();
        client.list(net, &self.prefix);
    }

    /// Closes the listing on purpose, because the spool is full or the user stopped the run.
    pub(crate) fn pause<N: Net>(&mut self, net: &mut N) {
        if matches!(self.state, State::Opening | State::Reading) {
            net.cancel(Ticket::Listing);
        }
        if !self.ended() {
            self.state = State::Idle;
            self.attempts = 0;
            self.forgive();
        }
    }

    /// What went wrong before the last new entry counts no more: a run of hours may meet more
    /// restarts than one place of the listing is tried.
    fn forgive(&mut self) {
        if self.progressed {
            (self.attempts, self.fruitless, self.errors_here) = (0, 0, 0);
        }
    }

    /// When [`Reader::tick`] has something to do.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self.state {
            State::Waiting(until) => Some(until),
            State::Opening | State::Reading => Some(self.heard + SILENCE),
            _ => None,
        }
    }

    /// Takes a broken listing up again when its pause is over, and notices silence.
    pub(crate) fn tick<N: Net>(&mut self, net: &mut N, client: &mut Client) {
        match self.state {
            State::Waiting(until) if net.now() >= until => self.open(net, client),
            State::Opening | State::Reading if net.now() >= self.heard + SILENCE => {
                net.cancel(Ticket::Listing);
                let cause = Break::Cut(TransportError::Timeout(SILENCE).to_string());
                self.broke(net, cause);
            }
            _ => {}
        }
    }

    /// Handles an event of the listing. Every new item goes to `accept`, with its `replTimestamp`.
    ///
    /// Events that came together with what made the reader close this listing are dropped: the rest
    /// of one that carries an error must not make it a complete one.
    pub(crate) fn on_event<N: Net>(
        &mut self,
        net: &mut N,
        client: &mut Client,
        event: Event,
        table: &mut StatusTable,
        accept: impl FnMut(Item, &str, &StatusTable),
    ) {
        match (event, &self.state) {
            (Event::Response(_, result), State::Opening) => self.on_response(net, client, result),
            (Event::Chunk(_, chunk), State::Reading) => self.on_chunk(net, &chunk, table, accept),
            (Event::End(_, result), State::Reading) => self.on_end(net, result),
            _ => {}
        }
    }

    /// The head of the answer.
    fn on_response<N: Net>(
        &mut self,
        net: &mut N,
        client: &mut Client,
        result: Result<Response, TransportError>,
    ) {
        self.heard = net.now();
        let response = match result {
            // A server that was there and is not may be restarting.
            Err(error)
                if retry::ADMIN.retries_transport(&error)
                    || (self.last_key.is_some() && retry::S3.retries_transport(&error)) =>
            {
                return self.not_opened(net, Cause::Transport(error), Duration::ZERO);
            }
            Err(error) => return self.fail(Break::NotOpened(Cause::Transport(error))),
            Ok(response) => response,
        };
        let region_changed = client.learn_region(&response);
        match response.status {
            200 => {
                client.settle_api();
                self.state = State::Reading;
            }
            426 if client.lower_api() => self.ask(net, client),
            426 => self.fail(Break::Unsupported),
            _ => {
                let error = S3Error::from_response(&response);
                let asked = retry::retry_after(&response, net.unix());
                if is_wrong_region(&error) && region_changed && self.attempts < 3 {
                    self.open(net, client);
                } else if retry::retries_answer(&error)
                    // They were there when the listing was begun: the drives may be gone, or the server
                    // has just started.
                    || (self.last_key.is_some() && [NO_BUCKET, NO_TARGET].contains(&error.code.as_str()))
                {
                    self.not_opened(net, Cause::Server(Box::new(error)), asked);
                } else {
                    self.fail(Break::NotOpened(Cause::Server(Box::new(error))));
                }
            }
        }
    }

    /// A piece of the body.
    fn on_chunk<N: Net>(
        &mut self,
        net: &mut N,
        chunk: &[u8],
        table: &mut StatusTable,
        mut accept: impl FnMut(Item, &str, &StatusTable),
    ) {
        self.heard = net.now();
        let mut lines = std::mem::take(&mut self.lines);
        let mut bad = None;
        let fed = lines.feed(chunk, |line| match parse_line(line, table) {
            Ok((item, status_time)) => {
                if self.is_new(&item) {
                    accept(item, &status_time, table);
                }
                true
            }
            Err(error) => {
                bad = Some(error);
                false
            }
        });
        self.lines = lines;
        let cause = match (bad, fed) {
            (None, Ok(())) => return,
            (Some(BadLine::Error(error)), _) => Break::Server(error),
            (Some(BadLine::NoKey), _) => Break::NoKey,
            (Some(BadLine::NotJson(text)), _) => Break::Foreign(text),
            (None, Err(LineTooLong)) => Break::Foreign("a line of more than a megabyte".to_owned()),
        };
        net.cancel(Ticket::Listing);
        self.broke(net, cause);
    }

    /// The end of the body.
    fn on_end<N: Net>(&mut self, net: &mut N, result: Result<(), TransportError>) {
        match result {
            Err(error) => self.broke(net, Break::Cut(error.to_string())),
            Ok(()) if self.lines.rest().is_empty() => self.state = State::Complete,
            Ok(()) if self.last_key.is_none() && !self.lines.rest().starts_with(b"{") => {
                let rest = String::from_utf8_lossy(self.lines.rest()).chars().take(60).collect();
                self.broke(net, Break::Foreign(rest));
            }
            Ok(()) => self.broke(net, Break::Cut("its last line is incomplete".to_owned())),
        }
    }

    /// Whether the item comes after everything read before; remembers it if so.
    fn is_new(&mut self, item: &Item) -> bool {
        if let Some(last) = &mut self.last_key {
            match item.key.as_bytes().cmp(last.as_bytes()) {
                Ordering::Less if self.skipping => return false,
                Ordering::Less => self.ordered = false,
                Ordering::Equal => {
                    let new = self.last_versions.insert(item.version.clone());
                    self.progressed |= new;
                    return new;
                }
                Ordering::Greater => self.skipping = false,
            }
            last.clone_from(&item.key);
        } else {
            self.last_key = Some(item.key.clone());
        }
        self.progressed = true;
        self.last_versions.clear();
        self.last_versions.insert(item.version.clone());
        true
    }

    /// The listing ended before its end.
    fn broke<N: Net>(&mut self, net: &mut N, cause: Break) {
        self.forgive();
        self.fruitless += 1;
        let hopeless = match &cause {
            Break::Server(_) => {
                self.errors_here += 1;
                self.errors_here >= MAX_SAME_ERROR
            }
            Break::Foreign(_) | Break::NoKey => self.last_key.is_none(),
            _ => false,
        };
        if hopeless || self.fruitless > MAX_FRUITLESS {
            return self.fail(cause);
        }
        let pause = retry::ADMIN.pause(self.fruitless, net.random());
        self.state = State::Waiting(net.now() + pause);
    }

    /// The listing could not be opened.
    fn not_opened<N: Net>(&mut self, net: &mut N, cause: Cause, asked: Duration) {
        if self.attempts >= retry::ADMIN.attempts {
            return self.fail(Break::NotOpened(cause));
        }
        self.retry_after = self.retry_after.max(asked);
        let pause = retry::ADMIN.pause(self.attempts, net.random()).max(retry::capped(asked));
        self.state = State::Waiting(net.now() + pause);
    }

    fn fail(&mut self, cause: Break) {
        self.state = State::Failed(Box::new(Unfinished { cause, after: self.last_key.clone() }));
    }
}
