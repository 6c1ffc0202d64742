//! The end-to-end tests: the built `mc-wasi`, run as a user would, against servers that are made to
//! fail. `tests/README.md` says what each tier needs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and what it prints is shown when it fails"
)]

mod dist;
mod docs;
mod fake;
mod minio;
mod soak;
mod stock;
