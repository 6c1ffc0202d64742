//! Chance that can be had again: everything drawn follows from the seed.

use std::time::Duration;

use crate::fake::mix;

/// A stream of draws.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The stream of this name. Who draws first does not change what others draw.
    pub fn new(seed: u64, name: &str) -> Self {
        Self(name.bytes().fold(seed, |sum, byte| mix(sum ^ u64::from(byte))))
    }

    /// A stream of its own, which follows from this one.
    pub fn fork(&mut self) -> Self {
        Self(self.draw())
    }

    /// Any number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        mix(self.0)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound.max(1)
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(usize::try_from(self.below(all.len() as u64)).ok()?)
    }

    /// One of these, taken out.
    pub fn take<T>(&mut self, all: &mut Vec<T>) -> T {
        let at = usize::try_from(self.below(all.len() as u64)).unwrap_or_default();
        all.swap_remove(at)
    }

    /// A time between the two.
    pub fn span(&mut self, least: Duration, most: Duration) -> Duration {
        let nanos = most.saturating_sub(least).as_nanos().max(1);
        least + Duration::from_nanos((u128::from(self.draw()) % nanos) as u64)
    }
}
