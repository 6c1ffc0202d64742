//! `mc-wasi`: runs `mc replicate resync-backlog`, a WASI component, in a sandbox.
//!
//! The component gets an endpoint without keys and nothing else: no file, no socket, no variable
//! that is not about it. Every request it makes passes [`hooks`], where it is checked against the
//! [`grant`] of the command line, signed, and sent through the [`pool`].

pub mod address;
pub mod config;
pub mod connect;
pub mod denials;
pub mod engine;
pub mod grant;
pub mod hooks;
pub mod limits;
pub mod pool;
pub mod program;
pub mod proxy;
pub mod signals;
pub mod stdio;
pub mod throttle;
pub mod tls;
pub mod trace;
pub mod words;
