//! The body of a listing: entries, pauses and breaks in their order.
//!
//! It is made while it is sent, a chunk at a time, so that a reader that is
//! slow holds it up and a backlog of any size takes one buffer.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep};

use super::entry;
use super::fault::{Chunks, Cut, Effect};
use super::state::State;
use super::store::Cursor;
use super::version::mix;
use super::wire::Control;

/// Large enough that a million entries a second cost 5,000 chunks, small
/// enough to stay in the cache until it is written.
const CHUNK_BYTES: usize = 64 * 1024;

/// Longer than any entry that is likely, so that the buffer seldom grows.
const ENTRY_BYTES: usize = 4 * 1024;

/// A space is sent this often while there is nothing else (`keepAliveTicker`).
const KEEPALIVE: Duration = Duration::from_millis(500);

/// Stands for the rest of a listing where an entry is to be cut and none is
/// left.
const LAST_LINE: &[u8] = b"{\"object\":\"the-last-one\",\"versionId\":\"null\"}\n";

/// A listing that is being sent.
pub(crate) struct Listing {
    state: Arc<State>,
    control: Arc<Control>,
    cursor: Cursor,
    /// What happens after how many entries, in order.
    steps: VecDeque<(u64, Step)>,
    chunks: Chunks,
    drawn: u64,
    entries: u64,
    /// The lines that are left, where the drives give them in an order of their own.
    arranged: Option<VecDeque<Vec<u8>>>,
    /// Made and not yet sent.
    filled: Bytes,
    pause: Option<Pause>,
    end: Option<End>,
    /// Made before the head of the answer was sent.
    first: Option<Piece>,
}

#[derive(Debug)]
enum Step {
    Cut(Cut),
    Pause { length: Duration, keepalive: bool },
    Keyless,
}

struct Pause {
    until: Instant,
    keepalive: bool,
    sleep: Pin<Box<Sleep>>,
}

/// How it ends, once `filled` is sent.
enum End {
    Proper,
    /// The connection ends inside this chunk, of which so many bytes are kept
    /// back; it may be empty.
    Cut {
        chunk: Bytes,
        keep_back: usize,
    },
    Reset,
    /// The connection is about to end; there is nothing more to do.
    Dead,
}

/// What is sent next.
enum Piece {
    Bytes(Bytes),
    Cut { chunk: Bytes, keep_back: usize },
    Reset,
}

impl Listing {
    /// A listing from `cursor` on with the given faults.
    pub(crate) fn new(
        state: Arc<State>,
        control: Arc<Control>,
        cursor: Cursor,
        effects: Vec<Effect>,
    ) -> Self {
        let (mut steps, mut chunks) = (Vec::new(), Chunks::Large);
        for effect in effects {
            match effect {
                Effect::Cut { after, how } => steps.push((after, Step::Cut(how))),
                Effect::Pause { after, length, keepalive } => {
                    steps.push((after, Step::Pause { length, keepalive }));
                }
                Effect::Keyless { after } => steps.push((after, Step::Keyless)),
                Effect::Chunks(wanted) => chunks = wanted,
                _ => {}
            }
        }
        // Stable: of two steps at the same place the one set first is first.
        steps.sort_by_key(|(after, _)| *after);
        let mut cursor = cursor;
        let layout = &state.options.layout;
        let arranged = layout.shows().then(|| {
            let mut line = || {
                let mut line = Vec::new();
                let written = state.store.write(&mut cursor, 1, usize::MAX, &mut line);
                (written > 0).then_some(line)
            };
            let lines = std::iter::from_fn(&mut line).collect();
            layout.arrange(lines, state.counters.listings.load(Ordering::Relaxed))
        });
        Self {
            state,
            control,
            cursor,
            arranged,
            steps: steps.into(),
            chunks,
            drawn: 0,
            entries: 0,
            filled: Bytes::new(),
            pause: None,
            end: None,
            first: None,
        }
    }

    /// Waits for the first entry or space: only then does the server send the
    /// head of its answer. `None` is a listing that ended without either.
    pub(crate) async fn started(mut self) -> Option<Self> {
        let first = poll_fn(|context| self.poll_piece(context)).await?;
        self.first = Some(first);
        Some(self)
    }

