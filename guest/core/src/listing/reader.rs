//! Reads the replication diff from its first to its last entry, whatever happens to the stream.
//!
//! A listing is complete only if its body had something to show for its end ([`Body`]), its last line was
//! whole and no entry carried an `error`. Anything else is taken up again: the API has no marker, so the
//! bucket is listed once more and what was read before is passed over.
//!
//! While the spool is full the listing is not read. A real server waits for a reader that goes on in small
//! steps, and cuts one that stays away for longer; that is not a fault, but the price of a slow run.
//!
//! The last version read is held back until the next one comes or the listing is complete. Nobody has
//! touched it until then, so a listing that takes this one up must show it: one that does not has not
//! shown the rest either.

mod arrival;

use crate::listing::body::Body;
use crate::listing::entry::Item;
use crate::listing::lines::Lines;
use crate::listing::seen::Seen;
use crate::listing::statuses::StatusTable;
use crate::listing::unfinished::{Break, Unfinished};
use crate::wire::{Cause, Client, Instant, Net, Ticket, retry};
use std::time::Duration;

/// Listings without a new entry before the reader gives up.
const MAX_FRUITLESS: u32 = 5;

/// Listings that end with the server's own error at the same name before the reader gives up: one
/// damaged object ends every listing at the same place, and asking a third time heals nothing.
const MAX_SAME_ERROR: u32 = 2;

/// The server sends a blank every 0.5 s while it has nothing to say, so this much silence means
/// that nobody is there any more, or that a proxy keeps the blanks until it has enough of them. So
/// after every silence the next one may be twice as long, up to the second figure: nginx passes the
/// blanks on after 1,460 bytes, or with the first entry.
const SILENCE: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(300)];

/// How long something else may answer in the server's place before a listing that was not begun is given
/// up: an ingress that loads its routes takes some ten seconds, and who mistyped a URL waits no longer.
const FOREIGN: Duration = Duration::from_secs(30);

/// Where the reader is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Not started, or cut while the spool was full.
    Idle,
    /// Asked, no answer yet.
    Opening,
    /// Entries come.
    Reading,
    /// They would, but the spool is full.
    Holding,
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
    ticket: Ticket,
    arn: Option<String>,
    state: State,
    body: Body,
    lines: Lines,
    seen: Seen,
    /// The last version read, not handed over yet, with its `replTimestamp`.
    held: Option<(Item, String)>,
    /// Its hash, by which a listing that is taken up again shows that it has come so far.
    anchor: Option<u64>,
    /// The largest name read.
    last_key: Option<String>,
    /// What this listing has shown so far.
    this: Shown,
    /// Whether names have always come in order.
    ordered: bool,
    /// Whether nothing leaves the backlog because of us.
    keeps: bool,
    /// A listing that ended cleanly without having anything to show for it, or another one than before.
    whole: Option<Shown>,
    attempts: u32,
    first_asked: Instant,
    fruitless: u32,
    errors_here: u32,
    silences: u32,
    progressed: bool,
    /// Whether it was kept waiting.
    was_held: bool,
    heard: Instant,
    listings: u32,
    retry_after: Duration,
}

/// What one listing has shown.
#[derive(Debug, Default, Clone)]
struct Shown {
    /// The name before.
    before: Option<String>,
    /// Versions that were read before, and the sum of their hashes.
    known: u64,
    sum: u64,
    /// How many had been read when it began.
    read: u64,
    /// It has come to the place where the one before had ended.
    reached: bool,
}

impl Reader {
    /// A reader of all versions whose key begins with `prefix`. `keeps` says that nothing leaves the
    /// backlog because of us while it is read.
    pub(crate) fn new(prefix: &str, keeps: bool) -> Self {
        Self {
            prefix: prefix.to_owned(),
            ticket: Ticket::Listing,
            arn: None,
            state: State::Idle,
            body: Body::default(),
            lines: Lines::default(),
            seen: Seen::default(),
            held: None,
            anchor: None,
            last_key: None,
            this: Shown::default(),
            ordered: true,
            keeps,
            whole: None,
            attempts: 0,
            first_asked: Instant::default(),
            fruitless: 0,
            errors_here: 0,
            silences: 0,
            progressed: false,
            was_held: false,
            heard: Instant::default(),
            listings: 0,
            retry_after: Duration::ZERO,
        }
    }

