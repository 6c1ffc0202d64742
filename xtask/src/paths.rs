//! The paths in a Rust file that lead out of it: those that begin with `crate` or `super`.
//!
//! Not a parser of Rust: it knows words, `::`, braces, and what to pass over (comments, strings,
//! characters), which is enough to read imports and qualified names.

/// A path as it is from the root of the crate, without `crate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub line: usize,
    pub path: Vec<String>,
}

/// Every such path in `text`, the file of the module `module`.
pub fn find(text: &str, module: &[String]) -> Vec<Found> {
    let tokens = tokens(text);
    let mut reader =
        Reader { tokens: &tokens, at: 0, module: module.to_vec(), open: Vec::new(), found: vec![] };
    reader.read();
    reader.found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    /// `::`
    Separator,
    Other(char),
}

struct Reader<'a> {
    tokens: &'a [(usize, Token<'a>)],
    at: usize,
    /// Where the reader is: the module of the file, and those that are written out in it.
    module: Vec<String>,
    /// The braces that are open; `true` for those of a module.
    open: Vec<bool>,
    found: Vec<Found>,
}

impl Reader<'_> {
    fn read(&mut self) {
        while let Some((_, token)) = self.tokens.get(self.at) {
            let inside = self.at > 0 && self.tokens[self.at - 1].1 == Token::Separator;
            match token {
                Token::Word("mod") => self.enter(),
                Token::Word("crate" | "super") if !inside => self.tree(&mut Vec::new()),
                Token::Other('{') => {
                    self.open.push(false);
                    self.at += 1;
                }
                Token::Other('}') => {
                    if self.open.pop() == Some(true) {
                        self.module.pop();
                    }
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    /// `mod name {` opens a module; `mod name;` does not.
    fn enter(&mut self) {
        self.at += 1;
        if let [(_, Token::Word(name)), (_, Token::Other('{')), ..] = self.tokens[self.at..] {
            self.module.push(name.to_owned());
            self.open.push(true);
            self.at += 2;
        }
    }

    /// A path, or a tree of them in braces as `use` has it, below `prefix`.
    fn tree(&mut self, prefix: &mut Vec<String>) {
        let (line, depth) = (self.tokens[self.at].0, prefix.len());
        let mut first = depth == 0;
        while let Some((_, token)) = self.tokens.get(self.at) {
            match token {
                Token::Word("crate") => prefix.clear(),
                Token::Word("super") => {
                    if first {
                        prefix.clone_from(&self.module);
                    }
                    prefix.pop();
                }
                // `self` at the end of a tree is what stands before the brace.
                Token::Word("self") => {}
                Token::Word(name) => prefix.push((*name).to_owned()),
                Token::Other('{') => return self.branches(prefix, depth),
                Token::Separator | Token::Other(_) => break,
            }
            first = false;
            self.at += 1;
            match self.tokens.get(self.at) {
                Some((_, Token::Separator)) => self.at += 1,
                _ => break,
            }
        }
        // `pub(crate)` leads nowhere.
        if !prefix.is_empty() {
            self.found.push(Found { line, path: prefix.clone() });
        }
        prefix.truncate(depth);
    }

    fn branches(&mut self, prefix: &mut Vec<String>, depth: usize) {
        self.at += 1;
        while let Some((_, token)) = self.tokens.get(self.at) {
            match token {
                Token::Other('}') => {
                    self.at += 1;
                    break;
                }
                Token::Word("as") => self.at += 2,
                Token::Word(_) => self.tree(prefix),
                _ => self.at += 1,
            }
        }
        prefix.truncate(depth);
    }
}

/// The tokens with their lines.
fn tokens(text: &str) -> Vec<(usize, Token<'_>)> {
    let (mut tokens, mut line, mut rest) = (Vec::new(), 1, text);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => comment(rest),
            '"' => string(rest),
            'r' | 'b' if raw(rest).is_some() => raw(rest).unwrap_or(1),
            '\'' => character(rest),
            _ if rest.starts_with("::") => {
                tokens.push((line, Token::Separator));
                2
            }
            _ if first.is_alphanumeric() || first == '_' => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                let word = &rest[..end.unwrap_or(rest.len())];
                tokens.push((line, Token::Word(word)));
                word.len()
            }
            _ => {
                if !first.is_whitespace() {
                    tokens.push((line, Token::Other(first)));
                }
                first.len_utf8()
            }
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

/// The length of a comment, with those in it.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match text.get(at..at + 2) {
            Some("/*") => depth += 1,
            Some("*/") => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

/// The length of `r"…"`, `r#"…"#`, `b"…"`; `None` for a word that only begins like one.
fn raw(text: &str) -> Option<usize> {
    let start = text.find(|c| c != 'b' && c != 'r' && c != '#')?;
    let prefix = &text[..start];
    if !matches!(prefix.trim_end_matches('#'), "r" | "b" | "br") || !text[start..].starts_with('"')
    {
        return None;
    }
    if !prefix.contains('r') {
        return Some(start + string(&text[start..]));
    }
    let end = format!("\"{}", "#".repeat(prefix.matches('#').count()));
    let inner = start + 1;
    Some(text[inner..].find(&end).map_or(text.len(), |at| inner + at + end.len()))
}

/// The length of a character; of the quote alone where a lifetime begins.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, escaped))) => {
            let after = at + escaped.len_utf8();
            text[after..].find('\'').map_or(text.len(), |end| after + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::find;

    fn paths(text: &str) -> Vec<String> {
        let module = ["job".to_owned(), "window".to_owned()];
        find(text, &module).iter().map(|found| found.path.join("::")).collect()
    }

    #[test]
    fn an_import_is_one_path_for_each_name() {
        assert_eq!(paths("use crate::wire::net::Net;"), ["wire::net::Net"]);
        assert_eq!(
            paths("use crate::{job::{self, spec::Spec as S}, wire::*};"),
            ["job", "job::spec::Spec", "wire"]
        );
        assert_eq!(
            paths("pub(crate) use super::spool::{Spool, Block};"),
            ["job::spool::Spool", "job::spool::Block"]
        );
    }

    #[test]
    fn a_qualified_name_is_a_path_too() {
        assert_eq!(
            paths("fn f(a: &crate::wire::Net) -> crate::job::End {}"),
            ["wire::Net", "job::End"]
        );
    }

    #[test]
    fn super_leads_out_of_the_module_that_it_stands_in() {
        assert_eq!(paths("use super::spec::Spec;"), ["job::spec::Spec"]);
        assert_eq!(paths("use super::super::wire::Net;"), ["wire::Net"]);
        assert_eq!(
            paths(
                "fn f() {} mod tests { use super::Window; mod inner { use super::super::x; } } use super::a;"
            ),
            ["job::window::Window", "job::window::x", "job::a"]
        );
    }

    #[test]
    fn what_is_said_in_comments_and_strings_is_no_import() {
        for text in [
            "// use crate::command;",
            "/* /* crate::command */ crate::command */",
            "let a = \"\\\"crate::command\";",
            "let a = r#\"\" crate::command\"#;",
            "let a = b\"crate::command\";",
            "let a = ('\"', '\\'', '{');",
            "use std::super_fast::crate_of;",
        ] {
            assert_eq!(paths(text), [""; 0], "{text}");
        }
        assert_eq!(paths("fn f<'a>(x: &'a str) -> crate::wire::X {}"), ["wire::X"]);
    }

    #[test]
    fn lines_are_counted_through_everything_that_is_passed_over() {
        let text = "/* a\nb */\nlet x = \"c\nd\";\n// e\nuse crate::wire::X;";
        assert_eq!(find(text, &[]).first().map(|found| found.line), Some(6));
    }
}
