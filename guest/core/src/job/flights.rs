//! The versions in flight. The number of a flight's slot is in the ticket of its exchange.

use crate::job::failure::During;
use crate::listing::Item;
use crate::wire::{Instant, Stamp, Ticket};

/// A version in flight.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) item: Item,
    /// Attempts begun.
    pub(crate) attempts: u32,
    /// Attempts that were refused for the region in the signature.
    pub(crate) regions: u32,
    /// When the exchange under way was begun.
    pub(crate) started: Instant,
    /// Whether that is the copy, not the HEAD.
    pub(crate) copying: bool,
    /// Bytes of the object, once a HEAD of this run has been answered.
    pub(crate) size: Option<u64>,
    /// Attempts that were given up because no answer came.
    pub(crate) hangs: u32,
    /// The last answer, if it may have been a cache's.
    pub(crate) doubt: Option<Stamp>,
}

impl Flight {
    /// A version that was not tried yet.
    pub(crate) fn new(item: Item) -> Self {
        Self {
            item,
            attempts: 0,
            regions: 0,
            started: Instant::default(),
            copying: false,
            size: None,
            hangs: 0,
            doubt: None,
        }
    }

    /// What is being done.
    pub(crate) fn during(&self) -> During {
        if self.copying { During::Copy } else { During::Trigger }
    }
}

/// Slots for flights, reused.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    slots: Vec<Option<Flight>>,
    free: Vec<usize>,
}

impl Flights {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// How many of them have hung before.
    pub(crate) fn hung(&self) -> usize {
        self.slots.iter().flatten().filter(|flight| flight.hangs > 0).count()
    }

    /// Gives a flight a slot and returns its ticket.
    pub(crate) fn board(&mut self, mut flight: Flight, now: Instant) -> Ticket {
        flight.started = now;
        match self.free.pop() {
            Some(slot) => {
                if let Some(place) = self.slots.get_mut(slot) {
                    *place = Some(flight);
                }
                Ticket::Version(slot)
            }
            None => {
                self.slots.push(Some(flight));
                Ticket::Version(self.slots.len() - 1)
            }
        }
    }

    /// The version of a ticket.
    pub(crate) fn item(&self, ticket: Ticket) -> Option<&Item> {
        let Ticket::Version(slot) = ticket else { return None };
        self.slots.get(slot)?.as_ref().map(|flight| &flight.item)
    }

    /// Takes the flight of a ticket.
    pub(crate) fn take(&mut self, ticket: Ticket) -> Option<Flight> {
        let Ticket::Version(slot) = ticket else { return None };
        let flight = self.slots.get_mut(slot)?.take()?;
        self.free.push(slot);
        Some(flight)
    }

    /// The tickets of all flights for which this holds.
    pub(crate) fn tickets(&self, holds: impl Fn(&Flight) -> bool) -> Vec<Ticket> {
        let flights = self.slots.iter().enumerate();
        let chosen = flights.filter(|(_, flight)| flight.as_ref().is_some_and(&holds));
        chosen.map(|(slot, _)| Ticket::Version(slot)).collect()
    }
}
