//! How long an answer is waited for.
//!
//! Some objects never answer, on a drive that hangs; and some servers need a minute for each. Nothing
//! tells the one from the other but what else is answered. So a first attempt is given up early and made
//! again later with more patience, which a few hanging objects cost little and a slow object some
//! attempts; and a server that answers nothing at all in the meantime is given more time with every
//! round.

use crate::wire::Instant;
use std::time::Duration;

/// The patience with a first attempt, while the server answers others. A HEAD reads one small file.
const FIRST: Duration = Duration::from_secs(5);

/// The patience with further attempts at a version that did not answer.
const FURTHER: [Duration; 2] = [Duration::from_secs(20), Duration::from_secs(90)];

/// Attempts that are given up before the version fails.
pub(crate) const MAX_HANGS: u32 = 1 + FURTHER.len() as u32;

/// The longest patience with a HEAD: mc's own time-out of a connection on which nothing moves.
const LONGEST: Duration = Duration::from_secs(600);

/// A first attempt may take this many times as long as the slowest of late.
const LEEWAY: u32 = 4;

/// How long a server may answer no HEAD before it is taken for dead. By then first attempts were given 5,
/// 10, 20, 40, 80 and 160 seconds, one round after the other.
const DEAD_AFTER: Duration = Duration::from_secs(300);

/// How many versions have to hang in that time: a few objects that hang while others wait for them are
/// not the server.
const DEAD_FOR: u32 = 5;

/// How many copies in a row have to hang, each as often as it is tried, before no other is begun.
const DEAD_COPIES: u32 = 3;

/// The patience with a copy, beside the time that its bytes take.
const COPY: Duration = Duration::from_secs(120);

/// The least that a server copies in a second: a drive that is busy with others.
const COPIED: u64 = 2 << 20;

/// The patience of a run.
#[derive(Debug)]
pub(crate) struct Patience {
    first: Duration,
    /// The slowest answer of late.
    slowest: Duration,
    answered: Instant,
    raised: Instant,
    silence: Option<Silence>,
    /// Versions whose copies were given up since one was answered.
    copies: u32,
}

/// HEADs that were not answered since the last one that was.
#[derive(Clone, Copy, Debug)]
struct Silence {
    /// When the first of them was sent.
    since: Instant,
    /// Of how many versions they are.
    versions: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first: FIRST,
            slowest: Duration::ZERO,
            answered: Instant::default(),
            raised: Instant::default(),
            silence: None,
            copies: 0,
        }
    }
}

impl Patience {
    /// A HEAD was answered, after this long.
    pub(crate) fn answered(&mut self, took: Duration, now: Instant) {
        self.answered = now;
        self.silence = None;
        // What was slow once is forgotten over some hundred answers.
        self.slowest = took.max(self.slowest - self.slowest / 64);
        self.first = (self.slowest * LEEWAY).clamp(FIRST, LONGEST);
    }

    /// Whether any HEAD was answered.
    pub(crate) fn has_answered(&self) -> bool {
        self.answered > Instant::default()
    }

    /// How long the HEAD of a version that has hung this often may take.
    pub(crate) fn with_head(&self, hangs: u32) -> Duration {
        let further = usize::try_from(hangs).unwrap_or(usize::MAX).checked_sub(1);
        let further = further.and_then(|index| FURTHER.get(index).or(FURTHER.last()));
        self.first.max(further.copied().unwrap_or_default())
    }

    /// How long the copy of an object of this size may take.
    pub(crate) fn with_copy(size: u64) -> Duration {
        COPY + Duration::from_secs(size / COPIED)
    }

    /// For how long HEADs that were sent were not answered. Time in which none is sent is not silence.
    pub(crate) fn silence(&self, now: Instant) -> Duration {
        self.silence.map_or(Duration::ZERO, |silence| now - silence.since)
    }

