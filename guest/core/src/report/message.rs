//! Errors in mc's two forms: a line on stderr, or a JSON object on stdout.

use crate::report::printable::printable;
use crate::wire::{Cause, S3Error};
use serde::Serialize;

/// Something that went wrong, as the user is told.
#[derive(Debug, Clone)]
pub struct Message {
    /// What failed.
    pub message: String,
    /// Why, with the remedy; may be empty.
    pub cause: String,
    /// The server's own error, shown in JSON.
    pub server: Option<Box<S3Error>>,
    /// Whether it ends the run.
    pub fatal: bool,
}

impl Message {
    /// An error that ends the run.
    pub fn fatal(message: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { message: message.into(), cause: cause.into(), server: None, fatal: true }
    }

    /// An error after which the run goes on.
    pub fn error(message: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { fatal: false, ..Self::fatal(message, cause) }
    }

    /// With the server's error.
    #[must_use]
    pub fn because(mut self, cause: &Cause) -> Self {
        if let Cause::Server(error) = cause {
            self.server = Some(error.clone());
        }
        self
    }

    /// The line without its newline: `mc: <ERROR> message. Cause.`
    pub fn line(&self, program: &str, color: bool) -> String {
        let prefix = format!("{program}: <ERROR> ");
        let prefix = match (color, self.fatal) {
            (false, _) => prefix,
            (true, true) => format!("\x1b[31;3;1m{prefix}\x1b[0;23;22m"),
            (true, false) => format!("\x1b[33;3m{prefix}\x1b[0;23;22m"),
        };
        let (message, cause) = (printable(self.message.trim()), printable(self.cause.trim()));
        let mut line = format!("{prefix}{message}");
        if !cause.is_empty() {
            if self.fatal && !message.ends_with([':', '.']) {
                line.push(if cause.starts_with(char::is_uppercase) { '.' } else { ':' });
            }
            line.push(' ');
            line.push_str(&cause);
            if self.fatal && !cause.ends_with('.') {
                line.push('.');
            }
        }
        line
    }

    /// The JSON object without a newline.
    pub fn json(&self) -> String {
        serde_json::to_string(&Json { status: "error", error: self.json_error() })
            .unwrap_or_default()
    }

    /// The `error` member of the JSON object.
    pub fn json_error(&self) -> impl Serialize + '_ {
        JsonError {
            message: self.message.trim().trim_end_matches(['.', ':']),
            cause: JsonCause {
                message: self.cause.trim(),
                error: match &self.server {
                    Some(error) => JsonServer::Error(error),
                    None => JsonServer::None {},
                },
            },
            r#type: if self.fatal { "fatal" } else { "error" },
        }
    }
}

#[derive(Serialize)]
struct Json<E> {
    status: &'static str,
    error: E,
}

#[derive(Serialize)]
struct JsonError<'a> {
    message: &'a str,
    cause: JsonCause<'a>,
    r#type: &'static str,
}

#[derive(Serialize)]
struct JsonCause<'a> {
    message: &'a str,
    error: JsonServer<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum JsonServer<'a> {
    Error(&'a S3Error),
    None {},
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fatal_errors_are_joined_as_mc_joins_them() {
        for (message, cause, line) in [
            (
                "Unable to get it",
                "The bucket does not exist",
                "mc: <ERROR> Unable to get it. The bucket does not exist.",
            ),
            (
                "Unable to get it.",
                "dial tcp: refused",
                "mc: <ERROR> Unable to get it. dial tcp: refused.",
            ),
            (
                "Unable to get it",
                "dial tcp: refused.",
                "mc: <ERROR> Unable to get it: dial tcp: refused.",
            ),
            (
                "`foo` is not a recognized command. Get help using `--help` flag.",
                "",
                "mc: <ERROR> `foo` is not a recognized command. Get help using `--help` flag.",
            ),
        ] {
            assert_eq!(Message::fatal(message, cause).line("mc", false), line);
        }
        assert_eq!(
            Message::error("Failed `k`.", "Access Denied").line("mc", false),
            "mc: <ERROR> Failed `k`. Access Denied"
        );
    }

    #[test]
    fn the_json_form_is_that_of_mc() {
        let server =
            S3Error { code: "NoSuchBucket".into(), message: "No".into(), ..S3Error::default() };
        let message =
            Message::fatal("Unable to get it.", "No").because(&Cause::Server(Box::new(server)));
        assert_eq!(
            message.json(),
            r#"{"status":"error","error":{"message":"Unable to get it","cause":{"message":"No","error":{"Code":"NoSuchBucket","Message":"No","BucketName":"","Key":"","Resource":"","RequestID":"","HostID":"","Region":"","Server":""}},"type":"fatal"}}"#
        );
        assert!(Message::fatal("m", "c").json().contains(r#""error":{}},"type":"fatal""#));
    }

    #[test]
    fn names_cannot_steer_the_terminal_with_colours_or_without() {
        for color in [false, true] {
            let line = Message::error("a\r\nb\x1b[2J", "c\u{202e}d").line("mc", color);
            assert!(line.ends_with("a\\r\\nb\\u{1b}[2J c\\u{202e}d"), "{line:?}");
        }
    }
}
