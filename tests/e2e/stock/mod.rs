//! In hosts that are not ours, and in programs that embed the component.

mod embed;
mod jco;
mod python;
mod wasmtime;