    /// Whether the server is taken for dead.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.silence(now) >= DEAD_AFTER
            && self.silence.is_some_and(|silence| silence.versions >= DEAD_FOR)
    }

    /// The patience with the HEAD of a version that has hung this often before, begun at `started`, is
    /// over. Returns whether the server has answered no other in the meantime.
    pub(crate) fn ran_out(&mut self, hangs: u32, started: Instant, now: Instant) -> bool {
        if self.answered >= started {
            return false;
        }
        let silence = self.silence.get_or_insert(Silence { since: started, versions: 0 });
        silence.since = silence.since.min(started);
        // A version that has hung before says no more of the server than it did then.
        if hangs > 0 {
            return false;
        }
        silence.versions += 1;
        // Those that were begun together are one round.
        if started >= self.raised {
            self.first = (self.first * 2).min(LONGEST);
            self.raised = now;
        }
        true
    }

    /// A copy was answered.
    pub(crate) fn copied(&mut self) {
        self.copies = 0;
    }

    /// A version failed because its copies hung. Returns whether all others would.
    pub(crate) fn copies_ran_out(&mut self) -> bool {
        self.copies += 1;
        self.copies >= DEAD_COPIES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Instant {
        Instant::since_origin(Duration::from_secs(seconds))
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_grows_with_the_attempts_beyond_the_slowest_server_that_is_known() {
        let patience = Patience::default();
        let waits: Vec<u64> = (0..5).map(|hangs| patience.with_head(hangs).as_secs()).collect();
        assert_eq!(waits, [5, 20, 90, 90, 90]);
    }

    #[test]
    fn objects_that_hang_among_others_do_not_raise_it() {
        let mut patience = Patience::default();
        for second in 0..100 {
            patience.answered(Duration::from_millis(3), at(second));
            assert!(!patience.ran_out(0, at(second.saturating_sub(5)), at(second)));
        }
        assert_eq!(patience.with_head(0), seconds(5));
    }

    #[test]
    fn every_silent_round_doubles_it_once_and_an_answer_shows_what_is_needed() {
        let mut patience = Patience::default();
        let mut now = 1;
        for first in [5, 10, 20, 40] {
            assert_eq!(patience.with_head(0), seconds(first));
            let started = at(now);
            now += first;
            (0..10).for_each(|_| assert!(patience.ran_out(0, started, at(now))));
        }
        patience.answered(seconds(61), at(now + 61));
        assert_eq!(patience.with_head(0), seconds(244));
        (0..1000).for_each(|_| patience.answered(Duration::from_millis(2), at(now + 62)));
        assert_eq!(patience.with_head(0), seconds(5));
        (0..100).for_each(|round| {
            _ = patience.ran_out(0, at(now + 1000 * (round + 1)), at(now + 1000 * (round + 2)));
        });
        assert_eq!(patience.with_head(0), seconds(600));
    }

    #[test]
    fn silence_is_counted_from_what_was_asked_and_ends_with_any_answer() {
        let mut patience = Patience::default();
        assert_eq!(patience.silence(at(900)), Duration::ZERO, "nothing was asked");
        (0..4).for_each(|_| assert!(patience.ran_out(0, at(900), at(905))));
        assert_eq!(patience.silence(at(905)), seconds(5));
        assert!(
            !patience.ran_out(1, at(906), at(2000)) && !patience.is_over(at(2000)),
            "four objects"
        );
        assert!(patience.ran_out(0, at(1100), at(1140)));
        assert!(!patience.is_over(at(1199)) && patience.is_over(at(1200)));
        patience.answered(seconds(1), at(1200));
        assert!(!patience.is_over(at(9000)));
        assert_eq!(patience.silence(at(9000)), Duration::ZERO);
    }

    #[test]
    fn a_copy_has_the_time_that_its_bytes_take() {
        assert_eq!(Patience::with_copy(0), seconds(120));
        assert_eq!(Patience::with_copy(10 << 30), seconds(120 + 5120));
    }
}
