//! The machine code of components, kept between runs.
//!
//! What is in there runs as this user, so it is used only where nobody else could have put it: the
//! folder, every folder above it and the file belong to this user (or to root) and are writable for nobody
//! else, no link is followed on the way to the file, and its content carries a digest of itself. Where
//! that does not hold, nothing is kept; a read-only home costs time, not the run.

#![allow(unsafe_code, reason = "loading machine code, argued at the one place")]

use sha2::{Digest, Sha256};
use std::fs::{self, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Files kept: the built-in component of two versions, and some of `--component`.
const FILES: usize = 8;

/// How the files are called: `<digest>.code`, and while they are written `<digest>.<process>.part`.
const WHOLE: &str = "code";
const PART: &str = "part";

/// Bytes of the digest in front of the code.
const DIGEST: usize = 32;

/// A folder of compiled components that is fit to be trusted.
#[derive(Debug)]
pub(crate) struct CodeCache {
    folder: PathBuf,
}

impl CodeCache {
    /// The cache in this folder, which is made if it is missing.
    ///
    /// # Errors
    /// Why nothing is kept there, in words.
    pub(crate) fn open(folder: &Path) -> Result<Self, String> {
        let told = |error: io::Error| format!("{}: {error}", folder.display());
        make(folder).map_err(told)?;
        // Links above it are resolved once, here; what they lead to is what is checked and used.
        let folder = folder.canonicalize().map_err(told)?;
        for place in folder.ancestors() {
            let about = fs::symlink_metadata(place)
                .map_err(|error| format!("{}: {error}", place.display()))?;
            if !is_ours(&about) {
                return Err(format!("{}: others may write there", place.display()));
            }
        }
        Ok(Self { folder })
    }

    /// The component of these bytes, compiled now or before.
    ///
    /// # Errors
    /// It does not compile.
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        bytes: &[u8],
        compile: impl FnOnce() -> wasmtime::Result<Component>,
    ) -> wasmtime::Result<Component> {
        let file = self.folder.join(format!("{}.{WHOLE}", name(engine, bytes)));
        if let Some(code) = read(&file) {
            // SAFETY: the file and every folder above it belong to this user and nobody else may write
            // them, no link was followed, and the digest shows that it is what `keep` wrote whole: the
            // result of `serialize`. wasmtime itself checks that it was made by this version with
            // these settings. Whoever could forge all of that can replace this program as well.
            if let Ok(component) = unsafe { Component::deserialize(engine, &code) } {
                return Ok(component);
            }
        }
        let component = compile()?;
        if let Ok(code) = component.serialize() {
            // What cannot be kept is compiled again.
            let _ = self.keep(&file, &code);
        }
        Ok(component)
    }

    /// Writes a file as a whole or not at all.
    fn keep(&self, file: &Path, code: &[u8]) -> io::Result<()> {
        self.make_room()?;
        let part = file.with_extension(format!("{}.{PART}", std::process::id()));
        let write = || {
            let mut out = private(OpenOptions::new().write(true).create_new(true)).open(&part)?;
            out.write_all(&Sha256::digest(code))?;
            out.write_all(code)?;
            drop(out);
            fs::rename(&part, file)
        };
        write().inspect_err(|_| _ = fs::remove_file(&part))
    }

    /// Removes what was left half-written, and the oldest of too many files. Other files are not ours.
    fn make_room(&self) -> io::Result<()> {
        let mut whole = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let kind = path.extension().and_then(|extension| extension.to_str());
            let Ok(about) = fs::symlink_metadata(&path) else { continue };
            let age = about.modified().ok().and_then(|at| at.elapsed().ok()).unwrap_or_default();
            match kind {
                Some(WHOLE) if about.is_file() => whole.push((age, path)),
                // No compilation takes that long.
                Some(PART) if about.is_file() && age.as_secs() > 3600 => fs::remove_file(path)?,
                _ => {}
            }
        }
        whole.sort();
        whole.into_iter().skip(FILES - 1).try_for_each(|(_, path)| fs::remove_file(path))
    }
}

