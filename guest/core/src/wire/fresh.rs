//! Whether an answer was made for this request, or is one that a cache had kept.
//!
//! A cache answers a HEAD with what the server said to an earlier one, marks of the server included, and
//! nothing reaches the server. Requests forbid that ([`FORBID`]), and not every cache obeys. What gives
//! it away is the request id: MinIO's is the time of its answer in nanoseconds, and that of a kept
//! answer lies before the request. The server's clock is not ours, so how far it is ahead is learned from
//! the answers themselves; an answer in doubt is asked for once more. If the same id comes back, it was
//! kept; if the server's clock went on as ours did in the meantime, both were fresh and only the clocks
//! of two nodes differ.

use crate::wire::foreign::REQUEST_ID;
use crate::wire::instant::Instant;
use crate::wire::net::Response;
use crate::wire::timestamp;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Forbids caches to answer (RFC 9111, 5.2.1.4 and 5.4). Nothing of it is signed.
pub(crate) const FORBID: [(&str, &str); 2] =
    [("cache-control", "no-cache"), ("pragma", "no-cache")];

/// Nanoseconds.
type Nanos = i128;

const SECOND: Nanos = 1_000_000_000;

/// How much older than its request an answer may look: a clock that is being adjusted.
const TOLERANCE: Nanos = SECOND / 2;

/// Clocks of nodes differ by less than this. What is older by more is never put down to them.
const MOST: Nanos = 60 * SECOND;

/// Times at which there are servers, 2015 to 2100, so that a request id of another making is not
/// taken for a time.
const TIMES: RangeInclusive<u64> = 1_420_070_400_000_000_000..=4_102_444_800_000_000_000;

/// What is known of the server's clock.
#[derive(Debug)]
pub(crate) struct Freshness {
    /// How far it is ahead of ours at least: an answer is made before it comes.
    ahead: Option<Nanos>,
    /// How much older than its request an answer may look.
    tolerance: Nanos,
}

impl Default for Freshness {
    fn default() -> Self {
        Self { ahead: None, tolerance: TOLERANCE }
    }
}

/// When an answer was asked for, when it came and when it says that it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    id: u64,
    made: Nanos,
    sent: Nanos,
    came: Nanos,
}

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    /// It was made for this request, as far as can be seen.
    Fresh,
    /// It is older than the request, unless the clocks of nodes differ: it is to be asked for again.
    Doubtful(Stamp),
    /// A cache had kept it.
    Kept,
}

impl Freshness {
    /// What the server's clock showed then at least, in nanoseconds since 1970.
    pub(crate) fn server_time(&self, then: Instant) -> Option<i128> {
        self.ahead.map(|ahead| nanos(then) + ahead)
    }

    /// Learns from an answer that is not judged, such as the head of a listing.
    pub(crate) fn observe(&mut self, response: &Response, came: Instant) {
        if let Some((_, made)) = made(response) {
            self.learn(made, nanos(came));
        }
    }

    /// Judges an answer. `before` is the doubtful one to the attempt before.
    pub(crate) fn judge(
        &mut self,
        response: &Response,
        sent: Instant,
        came: Instant,
        before: Option<Stamp>,
    ) -> Age {
        if is_kept(response, came - sent) {
            return Age::Kept;
        }
        let Some((id, made)) = made(response) else { return Age::Fresh };
        let stamp = Stamp { id, made, sent: nanos(sent), came: nanos(came) };
        let late = self.ahead.map_or(0, |ahead| stamp.sent + ahead - made);
        if late <= self.tolerance {
            self.learn(made, stamp.came);
            return Age::Fresh;
        }
        match before {
            Some(before) if before.id == id => Age::Kept,
            Some(before) if before.goes_on_to(&stamp) => {
                // Two nodes, or a clock that was set back.
                self.tolerance = self.tolerance.max(late + TOLERANCE).min(MOST);
                self.ahead = Some(made - stamp.came);
                Age::Fresh
            }
            _ => Age::Doubtful(stamp),
        }
    }

    /// An answer was not made later than it came, and one that was kept was made even earlier.
    fn learn(&mut self, made: Nanos, came: Nanos) {
        self.ahead = self.ahead.max(Some(made - came));
    }
}

impl Stamp {
    /// Whether the clock that made both went on as ours did from one to the other.
    fn goes_on_to(&self, next: &Self) -> bool {
        let between = next.made - self.made;
        (next.sent - self.came..=next.came - self.sent).contains(&between)
    }
}

/// Whether the answer says itself that it is older than the request, which took this long: `Age`
/// (RFC 9111, 5.1), which some caches set to 0 on what they pass on.
pub(crate) fn is_kept(response: &Response, took: Duration) -> bool {
    let age = response.header("age").and_then(|age| age.trim().parse::<u64>().ok());
    age.is_some_and(|age| age > took.as_secs() + 1)
}

/// Whether the answer can be judged by its request id alone.
pub fn is_dated(request_id: &str) -> bool {
    time_in(request_id).is_some()
}

/// The answer's own mark and the time at which it was made, in nanoseconds since 1970.
fn made(response: &Response) -> Option<(u64, Nanos)> {
    let id = response.header(REQUEST_ID)?;
    let mark = time_in(id).unwrap_or_else(|| {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        hasher.finish()
    });
    if let Some(time) = time_in(id) {
        return Some((mark, Nanos::from(time)));
    }
    // A date has no fractions: it may be a second earlier than the answer.
    let date = response.header("date").and_then(timestamp::parse_http_date)?;
    Some((mark, (Nanos::from(date) + 1) * SECOND))
}

