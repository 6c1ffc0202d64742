//! The world of a run without sockets and without waiting: a server, a virtual clock in front of it,
//! faults in between, and a console.
//!
//! Everything follows from the numbers given, so that a run that failed can be run again.

mod answer;
mod faulty;
mod net;
mod queue;
mod screen;
mod server;
mod version;

pub(crate) use answer::{Refusal, ok};
pub(crate) use faulty::{Break, Faulty, Mishap};
pub(crate) use net::{BEGINNING, SimNet};
pub(crate) use screen::Screen;
pub(crate) use server::{Asked, Server};
pub(crate) use version::{Copying, Fate, Name, Replication, Version};

/// A server behind a line with faults.
pub(crate) type World = Faulty<SimNet>;

/// A world with this backlog and no faults.
pub(crate) fn serving(versions: Vec<Version>) -> World {
    Faulty::new(SimNet::new(Server::new(versions)))
}

/// A world with this many objects and even answers, made to be so.
pub(crate) fn made(count: usize, make: impl FnOnce(&mut World)) -> World {
    let mut world = serving(objects(count));
    world.net.latency = 10..11;
    make(&mut world);
    world
}

/// This many objects, as a small bucket has them.
pub(crate) fn objects(count: usize) -> Vec<Version> {
    (0..count).map(|n| Version::new(&format!("data/{n:06}"), &uuid(n as u128))).collect()
}

pub(crate) fn uuid(number: u128) -> String {
    let hex = format!("{number:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
