//! `mc-wasi`: runs `mc replicate resync-backlog`, a WASI component, in a sandbox.
//!
//! The component gets an endpoint without keys and nothing else: no file, no socket, no variable
//! that is not about it. Every request it makes passes the [`gate`], where it is checked against the
//! [`Grant`](mc_wasi_policy::Grant) of the command line, signed, and sent through the [`pool`].

pub mod connect;
pub mod engine;
pub mod gate;
mod meter;
pub mod pool;
pub mod program;
pub mod proxy;
pub mod signals;
pub mod stdio;
pub mod throttle;
pub mod tls;
pub mod trace;
mod version;
