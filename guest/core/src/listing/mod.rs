//! The backlog: what the server lists, read from its first to its last entry.

mod body;
mod entry;
mod given;
mod input;
mod lines;
pub(crate) mod memory;
mod plain;
mod reader;
mod seen;
mod statuses;
mod survey;
mod unfinished;
mod versions;

pub use entry::{BadLine, Item, Modified, Operation, parse_line};
pub use given::{Given, parse_given};
pub(crate) use input::{Input, Said};
pub use lines::{LineTooLong, Lines};
pub(crate) use plain::needs_no_escape;
pub(crate) use reader::{Reader, State};
pub use statuses::{EXISTING, StatusTable, Statuses, TargetStatus, UNKNOWN};
pub(crate) use survey::{Survey, survey};
pub use unfinished::{Break, Unfinished};
pub use versions::VersionSet;
