pub mod entry;
pub mod lines;
pub mod reader;
pub mod survey;
pub mod versions;
