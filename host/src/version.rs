//! What this program is: the text of `--version`.

/// Version, commit, runtime and platform.
pub(crate) fn version(program: &str) -> String {
    format!(
        "{program} version {} (commit-id={})\nRuntime: wasmtime {} {}/{}\nLicense Apache-2.0 <https://www.apache.org/licenses/LICENSE-2.0>\n",
        env!("CARGO_PKG_VERSION"),
        env!("MC_WASI_COMMIT"),
        crate::engine::WASMTIME_VERSION,
        std::env::consts::OS,
        std::env::consts::ARCH,
    )
}
