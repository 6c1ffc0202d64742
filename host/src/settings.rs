//! How components are compiled: by the build of this program and by itself alike, or the code of one would not be
//! that of the other.

use wasmtime::Config;

/// The settings of every engine.
pub(crate) fn settings() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    // Only WASI 0.3 needs it, and it makes every call between host and guest slower.
    config.concurrency_support(false);
    config
}
