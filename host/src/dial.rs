//! Opens a TCP connection to whichever of several addresses answers (RFC 8305, Happy Eyeballs).
//!
//! A name with one silent address must not cost the dial time-out: the next address is tried 250 ms
//! after the one before, or as soon as that is refused, and whoever answers first is taken. An address
//! that did not answer is tried last for a while, so that a pool of a thousand connections does not wait
//! a thousand times.

use resync_core::wire::LOCAL_ERROR;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;
use wasmtime_wasi_http::Error;

/// From one attempt to the next: the value that RFC 8305, section 8, recommends.
const NEXT: Duration = Duration::from_millis(250);

/// How long an address that did not answer is tried last.
const ASIDE: Duration = Duration::from_secs(60);

/// The addresses that did not answer of late.
#[derive(Debug, Default)]
pub(crate) struct Dialer {
    aside: Mutex<HashMap<SocketAddr, Instant>>,
}

impl Dialer {
    /// Connects to the first of these addresses that answers.
    ///
    /// # Errors
    /// That of the address tried last.
    pub(crate) async fn connect(&self, addresses: Vec<SocketAddr>) -> Result<TcpStream, Error> {
        let mut waiting = self.in_order(addresses).into_iter();
        let mut attempts = JoinSet::new();
        let mut under_way: Vec<SocketAddr> = Vec::new();
        let mut last = None;
        loop {
            if let Some(address) = waiting.next() {
                under_way.push(address);
                attempts.spawn(async move { (address, TcpStream::connect(address).await) });
            } else if attempts.is_empty() {
                return Err(last.map_or_else(
                    || Error::DnsError { rcode: Some("no such host".to_owned()), info_code: None },
                    |error| failed(&error),
                ));
            }
            let more = waiting.len() > 0;
            let ended = tokio::select! {
                ended = attempts.join_next() => ended,
                () = sleep(NEXT), if more => None,
            };
            let Some(Ok((address, result))) = ended else { continue };
            under_way.retain(|other| *other != address);
            match result {
                Ok(stream) => {
                    // Those begun before it, and not answered yet, are the silent ones.
                    self.set_aside(&under_way, Some(address));
                    return Ok(stream);
                }
                Err(error) => {
                    self.set_aside(&[address], None);
                    last = Some(error);
                }
            }
        }
    }

    /// Families in turn, beginning with the one that the resolver puts first; those that did not answer
    /// of late come last.
    fn in_order(&self, addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
        let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
        let (preferred, others): (Vec<_>, Vec<_>) =
            addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
        let mut mixed = Vec::with_capacity(preferred.len() + others.len());
        let (mut preferred, mut others) = (preferred.into_iter(), others.into_iter());
        loop {
            let pair = [preferred.next(), others.next()];
            if pair == [None, None] {
                break;
            }
            mixed.extend(pair.into_iter().flatten());
        }
        let aside = self.aside.lock().unwrap_or_else(PoisonError::into_inner);
        let is_aside =
            |address: &SocketAddr| aside.get(address).is_some_and(|since| since.elapsed() < ASIDE);
        mixed.sort_by_key(is_aside);
        mixed
    }

    fn set_aside(&self, silent: &[SocketAddr], answers: Option<SocketAddr>) {
        let mut aside = self.aside.lock().unwrap_or_else(PoisonError::into_inner);
        aside.retain(|_, since| since.elapsed() < ASIDE);
        aside.extend(silent.iter().map(|address| (*address, Instant::now())));
        if let Some(address) = answers {
            aside.remove(&address);
        }
    }
}

/// What went wrong, in the terms of `wasi:http`. What this machine lacks is said so: it is not the
/// server's fault.
pub(crate) fn failed(error: &io::Error) -> Error {
    if let Some(what) = lacking(error) {
        return Error::InternalError(Some(format!("{LOCAL_ERROR}{what}")));
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        io::ErrorKind::ConnectionReset => Error::ConnectionTerminated,
        _ => Error::InternalError(Some(format!("connect: {error}"))),
    }
}

