//! The addresses of the one name that a run asks, in turn.
//!
//! The name of a cluster has the addresses of its nodes, and each node replicates what it was asked for
//! from a queue and workers of its own: a run that stays with one node leaves the others idle. So each
//! request takes its turn at the next address. One where nobody answers is set aside for a while, and is
//! then tried with a single request.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long an address that did not answer is tried last. A node that restarts is back after ten seconds
/// or so, and one that stays away costs one request 250 ms each time.
const ASIDE: Duration = Duration::from_secs(30);

/// How long a look-up is good for: `--concurrent 1000` opens that many connections at once.
const FRESH: Duration = Duration::from_secs(1);

/// How much more than an even part of the places one address may have, as a divisor of that part: each node
/// is slower than the others now and then. Without it, four real ones on a busy machine were asked 190, 197,
/// 231 and 182 times; with it 199, 200, 200 and 201.
const LEEWAY: usize = 4;

/// The addresses, and what is known of each.
#[derive(Debug)]
pub(crate) struct Nodes {
    /// Requests at a time.
    places: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    nodes: Vec<Node>,
    /// Whose turn is next, as an index.
    next: usize,
    looked_up: Option<Instant>,
}

#[derive(Debug)]
struct Node {
    address: SocketAddr,
    /// Requests that it has not answered yet.
    waiting: usize,
    heard: Option<Instant>,
    aside: Option<Instant>,
}

impl Node {
    fn is_aside(&self, now: Instant) -> bool {
        self.aside.is_some_and(|since| now.saturating_duration_since(since) < ASIDE)
    }
}

impl State {
    fn find(&mut self, address: SocketAddr) -> Option<&mut Node> {
        self.nodes.iter_mut().find(|node| node.address == address)
    }

    /// Nobody answers there. The only address is never set aside.
    fn set_aside(&mut self, address: SocketAddr) {
        if self.nodes.len() > 1
            && let Some(node) = self.find(address)
        {
            node.aside = Some(Instant::now());
        }
    }

    /// All of them, beginning with the one at this index.
    fn from(&self, start: usize) -> impl Iterator<Item = &Node> {
        let (before, after) = self.nodes.split_at(start.min(self.nodes.len()));
        after.iter().chain(before)
    }
}

