//! Listening, accepting, and one task a connection.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::HandshakeKind;

use super::options::Options;
use super::service::serve;
use super::state::{Counted, State};
use super::wire::{Control, Stream, Wire};

/// A client that opens a thousand connections at once must not find the queue
/// full and wait a second for its next try.
const ACCEPT_QUEUE: u32 = 4096;

/// Waits this long after a failed accept, which is most likely for want of file
/// descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The first byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// What Go's server says to HTTP on a TLS port.
const NOT_TLS: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// Opens the listening socket.
pub(crate) fn listen(options: &Options) -> io::Result<TcpListener> {
    let socket = if options.address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    // Accepted sockets inherit it.
    if let Some(bytes) = options.send_buffer {
        socket.set_send_buffer_size(bytes)?;
    }
    socket.bind(options.address)?;
    socket.listen(ACCEPT_QUEUE)
}

/// Serves connections until dropped.
pub(crate) async fn accept(state: Arc<State>, listener: TcpListener, tls: Option<TlsAcceptor>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let number = state.counters.accepted.fetch_add(1, Ordering::Relaxed) + 1;
        let open = Counted::connection(&state);
        let (state, tls) = (Arc::clone(&state), tls.clone());
        tokio::spawn(async move {
            // A connection that fails concerns nobody but its client.
            let _ = connection(state, stream, tls, number).await;
            drop(open);
        });
    }
}

async fn connection(
    state: Arc<State>,
    mut stream: TcpStream,
    tls: Option<TlsAcceptor>,
    number: u64,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let stream = match tls {
        None => Stream::Tcp(stream),
        Some(tls) => {
            let mut first = [0];
            if stream.peek(&mut first).await? == 1 && first[0] != TLS_HANDSHAKE {
                return Ok(stream.write_all(NOT_TLS).await?);
            }
            let stream = tls.accept(stream).await?;
            if stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed) {
                state.counters.resumed.fetch_add(1, Ordering::Relaxed);
            }
            Stream::Tls(Box::new(stream))
        }
    };
    let control = Arc::new(Control::default());
    let wire = Wire::new(stream, Arc::clone(&control), state.options.write_deadline);
    let service =
        service_fn(move |request| serve(Arc::clone(&state), Arc::clone(&control), number, request));
    http1::Builder::new()
        // `X-Amz-Version-Id`, as Go writes it.
        .title_case_headers(true)
        // One buffer, whose end `Control::keep_back` can count from.
        .writev(false)
        .serve_connection(TokioIo::new(wire), service)
        .await?;
    Ok(())
}
