//! Lists a backlog once more, only to look at it.

use crate::listing::entry::Item;
use crate::listing::reader::{Reader, State};
use crate::listing::statuses::{StatusTable, Statuses};
use crate::wire::{Client, Net, Ticket};
use std::time::Duration;

/// The longest time between two calls of [`Survey::tick`].
const TICK: Duration = Duration::from_secs(1);

/// Whom a backlog is shown to.
pub(crate) trait Survey {
    /// A version, with the time of its last replication status.
    fn version(&mut self, item: &Item, statuses: &Statuses, status_time: &str);

    /// Time passes.
    fn tick(&mut self);
}

/// Shows every listed version, and touches no object. Returns whether it reached the end of the backlog: if the
/// listing failed or the user stopped it, what was shown is true, but not all.
pub(crate) fn survey<N: Net>(
    net: &mut N,
    client: &mut Client,
    prefix: &str,
    to: &mut impl Survey,
) -> bool {
    let mut reader = Reader::new(prefix, false);
    let mut table = StatusTable::default();
    let mut events = Vec::new();
    let mut tick = net.now() + TICK;
    loop {
        if let Some((item, status_time)) = reader.last()
            && let Some(statuses) = table.get(item.statuses)
        {
            to.version(&item, statuses, &status_time);
        }
        match reader.state() {
            State::Complete => return true,
            State::Failed(_) => return false,
            State::Idle => reader.open(net, client),
            _ => reader.tick(net, client),
        }
        if net.stop_requested() {
            reader.close(net);
            return false;
        }
        net.wait(reader.due().into_iter().chain([tick]).min(), &mut events);
        if net.now() >= tick {
            tick = net.now() + TICK;
            to.tick();
        }
        for event in events.drain(..).filter(|event| event.ticket() == Ticket::Listing) {
            reader.on_event(net, client, event, &mut table, |item, status_time, table| {
                if let Some(statuses) = table.get(item.statuses) {
                    to.version(&item, statuses, status_time);
                }
            });
        }
    }
}
