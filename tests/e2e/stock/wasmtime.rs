//! The wasmtime command runs the component `mc-wasi` embeds, with the same result.

use super::stage;
use crate::MC_WASI;
use mc_wasi_tests::stock::Host;

mc_wasi_tests::host_claims!(stage(Host::Wasmtime));

#[test]
fn mc_wasi_embeds_the_very_bytes_the_other_hosts_run() {
    let program = std::fs::read(MC_WASI).expect("the program");
    let component = mc_wasi::COMPONENT;
    let embedded = program.windows(component.len()).any(|window| window == component);
    assert!(embedded, "mc-wasi was not built with the component of this test");
}
