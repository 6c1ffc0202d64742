//! Builds the component: the same bytes on every machine, with what they are made of in them.
//!
//! The host embeds what this makes and `cargo xtask dist` distributes it, so that there is one
//! artifact and not one for each.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use wasm_metadata::{
    AddMetadata, AddMetadataField, Authors, Description, Licenses, Revision, Source, Version,
};

/// The target of the component.
pub const TARGET: &str = "wasm32-wasip2";

/// The name of the component and of its package.
pub const NAME: &str = "mc-replicate-resync-backlog";

/// What the component is made of, as paths below the root of the workspace.
pub const INPUTS: &[&str] = &["guest", "wit", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml"];

/// The variable that says which commit the sources are of, where git cannot.
pub const REVISION: &str = "MC_WASI_REVISION";

/// The most bytes the component may have: it is pulled by every pod and embedded in every host. Of these,
/// 60,000 are the decoder of gzip, which alone tells a whole listing from a cut one behind a proxy; 31,000 the
/// tables of `--dry-run --summary`, 36,000 `--from`, 30,000 the bound of `--max-queue`, 30,000 what `--wait` makes of
/// counters and targets, 10,000 filters and shards, and 9,000 what programs have of `--from` and `--max-queue`.
pub const MAX_BYTES: usize = 1_000_000;

const AUTHORS: &str = "The mc-wasi contributors";
const ABOUT: &str = "Triggers the replication of backlogged object versions of a MinIO or AIStor bucket: mc replicate resync-backlog";

/// Builds the component in a target directory of its own and returns the path of it.
///
/// # Errors
/// What did not work, after cargo has said why.
pub fn build(root: &Path, target_dir: &Path) -> Result<PathBuf, String> {
    build_as(root, target_dir, revision(root).as_deref())
}

/// As [`build`], for sources of a known revision.
///
/// # Errors
/// As [`build`].
pub fn build_as(root: &Path, target_dir: &Path, revision: Option<&str>) -> Result<PathBuf, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--quiet", "--locked", "--package", NAME])
        .args(["--target", TARGET, "--profile", "component", "--target-dir"])
        .arg(target_dir)
        .env("CARGO_ENCODED_RUSTFLAGS", flags())
        // Flags and wrappers of the outer build are for the outer target.
        .env_remove("RUSTFLAGS")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CARGO_BUILD_TARGET")
        .status();
    if !status.is_ok_and(|status| status.success()) {
        return Err("the component did not build: see the errors above".to_owned());
    }
    let finished = path(target_dir);
    let built = finished.with_file_name(format!("{}.wasm", NAME.replace('-', "_")));
    let bytes = fs::read(&built).map_err(|error| format!("{}: {error}", built.display()))?;
    let bytes = describe(&bytes, revision)?;
    if fs::read(&finished).ok().as_deref() != Some(&bytes) {
        fs::write(&finished, bytes).map_err(|e| format!("{}: {e}", finished.display()))?;
    }
    Ok(finished)
}

/// The component that [`build`] makes in this target directory. Cargo's own output lies beside it,
/// without what the component says of itself.
pub fn path(target_dir: &Path) -> PathBuf {
    target_dir.join(TARGET).join("component").join(format!("{NAME}.wasm"))
}

/// The commit that last changed what the component is made of: it stays the same, and so do the
/// bytes, when something else is changed. `None` outside of a repository.
pub fn revision(root: &Path) -> Option<String> {
    given().or_else(|| git(root, &[&["log", "-1", "--format=%H", "--"], INPUTS].concat()))
}

/// The commit of the whole tree, in short: what the host says that it was built from. `None` outside of
/// a repository.
pub fn commit(root: &Path) -> Option<String> {
    let short = |given: String| given.chars().take(12).collect();
    given().map(short).or_else(|| git(root, &["rev-parse", "--short=12", "HEAD"]))
}

