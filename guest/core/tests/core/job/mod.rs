//! What the job promises, for any backlog, any faults and any timing.

mod claims;
mod flow;
mod names;
mod properties;
mod shards;

use crate::world::{Name, World};
use resync_core::job::{Counts, End, Job, Outcome, Sink, Spec};
use resync_core::listing::{Item, Statuses};
use resync_core::wire::{Alias, Client};

/// What a job did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) end: End,
    pub(crate) counts: Counts,
    pub(crate) listings: u32,
    /// Outcome and attempts of each version, in the order of their ends.
    pub(crate) ends: Vec<(Name, Outcome, u32)>,
}

#[derive(Default)]
struct Ends(Vec<(Name, Outcome, u32)>);

impl Sink for Ends {
    fn version(&mut self, item: &Item, _: &Statuses, outcome: &Outcome, attempts: u32) {
        self.0.push(((item.key.clone(), item.version.to_string()), outcome.clone(), attempts));
    }
}

/// A job on the bucket of the simulated server.
fn job(spec: Spec) -> Job {
    let alias = Alias::from_mc_host("http://minio.example:9000").expect("an alias");
    Job::new(spec, Client::new(&alias, "bucket", None))
}

/// Runs a job to its end, or gives it up after this many calls of `advance`.
fn run_until(spec: Spec, world: &mut World, calls: usize) -> Ran {
    let mut job = job(spec);
    let mut ends = Ends::default();
    let ended = (0..calls).any(|_| !job.advance(world, &mut ends, None));
    if !ended {
        job.abandon(world);
    }
    assert_eq!(world.under_way().next(), None, "nothing is left under way");
    Ran { end: job.end(), counts: job.counts().clone(), listings: job.listings(), ends: ends.0 }
}

/// Runs a job to its end.
fn run(spec: Spec, world: &mut World) -> Ran {
    run_until(spec, world, usize::MAX)
}
