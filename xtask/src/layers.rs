//! Who may import whom. Folders show the floors of the house; this sees to it that they are true.

use crate::paths;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use xtask::sh::{Result, cargo, output, root};

/// The floors of `guest/core/src`, each a folder. One imports from itself and from those after it.
const FLOORS: [&str; 5] = ["command", "report", "job", "listing", "wire"];

const CORE: &str = "guest/core/src";

/// Crates in which no two modules import each other, on any way round.
const WITHOUT_CIRCLES: [&str; 5] =
    ["host/policy/src", "host/src", "xtask/bench/src", "xtask/dist/src", "xtask/src"];

/// Crates that decide, and neither wait nor send: they are tested in seconds, and stay so.
const PLAIN: [&str; 2] = ["resync-core", "mc-wasi-policy"];

/// What would make them something else, at any depth.
const FOREIGN: [&str; 5] = ["hyper", "mc-wasi", "rustls", "tokio", "wasmtime"];

/// An import from one module of a crate to another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Import {
    from: String,
    to: String,
    /// `file:line: name`, for a person who has to change it.
    place: String,
}

/// Prints the directions of imports in the core, and fails where one goes up or round, or where a plain
/// crate needs a runtime.
pub fn check() -> Result {
    let (imports, _) = read(CORE)?;
    print(&imports);
    let mut wrong = upward(&imports);
    for folder in WITHOUT_CIRCLES {
        let (imports, modules) = read(folder)?;
        wrong.extend(circles(&imports, &modules));
    }
    for package in PLAIN {
        wrong.extend(foreign(package)?);
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("imports:\n  {}", wrong.join("\n  "))) }
}

fn print(imports: &[Import]) {
    eprint!("{:>12}", "imports of ↓");
    FLOORS.iter().for_each(|to| eprint!("{to:>9}"));
    eprintln!();
    for from in FLOORS {
        eprint!("{from:>12}");
        for to in FLOORS {
            let count = imports.iter().filter(|i| i.from == from && i.to == to).count();
            eprint!("{:>9}", if count == 0 { "·".to_owned() } else { count.to_string() });
        }
        eprintln!();
    }
}

/// Imports to a floor above, to the root of the crate, or to a floor that is not known here.
fn upward(imports: &[Import]) -> Vec<String> {
    let floor = |name: &str| FLOORS.iter().position(|floor| *floor == name);
    let goes_down = |import: &&Import| match (floor(&import.from), floor(&import.to)) {
        (Some(from), Some(to)) => from <= to,
        _ => false,
    };
    let wrong = imports.iter().filter(|import| !goes_down(import));
    wrong.map(|i| format!("{}: {} must not know {}", i.place, i.from, i.to)).collect()
}

/// The imports that make circles. What the root of a crate has may be used by no module: the root
/// imports them all.
fn circles(imports: &[Import], modules: &BTreeSet<String>) -> Vec<String> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for import in imports {
        next.entry(&import.from).or_default().insert(&import.to);
    }
    let leads_back = |import: &Import| {
        let (mut open, mut reached) = (vec![import.to.as_str()], BTreeSet::new());
        while let Some(module) = open.pop() {
            let more = next.get(module).into_iter().flatten().copied();
            open.extend(more.filter(|more| reached.insert(*more)));
        }
        reached.contains(import.from.as_str())
    };
    let wrong = imports.iter().filter(|import| {
        import.from != import.to && (!modules.contains(&import.to) || leads_back(import))
    });
    wrong.map(|i| format!("{}: {} and {} form a circle", i.place, i.from, i.to)).collect()
}

/// What a plain crate must not be built of, and is.
fn foreign(package: &str) -> Result<Vec<String>> {
    let words = format!("tree --locked --edges normal --prefix none --package {package}");
    let tree = output(cargo(&words).args(["--format", "{p}"])).ok_or("`cargo tree` failed")?;
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    let found = FOREIGN.into_iter().filter(|name| names.contains(name));
    Ok(found.map(|name| format!("{package} must not need {name}")).collect())
}

/// The imports in a folder of sources, by the modules at its top, and those modules.
fn read(folder: &str) -> Result<(Vec<Import>, BTreeSet<String>)> {
    let top = root().join(folder);
    let (mut imports, mut modules) = (Vec::new(), BTreeSet::new());
    for file in files(&top)? {
        let inside = file.strip_prefix(&top).unwrap_or(&file);
        let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        let module = module(inside);
        // What the root of a crate has is not below anything.
        let Some(from) = module.first().cloned() else { continue };
        modules.insert(from.clone());
        for found in paths::find(&text, &module) {
            let place =
                format!("{folder}/{}:{}: {}", inside.display(), found.line, found.path.join("::"));
            let to = found.path.first().cloned().unwrap_or_default();
            imports.push(Import { from: from.clone(), to, place });
        }
    }
    Ok((imports, modules))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |error| format!("{}: {error}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The module of a file, by its place below the root of the crate.
fn module(file: &Path) -> Vec<String> {
    let path = file.with_extension("");
    let mut names: Vec<String> =
        path.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        names.pop();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(from: &str, to: &str) -> Import {
        Import { from: from.to_owned(), to: to.to_owned(), place: format!("{from}→{to}") }
    }

    #[test]
    fn a_floor_knows_itself_and_what_is_below() {
        let fine = [import("command", "wire"), import("job", "job"), import("report", "job")];
        assert_eq!(upward(&fine), [""; 0]);
        let wrong = [import("wire", "job"), import("listing", "Args"), import("job", "listing")];
        assert_eq!(
            upward(&wrong),
            ["wire→job: wire must not know job", "listing→Args: listing must not know Args"]
        );
    }

    #[test]
    fn a_circle_is_found_on_any_way_round() {
        let modules = ["a", "b", "c", "d"].map(str::to_owned).into();
        let chain = [import("a", "b"), import("b", "c"), import("a", "c"), import("a", "a")];
        assert_eq!(circles(&chain, &modules), [""; 0]);
        let round = [chain.as_slice(), &[import("c", "a"), import("d", "a")]].concat();
        let wrong = ["a→b", "b→c", "a→c", "c→a"];
        let found = circles(&round, &modules);
        assert!(
            found.iter().zip(wrong).all(|(found, wrong)| found.starts_with(wrong)),
            "{found:?}"
        );
        assert_eq!(found.len(), wrong.len());
        assert_eq!(circles(&[import("a", "Root")], &modules).len(), 1);
    }

    #[test]
    fn a_file_is_the_module_that_its_place_names() {
        for (file, name) in [
            ("job/mod.rs", "job"),
            ("job/machine.rs", "job::machine"),
            ("job/machine/answers.rs", "job::machine::answers"),
            ("lib.rs", ""),
        ] {
            assert_eq!(module(Path::new(file)).join("::"), name);
        }
    }
}
