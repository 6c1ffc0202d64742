//! The bodies of answers.

use std::convert::Infallible;
use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::{Frame, SizeHint};

use super::listing::Listing;

/// The body of one answer.
pub(crate) enum Body {
    Empty,
    Full(Bytes),
    /// Made while it is sent, and compressed if that was asked for.
    Listing(Box<Listing>, Option<Gzip>),
}

/// A stream in gzip, flushed after every piece as the server's is.
pub(crate) struct Gzip(GzEncoder<Vec<u8>>);

impl Gzip {
    pub(crate) fn new() -> Self {
        Self(GzEncoder::new(Vec::new(), Compression::fast()))
    }

    /// The piece compressed; after the last one the trailer, and then nothing.
    fn next(&mut self, piece: Option<&[u8]>) -> Option<Bytes> {
        match piece {
            Some(piece) => self.0.write_all(piece).and_then(|()| self.0.flush()),
            None => self.0.try_finish(),
        }
        .expect("memory takes everything");
        let bytes = std::mem::take(self.0.get_mut());
        (!bytes.is_empty()).then(|| bytes.into())
    }
}

impl Body {
    pub(crate) fn full(body: impl Into<Bytes>) -> Self {
        let body = body.into();
        if body.is_empty() { Self::Empty } else { Self::Full(body) }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let bytes = match this {
            Self::Empty => None,
            Self::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *this = Self::Empty;
                Some(bytes)
            }
            Self::Listing(listing, gzip) => {
                let bytes = std::task::ready!(listing.poll_send(context));
                match gzip {
                    Some(gzip) => gzip.next(bytes.as_deref()),
                    None => bytes,
                }
            }
        };
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Empty)
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Listing(..) => SizeHint::default(),
        }
    }
}