/// The name of the code of a component: what it was made of, and by what.
fn name(engine: &Engine, bytes: &[u8]) -> String {
    struct Feed(Sha256);
    impl Hasher for Feed {
        fn finish(&self) -> u64 {
            0
        }
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
    }
    let mut feed = Feed(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut feed);
    feed.0.update(bytes);
    feed.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The code in a file, if it is ours and whole.
fn read(file: &Path) -> Option<Vec<u8>> {
    let mut file = no_link(OpenOptions::new().read(true)).open(file).ok()?;
    let about = file.metadata().ok()?;
    if !about.is_file() || !is_ours(&about) {
        return None;
    }
    let mut digest = [0; DIGEST];
    file.read_exact(&mut digest).ok()?;
    let mut code = Vec::new();
    file.read_to_end(&mut code).ok()?;
    (Sha256::digest(&code)[..] == digest).then_some(code)
}

/// Makes a folder that is for this user only. Those above it stay as they are.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(unix)]
fn is_ours(about: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let user = nix::unistd::Uid::effective().as_raw();
    let by_others = about.mode() & 0o022 != 0;
    // In a sticky folder, such as /tmp, others cannot replace what is not theirs.
    let sticky = about.is_dir() && about.mode() & 0o1000 != 0;
    (about.uid() == user || about.uid() == 0) && (!by_others || sticky)
}

/// Who may write a file is in lists of Windows that the standard library does not read, so no folder is known to be
/// ours: nothing is kept there, which `--debug` says.
#[cfg(not(unix))]
fn is_ours(_: &fs::Metadata) -> bool {
    false
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(not(unix))]
fn no_link(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(no_link(options), 0o600)
}

#[cfg(unix)]
fn no_link(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NOFOLLOW | libc::O_CLOEXEC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use tempfile::TempDir;

    fn engine() -> Engine {
        Engine::default()
    }

    fn empty() -> Vec<u8> {
        wat::parse_str("(component)").unwrap()
    }

    /// How often it had to be compiled.
    fn compiled(cache: &CodeCache, times: usize) -> usize {
        let (engine, bytes) = (engine(), empty());
        let mut count = 0;
        for _ in 0..times {
            let compile = || {
                count += 1;
                Component::new(&engine, &bytes)
            };
            cache.compile(&engine, &bytes, compile).unwrap();
        }
        count
    }

    fn only_file(folder: &Path) -> PathBuf {
        let mut files: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }

    #[test]
    fn what_was_compiled_is_kept_for_its_user_alone() {
        let home = TempDir::new().unwrap();
        let folder = home.path().join("a/mc-wasi");
        let cache = CodeCache::open(&folder).unwrap();
        assert_eq!(compiled(&cache, 3), 1);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&only_file(&folder))), (0o700, 0o600));
    }

    #[test]
    fn where_others_may_write_nothing_is_used() {
        let home = TempDir::new().unwrap();
        for (open, shut) in [("", "a/mc-wasi"), ("a", "a/mc-wasi"), ("a/mc-wasi", "a/mc-wasi")] {
            let folder = home.path().join(shut);
            fs::create_dir_all(&folder).unwrap();
            let place = home.path().join(open);
            for mode in [0o777, 0o720, 0o702] {
                fs::set_permissions(&place, fs::Permissions::from_mode(mode)).unwrap();
                let refused = CodeCache::open(&folder).unwrap_err();
                assert!(refused.contains("others may write"), "{refused}");
            }
            fs::set_permissions(&place, fs::Permissions::from_mode(0o700)).unwrap();
        }
        assert!(CodeCache::open(&home.path().join("a/mc-wasi")).is_ok());
    }

    #[test]
    fn what_is_not_whole_or_not_ours_is_compiled_again() {
        type Harm = fn(&Path);
        let harms: [(&str, Harm); 5] = [
            ("cut off", |file| fs::write(file, &fs::read(file).unwrap()[..500]).unwrap()),
            ("empty", |file| fs::write(file, b"").unwrap()),
            ("changed", |file| {
                let mut bytes = fs::read(file).unwrap();
                let last = bytes.len() - 1;
                bytes[last] ^= 1;
                fs::write(file, bytes).unwrap();
            }),
            ("for others", |file| {
                fs::set_permissions(file, fs::Permissions::from_mode(0o666)).unwrap();
            }),
            ("a link", |file| {
                let elsewhere = file.with_file_name("elsewhere");
                fs::rename(file, &elsewhere).unwrap();
                symlink(&elsewhere, file).unwrap();
            }),
        ];
        for (what, harm) in harms {
            let home = TempDir::new().unwrap();
            let cache = CodeCache::open(home.path()).unwrap();
            assert_eq!(compiled(&cache, 1), 1, "{what}");
            harm(&only_file(home.path()));
            assert_eq!(compiled(&cache, 2), 1, "{what}: it is compiled once more and healed");
        }
    }

    #[test]
    fn files_of_others_stay_and_old_ones_of_ours_go() {
        let home = TempDir::new().unwrap();
        fs::write(home.path().join("notes.txt"), b"mine").unwrap();
        for number in 0..20 {
            fs::write(home.path().join(format!("{number}.code")), b"old").unwrap();
        }
        let cache = CodeCache::open(home.path()).unwrap();
        assert_eq!(compiled(&cache, 1), 1);
        assert_eq!(fs::read(home.path().join("notes.txt")).unwrap(), b"mine");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), FILES + 1);
    }
}
