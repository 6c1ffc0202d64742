//! Runs the Jobs of `docs/` in a real Kubernetes of one node, and finds out whether they do what is said of them.
//! `cargo xtask kube` makes the image, and builds and starts this in namespaces of its own.

use mc_wasi_tests::kube;
use mc_wasi_tests::minio::workspace_root;
use mc_wasi_tests::signals::on_signal;

fn main() -> std::io::Result<()> {
    // The first process of a namespace has no signal that ends it, unless it asks for one. With it all others end.
    on_signal(|status| std::process::exit(status))?;
    kube::hold(&workspace_root().join("target/image"));
    Ok(())
}