impl Nodes {
    /// No addresses yet, for this many requests at a time.
    pub(crate) fn new(places: usize) -> Arc<Self> {
        Arc::new(Self { places, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the name was looked up a moment ago.
    pub(crate) fn are_fresh(&self) -> bool {
        self.state().looked_up.is_some_and(|at| at.elapsed() < FRESH)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.state().nodes.len()
    }

    /// The addresses.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.state().nodes.iter().map(|node| node.address).collect()
    }

    /// These are the addresses now. A name server that changes their order does not change whose turn it
    /// is.
    pub(crate) fn named(&self, found: &[SocketAddr]) {
        let mut state = self.state();
        state.nodes.retain(|node| found.contains(&node.address));
        for address in found {
            if state.find(*address).is_none() {
                let address = *address;
                state.nodes.push(Node { address, waiting: 0, heard: None, aside: None });
            }
        }
        state.looked_up = Some(Instant::now());
    }

    /// The turn of a request that has met these. No address has more requests to answer than its share of
    /// the places while another has less, so that a slow one does not get hold of them all. `None`
    /// before the name was looked up.
    pub(crate) fn turn(self: &Arc<Self>, met: &[SocketAddr]) -> Option<Turn> {
        self.turn_at(met, Instant::now())
    }

    fn turn_at(self: &Arc<Self>, met: &[SocketAddr], began: Instant) -> Option<Turn> {
        let mut state = self.state();
        let all = state.nodes.len();
        let there = match state.nodes.iter().filter(|node| !node.is_aside(began)).count() {
            0 => all.max(1),
            there => there,
        };
        let share = (self.places + self.places / LEEWAY).div_ceil(there);
        let best = state.from(state.next).min_by_key(|node| {
            (met.contains(&node.address), node.is_aside(began), node.waiting >= share)
        });
        let address = best?.address;
        let at = state.nodes.iter().position(|node| node.address == address)?;
        state.next = (at + 1) % all;
        let node = state.nodes.get_mut(at)?;
        node.waiting += 1;
        let trial = node.aside.is_some();
        if trial {
            // Until it has answered this request, no other is sent there.
            node.aside = Some(began);
        }
        let nodes = Arc::clone(self);
        Some(Turn { nodes, address, began, trial, connected: false, over: false })
    }

    /// Whether there is another address for a request that has met these.
    pub(crate) fn has_another(&self, met: &[SocketAddr]) -> bool {
        let (now, state) = (Instant::now(), self.state());
        let mut others = state.nodes.iter().filter(|node| !met.contains(&node.address));
        others.any(|node| !node.is_aside(now))
    }

    /// In which order they are tried for a connection to this one: families in turn (RFC 8305), those
    /// that did not answer of late last.
    pub(crate) fn in_order(&self, first: SocketAddr) -> Vec<SocketAddr> {
        let state = self.state();
        let start = state.nodes.iter().position(|node| node.address == first);
        let rotated: Vec<&Node> = state.from(start.unwrap_or(state.next)).collect();
        let first_is_v6 = rotated.first().is_some_and(|node| node.address.is_ipv6());
        let (same, others): (Vec<&Node>, Vec<&Node>) =
            rotated.into_iter().partition(|node| node.address.is_ipv6() == first_is_v6);
        let (mut same, mut others) = (same.into_iter(), others.into_iter());
        let mut mixed = Vec::with_capacity(state.nodes.len());
        loop {
            let pair = [same.next(), others.next()];
            if pair.iter().all(Option::is_none) {
                break;
            }
            mixed.extend(pair.into_iter().flatten());
        }
        let now = Instant::now();
        mixed.sort_by_key(|node| node.address != first && node.is_aside(now));
        mixed.into_iter().map(|node| node.address).collect()
    }

    /// Nobody answers at these.
    pub(crate) fn set_aside(&self, silent: &[SocketAddr]) {
        let mut state = self.state();
        silent.iter().for_each(|address| state.set_aside(*address));
    }
}

/// A request's turn at an address, until the answer begins. One that ends without an answer was given up:
/// if nothing else was heard from there in the meantime either, the address is set aside.
#[derive(Debug)]
pub(crate) struct Turn {
    nodes: Arc<Nodes>,
    address: SocketAddr,
    began: Instant,
    trial: bool,
    connected: bool,
    over: bool,
}

impl Turn {
    /// Whose turn it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// All the addresses.
    pub(crate) fn nodes(&self) -> &Arc<Nodes> {
        &self.nodes
    }

    /// Whether it is tried again after it did not answer.
    pub(crate) fn is_trial(&self) -> bool {
        self.trial
    }

    /// Whether somebody took the connection.
    pub(crate) fn is_connected(&self) -> bool {
        self.connected
    }

    /// It was this one that took the connection.
    pub(crate) fn connected(&mut self, to: SocketAddr) {
        self.connected = true;
        let mut state = self.nodes.state();
        if let Some(node) = state.find(self.address) {
            node.waiting = node.waiting.saturating_sub(1);
        }
        if let Some(node) = state.find(to) {
            node.waiting += 1;
        }
        drop(state);
        self.address = to;
    }

    /// It answers.
    pub(crate) fn answered(mut self) {
        self.over = true;
        let mut state = self.nodes.state();
        if let Some(node) = state.find(self.address) {
            node.heard = Some(Instant::now());
            node.aside = None;
        }
    }

    /// What became of the request says nothing about the address.
    pub(crate) fn over(mut self) {
        self.over = true;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.nodes.state();
        let Some(node) = state.find(self.address) else { return };
        node.waiting = node.waiting.saturating_sub(1);
        if !self.over && node.heard.is_none_or(|heard| heard < self.began) {
            state.set_aside(self.address);
        }
    }
}

#[cfg(test)]
mod tests;
