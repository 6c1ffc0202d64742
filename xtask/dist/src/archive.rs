//! Archives that are the same bytes for the same files: no time, no owner.

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use std::io::Write as _;
use tar::{Builder, EntryType, Header};
use xtask::sh::Result;

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
    let mut archive = Builder::new(Vec::new());
    for file in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(file.mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(file.bytes.len() as u64);
        let added = archive.append_data(&mut header, file.name, file.bytes);
        added.map_err(|error| format!("{}: {error}", file.name))?;
    }
    archive.into_inner().map_err(|error| error.to_string())
}

/// Packed by gzip, without a name and a time.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut packed: GzEncoder<Vec<u8>> = GzBuilder::new().write(Vec::new(), Compression::best());
    packed.write_all(bytes).and_then(|()| packed.finish()).map_err(|error| error.to_string())
}