fn time_in(id: &str) -> Option<u64> {
    let time = u64::from_str_radix(id, 16).ok()?;
    TIMES.contains(&time).then_some(time)
}

fn nanos(at: Instant) -> Nanos {
    Nanos::try_from(at.origin_age().as_nanos()).unwrap_or(Nanos::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Noon on the server when our clock is at 0.
    const NOON: Nanos = 1_795_521_600 * SECOND;

    const MS: u64 = 1_000_000;

    fn at(nanos: u64) -> Instant {
        Instant::since_origin(Duration::from_nanos(nanos))
    }

    fn answer(headers: &[(&str, &str)]) -> Response {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Response { status: 200, headers, body: Vec::new() }
    }

    /// An answer made at this time after noon.
    fn made_at(after: i64) -> Response {
        answer(&[(REQUEST_ID, &format!("{:X}", NOON + Nanos::from(after)))])
    }

    proptest! {
        #[test]
        fn a_fresh_answer_is_never_doubted_however_far_the_clocks_are_apart(
            ahead in -4_000_000_000_000_i64..4_000_000_000_000,
            asked in proptest::collection::vec((0..MS * 1000, 0..MS * 500, 0..MS * 500), 1..40),
        ) {
            let (mut freshness, mut now) = (Freshness::default(), 0);
            for (pause, there, back) in asked {
                let sent = now + pause;
                now = sent + there + back;
                let answer = made_at(i64::try_from(sent + there).unwrap() + ahead);
                prop_assert_eq!(freshness.judge(&answer, at(sent), at(now), None), Age::Fresh);
            }
        }

        #[test]
        fn what_was_kept_for_seconds_is_told_at_its_second_coming(
            ahead in -4_000_000_000_000_i64..4_000_000_000_000,
            kept in 1_000_000_000_i64..1_000_000_000_000,
        ) {
            let mut freshness = Freshness::default();
            freshness.observe(&made_at(ahead), at(20 * MS));
            let old = made_at(ahead - kept);
            let Age::Doubtful(stamp) = freshness.judge(&old, at(30 * MS), at(31 * MS), None) else {
                panic!("it is old")
            };
            let again = freshness.judge(&old, at(40 * MS), at(41 * MS), Some(stamp));
            prop_assert_eq!(again, Age::Kept);
        }
    }

    #[test]
    fn a_node_whose_clock_is_behind_is_doubted_once_and_then_known() {
        let mut freshness = Freshness::default();
        let second = 1000 * MS;
        freshness.observe(&made_at(5_000_000_000), at(0));
        let behind = |after: u64| made_at(i64::try_from(after).unwrap());
        let (sent, came) = (second, second + 4 * MS);
        let Age::Doubtful(stamp) = freshness.judge(&behind(sent + MS), at(sent), at(came), None)
        else {
            panic!("it looks five seconds old")
        };
        let (sent, came) = (2 * second, 2 * second + 4 * MS);
        let age = freshness.judge(&behind(sent + MS), at(sent), at(came), Some(stamp));
        assert_eq!(age, Age::Fresh);
        freshness.observe(&made_at(5_000_000_000 + 3_000_000_000), at(3 * second));
        let (sent, came) = (4 * second, 4 * second + 4 * MS);
        let age = freshness.judge(&behind(sent + MS), at(sent), at(came), None);
        assert_eq!(age, Age::Fresh, "its difference is known by now");
    }

    #[test]
    fn two_kept_answers_do_not_vouch_for_each_other() {
        let mut freshness = Freshness::default();
        freshness.observe(&made_at(0), at(0));
        let judge = |freshness: &mut Freshness, made: i64, at_ms: u64, before| {
            freshness.judge(&made_at(made), at(at_ms * MS), at((at_ms + 5) * MS), before)
        };
        let Age::Doubtful(first) = judge(&mut freshness, -9_000_000_000, 10, None) else {
            panic!("it is old")
        };
        let second = judge(&mut freshness, -7_000_000_000, 30, Some(first));
        assert!(matches!(second, Age::Doubtful(_)), "{second:?}");
    }

    #[test]
    fn an_age_says_so_itself_unless_the_answer_took_as_long() {
        let mut freshness = Freshness::default();
        for (age, took, kept) in [
            ("3600", 0, true),
            ("0", 0, false),
            ("1", 0, false),
            ("20", 25, false),
            ("x", 0, false),
        ] {
            let answer = answer(&[("age", age), (REQUEST_ID, "not a time")]);
            let age = freshness.judge(&answer, at(0), at(took * 1000 * MS), None);
            assert_eq!(age == Age::Kept, kept, "{took}");
        }
    }

    #[test]
    fn where_the_id_is_no_time_the_date_decides() {
        let mut freshness = Freshness::default();
        let dated = |date: &str| answer(&[(REQUEST_ID, "TX0001"), ("date", date)]);
        freshness.observe(&dated("Tue, 24 Nov 2026 12:00:00 GMT"), at(0));
        for (date, fresh) in
            [("Tue, 24 Nov 2026 12:00:09 GMT", true), ("Tue, 24 Nov 2026 11:00:00 GMT", false)]
        {
            let age = freshness.judge(&dated(date), at(9000 * MS), at(9001 * MS), None);
            assert_eq!(age == Age::Fresh, fresh, "{date}");
        }
        for id in ["", "0", "4442587FB7D0A2F9", "187B", "zz"] {
            assert!(!is_dated(id), "{id}");
        }
        assert!(is_dated("187B3B4F1F6A3C55"));
    }
}
