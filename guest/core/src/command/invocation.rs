//! How the program was called, and the command line that does the same again.

use crate::command::args::Env;
use crate::command::name::{COMMAND, command_name};
use std::borrow::Cow;

/// How the program was called.
#[derive(Clone, Copy)]
pub struct Invocation<'a> {
    /// The name it goes by in messages.
    pub program: &'a str,
    /// The words after `argv[0]`; for [`run`](super::run) with `replicate resync-backlog` in front or without.
    pub words: &'a [String],
    /// The environment.
    pub env: Env<'a>,
}

impl std::fmt::Debug for Invocation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invocation").field("program", &self.program).finish_non_exhaustive()
    }
}

impl Invocation<'_> {
    /// Without the words of the command, if it begins with them.
    pub(super) fn without_command(self) -> Self {
        match self.words {
            [first, second, words @ ..] if [first, second] == COMMAND => Self { words, ..self },
            _ => self,
        }
    }

    /// The command that does the same again, without the flag named, ready to be pasted into a shell.
    pub(super) fn command_line(&self, without: Option<&str>) -> String {
        let mut line = command_name(self.program);
        for word in self.words.iter().filter(|word| !without.is_some_and(|flag| gives(word, flag)))
        {
            line.push(' ');
            line.push_str(&quoted(word));
        }
        line
    }
}

/// Whether the word gives this flag: with one dash or two, alone or with a value.
fn gives(word: &str, flag: &str) -> bool {
    let body = word.strip_prefix("--").or_else(|| word.strip_prefix('-'));
    body.and_then(|body| body.split('=').next()) == Some(flag)
}

/// A word as a shell takes it. No argument has a zero byte, the only thing that cannot be quoted.
fn quoted(word: &str) -> Cow<'_, str> {
    shlex::try_quote(word).unwrap_or(Cow::Borrowed(word))
}
