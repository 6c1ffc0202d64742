pub mod console;
pub mod message;
pub mod progress;
pub mod remedy;
pub mod summary;
