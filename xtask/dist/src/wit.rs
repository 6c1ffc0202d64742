//! `wit/` as a package in one file, and whether its version says how it changed since the last release.

use std::fs;
use std::path::Path;
use std::process::Command;
use wit_parser::{PackageId, Resolve};
use xtask::sh::{Result, output, root};

/// What callers are compiled against.
const PACKAGE: &str = "package mc-wasi:replicate@";

/// The package, which tools take in the place of the folder.
pub fn package() -> Result<Vec<u8>> {
    let (resolve, package) = read(&root().join("wit"))?;
    wit_component::encode(&resolve, package).map_err(|error| format!("wit: {error:#}"))
}

/// Compares with the last release, which is a tag of git, and says with which.
///
/// # Errors
/// What callers would stumble over, under a version that says that they do not.
pub fn since_last_release() -> Result<String> {
    let git = |words: &[&str]| output(Command::new("git").current_dir(root()).args(words));
    let here = format!("v{}", env!("CARGO_PKG_VERSION"));
    let tags = git(&["tag", "--list", "v*", "--merged", "HEAD", "--sort=-version:refname"]);
    let tags = tags.unwrap_or_default();
    let Some(tag) = tags.lines().find(|tag| *tag != here) else {
        return Ok("no release to compare with".to_owned());
    };
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let names = git(&["ls-tree", "-r", "--name-only", tag, "wit/"]).unwrap_or_default();
    for name in names.lines().filter(|name| name.ends_with(".wit")) {
        let text = git(&["show", &format!("{tag}:{name}")]).ok_or(format!("git has no {name}"))?;
        crate::files::write(folder.path(), name, text.as_bytes())?;
    }
    compare(&folder.path().join("wit"), &root().join("wit"))
        .map_err(|error| format!("{error}; wit/README.md says which number moves ({tag})"))?;
    Ok(format!("compared with {tag}"))
}

/// Whether the version of `new` allows for how it differs from `old`.
fn compare(old: &Path, new: &Path) -> Result {
    let other = tempfile::tempdir().map_err(|error| error.to_string())?;
    rename(old, other.path())?;
    let (mut resolve, old) = read(other.path())?;
    let (present, new) = read(new)?;
    let versions =
        (resolve.packages[old].name.version.clone(), present.packages[new].name.version.clone());
    let (Some(was), Some(is)) = versions else { return Err("wit: no version".to_owned()) };
    if (is.major, is.minor, is.patch) < (was.major, was.minor, was.patch) {
        return Err(format!("wit: {is} is older than what was released"));
    }
    if is.major > was.major || (was.major == 0 && is.minor > was.minor) {
        return Ok(());
    }
    let worlds: Vec<_> =
        resolve.packages[old].worlds.iter().map(|(name, world)| (name.clone(), *world)).collect();
    let moved = resolve.merge(present).map_err(|error| format!("wit: {error:#}"))?;
    let new = moved.packages.get(new.index()).copied().ok_or("wit: no package")?;
    for (name, world) in worlds {
        let present = resolve.packages[new].worlds.get(&name).copied();
        let present = present.ok_or_else(|| format!("wit: the world {name} is gone in {is}"))?;
        wit_component::semver_check(resolve.clone(), world, present)
            .map_err(|error| format!("wit: {is} is not what it was for callers: {error:#}"))?;
    }
    Ok(())
}

/// Copies a folder as a version of its own: two of one version would be taken for one package.
fn rename(from: &Path, to: &Path) -> Result {
    for entry in fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let to = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            fs::create_dir_all(&to).map_err(|error| error.to_string())?;
            rename(&path, &to)?;
        } else if path.extension().is_some_and(|extension| extension == "wit") {
            let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
            let lines = text.lines().map(|line| match line.strip_suffix(';') {
                Some(package) if package.starts_with(PACKAGE) => format!("{package}+released;\n"),
                _ => format!("{line}\n"),
            });
            fs::write(to, lines.collect::<String>()).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

fn read(folder: &Path) -> Result<(Resolve, PackageId)> {
    let mut resolve = Resolve::default();
    let (package, _) =
        resolve.push_dir(folder).map_err(|error| format!("{}: {error:#}", folder.display()))?;
    Ok((resolve, package))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A contract of a version, with a record of these members.
    fn contract(version: &str, members: &str) -> TempDir {
        let folder = TempDir::new().unwrap();
        let text = format!(
            "{PACKAGE}{version};\ninterface resync {{ record options {{ {members} }} run: func(o: options); }}\n\
             world command {{ export resync; }}\n"
        );
        fs::write(folder.path().join("world.wit"), text).unwrap();
        folder
    }

    fn compared(old: (&str, &str), new: (&str, &str)) -> Result {
        compare(contract(old.0, old.1).path(), contract(new.0, new.1).path())
    }

    #[test]
    fn what_callers_stumble_over_needs_a_version_that_says_so() {
        let (one, two) = ("a: u32", "a: u32, b: u32");
        for (was, is) in [("0.2.0", "0.2.0"), ("0.2.0", "0.2.1"), ("1.2.0", "1.3.0")] {
            assert_eq!(compared((was, one), (is, one)), Ok(()), "{was} to {is}, unchanged");
            assert!(compared((was, one), (is, two)).is_err(), "{was} to {is}, with a member more");
        }
        for (was, is) in [("0.2.0", "0.3.0"), ("0.2.0", "1.0.0"), ("1.2.0", "2.0.0")] {
            assert_eq!(compared((was, one), (is, two)), Ok(()), "{was} to {is}");
        }
        assert!(compared(("0.2.0", one), ("0.1.9", one)).is_err(), "a version that goes back");
    }

    #[test]
    fn the_contract_of_this_project_is_compatible_with_itself() {
        assert_eq!(compare(&root().join("wit"), &root().join("wit")), Ok(()));
    }
}
