//! A console that remembers what was written to it.

use resync_core::report::{Console, Loss};

/// Both streams, and what they are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Screen {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) out_is_terminal: bool,
    pub(crate) err_is_terminal: bool,
    /// After this many writes nobody reads stdout any more.
    pub(crate) reads: Option<usize>,
    /// Why, if not because the reader went away.
    pub(crate) loss: Option<Loss>,
    /// Writes that nobody read.
    pub(crate) unread: usize,
}

impl Screen {
    /// A person looks at both streams.
    pub(crate) fn terminal() -> Self {
        Self { out_is_terminal: true, err_is_terminal: true, ..Self::default() }
    }
}

impl Console for Screen {
    fn out(&mut self, text: &[u8]) -> Result<(), Loss> {
        if let Some(reads) = &mut self.reads {
            if *reads == 0 {
                self.unread += 1;
                return Err(self.loss.clone().unwrap_or(Loss::Reader));
            }
            *reads -= 1;
        }
        self.out.push_str(std::str::from_utf8(text).expect("text"));
        Ok(())
    }

    fn err(&mut self, text: &str) {
        self.err.push_str(text);
    }

    fn out_is_terminal(&self) -> bool {
        self.out_is_terminal
    }

    fn err_is_terminal(&self) -> bool {
        self.err_is_terminal
    }
}
