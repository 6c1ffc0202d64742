//! Ctrl-C and SIGTERM: the first asks the component to stop, the second ends at once.
//!
//! A thread of its own watches them, so that neither a busy component nor a blocked pipe can keep
//! the user waiting.
//!
//! Tested on Linux. The branch for systems without SIGTERM, such as Windows, is neither built nor
//! tested.

use crate::outlet::Outlet;
use crate::stop_input::StopInput;
use resync_core::job::LAST_ANSWERS;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;
use wasmtime_wasi::cli::IsTerminal;

/// How long a component has after the first signal. The built-in one waits for its requests in flight
/// and then prints its summary; one that takes 2 s longer than that is stuck.
const GRACE: Duration = LAST_ANSWERS.saturating_add(Duration::from_secs(2));

/// How long the terminal has to take a few bytes. One that was stopped with Ctrl-S never does.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// The exit status of the signal received, 0 while there is none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received(Arc<AtomicU8>);

impl Received {
    /// 130 or 143 once a signal has come.
    pub(crate) fn status(&self) -> Option<u8> {
        Some(self.0.load(Ordering::SeqCst)).filter(|status| *status != 0)
    }
}

/// Begins to watch. Where that is not possible, signals keep their usual effect.
pub(crate) fn watch(stop: StopInput) -> Received {
    let received = Received::default();
    let shared = received.clone();
    let (watching, wait) = std::sync::mpsc::channel();
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        if let Ok(runtime) = runtime {
            runtime.block_on(run(&stop, &shared, watching));
        }
    });
    // A signal between the first request and the first watch would end the run without a word.
    let _ = wait.recv();
    received
}

#[cfg(unix)]
async fn run(stop: &StopInput, received: &Received, watching: Sender<()>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    let _ = watching.send(());
    let mut next = async || {
        tokio::select! {
            _ = interrupt.recv() => 130u8,
            _ = terminate.recv() => 143u8,
        }
    };
    let status = next().await;
    received.0.store(status, Ordering::SeqCst);
    stop.stop();
    let status = tokio::time::timeout(GRACE, next()).await.unwrap_or(status);
    leave(status);
}

#[cfg(not(unix))]
async fn run(stop: &StopInput, received: &Received, watching: Sender<()>) {
    drop(watching);
    if tokio::signal::ctrl_c().await.is_ok() {
        received.0.store(130, Ordering::SeqCst);
        stop.stop();
        let _ = tokio::time::timeout(GRACE, tokio::signal::ctrl_c()).await;
        leave(130);
    }
}

/// Ends the process, with the progress line removed.
#[expect(clippy::exit, reason = "the component may be stuck; nobody else can end the process")]
fn leave(status: u8) -> ! {
    if Outlet::stderr().is_terminal() {
        // In a thread, because the terminal and the lock on it may be held by the component.
        let (done, wait) = std::sync::mpsc::channel();
        let _ = std::thread::Builder::new().spawn(move || {
            // The last word, or the component would draw its line once more before the end.
            Outlet::end_stderr(b"\r\x1b[K\x1b[?7h");
            let _ = done.send(());
        });
        let _ = wait.recv_timeout(LAST_WORDS);
    }
    std::process::exit(i32::from(status))
}
