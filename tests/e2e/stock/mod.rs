//! In hosts that are not ours, and in programs that embed the component.

mod browser;
mod bun;
mod deno;
mod embed;
mod jco;
mod python;
mod wasmtime;

use crate::MC_WASI;
use mc_wasi_tests::stock::{Host, Stage};

/// The component that `mc-wasi` embeds, in another host.
fn stage(host: Host) -> Stage {
    Stage::new(host, MC_WASI, mc_wasi::COMPONENT)
}
