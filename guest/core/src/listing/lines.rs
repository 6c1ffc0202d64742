//! Cuts the stream of the replication diff into lines, at whatever point the chunks end.
//!
//! The server sends one JSON object a line and a blank every 500 ms while it has nothing to send,
//! so blanks may stand before a line, between two, or alone. A body that ends in the middle of a
//! line was cut.

/// The longest line accepted: a key has at most 1,024 bytes, each six in JSON at the worst, and
/// every target adds some 100. What sends more is not a replication diff.
const MAX_LINE: usize = 1 << 20;

/// A line longer than any a server makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineTooLong;

/// The lines of a stream.
#[derive(Debug, Default)]
pub struct Lines {
    /// The beginning of a line whose end has not come yet.
    half: Vec<u8>,
}

impl Lines {
    /// Takes a chunk and hands every line that is whole now to `line`, without its newline. Stops
    /// early when `line` returns `false`.
    ///
    /// # Errors
    /// [`LineTooLong`].
    pub fn feed(
        &mut self,
        chunk: &[u8],
        mut line: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), LineTooLong> {
        self.feed_all(chunk, |text| blank(text) || line(text))
    }

    /// The same with blank lines, for whoever counts them.
    ///
    /// # Errors
    /// [`LineTooLong`].
    pub(super) fn feed_all(
        &mut self,
        mut chunk: &[u8],
        mut line: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), LineTooLong> {
        while let Some(end) = memchr::memchr(b'\n', chunk) {
            let (head, tail) = chunk.split_at(end);
            chunk = tail.get(1..).unwrap_or_default();
            let go_on = if self.half.is_empty() {
                line(head)
            } else {
                self.half.extend_from_slice(head);
                let go_on = line(&self.half);
                self.half.clear();
                go_on
            };
            if !go_on {
                return Ok(());
            }
        }
        if self.half.is_empty() {
            // Keep-alives before a line need not be kept.
            chunk = chunk.trim_ascii_start();
        }
        self.half.extend_from_slice(chunk);
        if self.half.len() > MAX_LINE { Err(LineTooLong) } else { Ok(()) }
    }

    /// The text after the last newline, at the end of the body: empty unless a line was cut.
    pub fn rest(&self) -> &[u8] {
        self.half.trim_ascii()
    }
}

fn blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn collect(chunks: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for chunk in chunks {
            lines
                .feed(chunk, |line| {
                    found.push(line.trim_ascii().to_vec());
                    true
                })
                .unwrap();
        }
        (found, lines.rest().to_vec())
    }

    const STREAM: &[u8] = b"  {\"a\":1}\n {\"b\":\"\xC3\xA9\"}\n\n   {\"c\":3}\n    ";

    #[test]
    fn every_split_point_gives_the_same_lines() {
        let whole = collect(&[STREAM]);
        assert_eq!(whole.0.len(), 3);
        assert!(whole.1.is_empty());
        for first in 0..=STREAM.len() {
            for second in first..=STREAM.len() {
                let chunks = [&STREAM[..first], &STREAM[first..second], &STREAM[second..]];
                assert_eq!(collect(&chunks), whole, "split at {first} and {second}");
            }
        }
    }

    #[test]
    fn a_cut_line_is_left_over() {
        for cut in 1..STREAM.len() {
            let (lines, rest) = collect(&[&STREAM[..cut]]);
            let newline_ends = STREAM[..cut].trim_ascii_end().is_empty()
                || STREAM[..cut]
                    .iter()
                    .rposition(|b| *b == b'\n')
                    .is_some_and(|at| blank(&STREAM[at..cut]));
            assert_eq!(rest.is_empty(), newline_ends, "cut at {cut} after {} lines", lines.len());
        }
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut lines = Lines::default();
        let fed = (0..40).try_for_each(|_| lines.feed(&[b'x'; 1 << 16], |_| true));
        assert_eq!(fed, Err(LineTooLong));
    }

    proptest! {
        #[test]
        fn any_chunks_give_the_lines_of_the_whole(
            lines in proptest::collection::vec("[a-z{}\" ]{0,12}", 0..20),
            sizes in proptest::collection::vec(1usize..9, 1..40),
        ) {
            let stream = lines.iter().flat_map(|l| [l.as_bytes(), b"\n"]).collect::<Vec<_>>().concat();
            let mut chunks = Vec::new();
            let mut rest = stream.as_slice();
            for size in sizes.iter().cycle() {
                if rest.is_empty() { break; }
                let (head, tail) = rest.split_at((*size).min(rest.len()));
                chunks.push(head);
                rest = tail;
            }
            let expected: Vec<Vec<u8>> = lines.iter().map(|l| l.trim().as_bytes().to_vec()).filter(|l| !l.is_empty()).collect();
            prop_assert_eq!(collect(&chunks).0, expected);
        }
    }
}
