//! The words of the command line as Go's flag package reads them: which is a flag, which a value.
//!
//! [`normalize`] brings them into the one form that clap reads. What may be shown of them is told by the
//! same grammar.

use super::custom_header;
use crate::command::flags::{Flag, Takes};
use crate::wire::REDACTED;

/// Brings Go's forms into `--long=value` and moves TARGET after a `--`.
///
/// # Errors
/// Go's words for a flag that does not exist, lacks its value or is not written as one.
pub(super) fn normalize(words: &[String]) -> Result<Vec<String>, String> {
    let (mut options, mut rest) = (Vec::new(), Vec::new());
    let mut roles = roles(words).peekable();
    while let Some((word, role)) = roles.next() {
        match role {
            Role::Operand => rest.push(word.to_owned()),
            Role::End => {}
            Role::Flag(flag, attached) => {
                let value = match (flag.takes, attached) {
                    (_, Some(value)) => value,
                    (Takes::Switch, None) => "true",
                    (Takes::Number, None) => {
                        let value = roles.next_if(|(_, role)| matches!(role, Role::Value(_)));
                        value.map_or(flag.default, |(word, _)| word)
                    }
                    (_, None) => match roles.next() {
                        Some((value, _)) => value,
                        None => {
                            let name = word.trim_start_matches('-');
                            return Err(format!("flag needs an argument: -{name}"));
                        }
                    },
                };
                options.push(format!("--{}={value}", flag.long));
            }
            Role::Value(_) => {}
            Role::Wrong(error) => return Err(error),
        }
    }
    options.push("--".to_owned());
    options.append(&mut rest);
    Ok(options)
}

/// The words as a sandbox may see them: the values of `--custom-header`, which may be tokens, are
/// replaced, and what comes after a word that ends the reading is left out.
pub fn redact(words: &[String]) -> Vec<String> {
    let hide = |value: &str| match (custom_header(value), value.split_once(':')) {
        (Ok((name, _)), _) => format!("{name}:{REDACTED}"),
        // It stays as wrong as it was, for the component to say so.
        (Err(_), Some((name, _))) => format!("{name}:\u{0}{REDACTED}"),
        (Err(_), None) => REDACTED.to_owned(),
    };
    let is_header = |flag: &Flag| flag.long == "custom-header";
    roles(words)
        .map(|(word, role)| match role {
            Role::Flag(flag, Some(value)) if is_header(flag) => {
                let name = word.strip_suffix(value).unwrap_or_default();
                format!("{name}{}", hide(value))
            }
            Role::Value(flag) if is_header(flag) => hide(word),
            Role::Wrong(_) => without_value(word).to_owned(),
            _ => word.to_owned(),
        })
        .collect()
}

/// What a word of the command line is.
pub(super) enum Role<'a> {
    /// TARGET, or one too many.
    Operand,
    /// `--`, after which there are only operands.
    End,
    /// A flag, and what is attached to it by `=`.
    Flag(&'static Flag, Option<&'a str>),
    /// The value of the flag before it.
    Value(&'static Flag),
    /// It ends the reading, with Go's words.
    Wrong(String),
}

/// Every word and what it is, as Go's flag package reads them: the one grammar of this program. The
/// word after a flag that takes a value is its value, whatever it looks like; after one that takes a
/// number or nothing, if it is a number.
pub(super) fn roles(words: &[String]) -> impl Iterator<Item = (&str, Role<'_>)> {
    let mut pending = None;
    let (mut only_operands, mut ended) = (false, false);
    words.iter().map_while(move |word| {
        if ended {
            return None;
        }
        let value_of: Option<&Flag> = pending.take();
        let role = match value_of.filter(|flag| flag.takes_word(word)) {
            Some(flag) => Role::Value(flag),
            None if only_operands => Role::Operand,
            None => role(word),
        };
        match &role {
            Role::End => only_operands = true,
            Role::Flag(flag, None) => pending = Some(*flag),
            Role::Wrong(_) => ended = true,
            _ => {}
        }
        Some((word.as_str(), role))
    })
}

/// What a word is that stands where a flag may.
fn role(word: &str) -> Role<'_> {
    if word == "--" {
        return Role::End;
    }
    let Some(body) = word.strip_prefix('-').filter(|body| !body.is_empty()) else {
        return Role::Operand;
    };
    let body = body.strip_prefix('-').unwrap_or(body);
    let (name, attached) = match body.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (body, None),
    };
    if name.is_empty() || name.starts_with('-') {
        return Role::Wrong(format!("bad flag syntax: {}", without_value(word)));
    }
    match Flag::find(name) {
        Some(flag) => Role::Flag(flag, attached),
        None => Role::Wrong(format!("flag provided but not defined: -{}", without_value(name))),
    }
}

/// A word that is no flag, without what may be the value of one that was meant: `-HX-Auth:token`.
fn without_value(word: &str) -> &str {
    word.split([':', ' ']).next().unwrap_or_default()
}
