//! What arrives: the head of a listing, pieces of its body, and its end.

use super::{FOREIGN, Reader, Shown, State};
use crate::listing::body::Body;
use crate::listing::entry::{BadLine, Item, parse_line};
use crate::listing::lines::LineTooLong;
use crate::listing::seen::hash;
use crate::listing::statuses::StatusTable;
use crate::listing::unfinished::Break;
use crate::wire::{
    Cause, Client, Event, Foreign, NO_BUCKET, Net, Response, S3Error, TransportError,
    is_wrong_region, retry,
};
use std::cmp::Ordering;
use std::time::Duration;

/// The bucket has no replication target, or the server has started so recently that it does not
/// know of any yet.
const NO_TARGET: &str = "XMinioAdminRemoteTargetNotFoundError";

/// Versions that a listing may show again beyond those that were read before it, as long as a server
/// may list while objects are written. One that starts over comes to this soon.
const REPEATS: u64 = 1_000;

impl Reader {
    /// Handles an event of the listing. Every new item goes to `accept`, with its `replTimestamp`, one
    /// behind: the last one stays until [`Reader::last`].
    ///
    /// Events that came together with what made the reader close this listing are dropped: the rest
    /// of one that carries an error must not make it a complete one.
    pub(crate) fn on_event<N: Net>(
        &mut self,
        net: &mut N,
        client: &mut Client,
        event: Event,
        table: &mut StatusTable,
        mut accept: impl FnMut(Item, &str, &StatusTable),
    ) {
        match (event, &self.state) {
            (Event::Response(_, result), State::Opening) => self.on_response(net, client, result),
            (Event::Chunk(_, chunk), State::Reading | State::Holding) => {
                self.on_chunk(net, &chunk, table, &mut accept);
            }
            (Event::End(_, result), State::Reading | State::Holding) => self.on_end(net, result),
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
        if let Some(foreign) = Foreign::of(&response) {
            // The rest of its page must not be taken for a piece of the listing that is asked for next.
            net.cancel(self.ticket);
            // Nothing was read yet and the door has moved for good, or has been the wrong one for long.
            let begun = self.last_key.is_some();
            let hopeless = foreign.is_wrong_door() || net.now() >= self.first_asked + FOREIGN;
            let cause = Cause::Foreign(foreign);
            if hopeless && !begun {
                return self.fail(Break::NotOpened(cause));
            }
            let asked = retry::retry_after(&response, net.unix());
            return self.not_opened(net, cause, asked);
        }
        let region_changed = client.learn_region(&response);
        match response.status {
            200 => {
                client.settle_api();
                self.body = Body::new(&response);
                if !self.body.proves_its_end() && client.ask_for_gzip() {
                    net.cancel(self.ticket);
                    return self.ask(net, client);
                }
                self.state = State::Reading;
            }
            426 if client.lower_api() => self.ask(net, client),
            426 => self.fail(Break::Unsupported),
            _ => {
                let mut error = S3Error::from_response(&response);
                if self.last_key.is_some() {
                    error = client.explained(error);
                }
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
        // Not a type of its own for each caller, which would be 10 KB more of the component.
        accept: &mut dyn FnMut(Item, &str, &StatusTable),
    ) {
        self.heard = net.now();
        let mut body = std::mem::take(&mut self.body);
        let mut lines = std::mem::take(&mut self.lines);
        let (mut bad, mut fed) = (None, Ok(()));
        let sound = body.feed(chunk, |bytes| {
            fed = lines.feed(bytes, |line| match parse_line(line, table) {
                Ok((item, status_time)) => match self.take(&item) {
                    Ok(true) => {
                        let held = self.held.replace((item, status_time.into_owned()));
                        if let Some((item, status_time)) = held {
                            accept(item, &status_time, table);
                        }
                        true
                    }
                    Ok(false) => true,
                    Err(cause) => {
                        bad = Some(cause);
                        false
                    }
                },
                Err(error) => {
                    bad = Some(match error {
                        BadLine::Error(error) => Break::Server(error),
                        BadLine::NoKey => Break::NoKey,
                        BadLine::NotJson(text) => Break::Foreign(text),
                    });
                    false
                }
            });
        });
        self.body = body;
        self.lines = lines;
        let cause = match (bad, fed) {
            (Some(cause), _) => cause,
            (None, Err(LineTooLong)) => Break::Foreign("a line of more than a megabyte".to_owned()),
            (None, Ok(())) if !sound => Break::Cut("its compressed form is damaged".to_owned()),
            (None, Ok(())) => return,
        };
        net.cancel(self.ticket);
        self.broke(net, cause);
    }

    /// Whether the item is new; remembers it if so.
    ///
    /// # Errors
    /// The listing starts over, or its order is not one in which it can be taken up again.
    fn take(&mut self, item: &Item) -> Result<bool, Break> {
        let hash = hash(item);
        let same = self.this.before.as_deref() == Some(item.key.as_str());
        if !same {
            let backwards = self.this.before.as_deref().is_some_and(|before| *item.key < *before);
            self.ordered &= !backwards;
            self.this.before.get_or_insert_default().clone_from(&item.key);
        }
        if !self.ordered && !self.seen.remembers() {
            return Err(Break::Unordered(item.key.clone()));
        }
        let to_last = match &self.last_key {
            Some(last) => item.key.as_bytes().cmp(last.as_bytes()),
            None => Ordering::Greater,
        };
        let new = match to_last {
            // In order, so it was read before.
            Ordering::Less if !self.seen.remembers() => false,
            _ => self.seen.insert(hash, to_last == Ordering::Equal),
        };
        self.this.reached |= self.anchor == Some(hash) || (self.ordered && to_last.is_gt());
        if !new {
            self.this.known += 1;
            self.this.sum = self.this.sum.wrapping_add(hash);
            if self.this.known > self.this.read + REPEATS {
                return Err(Break::Repeats(item.key.clone()));
            }
            return Ok(false);
        }
        if to_last.is_gt() {
            self.last_key.get_or_insert_default().clone_from(&item.key);
        }
        self.anchor = Some(hash);
        self.progressed = true;
        Ok(true)
    }

    /// The end of the body.
    fn on_end<N: Net>(&mut self, net: &mut N, result: Result<(), TransportError>) {
        let rest = self.lines.rest();
        let cause = match result {
            Err(error) => Break::Cut(error.to_string()),
            Ok(()) if !self.body.end() => Break::Cut("its compressed form ends early".to_owned()),
            Ok(()) if rest.is_empty() => return self.on_clean_end(net),
            Ok(()) if self.last_key.is_none() && !rest.starts_with(b"{") => {
                Break::Foreign(String::from_utf8_lossy(rest).chars().take(60).collect())
            }
            Ok(()) => Break::Cut("its last line is incomplete".to_owned()),
        };
        self.broke(net, cause);
    }

    /// The body ended as one does that is whole. Is it?
    fn on_clean_end<N: Net>(&mut self, net: &mut N) {
        if !self.this.reached {
            let place = self.last_key.clone().unwrap_or_default();
            return self.broke(net, Break::Short(place));
        }
        let same = |whole: &Shown| (whole.known, whole.sum) == (self.this.known, self.this.sum);
        let before = self.whole.as_ref().filter(|_| !self.progressed);
        // What nobody took out of the backlog must be in it again.
        let lacks = self.keeps
            && self.seen.remembers()
            && self.this.read > 0
            && (self.this.known < self.this.read)
            && !before.is_some_and(same);
        let unproven = !self.body.proves_its_end() && before.is_none();
        if !lacks && !unproven {
            self.state = State::Complete;
            return;
        }
        self.whole = Some(self.this.clone());
        self.broke(net, if lacks { Break::Lacks } else { Break::Unproven });
    }
}
