//! What a component may do to a terminal.
//!
//! A terminal obeys what is written to it: it answers questions, sets its title, fills the clipboard. So
//! what a component writes there passes here. It may use colours and what a progress line needs: going to
//! the beginning of the line, erasing the rest of it, turning the wrapping of lines off and on. Every
//! other escape sequence is left out, and so is every other control character.

/// Bytes of one sequence kept until its end has come. What is longer is none that is let through.
const LONGEST: usize = 64;

/// Where in a sequence it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// In text.
    #[default]
    Text,
    /// After the first byte of a C1 control in UTF-8 (`C2`), which has a second one.
    Latin,
    /// After ESC.
    Escape,
    /// After `ESC [`, until a final byte.
    Control,
    /// In a string that ends with BEL or `ESC \`: OSC, DCS, SOS, PM, APC.
    String,
    /// In such a string, after ESC.
    StringEscape,
    /// In such a string, after `C2`.
    StringLatin,
    /// After an escape with intermediate bytes, until its final one.
    Charset,
}

/// The filter of one stream. Whatever is written in pieces comes out as if it had been written at once.
#[derive(Debug, Default)]
pub struct Screen {
    state: State,
    kept: Vec<u8>,
}

impl Screen {
    /// What of these bytes may be written.
    pub fn filter(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for byte in bytes {
            self.take(*byte, &mut out);
        }
        out
    }

    fn take(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.state = match (self.state, byte) {
            (State::Text, 0x1b) => self.begin(State::Escape),
            (State::Text, 0xc2) => State::Latin,
            (State::Text, b'\n' | b'\r' | b'\t' | 0x20..=0x7e | 0x80..) => {
                out.push(byte);
                State::Text
            }
            (State::Text, _) => State::Text,
            (State::Latin, 0x9b) => self.begin(State::Control),
            (State::Latin, 0x90 | 0x98 | 0x9d..=0x9f) => State::String,
            (State::Latin, 0x80..=0x9f) => State::Text,
            (State::Latin, _) => {
                out.push(0xc2);
                self.state = State::Text;
                return self.take(byte, out);
            }
            (State::Escape, b'[') => State::Control,
            (State::Escape, b']' | b'P' | b'X' | b'^' | b'_') => State::String,
            (State::Escape, 0x20..=0x2f) => State::Charset,
            (State::Escape | State::Control, 0x1b) => self.begin(State::Escape),
            (State::Escape, _) => State::Text,
            (State::Control, 0x20..=0x3f) => {
                if self.kept.len() < LONGEST {
                    self.kept.push(byte);
                }
                State::Control
            }
            (State::Control, 0x40..=0x7e) => {
                if is_harmless(&self.kept, byte) {
                    out.extend_from_slice(b"\x1b[");
                    out.append(&mut self.kept);
                    out.push(byte);
                }
                State::Text
            }
            // A control character inside is obeyed at once by terminals, and ends nothing.
            (State::Control, 0x00..=0x1f) => State::Control,
            (State::Control, _) => State::Text,
            (State::String | State::StringEscape, 0x07) => State::Text,
            (State::String, 0x1b) => State::StringEscape,
            (State::String, 0xc2) => State::StringLatin,
            (State::StringEscape, b'\\') | (State::StringLatin, 0x9c) => State::Text,
            (State::StringEscape, 0x1b) => State::StringEscape,
            (State::String | State::StringEscape | State::StringLatin, _) => State::String,
            (State::Charset, 0x20..=0x2f) => State::Charset,
            (State::Charset, 0x1b) => self.begin(State::Escape),
            (State::Charset, _) => State::Text,
        };
    }

    fn begin(&mut self, state: State) -> State {
        self.kept.clear();
        state
    }
}

/// Whether a control sequence is a colour or belongs to a progress line.
fn is_harmless(parameters: &[u8], last: u8) -> bool {
    let numbers = parameters.iter().all(|byte| byte.is_ascii_digit() || *byte == b';');
    match last {
        b'm' => numbers && parameters.len() < LONGEST,
        b'K' => matches!(parameters, b"" | b"0" | b"1" | b"2"),
        b'h' | b'l' => parameters == b"?7",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(text: &str) -> String {
        String::from_utf8(Screen::default().filter(text.as_bytes())).unwrap()
    }

    #[test]
    fn colours_and_the_progress_line_pass() {
        for text in [
            "\r\x1b[?7l1,234 found, 5 triggered\x1b[K\x1b[?7h",
            "\r\x1b[K",
            "\x1b[32;1m✓\x1b[0m Replication trigger completed\n  Total: 5\n",
            "\x1b[31;3;1mmc: <ERROR> \x1b[0;23;22mk é 😀 £ ÿ\n",
            "\x1b[38;2;255;100;0mtrue colour\x1b[m\ttab\r\n",
        ] {
            assert_eq!(filtered(text), text);
        }
    }

    #[test]
    fn everything_else_is_left_out() {
        for (text, left) in [
            ("a\x1b]52;c;ZXZpbA==\x07b", "ab"),
            ("a\x1b]0;title\x1b\\b", "ab"),
            ("a\u{9d}52;c;x\u{9c}b", "ab"),
            ("a\u{9b}31mb\u{9b}6nc", "a\x1b[31mbc"),
            ("a\x1bPq#0\x1b\\b\x1b_apc\x1b\\c\x1b^pm\x07d", "abcd"),
            ("a\x1b[6nb\x1b[cc\x1b[>cd\x1b[0xe", "abcde"),
            ("a\x1b[2Jb\x1b[1;1Hc\x1b[?1049hd\x1b[?25le\x1b[5A", "abcde"),
            ("a\x1bcb\x1b(0c\x1b=d\x1b7e", "abcde"),
            ("a\x07b\x08c\x0bd\x7fe\x00f", "abcdef"),
            ("a\x1b[3\x071mb", "a\x1b[31mb"),
            ("a\x1b[31\x1b[6nb", "ab"),
            ("a\x1b]never ends", "a"),
            ("a\x1b[", "a"),
        ] {
            assert_eq!(filtered(text), left, "{text:?}");
        }
        let long = format!("\x1b[{}mx", "1;".repeat(100));
        assert_eq!(filtered(&long), "x");
    }

    #[test]
    fn pieces_come_out_as_the_whole_wherever_they_end() {
        let text =
            "é\u{9b}31mred\x1b]52;c;x\x1b\\\r\x1b[?7lline\x1b[K\x1b[6n\u{9d}t\u{9c}\x1b(Bend";
        let whole = filtered(text);
        let bytes = text.as_bytes();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let mut screen = Screen::default();
                let mut out = screen.filter(&bytes[..first]);
                out.extend(screen.filter(&bytes[first..second]));
                out.extend(screen.filter(&bytes[second..]));
                assert_eq!(String::from_utf8(out).unwrap(), whole, "{first} {second}");
            }
        }
    }
}
