//! Whether the server is out: restarting, cut off, or without the drives it reads from.
//!
//! Ten attempts at a version last four seconds, and a server takes longer than that to come back
//! (a single drive on a busy machine was seen to take ten seconds). Failing whatever was in flight
//! would make every restart of a server a failed run. So what was begun is tried again until the
//! server answers, and nothing else is begun.

use crate::wire::{Cause, Instant, TransportError};
use std::time::Duration;

/// How long a server may be out before versions fail for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long it takes to know. A server that is merely overloaded answers others in the meantime.
const NOTICE: Duration = Duration::from_secs(1);

/// Versions that are tried while the server is out. More than one, because one may be all that is
/// wrong: an object on lost drives is answered like a server on lost drives.
const PROBES: usize = 10;

/// Versions that fail one after the other because the server is out before the run ends: the rest
/// of a million would only fail more slowly.
const MAX_FAILURES: u32 = 20;

/// What is known of the server's absence.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    /// Since when it has given no other answer.
    since: Option<Instant>,
    /// Versions that failed for it since.
    failures: u32,
}

impl Outage {
    /// An answer, or what came instead of it. `absent` says that it was a sign of absence. Returns
    /// whether that is the end of an outage.
    pub(crate) fn heard(&mut self, absent: bool, now: Instant) -> bool {
        if absent {
            self.since.get_or_insert(now);
            return false;
        }
        std::mem::take(self).lasts(now).is_some()
    }

    /// For how long the server has been out, once that is known.
    pub(crate) fn lasts(&self, now: Instant) -> Option<Duration> {
        let lasts = now - self.since?;
        (lasts >= NOTICE).then_some(lasts)
    }

    /// From when on another version may be begun beside this many that wait for another attempt.
    pub(crate) fn next_start(&self, waiting: usize, now: Instant) -> Instant {
        match self.since {
            Some(since) if waiting >= PROBES && now >= since + NOTICE => since + PATIENCE,
            _ => Instant::default(),
        }
    }

    /// Whether a version whose last attempt was a sign of absence gets one more. `waiting` others
    /// do so too.
    pub(crate) fn spares(&self, waiting: usize, now: Instant) -> bool {
        waiting > 0 && self.since.is_some_and(|since| now < since + PATIENCE)
    }

    /// A version failed. Returns whether that is the end of the run.
    pub(crate) fn failed(&mut self, absent: bool) -> bool {
        self.failures = if absent { self.failures + 1 } else { 0 };
        self.failures >= MAX_FAILURES
    }
}

/// Whether this is what is heard of a server that is out, or of a proxy in front of it. An answer that
/// cannot be read is one all the same, and what this machine lacks is not the server's fault.
pub(crate) fn is_absence(cause: &Cause) -> bool {
    match cause {
        Cause::Transport(error) => !matches!(
            error,
            TransportError::Denied(_) | TransportError::Protocol(_) | TransportError::Local(_)
        ),
        Cause::Foreign(_) => true,
        Cause::Server(error) => matches!(error.status, 502..=504),
        Cause::Kept | Cause::Declined(_) => false,
    }
}

/// Whether this machine lacks something: files, ports, memory.
pub(crate) fn is_shortage(cause: &Cause) -> bool {
    matches!(cause, Cause::Transport(TransportError::Local(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::S3Error;

    const fn at(seconds: u64) -> Instant {
        Instant::since_origin(Duration::from_secs(seconds))
    }

    fn answered(status: u16) -> Cause {
        Cause::Server(Box::new(S3Error { status, ..S3Error::default() }))
    }

    #[test]
    fn it_begins_with_silence_and_ends_with_any_word() {
        let mut outage = Outage::default();
        assert!(!outage.spares(5, at(0)));
        assert!(!outage.heard(true, at(1)));
        assert!(!outage.heard(true, at(20)));
        assert_eq!(
            (outage.lasts(at(1)), outage.lasts(at(20))),
            (None, Some(Duration::from_secs(19)))
        );
        assert!(outage.spares(5, at(30)));
        assert_eq!(outage.next_start(500, at(1)), at(0), "others may be answered");
        assert_eq!((outage.next_start(9, at(30)), outage.next_start(10, at(30))), (at(0), at(31)));
        assert!(!outage.spares(0, at(30)), "a single version says nothing about the server");
        assert!(!outage.spares(5, at(31)));
        assert!(outage.heard(false, at(32)) && !outage.heard(false, at(32)));
        outage.heard(true, at(33));
        assert!(outage.spares(5, at(62)));
        outage.heard(false, at(62));
        assert!(!outage.spares(5, at(62)));
    }

    #[test]
    fn twenty_failures_in_a_row_end_the_run() {
        let mut outage = Outage::default();
        (1..20).for_each(|_| assert!(!outage.failed(true)));
        assert!(!outage.failed(false), "an answer");
        (1..20).for_each(|_| assert!(!outage.failed(true)));
        assert!(outage.failed(true));
    }

    #[test]
    fn only_what_may_come_from_a_server_that_is_out_is_taken_for_that() {
        use TransportError as T;
        let foreign = crate::wire::Foreign { status: 404, ..crate::wire::Foreign::default() };
        for (cause, absent) in [
            (Cause::Transport(T::ConnectionRefused), true),
            (Cause::Transport(T::Timeout(Duration::ZERO)), true),
            (Cause::Transport(T::Proxy(String::new())), true),
            (Cause::Foreign(Box::new(foreign)), true),
            (answered(503), true),
            (answered(500), false),
            (Cause::Transport(T::Protocol(String::new())), false),
            (Cause::Transport(T::Local(String::new())), false),
            (Cause::Transport(T::Fetch(String::new())), true),
            (Cause::Transport(T::Denied(String::new())), false),
            (Cause::Kept, false),
        ] {
            assert_eq!(is_absence(&cause), absent, "{cause:?}");
        }
    }
}
