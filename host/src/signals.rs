//! Ctrl-C and SIGTERM: the first asks the component to stop, the second ends at once.
//!
//! A thread of its own watches them, so that neither a busy component nor a blocked pipe can keep
//! the user waiting.
//!
//! Tested on Linux, and as built for Windows under Wine.

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

async fn run(stop: &StopInput, received: &Received, watching: Sender<()>) {
    let Ok(mut signals) = Signals::new() else { return };
    let _ = watching.send(());
    let status = signals.next().await;
    received.0.store(status, Ordering::SeqCst);
    stop.stop();
    let status = tokio::time::timeout(GRACE, signals.next()).await.unwrap_or(status);
    leave(status);
}

/// What is watched.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// The exit status that goes with the next one.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
        }
    }
}

/// What is watched. A console that is closed, a user who logs off and a system that goes down are what SIGTERM is
/// elsewhere; Windows then leaves a program 5 s.
#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    end: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
        let (interrupt, end) = (ctrl_c()?, ctrl_break()?);
        Ok(Self { interrupt, end, close: ctrl_close()?, shutdown: ctrl_shutdown()? })
    }

    /// The exit status that goes with the next one.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.end.recv() => 143,
            _ = self.close.recv() => 143,
            _ = self.shutdown.recv() => 143,
        }
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
