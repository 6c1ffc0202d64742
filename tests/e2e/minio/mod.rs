//! Against real MinIO servers: what only they can show.

mod access;
mod clear_checksum;
mod connection;
mod faults;
mod harness;
mod interference;
mod keys;
mod load;
mod tls;
mod trigger;
mod waiting;
