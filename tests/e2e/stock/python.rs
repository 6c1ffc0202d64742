//! wasmtime-py runs the component `mc-wasi` embeds: as a command, and for a program.

use mc_wasi_tests::stock::Host;

mc_wasi_tests::host_claims!(Host::Python);
mc_wasi_tests::typed_claims!(Host::Python);
