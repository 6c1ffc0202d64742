//! The backlog: what the server lists, read from its first to its last entry.

mod entry;
mod lines;
mod reader;
mod survey;
mod versions;

pub use entry::{
    BadLine, EXISTING, Item, Modified, Operation, Shape, Shapes, TargetStatus, parse_line,
};
pub use lines::{LineTooLong, Lines};
pub use reader::{Break, Failure, LISTING};
pub(crate) use reader::{Reader, State};
pub(crate) use survey::survey;
pub use versions::Seen;
