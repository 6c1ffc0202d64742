//! Which commit it is that is handed out, and of when: the one time in `dist/`, so that the same sources make the
//! same files.

use component_build::{INPUTS, REVISION};
use std::process::Command;
use std::sync::OnceLock;
use xtask::sh::{Result, output, root};

/// What the component is made of.
pub struct Revision {
    /// The commit, in full.
    pub commit: String,
    /// When it was made, in the form of RFC 3339, in UTC.
    pub time: String,
    /// The same in seconds since 1970, as `SOURCE_DATE_EPOCH` has it.
    pub seconds: String,
}

impl Revision {
    /// As the component itself says it.
    pub fn get() -> Result<&'static Self> {
        static FOUND: OnceLock<Result<Revision>> = OnceLock::new();
        FOUND.get_or_init(Self::find).as_ref().map_err(Clone::clone)
    }

    fn find() -> Result<Self> {
        let commit = component_build::revision(&root());
        let commit = commit.ok_or_else(|| format!("no git: set {REVISION}"))?;
        let words =
            ["log", "-1", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%cd %ct", "--"];
        let mut git = Command::new("git");
        let said = output(git.current_dir(root()).args(words).args(INPUTS).env("TZ", "UTC"));
        let said = said.unwrap_or_default();
        let (time, seconds) =
            said.trim().split_once(' ').ok_or("git does not say when the commit was made")?;
        Ok(Self { commit, time: time.to_owned(), seconds: seconds.to_owned() })
    }
}
