//! A network that fails: between a client and a server, connections end at random.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::fake::mix;

/// Both ends of a connection, and its number.
type Wire = (usize, TcpStream, TcpStream);

#[derive(Debug, Default)]
struct Wires {
    live: Mutex<Vec<Wire>>,
    cut: AtomicUsize,
    ended: AtomicBool,
}

impl Wires {
    fn with<T>(&self, act: impl FnOnce(&mut Vec<Wire>) -> T) -> T {
        act(&mut self.live.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A relay on loopback, which ends when it is dropped.
#[derive(Debug)]
pub struct Relay {
    authority: String,
    wires: Arc<Wires>,
}

impl Relay {
    /// Passes connections on to `server` (`host:port`), and cuts one of them, drawn from `seed`,
    /// after each pause of up to twice `every`.
    ///
    /// # Panics
    /// When there is no port to listen on.
    #[must_use]
    pub fn start(server: &str, seed: u64, every: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let authority = listener.local_addr().expect("its address").to_string();
        let wires = Arc::new(Wires::default());
        let (accepting, server) = (Arc::clone(&wires), server.to_owned());
        thread::spawn(move || accept(&listener, &server, &accepting));
        let cutting = Arc::clone(&wires);
        thread::spawn(move || cut(&cutting, seed, every));
        Self { authority, wires }
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Connections cut so far.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.wires.cut.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.wires.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(&self.authority);
        self.wires.with(|live| live.drain(..).for_each(|wire| end(&wire)));
    }
}

fn accept(listener: &TcpListener, server: &str, wires: &Arc<Wires>) {
    for (number, client) in listener.incoming().enumerate() {
        let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else { continue };
        if wires.ended.load(Ordering::Relaxed) {
            return;
        }
        let clones = || -> io::Result<_> {
            Ok((
                (client.try_clone()?, server.try_clone()?),
                (server.try_clone()?, client.try_clone()?),
            ))
        };
        let (there, back) = clones().expect("a few more descriptors");
        wires.with(|live| live.push((number, client, server)));
        for (mut from, mut to) in [there, back] {
            let wires = Arc::clone(wires);
            thread::spawn(move || {
                let _ = io::copy(&mut from, &mut to);
                // One direction has ended: so has the exchange, as neither side half-closes.
                wires.with(|live| {
                    if let Some(at) = live.iter().position(|wire| wire.0 == number) {
                        end(&live.swap_remove(at));
                    }
                });
            });
        }
    }
}

fn cut(wires: &Wires, seed: u64, every: Duration) {
    let mut drawn = seed;
    let mut draw = |below: u64| {
        drawn = mix(drawn);
        drawn % below.max(1)
    };
    while !wires.ended.load(Ordering::Relaxed) {
        let micros = u64::try_from(every.as_micros()).unwrap_or(u64::MAX);
        thread::sleep(Duration::from_micros(draw(micros.saturating_mul(2))));
        wires.with(|live| {
            if !live.is_empty() {
                let at = usize::try_from(draw(live.len() as u64)).unwrap_or(0);
                end(&live.swap_remove(at));
                wires.cut.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
}

fn end((_, client, server): &Wire) {
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}
