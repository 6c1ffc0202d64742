//! Archives in the form that every tar reads (POSIX ustar), the same bytes for the same files: no time, no owner.

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use std::io::Write as _;
use xtask::sh::Result;

/// What tar is read and written by.
const BLOCK: usize = 512;

/// A file of an archive.
pub struct File<'a> {
    /// Its path, without a slash in front.
    pub name: &'a str,
    /// Its permissions.
    pub mode: u32,
    /// What is in it.
    pub bytes: &'a [u8],
}

/// The files as an archive.
///
/// # Errors
/// A name or a file that is too long for the form.
pub fn tar(files: &[File<'_>]) -> Result<Vec<u8>> {
    let mut archive = Vec::new();
    for file in files {
        archive.extend(header(file)?);
        archive.extend(file.bytes);
        archive.resize(archive.len().next_multiple_of(BLOCK), 0);
    }
    archive.extend([0; 2 * BLOCK]);
    Ok(archive)
}

/// Packed by gzip, without a name and a time.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut packed: GzEncoder<Vec<u8>> = GzBuilder::new().write(Vec::new(), Compression::best());
    packed.write_all(bytes).and_then(|()| packed.finish()).map_err(|error| error.to_string())
}

fn header(file: &File<'_>) -> Result<[u8; BLOCK]> {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, room: usize, text: &str| {
        let place = header.get_mut(at..at + text.len()).filter(|_| text.len() <= room);
        let place = place.ok_or_else(|| format!("{}: too long for tar", file.name))?;
        place.copy_from_slice(text.as_bytes());
        Ok::<(), String>(())
    };
    put(0, 100, file.name)?;
    put(100, 7, &format!("{:07o}", file.mode))?;
    // User and group: root.
    put(108, 7, "0000000")?;
    put(116, 7, "0000000")?;
    put(124, 11, &format!("{:011o}", file.bytes.len()))?;
    put(136, 11, "00000000000")?;
    // The sum is taken with spaces in its own place.
    put(148, 8, "        ")?;
    put(156, 1, "0")?;
    put(257, 8, "ustar\u{0}00")?;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let sum = format!("{sum:06o}\u{0} ");
    if let Some(place) = header.get_mut(148..156) {
        place.copy_from_slice(sum.as_bytes());
    }
    Ok(header)
}