    /// The next chunk to send.
    pub(crate) fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let piece = match self.first.take() {
            Some(first) => Some(first),
            None => ready!(self.poll_piece(context)),
        };
        match piece {
            None => Poll::Ready(None),
            Some(Piece::Bytes(bytes)) => Poll::Ready(Some(bytes)),
            Some(Piece::Cut { chunk, keep_back }) => {
                self.control.keep_back(keep_back);
                // Pending for ever without a chunk: what follows is a flush,
                // which ends the connection.
                if chunk.is_empty() { Poll::Pending } else { Poll::Ready(Some(chunk)) }
            }
            Some(Piece::Reset) => {
                self.control.reset();
                self.control.keep_back(0);
                Poll::Pending
            }
        }
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Piece>> {
        loop {
            if !self.filled.is_empty() {
                let size = self.chunk_size().min(self.filled.len());
                return Poll::Ready(Some(Piece::Bytes(self.filled.split_to(size))));
            }
            match self.end.take() {
                None => {}
                Some(End::Proper) => {
                    self.end = Some(End::Proper);
                    return Poll::Ready(None);
                }
                Some(End::Cut { chunk, keep_back }) => {
                    self.end = Some(End::Dead);
                    return Poll::Ready(Some(Piece::Cut { chunk, keep_back }));
                }
                Some(End::Reset) => {
                    self.end = Some(End::Dead);
                    return Poll::Ready(Some(Piece::Reset));
                }
                Some(End::Dead) => {
                    self.end = Some(End::Dead);
                    return Poll::Pending;
                }
            }
            if let Some(pause) = &mut self.pause {
                ready!(pause.sleep.as_mut().poll(context));
                if pause.sleep.deadline() >= pause.until {
                    self.pause = None;
                } else {
                    pause.sleep_on();
                    return Poll::Ready(Some(Piece::Bytes(Bytes::from_static(b" "))));
                }
                continue;
            }
            match self.steps.pop_front_if(|(after, _)| *after <= self.entries) {
                Some((_, step)) => self.take_step(step),
                None => self.fill(),
            }
        }
    }

    /// Makes the next chunk, up to the next step.
    fn fill(&mut self) {
        let limit = self.steps.front().map_or(u64::MAX, |(after, _)| after - self.entries);
        let mut out = Vec::with_capacity(CHUNK_BYTES + ENTRY_BYTES);
        let written = self.write(limit, CHUNK_BYTES, &mut out);
        self.entries += written;
        self.state.counters.listed.fetch_add(written, Ordering::Relaxed);
        self.filled = out.into();
        if written == 0 {
            self.end = Some(End::Proper);
        }
    }

    /// Appends lines, as the store does.
    fn write(&mut self, entries: u64, bytes: usize, out: &mut Vec<u8>) -> u64 {
        let Some(arranged) = &mut self.arranged else {
            return self.state.store.write(&mut self.cursor, entries, bytes, out);
        };
        let mut written = 0;
        while written < entries && out.len() < bytes {
            let Some(line) = arranged.pop_front() else { break };
            out.extend_from_slice(&line);
            written += 1;
        }
        written
    }

    fn take_step(&mut self, step: Step) {
        let mut out = Vec::new();
        match step {
            Step::Pause { length, keepalive } => self.pause = Some(Pause::new(length, keepalive)),
            Step::Keyless => entry::write_keyless(&mut out),
            Step::Cut(Cut::Reset) => self.end = Some(End::Reset),
            Step::Cut(Cut::BetweenChunks) => {
                self.end = Some(End::Cut { chunk: Bytes::new(), keep_back: 0 });
            }
            Step::Cut(how @ (Cut::InsideChunk | Cut::InsideLine)) => {
                let chunk = self.next_line();
                let unsent = if how == Cut::InsideLine { chunk.len() / 2 } else { chunk.len() };
                // Behind the data of a chunk come two bytes more.
                self.end = Some(End::Cut { chunk: chunk.into(), keep_back: unsent + 2 });
            }
            Step::Cut(how) => {
                self.end = Some(End::Proper);
                match how {
                    Cut::HalfLine => {
                        out = self.next_line();
                        out.truncate(out.len() / 2);
                    }
                    Cut::ErrorText => entry::write_error(&mut out, "\"file is corrupted\""),
                    Cut::ErrorObject => entry::write_error(&mut out, "{}"),
                    _ => {}
                }
            }
        }
        self.filled = out.into();
    }

    /// The line that would come next.
    fn next_line(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.write(1, usize::MAX, &mut out) == 0 {
            out.extend_from_slice(LAST_LINE);
        }
        out
    }

    fn chunk_size(&mut self) -> usize {
        match self.chunks {
            Chunks::Large => usize::MAX,
            Chunks::Of(size) => size.max(1),
            Chunks::Random { seed, max } => {
                self.drawn += 1;
                1 + (mix(seed ^ self.drawn) % max.max(1) as u64) as usize
            }
        }
    }
}

impl Pause {
    fn new(length: Duration, keepalive: bool) -> Self {
        let now = Instant::now();
        let mut pause =
            Self { until: now + length, keepalive, sleep: Box::pin(tokio::time::sleep_until(now)) };
        pause.sleep_on();
        pause
    }

    /// Sleeps until the next space is due, or to the end.
    fn sleep_on(&mut self) {
        let tick = self.sleep.deadline() + KEEPALIVE;
        let next = if self.keepalive { tick.min(self.until) } else { self.until };
        self.sleep.as_mut().reset(next);
    }
}
