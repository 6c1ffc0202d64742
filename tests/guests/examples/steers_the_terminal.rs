//! Writes what would change the title of a terminal, fill its clipboard and ask it for its position.

use hostile_guests::*;

fn main() -> Result<(), ()> {
    say(
        "plain\x1b]0;title\x07 and\x1b]52;c;ZXZpbA==\x1b\\ \x1b[6n\x1b[31mred\x1b[0m \u{9d}8;;http://h\u{9c}end",
    );
    Ok(())
}

behaves!(main());
