//! Runs the Jobs of `docs/` in a real Kubernetes of one node, and finds out whether they do what is said of them.
//! `cargo xtask kube` builds and starts it, in namespaces of its own.

use std::io;
use std::thread;

use mc_wasi_tests::kube;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> io::Result<()> {
    end_by_signals()?;
    let mc_wasi = std::env::current_exe()?.with_file_name("mc-wasi");
    kube::hold(&mc_wasi);
    Ok(())
}

/// The first process of a namespace has no signal that ends it, unless it asks for one. With it all others end.
fn end_by_signals() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    thread::spawn(move || {
        runtime.block_on(async {
            let status = tokio::select! {
                _ = interrupt.recv() => 130,
                _ = terminate.recv() => 143,
            };
            std::process::exit(status);
        });
    });
    Ok(())
}
