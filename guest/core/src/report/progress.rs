//! The line on a terminal that shows how far the run is.

use crate::job::Counts;
use crate::wire::Instant;
use std::time::Duration;

/// Between two drawings. Ten a second is as much as an eye follows.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// The rate is measured over at least this long, so that it can be read.
const WINDOW: Duration = Duration::from_secs(2);

/// Why it is slower than it could be.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Trouble {
    /// For how long the server has not served anything.
    pub out_for: Option<Duration>,
    /// The attempt at opening the listing that is made or waited for, when it is not the first.
    pub attempt: Option<u32>,
    /// How many versions are in flight at most, when that is fewer than asked for.
    pub reduced_to: Option<usize>,
    /// Versions triggered that are replicated, where the server tells.
    pub replicated: Option<u64>,
}

/// The state of the line.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    drawn: Option<Instant>,
    window: Option<(Instant, u64)>,
    rate: f64,
    width: Option<usize>,
    /// How many were waited for at first.
    waited: Option<(Instant, u64)>,
}

impl Progress {
    /// `width` is the terminal's, when it is known. Where it is not, the terminal is told not to
    /// wrap while the line is drawn.
    pub(crate) fn new(width: Option<usize>) -> Self {
        Self { width, ..Self::default() }
    }

    /// The text that draws the line, when it is time to.
    pub(crate) fn draw(
        &mut self,
        now: Instant,
        counts: &Counts,
        listed: bool,
        trouble: Trouble,
    ) -> Option<String> {
        if self.drawn.is_some_and(|drawn| now < drawn + TICK) {
            return None;
        }
        self.drawn = Some(now);
        let done = trouble.replicated.unwrap_or_else(|| counts.ended());
        // A second pass counts from the beginning.
        match self.window.filter(|(_, before)| *before <= done) {
            Some((since, before)) if now >= since + WINDOW => {
                self.rate = done.saturating_sub(before) as f64 / (now - since).as_secs_f64();
                self.window = Some((now, done));
            }
            Some((since, before)) if self.rate == 0.0 && now > since => {
                self.rate = done.saturating_sub(before) as f64 / (now - since).as_secs_f64();
            }
            Some(_) => {}
            None => self.window = Some((now, done)),
        }
        let more = if listed { "" } else { "+" };
        let replicated = trouble
            .replicated
            .map(|replicated| format!(", {} replicated", grouped(replicated)))
            .unwrap_or_default();
        let mut line = format!(
            "{}{more} found, {} triggered{replicated}, {} failed, {}/s",
            grouped(counts.total),
            grouped(counts.triggered),
            grouped(counts.failed),
            grouped(self.rate as u64)
        );
        if let (true, Some(replicated)) = (listed && self.rate > 0.0, trouble.replicated) {
            let rest = counts.total.saturating_sub(counts.ended() - counts.triggered + replicated);
            line.push_str(&format!(", {} left", span(rest as f64 / self.rate)));
        }
        match trouble {
            Trouble { out_for: Some(time), .. } => {
                line.push_str(&format!(", server out for {} s", time.as_secs()));
            }
            Trouble { attempt: Some(attempt), .. } => {
                line.push_str(&format!(", asking for the listing again, attempt {attempt}"));
            }
            Trouble { reduced_to: Some(size), .. } => {
                line.push_str(&format!(", server busy: {size} at a time"));
            }
            _ => {}
        }
        Some(self.line(line))
    }

    /// The text that draws what is waited for: so many versions, until a look after this time.
    pub(crate) fn waiting(&mut self, now: Instant, versions: u64, next: Duration) -> String {
        self.drawn.get_or_insert_default();
        let (since, before) = *self.waited.get_or_insert((now, versions));
        let rate = before.saturating_sub(versions) as f64 / (now - since).as_secs_f64().max(1.0);
        let pace = if rate >= 1.0 && versions > 0 {
            let left = span(versions as f64 / rate);
            format!(", {}/s, {left} left", grouped(rate as u64))
        } else {
            String::new()
        };
        let next = next.as_secs_f64().ceil();
        let versions = grouped(versions);
        self.line(format!("waiting for {versions} to replicate{pace}, next look in {next} s"))
    }

    /// The text that draws what a look has shown so far.
    pub(crate) fn looking(&mut self, versions: u64) -> String {
        self.drawn.get_or_insert_default();
        self.line(format!("looking at the backlog: {} not replicated so far", grouped(versions)))
    }

