//! TARGET: `alias/bucket[/prefix]`.

use std::fmt;

/// What the command works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The alias, a name from the configuration.
    pub alias: String,
    /// The bucket.
    pub bucket: String,
    /// The prefix, verbatim: a plain string, no glob, a trailing `/` counts. Empty for all.
    pub prefix: String,
    /// TARGET as the user wrote it.
    pub text: String,
}

impl Target {
    /// Splits TARGET as mc does, into three parts at the first two `/`.
    ///
    /// # Errors
    /// mc's words for a missing bucket.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let mut parts = text.splitn(3, '/');
        let mut part = || parts.next().unwrap_or_default().to_owned();
        let target = Self { alias: part(), bucket: part(), prefix: part(), text: text.to_owned() };
        if target.bucket.is_empty() || target.alias.is_empty() || target.alias.contains(':') {
            return Err(TargetError { text: text.to_owned() });
        }
        Ok(target)
    }
}

/// A TARGET that names no bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetError {
    /// TARGET as the user wrote it.
    pub text: String,
}

impl fmt::Display for TargetError {
    /// mc's words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bucket not specified in `{}`", self.text)
    }
}

impl std::error::Error for TargetError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_split_at_the_first_two_slashes() {
        let target = Target::parse("a/b/path/to/").unwrap();
        assert_eq!(
            (target.alias.as_str(), target.bucket.as_str(), target.prefix.as_str()),
            ("a", "b", "path/to/")
        );
        assert_eq!(Target::parse("a/b/").unwrap().prefix, "");
    }

    #[test]
    fn a_missing_bucket_is_said_in_the_words_of_mc() {
        for text in ["a", "a/", "//a/src", "a//src", "http://host/bucket", "", "/a/b"] {
            assert_eq!(
                Target::parse(text).unwrap_err().to_string(),
                format!("bucket not specified in `{text}`"),
            );
        }
    }
}
