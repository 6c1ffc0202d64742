//! Ctrl-C and SIGTERM, for programs that have something to do when one comes.

use std::io;
use std::thread;

use tokio::signal::unix::{SignalKind, signal};

/// Calls this for each that comes, with the exit status that goes with it, on a thread of its own.
///
/// # Errors
/// The system gives no handler.
pub fn on_signal(mut each: impl FnMut(i32) + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    thread::spawn(move || {
        runtime.block_on(async {
            loop {
                each(tokio::select! {
                    _ = interrupt.recv() => 130,
                    _ = terminate.recv() => 143,
                });
            }
        });
    });
    Ok(())
}
