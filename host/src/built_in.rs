//! The component that this program carries, and its machine code.
//!
//! Compiling it takes 1.5 s of processor time, which every first start on a machine, in a container or in a pod
//! would take again. So the build does it, with the wasmtime and the settings of this program.

#![allow(unsafe_code, reason = "loading machine code, argued at the one place")]

use wasmtime::Engine;
use wasmtime::component::Component;

/// The component built with this host.
pub const COMPONENT: &[u8] = include_bytes!(env!("MC_WASI_COMPONENT"));

/// Its machine code; empty where the build cannot make any for the processor that this program is for.
const CODE: &[u8] = include_bytes!(env!("MC_WASI_CODE"));

/// The component, if this machine can run the code as it is: not with a processor that lacks what the code was made
/// for, nor with settings that differ, as under `ulimit -v`.
pub(crate) fn component(engine: &Engine) -> Option<Component> {
    if CODE.is_empty() {
        return None;
    }
    // SAFETY: the code is a part of this program like any other, and comes from nowhere else. Its build made it of
    // `COMPONENT` by `Engine::precompile_component`, with the wasmtime that is linked here. wasmtime itself checks that
    // version, the settings of the engine and the features of the processor, and refuses what does not fit.
    unsafe { Component::deserialize(engine, CODE) }.ok()
}
