//! Opens a TCP connection to whichever of several addresses answers (RFC 8305, Happy Eyeballs).
//!
//! A name with one silent address must not cost the dial time-out: the next address is tried 250 ms
//! after the one before, or as soon as that is refused, and whoever answers first is taken. Those that did
//! not answer are set aside (`nodes.rs`), so that a pool of a thousand connections does not wait a
//! thousand times.

use crate::nodes::Nodes;
use resync_core::wire::LOCAL_ERROR;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;
use wasmtime_wasi_http::Error;

/// From one attempt to the next: the value that RFC 8305, section 8, recommends.
const NEXT: Duration = Duration::from_millis(250);

/// Connects to the first of the addresses that answers, beginning with this one.
///
/// # Errors
/// That of the address tried last.
pub(crate) async fn connect(
    nodes: &Nodes,
    first: SocketAddr,
) -> Result<(TcpStream, SocketAddr), Error> {
    let mut waiting = nodes.in_order(first).into_iter();
    let mut attempts = JoinSet::new();
    let mut under_way: Vec<SocketAddr> = Vec::new();
    let mut last = None;
    loop {
        if let Some(address) = waiting.next() {
            under_way.push(address);
            attempts.spawn(async move { (address, TcpStream::connect(address).await) });
        } else if attempts.is_empty() {
            return Err(last.map_or_else(nowhere, |error| failed(&error)));
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
                nodes.set_aside(&under_way);
                return Ok((stream, address));
            }
            // The next address would be no better off.
            Err(error) if lacking(&error).is_some() => return Err(failed(&error)),
            Err(error) => {
                nodes.set_aside(&[address]);
                last = Some(error);
            }
        }
    }
}

/// The error of a name that has no address.
pub(crate) fn nowhere() -> Error {
    Error::DnsError { rcode: Some("the name has no address".to_owned()), info_code: None }
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
        code::EMFILE => {
            "lets this process open no more files: raise `ulimit -n`, or use a smaller --concurrent"
        }
        code::ENFILE => "has no more files to open: see /proc/sys/fs/file-nr",
        code::EADDRNOTAVAIL => {
            "has no free port for another connection: see `ss -s`, or use a smaller --concurrent"
        }
        code::ENOBUFS | code::ENOMEM => "has no memory for another connection",
        _ => return None,
    })
}

/// The numbers of errors, as the system calls them.
#[cfg(unix)]
mod code {
    pub(super) use libc::{EADDRNOTAVAIL, EMFILE, ENFILE, ENOBUFS, ENOMEM};
}

/// Winsock's.
#[cfg(windows)]
mod code {
    pub(super) const EMFILE: i32 = 10_024;
    pub(super) const EADDRNOTAVAIL: i32 = 10_049;
    pub(super) const ENOBUFS: i32 = 10_055;
    /// `ERROR_TOO_MANY_OPEN_FILES`.
    pub(super) const ENFILE: i32 = 4;
    /// `ERROR_NOT_ENOUGH_MEMORY`.
    pub(super) const ENOMEM: i32 = 8;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Instant;

    fn nodes(addresses: &[SocketAddr]) -> Arc<Nodes> {
        let nodes = Nodes::new(1);
        nodes.named(addresses);
        nodes
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
        let both = [silent.local_addr().unwrap(), good.local_addr().unwrap()];
        let nodes = nodes(&both);
        let began = Instant::now();
        let (stream, address) = connect(&nodes, both[0]).await.unwrap();
        assert_eq!((stream.peer_addr().unwrap(), address), (both[1], both[1]));
        let took = began.elapsed();
        assert!(took >= NEXT && took < Duration::from_secs(5), "{took:?}");
        for _ in 0..3 {
            let turn = nodes.turn(&[]).unwrap();
            assert_eq!(turn.address(), both[1], "it is known by now");
            turn.answered();
        }
    }

    #[tokio::test]
    async fn a_refused_address_costs_nothing_and_the_last_error_is_told() {
        let free = || {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        };
        let listener = std::net::TcpListener::bind("127.0.0.3:0").unwrap();
        let (dead, good) = (free(), listener.local_addr().unwrap());
        let (stream, address) = connect(&nodes(&[dead, good]), dead).await.unwrap();
        assert_eq!((stream.peer_addr().unwrap(), address), (good, good));
        let refused = connect(&nodes(&[dead, free()]), dead).await.unwrap_err();
        assert!(matches!(refused, Error::ConnectionRefused), "{refused:?}");
        let nowhere = connect(&nodes(&[]), dead).await.unwrap_err();
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
