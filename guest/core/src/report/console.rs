//! Where text goes. One writer for everything, so that a broken pipe is handled in one place.

/// The standard streams of the program.
pub trait Console {
    /// Writes to stdout. Returns `false` when nobody reads it any more.
    fn out(&mut self, text: &[u8]) -> bool;

    /// Writes to stderr.
    fn err(&mut self, text: &str);

    /// Whether stdout is a terminal.
    fn out_is_terminal(&self) -> bool;

    /// Whether stderr is a terminal.
    fn err_is_terminal(&self) -> bool;
}
