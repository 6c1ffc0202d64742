//! Finds out whether what is handed out does its job on other platforms. `cargo xtask platforms` makes it, and builds
//! and starts this.

fn main() {
    mc_wasi_tests::platforms::hold();
}