/// What this machine lacks, and what to do.
pub(crate) fn lacking(error: &io::Error) -> Option<&'static str> {
    Some(match error.raw_os_error()? {
        libc::EMFILE => {
            "lets this process open no more files: raise `ulimit -n`, or use a smaller --concurrent"
        }
        libc::ENFILE => "has no more files to open: see /proc/sys/fs/file-nr",
        libc::EADDRNOTAVAIL => {
            "has no free port for another connection: see `ss -s`, or use a smaller --concurrent"
        }
        libc::ENOBUFS | libc::ENOMEM => "has no memory for another connection",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns_and_what_did_not_answer_comes_last() {
        let dialer = Dialer::default();
        let found = ["[::1]:1", "[::2]:1", "[::3]:1", "10.0.0.1:1", "10.0.0.2:1"];
        let turns = ["[::1]:1", "10.0.0.1:1", "[::2]:1", "10.0.0.2:1", "[::3]:1"];
        assert_eq!(dialer.in_order(addresses(&found)), addresses(&turns));
        dialer.set_aside(&addresses(&["[::1]:1", "10.0.0.2:1"]), None);
        let turns = ["10.0.0.1:1", "[::2]:1", "[::3]:1", "[::1]:1", "10.0.0.2:1"];
        assert_eq!(dialer.in_order(addresses(&found)), addresses(&turns));
        dialer.set_aside(&[], Some("[::1]:1".parse().unwrap()));
        assert_eq!(dialer.in_order(addresses(&found[..1])), addresses(&["[::1]:1"]));
    }

    /// A listener whose queue is full: the kernel drops what else asks to connect.
    fn silent() -> (std::net::TcpListener, Vec<std::net::TcpStream>) {
        let listener = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
        nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(0).unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let mut held = Vec::new();
        while let Ok(stream) =
            std::net::TcpStream::connect_timeout(&address, Duration::from_millis(300))
        {
            held.push(stream);
            assert!(held.len() < 50, "its queue never fills");
        }
        (listener, held)
    }

    #[tokio::test]
    async fn a_silent_address_costs_a_quarter_of_a_second_once() {
        let (silent, _held) = silent();
        let good = std::net::TcpListener::bind("127.0.0.3:0").unwrap();
        let both = vec![silent.local_addr().unwrap(), good.local_addr().unwrap()];
        let dialer = Dialer::default();
        let began = Instant::now();
        let stream = dialer.connect(both.clone()).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), both[1]);
        let took = began.elapsed();
        assert!(took >= NEXT && took < Duration::from_secs(5), "{took:?}");
        assert_eq!(dialer.in_order(both.clone()), [both[1], both[0]], "it is known by now");
    }

    #[tokio::test]
    async fn a_refused_address_costs_nothing_and_the_last_error_is_told() {
        let free = || {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        };
        let good = std::net::TcpListener::bind("127.0.0.3:0").unwrap();
        let dialer = Dialer::default();
        let stream = dialer.connect(vec![free(), good.local_addr().unwrap()]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good.local_addr().unwrap());
        let refused = dialer.connect(vec![free(), free()]).await.unwrap_err();
        assert!(matches!(refused, Error::ConnectionRefused), "{refused:?}");
        let nowhere = dialer.connect(Vec::new()).await.unwrap_err();
        assert!(matches!(nowhere, Error::DnsError { .. }), "{nowhere:?}");
    }

    #[test]
    fn what_this_machine_lacks_is_not_the_servers_fault() {
        for code in [libc::EMFILE, libc::ENFILE, libc::EADDRNOTAVAIL, libc::ENOBUFS, libc::ENOMEM] {
            let Error::InternalError(Some(text)) = failed(&io::Error::from_raw_os_error(code))
            else {
                panic!("{code}")
            };
            assert!(text.starts_with(LOCAL_ERROR), "{text}");
        }
        let refused = failed(&io::Error::from_raw_os_error(libc::ECONNREFUSED));
        assert!(matches!(refused, Error::ConnectionRefused));
    }
}
