//! Bun runs the component `mc-wasi` embeds: as a command, and for a program.

use super::stage;
use mc_wasi_tests::stock::Host;

mc_wasi_tests::host_claims!(stage(Host::Bun));
mc_wasi_tests::typed_claims!(stage(Host::Bun));
