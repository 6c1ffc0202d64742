//! Lists a backlog once more, only to look at it.

use crate::listing::entry::{Item, Shape, Shapes};
use crate::listing::reader::{Failure, LISTING, Reader, State};
use crate::wire::{Client, Event, Net};

/// Why a look at the backlog did not reach its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The listing failed.
    Listing(Box<Failure>),
    /// The user stopped it.
    Stopped,
}

/// Shows every listed version to `each`, with the time of its last replication status. Touches no
/// object.
///
/// # Errors
/// [`Cut`]; what was shown until then is true, but not all.
pub(crate) fn survey<N: Net>(
    net: &mut N,
    client: &mut Client,
    mut reader: Reader,
    arn: Option<&str>,
    mut each: impl FnMut(&Item, &Shape, &str),
) -> Result<(), Cut> {
    let mut shapes = Shapes::default();
    let mut events = Vec::new();
    loop {
        match reader.state() {
            State::Complete => return Ok(()),
            State::Failed(failure) => return Err(Cut::Listing(failure.clone())),
            State::Idle => reader.open(net, client),
            _ => reader.tick(net, client),
        }
        if net.stop_requested() {
            reader.pause(net);
            return Err(Cut::Stopped);
        }
        net.wait(reader.due(), &mut events);
        for event in events.drain(..) {
            match (event, reader.state()) {
                (Event::Response(LISTING, result), State::Opening) => {
                    reader.on_response(net, client, result);
                }
                (Event::End(LISTING, result), State::Reading) => reader.on_end(net, result),
                (Event::Chunk(LISTING, chunk), State::Reading) => {
                    reader.on_chunk(net, &chunk, &mut shapes, |item, status_time, shapes| {
                        let shape = shapes.get(item.shape);
                        let shape = shape.filter(|s| arn.is_none_or(|arn| s.concerns(arn)));
                        if let Some(shape) = shape {
                            each(&item, shape, status_time);
                        }
                    });
                }
                _ => {}
            }
        }
    }
}
