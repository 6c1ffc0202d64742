//! What `--from` names, opened by this host: a component has no files.

use bytes::Bytes;
use resync_core::command::STDIN;
use std::fs::File;
use std::io::{self, Read};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};

/// Bytes of a piece. What is given may be as long as it likes: two of them are kept at most.
const PIECE: usize = 64 * 1024;

/// A file or this program's standard input, as the component reads it.
#[derive(Debug)]
pub(crate) struct GivenInput {
    source: Receiver<io::Result<Bytes>>,
    /// The piece that is being read, or why there is none.
    piece: Option<io::Result<Bytes>>,
    ended: bool,
}

impl GivenInput {
    /// Opens a file, or standard input for [`STDIN`].
    ///
    /// # Errors
    /// Why it cannot be read, as a sentence.
    pub(crate) fn open(name: &str) -> Result<Self, String> {
        let told = |error: io::Error| format!("{error}.");
        if name == STDIN {
            return Self::reading(io::stdin());
        }
        let file = File::open(name).map_err(told)?;
        if file.metadata().map_err(told)?.is_dir() {
            return Err("It is a folder.".to_owned());
        }
        Self::reading(file)
    }

    /// Reads in a thread of its own, since a pipe may be silent for as long as it likes. The thread ends with
    /// this process.
    fn reading(from: impl Read + Send + 'static) -> Result<Self, String> {
        let (pieces, source) = channel(1);
        let thread = std::thread::Builder::new().name("input".to_owned());
        thread
            .spawn(move || read(from, &pieces))
            .map_err(|error| format!("This machine has no thread to read it: {error}."))?;
        Ok(Self { source, piece: None, ended: false })
    }
}

/// Hands on what is read, until its end or until nobody takes it any more.
fn read(mut from: impl Read, pieces: &Sender<io::Result<Bytes>>) {
    loop {
        let mut piece = vec![0; PIECE];
        let read = match from.read(&mut piece) {
            Ok(0) => return,
            Ok(read) => Ok(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        let piece = read.map(|read| {
            piece.truncate(read);
            Bytes::from(piece)
        });
        if pieces.blocking_send(piece).is_err() || failed {
            return;
        }
    }
}

#[wasmtime_wasi::async_trait]
impl InputStream for GivenInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        match self.piece.take() {
            Some(Ok(mut piece)) => {
                let read = piece.split_to(size.min(piece.len()));
                self.piece = (!piece.is_empty()).then_some(Ok(piece));
                Ok(read)
            }
            Some(Err(error)) => {
                self.ended = true;
                Err(StreamError::LastOperationFailed(wasmtime::Error::msg(error.to_string())))
            }
            None if self.ended => Err(StreamError::Closed),
            None => Ok(Bytes::new()),
        }
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GivenInput {
    async fn ready(&mut self) {
        if self.piece.is_none() && !self.ended {
            self.piece = self.source.recv().await;
            self.ended = self.piece.is_none();
        }
    }
}
