//! The body of a listing: decompressed where it has to be, and with what it has to show for its end.
//!
//! That a body ended cleanly says little behind a proxy: nginx ends its own answer in good order when the
//! server behind it was killed in the middle, if it speaks HTTP/1.0 with it (observed: 111 of 20,000).
//! A gzip stream has an end and a checksum of its own, which nobody in between can make up. It costs the
//! component about as much as reading the entries does, so the bundled host, which tells how a body was
//! framed, asks for it only where the plain body would prove nothing.
//!
//! Where a host sends requests with `fetch`, as browsers do, it hands out the body decompressed, with the header
//! that says it is compressed. Such a body is read as what it is, and proves no more than its framing does.

use crate::wire::{FRAMED, Response};
use flate2::write::MultiGzDecoder;
use std::io::Write;

/// Servers that answer themselves, by the beginning of their `Server` header in lower case.
const OWN: [&str; 2] = ["minio", "aistor"];

/// The first byte of a gzip stream, with which no line of a listing begins.
const GZIP: u8 = 0x1f;

/// A body that is being read.
#[derive(Debug, Default)]
pub(super) struct Body {
    gzip: Option<MultiGzDecoder<Vec<u8>>>,
    begun: bool,
    framed: bool,
    own: bool,
}

impl Body {
    /// The body after this head.
    pub(super) fn new(head: &Response) -> Self {
        let is = |name, value: &str| {
            head.header(name).is_some_and(|found| found.eq_ignore_ascii_case(value))
        };
        let server = head.header("server").unwrap_or_default().to_ascii_lowercase();
        Self {
            begun: false,
            gzip: is("content-encoding", "gzip").then(|| MultiGzDecoder::new(Vec::new())),
            framed: head.header(FRAMED).is_some()
                || head.header("content-length").is_some()
                || is("transfer-encoding", "chunked"),
            own: head.header("via").is_none() && OWN.iter().any(|own| server.starts_with(own)),
        }
    }

    /// Whether its clean end will show that nothing is missing.
    pub(super) fn proves_its_end(&self) -> bool {
        self.gzip.is_some() || (self.framed && self.own)
    }

    /// Takes a piece and hands what it says to `each`. Returns whether it could be read.
    pub(super) fn feed(&mut self, chunk: &[u8], each: impl FnOnce(&[u8])) -> bool {
        if !self.begun
            && let Some(first) = chunk.first()
        {
            self.begun = true;
            self.gzip = self.gzip.take().filter(|_| *first == GZIP);
        }
        let Some(gzip) = &mut self.gzip else {
            each(chunk);
            return true;
        };
        let sound = gzip.write_all(chunk).and_then(|()| gzip.flush()).is_ok();
        each(&std::mem::take(gzip.get_mut()));
        sound
    }

    /// The clean end. Returns whether the body's own end has come, too.
    pub(super) fn end(&mut self) -> bool {
        if !self.begun {
            // Not even its header has come: it was empty and decompressed, or cut, which its framing shows.
            self.gzip = None;
        }
        self.gzip.as_mut().is_none_or(|gzip| gzip.try_finish().is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn head(headers: &[(&str, &str)]) -> Response {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Response { status: 200, headers, body: Vec::new() }
    }

    #[test]
    fn only_the_servers_own_framing_proves_an_end() {
        for (headers, proves) in [
            (&[("server", "MinIO"), (FRAMED, "1")][..], true),
            (&[("server", "MinIO/Enterprise"), ("transfer-encoding", "Chunked")], true),
            (&[("server", "AIStor"), ("content-length", "0")], true),
            (&[("server", "MinIO")], false),
            (&[("server", "nginx/1.22"), (FRAMED, "1")], false),
            (&[("server", "MinIO"), ("via", "1.1 squid"), (FRAMED, "1")], false),
            (&[(FRAMED, "1")], false),
            (&[("server", "nginx"), ("content-encoding", "gzip")], true),
        ] {
            assert_eq!(Body::new(&head(headers)).proves_its_end(), proves, "{headers:?}");
        }
    }

    #[test]
    fn a_gzip_stream_is_whole_or_it_is_not() {
        let text = "{\"object\":\"a\"}\n".repeat(500);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        let whole = encoder.finish().unwrap();
        for cut in [1, 9, 10, whole.len() / 2, whole.len() - 8, whole.len() - 1, whole.len()] {
            let mut body = Body::new(&head(&[("content-encoding", "gzip")]));
            let mut read = Vec::new();
            for chunk in whole[..cut].chunks(7) {
                assert!(body.feed(chunk, |bytes| read.extend_from_slice(bytes)), "{cut}");
            }
            assert!(text.as_bytes().starts_with(&read), "{cut}");
            assert_eq!(body.end(), cut == whole.len(), "{cut}");
        }
        let mut damaged = whole.clone();
        let middle = whole.len() - 6;
        damaged[middle] ^= 1;
        let mut body = Body::new(&head(&[("content-encoding", "gzip")]));
        let fed = body.feed(&damaged, |_| {});
        assert!(!fed || !body.end(), "its checksum is wrong");
        let mut body = Body::new(&head(&[("content-encoding", "gzip")]));
        assert!(!body.feed(b"\x1f{\"object\":\"begins like one\"}\n", |_| {}));
    }

    #[test]
    fn what_the_host_has_decompressed_is_read_as_it_is_and_proves_what_its_framing_does() {
        let text = b"{\"object\":\"a\"}\n{\"object\":\"\x1f\"}\n";
        let gzip = ("content-encoding", "gzip");
        for (headers, proves) in [
            (&[gzip][..], false),
            (&[gzip, ("server", "MinIO"), ("transfer-encoding", "chunked")], true),
            (&[gzip, ("server", "nginx"), ("transfer-encoding", "chunked")], false),
        ] {
            for size in [1, 3, text.len()] {
                let mut body = Body::new(&head(headers));
                let mut read = Vec::new();
                assert!(body.feed(b"", |_| {}) && body.proves_its_end());
                for chunk in text.chunks(size) {
                    assert!(body.feed(chunk, |bytes| read.extend_from_slice(bytes)));
                }
                assert!(body.end() && body.proves_its_end() == proves, "{headers:?}");
                assert_eq!(read, text);
            }
            let mut nothing = Body::new(&head(headers));
            assert!(nothing.end() && nothing.proves_its_end() == proves, "{headers:?}");
        }
    }
}