    fn line(&self, mut line: String) -> String {
        if let Some(width) = self.width {
            let end = line.char_indices().nth(width.saturating_sub(1));
            line.truncate(end.map_or(line.len(), |(at, _)| at));
        }
        format!("\r\x1b[?7l{line}\x1b[K\x1b[?7h")
    }

    /// The text that removes the line, if it is there.
    pub(crate) fn erase(&mut self) -> &'static str {
        if self.drawn.take().is_some() { "\r\x1b[K" } else { "" }
    }
}

/// A time to come, as exactly as it can be known.
fn span(seconds: f64) -> String {
    let minutes = (seconds / 60.0).ceil() as u64;
    match minutes {
        0 | 1 => format!("{} s", seconds.ceil() as u64),
        2..=99 => format!("{minutes} min"),
        _ => format!("{} h", minutes.div_ceil(60)),
    }
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_draws_at_ten_hertz_at_most_and_fits_the_terminal() {
        let mut progress = Progress::new(Some(20));
        let counts = Counts { total: 1_234_567, triggered: 1000, ..Counts::default() };
        let line = progress.draw(Instant::default(), &counts, false, Trouble::default()).unwrap();
        assert!(line.contains("1,234,567+ found, 1\x1b[K"), "{line:?}");
        assert_eq!(
            progress.draw(
                Instant::default() + Duration::from_millis(99),
                &counts,
                false,
                Trouble::default()
            ),
            None
        );
        let out_for = Some(Duration::from_secs(7));
        let trouble = Trouble { out_for, reduced_to: Some(3), ..Trouble::default() };
        assert!(
            progress
                .draw(Instant::default() + Duration::from_millis(100), &counts, true, trouble)
                .is_some()
        );
        assert_eq!(progress.erase(), "\r\x1b[K");
        assert_eq!(progress.erase(), "");
    }

    #[test]
    fn a_second_pass_that_counts_anew_has_a_rate_of_its_own() {
        let mut progress = Progress::new(None);
        let at = |seconds| Instant::since_origin(Duration::from_secs(seconds));
        let mut draw = |seconds, triggered| {
            let counts = Counts { triggered, ..Counts::default() };
            progress.draw(at(seconds), &counts, true, Trouble::default()).unwrap()
        };
        draw(1, 0);
        assert!(draw(4, 300).contains("100/s"));
        assert!(draw(5, 0).contains("100/s"), "of the pass before, for a moment");
        assert!(draw(8, 60).contains("20/s"));
    }

    #[test]
    fn what_is_replicated_is_said_with_its_rate_and_the_time_left() {
        let mut progress = Progress::new(None);
        let at = |seconds| Instant::since_origin(Duration::from_secs(seconds));
        let mut draw = |seconds, replicated, listed| {
            let counts =
                Counts { total: 10_000, triggered: 4_000, failed: 10, ..Counts::default() };
            let trouble = Trouble { replicated: Some(replicated), ..Trouble::default() };
            progress.draw(at(seconds), &counts, listed, trouble).unwrap()
        };
        draw(1, 0, true);
        let line = draw(11, 990, true);
        assert!(
            line.contains(
                "10,000 found, 4,000 triggered, 990 replicated, 10 failed, 99/s, 2 min left"
            ),
            "{line}"
        );
        assert!(!draw(20, 1500, false).contains("left"), "it is not known how many there are");
        assert_eq!(
            [2.2, 59.9, 61.0, 5_000.0, 9_000.0].map(span),
            ["3 s", "60 s", "2 min", "84 min", "3 h"]
        );
    }

    #[test]
    fn what_keeps_the_run_is_said() {
        let said = |out_for, reduced_to, attempt| {
            let trouble = Trouble { out_for, reduced_to, attempt, replicated: None };
            Progress::new(None).draw(Instant::default(), &Counts::default(), true, trouble).unwrap()
        };
        assert!(said(None, Some(3), None).contains("0/s, server busy: 3 at a time\x1b"));
        assert!(
            said(Some(Duration::from_secs(7)), Some(3), None)
                .contains("0/s, server out for 7 s\x1b")
        );
        assert!(
            said(None, None, Some(2)).contains("0/s, asking for the listing again, attempt 2\x1b")
        );
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 10_000_000].map(grouped), ["0", "999", "1,000", "10,000,000"]);
    }
}
