//! Against the fake server, which fails in every way that can be asked of it. Needs no tools.

mod alias;
mod cli;
mod from;
mod hostile;
mod listing;
mod memory;
mod network;
mod next_mc;
mod no_free_port;
mod nodes;
mod output;
mod plugin;
mod sandbox;
mod secrets;
mod shortage;
mod signals;
mod terminal;
mod triggers;
mod waiting;
mod web_identity;