    /// The same with another ticket, beside a listing that is under way, and about this target.
    pub(crate) fn beside(self, ticket: Ticket, arn: Option<String>) -> Self {
        Self { ticket, arn, ..self }
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

    /// Whether nothing more will come, but for what [`Reader::last`] gives.
    pub(crate) fn ended(&self) -> bool {
        matches!(self.state, State::Complete | State::Failed(_))
    }

    /// Whether a version is held back.
    pub(crate) fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// Forgets all statuses but those of the version held back.
    pub(crate) fn forget_statuses(&mut self, table: &mut StatusTable) {
        match &mut self.held {
            Some((item, _)) => item.statuses = table.clear_but(item.statuses),
            None => table.clear(),
        }
    }

    /// The version that was held back, once nothing more will come.
    pub(crate) fn last(&mut self) -> Option<(Item, String)> {
        if self.ended() { self.held.take() } else { None }
    }

    /// Opens the listing, or opens it once more.
    pub(crate) fn open<N: Net>(&mut self, net: &mut N, client: &mut Client) {
        if !self.ordered && !self.seen.remembers() {
            return self.fail(Break::Unordered(self.last_key.clone().unwrap_or_default()));
        }
        if self.seen.is_full() && !self.seen.remembers() {
            return self.fail(Break::TooManyVersions);
        }
        if self.attempts == 0 {
            self.first_asked = net.now();
        }
        self.attempts += 1;
        self.listings += 1;
        self.ask(net, client);
    }

    /// Asks for the listing, as a part of the attempt that was begun.
    fn ask<N: Net>(&mut self, net: &mut N, client: &mut Client) {
        self.state = State::Opening;
        self.lines = Lines::default();
        self.this =
            Shown { read: self.seen.count, reached: self.anchor.is_none(), ..Shown::default() };
        (self.progressed, self.was_held) = (false, false);
        self.heard = net.now();
        client.list(net, self.ticket, &self.prefix, self.arn.as_deref());
    }

    /// Closes the listing for good, because the run is to end.
    pub(crate) fn close<N: Net>(&mut self, net: &mut N) {
        if matches!(self.state, State::Opening | State::Reading | State::Holding) {
            net.cancel(self.ticket);
        }
        if !self.ended() {
            self.state = State::Idle;
        }
    }

    /// Stops reading, because the spool is full.
    pub(crate) fn hold<N: Net>(&mut self, net: &mut N) {
        if self.state == State::Reading {
            net.hold(self.ticket, true);
            self.state = State::Holding;
            self.was_held = true;
        }
    }

    /// Goes on reading.
    pub(crate) fn go_on<N: Net>(&mut self, net: &mut N) {
        if self.state == State::Holding {
            net.hold(self.ticket, false);
            self.state = State::Reading;
            self.heard = net.now();
        }
    }

    /// What went wrong before the last new entry counts no more: a run of hours may meet more
    /// restarts than one place of the listing is tried.
    fn forgive(&mut self) {
        if self.progressed {
            (self.attempts, self.fruitless, self.errors_here, self.silences) = (0, 0, 0, 0);
        }
    }

    /// How long it may be silent.
    fn silence(&self) -> Duration {
        let [first, most] = SILENCE;
        first.saturating_mul(1 << self.silences.min(8)).min(most)
    }

    /// When [`Reader::tick`] has something to do.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self.state {
            State::Waiting(until) => Some(until),
            State::Opening | State::Reading => Some(self.heard + self.silence()),
            _ => None,
        }
    }

    /// Takes a broken listing up again when its pause is over, and notices silence.
    pub(crate) fn tick<N: Net>(&mut self, net: &mut N, client: &mut Client) {
        match self.state {
            State::Waiting(until) if net.now() >= until => self.open(net, client),
            State::Opening | State::Reading if net.now() >= self.heard + self.silence() => {
                net.cancel(self.ticket);
                let silence = self.silence();
                self.silences += 1;
                self.broke(net, Break::Silent(silence));
            }
            _ => {}
        }
    }

    /// The listing ended before its end.
    fn broke<N: Net>(&mut self, net: &mut N, cause: Break) {
        self.forgive();
        // The server has waited for long enough. Each time, everything read before is read again, so the
        // fewer times the better: not before there is room for all that the spool takes.
        if self.was_held && self.progressed && matches!(cause, Break::Cut(_)) {
            self.state = State::Idle;
            return;
        }
        self.fruitless += 1;
        let hopeless = match &cause {
            Break::Server(_) => {
                self.errors_here += 1;
                self.errors_here >= MAX_SAME_ERROR
            }
            Break::Foreign(_) | Break::NoKey => self.last_key.is_none(),
            Break::Repeats(_) | Break::Unordered(_) => true,
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
