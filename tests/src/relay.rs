//! A network that fails: a relay in front of a server that closes connections at random.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::dice::Dice;

/// How long a connection lives while the network is bad.
const SHORT_LIFE: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(800)];

/// Passes bytes on until it is told to close connections at random.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    cutting: AtomicBool,
    cut: AtomicU64,
}

impl Relay {
    /// A relay to `server` (`host:port`), on loopback, until it is dropped.
    ///
    /// # Errors
    /// There is no port to listen on.
    pub fn start(server: String, dice: Dice) -> io::Result<Self> {
        Self::on(Ipv4Addr::LOCALHOST, server, dice)
    }

    /// The same, on another address of this machine.
    ///
    /// # Errors
    /// There is no port to listen on.
    pub fn on(address: Ipv4Addr, server: String, dice: Dice) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((address, 0)))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = oneshot::channel();
        let inside = Arc::clone(&shared);
        let thread = thread::Builder::new().name("relay".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(&listener, &server, &inside, dice) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// From now on connections are closed at random, or no more.
    pub fn cut(&self, on: bool) {
        self.shared.cutting.store(on, Ordering::Relaxed);
    }

    /// Connections closed so far.
    pub fn closed(&self) -> u64 {
        self.shared.cut.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn accept(listener: &TcpListener, server: &str, shared: &Arc<Shared>, mut dice: Dice) {
    loop {
        // Out of descriptors, for one; it passes.
        let Ok((client, _)) = listener.accept().await else {
            sleep(SHORT_LIFE[0]).await;
            continue;
        };
        let (server, shared, dice) = (server.to_owned(), Arc::clone(shared), dice.fork());
        tokio::spawn(async move {
            tokio::select! {
                () = pass(client, &server) => {}
                () = fate(&shared, dice) => { shared.cut.fetch_add(1, Ordering::Relaxed); }
            }
        });
    }
}

/// A server that is not there is one that closes the connection, as behind a load balancer.
async fn pass(mut client: TcpStream, server: &str) {
    if let Ok(mut server) = TcpStream::connect(server).await {
        let _ = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}

/// Ends when the connection is to be closed.
async fn fate(shared: &Shared, mut dice: Dice) {
    let [least, most] = SHORT_LIFE;
    loop {
        sleep(dice.span(least, most)).await;
        if shared.cutting.load(Ordering::Relaxed) {
            return;
        }
    }
}