/// Files and folders one of which changes when [`commit`] does. A branch is a file of its own, or a
/// line in a file of many until its next commit, so the folder it would be in is watched too.
pub fn commit_watch(root: &Path) -> Vec<PathBuf> {
    let path =
        |name: &str| git(root, &["rev-parse", "--git-path", name]).map(|path| root.join(path));
    let mut watched: Vec<PathBuf> = path("HEAD").into_iter().collect();
    if let Some(branch) =
        git(root, &["symbolic-ref", "--quiet", "HEAD"]).and_then(|name| path(&name))
    {
        watched.extend(branch.ancestors().find(|place| place.exists()).map(Path::to_path_buf));
        watched.extend(path("packed-refs"));
    }
    watched.retain(|place| place.exists());
    watched
}

/// The version of a crate in the lock file.
pub fn locked_version(root: &Path, name: &str) -> Option<String> {
    let lock = fs::read_to_string(root.join("Cargo.lock")).ok()?;
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{name}\""));
    let version = lines.nth(1)?.strip_prefix("version = ")?;
    Some(version.trim_matches('"').to_owned())
}

fn given() -> Option<String> {
    env::var(REVISION).ok().filter(|revision| !revision.is_empty())
}

/// What git answers, if anything.
fn git(root: &Path, words: &[&str]) -> Option<String> {
    let output = Command::new("git").current_dir(root).args(words).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Inlining of calls, in LLVM's unit. The default of 250 makes the component 40 KB larger and nothing
/// faster: user time of the whole host for a million listed entries 2.9 s instead of 3.0 s, for 20,000
/// HEADs 1.55 s instead of 1.62 s. At 50 it is 20 KB smaller still, and the listing takes 12 % longer.
const INLINING: &str = "-Cllvm-args=-inline-threshold=100";

/// Flags for size, and those that keep the folders of this machine out of the component: the messages
/// of a panic name source files.
fn flags() -> OsString {
    let mut flags = vec![INLINING.to_owned()];
    let sysroot = rustc(&["--print", "sysroot"]);
    let version = rustc(&["-vV"]);
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: "));
    if let Some(commit) = commit {
        let library = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
        flags.push(format!("--remap-path-prefix={}=/rustc/{commit}", library.display()));
    }
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    let sources = home.map(|home| home.join("registry/src"));
    let registries = sources.and_then(|folder| fs::read_dir(folder).ok());
    for registry in registries.into_iter().flatten().flatten() {
        flags.push(format!("--remap-path-prefix={}=/crates", registry.path().display()));
    }
    flags.sort();
    flags.join("\u{1f}").into()
}

/// What the compiler answers.
fn rustc(words: &[&str]) -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(words).output().map(|output| output.stdout);
    String::from_utf8(output.unwrap_or_default()).unwrap_or_default()
}

/// Writes into the component what it is, in the sections that registries read.
fn describe(component: &[u8], revision: Option<&str>) -> Result<Vec<u8>, String> {
    let describe = || {
        let mut metadata = AddMetadata::default();
        // Stripping took out what rustc says of itself.
        metadata.language = vec![("Rust".to_owned(), String::new())];
        let version = rustc(&["--version"]);
        let version = version.trim().trim_start_matches("rustc ").to_owned();
        metadata.processed_by = vec![("rustc".to_owned(), version)];
        metadata.name = AddMetadataField::Set(NAME.to_owned());
        metadata.authors = AddMetadataField::Set(Authors::new(AUTHORS));
        metadata.description = AddMetadataField::Set(Description::new(ABOUT));
        metadata.licenses = AddMetadataField::Set(Licenses::new(env!("CARGO_PKG_LICENSE"))?);
        metadata.version = AddMetadataField::Set(Version::new(env!("CARGO_PKG_VERSION")));
        // Where the manifest names the repository; it has no public address yet.
        if let Some(source) = option_env!("CARGO_PKG_REPOSITORY").filter(|url| !url.is_empty()) {
            metadata.source = AddMetadataField::Set(Source::new(source)?);
        }
        if let Some(revision) = revision {
            metadata.revision = AddMetadataField::Set(Revision::new(revision.to_owned()));
        }
        metadata.to_wasm(component)
    };
    describe().map_err(|error| format!("the component cannot be described: {error:#}"))
}
