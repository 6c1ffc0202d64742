//! Where text goes. One writer for everything, so that what cannot be written is handled in one place.

/// Why nothing more can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// The reader went away, as `head` does when it has enough. That is not an error.
    Reader,
    /// The device does not take it, such as a full disk: the system's words.
    Device(String),
}

/// The standard streams of the program.
pub trait Console {
    /// Writes to stdout.
    ///
    /// # Errors
    /// Why this, and whatever would come after it, is lost.
    fn out(&mut self, text: &[u8]) -> Result<(), Loss>;

    /// Writes to stderr.
    fn err(&mut self, text: &str);

    /// Whether stdout is a terminal.
    fn out_is_terminal(&self) -> bool;

    /// Whether stderr is a terminal.
    fn err_is_terminal(&self) -> bool;
}
