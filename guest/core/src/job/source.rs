//! Where the versions of a job come from: the listing, what the user gives, or a spool that is full already.

use crate::job::counts::Counts;
use crate::listing::{Input, Item, Reader, Said, State, StatusTable};
use crate::wire::{Client, Event, Instant, Net};
use std::time::Duration;

/// Where the versions come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// The replication diff.
    Listing(Box<Reader>),
    /// What the user gives.
    Input(Input),
    /// The spool, which nothing is added to.
    Spool,
}

impl Source {
    /// Where it is.
    pub(crate) fn state(&self) -> &State {
        match self {
            Self::Listing(reader) => reader.state(),
            Self::Input(input) => input.state(),
            Self::Spool => &State::Complete,
        }
    }

    /// Whether nothing more will come, but for what [`Source::last`] gives.
    pub(crate) fn ended(&self) -> bool {
        matches!(self.state(), State::Complete | State::Failed(_))
    }

    /// The reader, where it is the listing.
    pub(crate) fn listing(&self) -> Option<&Reader> {
        match self {
            Self::Listing(reader) => Some(reader),
            _ => None,
        }
    }

    /// The version that was held back, once nothing more will come.
    pub(crate) fn last(&mut self) -> Option<(Item, String)> {
        match self {
            Self::Listing(reader) => reader.last(),
            _ => None,
        }
    }

    /// Forgets all statuses but those of the version held back.
    pub(crate) fn forget_statuses(&mut self, table: &mut StatusTable) {
        match self {
            Self::Listing(reader) => reader.forget_statuses(table),
            Self::Input(_) => table.clear(),
            Self::Spool => {}
        }
    }

    /// Begins, or begins once more.
    pub(crate) fn open<N: Net>(&mut self, net: &mut N, client: &mut Client) {
        match self {
            Self::Listing(reader) => reader.open(net, client),
            Self::Input(input) => input.open(net),
            Self::Spool => {}
        }
    }

    /// Ends it for good.
    pub(crate) fn close<N: Net>(&mut self, net: &mut N) {
        match self {
            Self::Listing(reader) => reader.close(net),
            Self::Input(input) => input.close(net),
            Self::Spool => {}
        }
    }

    /// Stops reading, because the spool is full.
    pub(crate) fn hold<N: Net>(&mut self, net: &mut N) {
        match self {
            Self::Listing(reader) => reader.hold(net),
            Self::Input(input) => input.hold(net, true),
            Self::Spool => {}
        }
    }

    /// Goes on reading.
    pub(crate) fn go_on<N: Net>(&mut self, net: &mut N) {
        match self {
            Self::Listing(reader) => reader.go_on(net),
            Self::Input(input) => input.hold(net, false),
            Self::Spool => {}
        }
    }

    /// Does what is due without any event.
    pub(crate) fn tick<N: Net>(&mut self, net: &mut N, client: &mut Client) {
        if let Self::Listing(reader) = self {
            reader.tick(net, client);
        }
    }

    /// When that is.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.listing().and_then(Reader::due)
    }

    /// The longest `Retry-After` it was answered with.
    pub(crate) fn retry_after(&self) -> Duration {
        self.listing().map_or(Duration::ZERO, Reader::retry_after)
    }

    /// Handles an event. What it says goes to `each`; of what the user gives, with the number of its line.
    ///
    /// # Errors
    /// Why no more can be read of what the user gives.
    pub(crate) fn on_event<N: Net>(
        &mut self,
        net: &mut N,
        client: &mut Client,
        event: Event,
        table: &mut StatusTable,
        mut each: impl FnMut(u64, Said<'_>, &StatusTable),
    ) -> Result<(), String> {
        match self {
            Self::Listing(reader) => {
                reader.on_event(net, client, event, table, |item, _, table| {
                    each(0, Said::Version(item), table);
                });
                Ok(())
            }
            Self::Input(input) => input.on_event(event, table, each),
            Self::Spool => Ok(()),
        }
    }
}

/// Of so many versions that the user gives, one at least has to be there. A file of another bucket looks
/// like any other file.
const SUSPICIOUS: u64 = 20;

/// What is to be said when none of the versions that the user gives is there.
pub(crate) fn none_is_there(counts: &Counts) -> Option<String> {
    let gone = counts.vanished + counts.elsewhere;
    (gone == counts.total && gone >= SUSPICIOUS).then(|| {
        format!("None of the {gone} versions is there: they may be of another bucket or of another site.")
    })
}
