//! What `mc-wasi` lets a component do: the policy of the host, without its engine and its network.
//!
//! All of it follows from the command line, the variables and `~/.mc`: [`command_words`] finds the
//! command, [`aliases`] the server and its keys, [`WebIdentity`] how to get temporary ones, [`Grant`] says which requests may go there, and
//! [`Limits`] what the component may use of this machine. A crate of its own, because this is the
//! code that a hostile component meets: it builds and is tested in seconds, and `fuzz/` takes it in
//! without wasmtime.

pub mod address;
pub mod aliases;
pub mod command_words;
mod copies;
mod denials;
mod grant;
mod limits;
mod screen;
pub mod targets;
mod web_identity;

pub use copies::Copies;
pub use denials::{Denial, Denials, Reason, Remedy};
pub use grant::{Grant, Kind};
pub use limits::Limits;
pub use screen::Screen;
pub use web_identity::{Temporary, WebIdentity};
