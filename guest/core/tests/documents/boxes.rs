//! Command lines: each is run by a test, or it is said why not.

use super::pages;
use resync_core::command::{Args, Stop};

/// What no test runs as it stands on a page, by how it begins, and why. What is said to do it instead does the
/// same with other words, since it needs another address, another folder or another machine.
const BY_HAND: [(&str, &str); 22] = [
    ("cargo xtask ", "builds, and is what runs the tests"),
    ("sudo apt install ./", "changes the machine; tests/e2e/dist/packages.rs installs the package"),
    ("sudo dnf install ./", "the same"),
    ("sudo tar ", "changes the machine"),
    ("sudoedit ", "needs a person"),
    (
        "sudo systemctl ",
        "changes the machine; the command of the unit is parsed by tests/e2e/docs.rs",
    ),
    ("journalctl ", "needs systemd"),
    ("skopeo copy ", "needs a registry; tests/e2e/dist/image.rs has one"),
    ("docker run ", "needs a daemon; tests/e2e/dist/image.rs runs the image with runc"),
    ("oras cp ", "needs a registry; tests/e2e/dist/registry.rs has one"),
    ("wkg ", "needs a registry; `cargo xtask platforms` has one"),
    ("kubectl krew ", "needs krew; `cargo xtask platforms` brings it"),
    ("kubectl mc-replicate-resync-backlog ", "the same"),
    ("kubectl apply ", "needs Kubernetes; `cargo xtask kube` builds one"),
    ("kubectl create ", "the same"),
    ("kubectl logs ", "the same"),
    ("mc mb ", "needs `target/web`, which needs a network to be made"),
    ("mc cp ", "the same"),
    ("mc anonymous ", "the same"),
    (
        "ACCESS_KEY=… SECRET_KEY=… cargo run ",
        "builds; tests/e2e/stock/embed.rs runs what it builds",
    ),
    ("perf record ", "needs what the line before it builds"),
    ("CARGO_PROFILE_", "builds; for people who look for what is slow"),
];

/// A box of a page: the words behind its fence, or none where it is indented, and its lines.
#[derive(Debug, Default)]
struct Block<'a> {
    fence: Option<&'a str>,
    lines: Vec<&'a str>,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let (mut fenced, mut indented, mut blank) = (false, false, true);
    for line in text.lines() {
        let fence = line.strip_prefix("```");
        if let Some(words) = fence.filter(|_| !fenced) {
            blocks.push(Block { fence: Some(words), lines: Vec::new() });
        } else if fenced && fence.is_none() {
            blocks.last_mut().expect("an open box").lines.push(line);
        } else if let Some(line) = line.strip_prefix("    ").filter(|_| indented || blank) {
            if !indented {
                blocks.push(Block::default());
            }
            blocks.last_mut().expect("an open box").lines.push(line);
            indented = true;
            continue;
        }
        fenced ^= fence.is_some();
        (indented, blank) = (false, line.trim().is_empty());
    }
    blocks
}

/// Lines with those that go on in the next one put together.
fn whole(lines: &[&str]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut open = false;
    for line in lines {
        let text = line.trim().trim_end_matches('\\');
        match out.last_mut().filter(|_| open) {
            Some(last) => {
                last.push(' ');
                last.push_str(text);
            }
            None => out.push(text.to_owned()),
        }
        open = line.ends_with('\\') || line.ends_with('|');
    }
    out
}

#[test]
fn an_indented_box_is_for_people_and_it_is_known_why() {
    let mut used = [false; BY_HAND.len()];
    for (path, text) in pages() {
        for block in blocks(&text).iter().filter(|block| block.fence.is_none()) {
            for line in whole(&block.lines) {
                let mut known = BY_HAND.iter().zip(&mut used);
                let Some((_, used)) = known.find(|((begin, _), _)| line.starts_with(begin)) else {
                    panic!(
                        "{path}: nothing runs `{line}`, and nothing says why: put it into a box with ```sh, which \
                         tests/e2e/docs.rs runs, or name it here"
                    );
                };
                *used = true;
            }
        }
    }
    for ((begin, _), used) in BY_HAND.iter().zip(used) {
        assert!(used, "no page has a line that begins with {begin:?}");
    }
}

#[test]
fn a_fenced_box_says_what_it_is() {
    let mut run = 0;
    for (path, text) in pages() {
        for block in blocks(&text) {
            match block.fence {
                Some("sh" | "sh minio") => run += 1,
                // Output, and what is typed elsewhere than into a shell.
                None | Some("text" | "json" | "python") => {}
                Some(other) => panic!("{path}: a box of {other:?}"),
            }
        }
    }
    assert!(run > 20, "only {run} boxes are run");
}

/// The words that follow `replicate resync-backlog`, up to what is the shell's, wherever a TARGET is among them.
fn command_lines(text: &str) -> Vec<Vec<String>> {
    let joined = text.replace("\\\n", " ");
    let rests = joined.split("replicate resync-backlog ").skip(1);
    rests
        .filter_map(|rest| rest.split(['\n', '`']).next())
        .filter_map(|rest| {
            let words = shlex::split(rest)?;
            let of_shell = |word: &String| word.starts_with(['|', '>', '<', '&', ';']);
            Some(words.into_iter().take_while(|word| !of_shell(word)).collect::<Vec<_>>())
        })
        .filter(|words| words.iter().any(|word| word.contains('/') && !word.starts_with('-')))
        .collect()
}

#[test]
fn the_command_takes_every_command_line_that_a_page_shows() {
    let mut taken = 0;
    for (path, text) in pages() {
        for words in command_lines(&text) {
            match Args::parse(&words, &|_| None) {
                Ok(_) | Err(Stop::Help) => taken += 1,
                Err(stop) => panic!("{path}: {words:?} is refused: {stop:?}"),
            }
        }
    }
    assert!(taken > 20, "only {taken}: this does not find them");
}

#[test]
fn boxes_are_read_as_they_are_shown() {
    let page = "Text:\n\n    one \\\n        more\n    two\n\n```sh minio\nthree |\n  four\n```\n    no box\n\n";
    let blocks = blocks(page);
    let read: Vec<_> = blocks.iter().map(|b| (b.fence, whole(&b.lines))).collect();
    let expected = [
        (None, vec!["one  more".to_owned(), "two".to_owned()]),
        (Some("sh minio"), vec!["three | four".to_owned()]),
    ];
    assert_eq!(read, expected);
}
