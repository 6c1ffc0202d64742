//! Text that is not this program's own, made fit to be printed.
//!
//! Keys, version ids, ARNs and what a server says may hold anything. Written to a terminal as they are,
//! they could steer it, hide a part of a line, or make one line look like two. Everything foreign that
//! goes into text passes here; JSON has its own escapes.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character does something to the text around it instead of standing for itself: controls
/// (C0, DEL, C1), line and paragraph separators, marks of direction, and what has no width.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every such character written out, as in Rust.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => out.extend(c.escape_default()),
            c if acts(c) => _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_acts_is_written_out_and_the_rest_stays() {
        for (text, shown) in [
            ("a b/é😀.txt", "a b/é😀.txt"),
            ("\x1b]52;c;x\x07", "\\u{1b}]52;c;x\\u{7}"),
            ("\u{9b}2J\u{7f}", "\\u{9b}2J\\u{7f}"),
            ("a\u{202e}b\u{2066}", "a\\u{202e}b\\u{2066}"),
            ("one\ntwo\u{2028}three\u{2029}", "one\\ntwo\\u{2028}three\\u{2029}"),
            ("\u{200b}\u{feff}\u{e0041}", "\\u{200b}\\u{feff}\\u{e0041}"),
            ("مى\u{200c}خواهم", "مى\u{200c}خواهم"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_acts_is_left(text in any::<String>()) {
            prop_assert!(!printable(&text).contains(acts));
        }
    }
}
