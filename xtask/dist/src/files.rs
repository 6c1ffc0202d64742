//! The files of `dist/`, and what their sums are.

use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use xtask::sh::Result;

/// Writes a file in a folder that is made for it.
pub fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result {
    let path = folder.join(name);
    let parent = path.parent().map(fs::create_dir_all);
    parent.transpose().map_err(|error| error.to_string())?;
    fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

/// Makes a file one that can be run.
pub fn executable(path: &Path) -> Result {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(path, mode).map_err(|error| error.to_string())
}

/// `sha256sum` of every file, in the form `sha256sum --check` reads.
pub fn sums(dist: &Path) -> Result<String> {
    let mut lines = Vec::new();
    let mut folders = vec![dist.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| error.to_string())? {
            let path = entry.map_err(|error| error.to_string())?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(dist).unwrap_or(&path).display().to_string();
            let bytes = fs::read(&path).map_err(|error| error.to_string())?;
            lines.push(format!("{}  {name}\n", sha256(&bytes)));
        }
    }
    lines.sort_by(|a, b| a[64..].cmp(&b[64..]));
    Ok(lines.concat())
}

/// In the form of `sha256sum`.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
