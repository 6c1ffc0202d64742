//! What the user reads: lines, summaries, messages with their remedies, progress.

mod console;
mod message;
mod note;
mod printable;
mod progress;
mod remedy;
mod summary;
mod version;
mod waited;

pub use console::{Console, Loss};
pub use message::Message;
pub(crate) use note::note_text;
pub use printable::printable;
pub(crate) use progress::{Progress, TICK, Trouble, grouped};
pub use remedy::{explain, explain_listing};
pub(crate) use remedy::{fatal_message, listing_message};
pub(crate) use summary::{Paint, Summary};
pub(crate) use version::{failure, listed_line, version_json};
pub(crate) use waited::Waited;
