//! `mc-wasi`: runs `mc replicate resync-backlog`, a WASI component, in a sandbox.
//!
//! The component gets an endpoint without keys and nothing else: no file, no socket, no variable
//! that is not about it. Every request it makes passes the gate, where it is checked against the
//! [`Grant`](mc_wasi_policy::Grant) of the command line, signed, and sent through the pool of
//! connections.
//!
//! This is a program; what it offers to others is the [`COMPONENT`] it carries.

mod built_in;
mod code_cache;
mod connect;
mod deadline;
mod dial;
mod engine;
mod exchanges;
mod gate;
mod given_input;
mod handler;
mod mask;
mod meter;
#[cfg(unix)]
mod next_mc;
mod no_proxy;
mod nodes;
mod outlet;
mod pool;
mod program;
mod proxy;
mod settings;
mod signals;
mod stop_input;
mod sts;
mod throttle;
mod tls;
mod trace;
mod version;

pub use built_in::COMPONENT;
pub use program::run;

/// The gate and what it is made of, for the benchmark of what it costs a request.
#[doc(hidden)]
pub mod bench {
    pub use crate::connect::Connector;
    pub use crate::gate::{Gate, Open, Signing};
    pub use crate::mask::Mask;
    pub use crate::pool::Pool;
    pub use crate::tls::client as tls;
}
