//! One version as the replication diff lists it.

use crate::listing::plain::{self, Plain};
use crate::listing::statuses::StatusTable;
use crate::wire::VersionId;
use crate::wire::timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// When a version was last modified. `x-minio-source-mtime` must repeat the text of the listing
/// letter by letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Modified {
    /// The text itself, as listed.
    Text(Box<str>),
    /// Nanoseconds since 1970, from which the text can be made again.
    Nanos(i128),
}

/// Go's zero time, the year 1, which stands for none.
const NO_TIME: i128 = -62_135_596_800_000_000_000;

impl Modified {
    /// Nanoseconds since 1970; `None` where the server gave no time, or none that can be read.
    pub fn nanos(&self) -> Option<i128> {
        let nanos = match self {
            Self::Text(text) => timestamp::parse_rfc3339(text)?,
            Self::Nanos(nanos) => *nanos,
        };
        (nanos != NO_TIME).then_some(nanos)
    }

    /// The form that takes the least room, which the spool keeps.
    pub fn compact(&self) -> Cow<'_, Self> {
        match self {
            Self::Text(text) if timestamp::is_go_format(text) => {
                let nanos = timestamp::parse_rfc3339(text);
                nanos.map_or(Cow::Borrowed(self), |nanos| Cow::Owned(Self::Nanos(nanos)))
            }
            _ => Cow::Borrowed(self),
        }
    }
}

impl fmt::Display for Modified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nanos(nanos) => f.write_str(&timestamp::format_rfc3339(*nanos)),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// One version to be handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The object's key.
    pub key: String,
    /// Its version.
    pub version: VersionId,
    /// Last modified.
    pub modified: Modified,
    /// `deletemarker` of the listing: a delete marker, or a version whose purge is pending.
    pub delete_marker: bool,
    /// Its statuses, an index into [`StatusTable`].
    pub statuses: u32,
}

/// What kind of change is to be replicated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// An object version.
    Put,
    /// A delete marker.
    Delete,
    /// The permanent deletion of a version.
    Purge,
}

impl Operation {
    /// As shown: `PUT`, `DEL`, `purge`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Put => "PUT",
            Self::Delete => "DEL",
            Self::Purge => "purge",
        }
    }
}

/// One line of the listing, and of what the user gives. Unknown members are ignored, as Go's decoder does.
/// The last five are of this program's own lines: a server may have others of these names.
#[derive(Deserialize)]
pub(super) struct Line<'a> {
    #[serde(borrow, default)]
    pub(super) object: Cow<'a, str>,
    #[serde(borrow, default, rename = "versionId")]
    pub(super) version_id: Cow<'a, str>,
    #[serde(borrow, default, rename = "rStatus")]
    status: Cow<'a, str>,
    #[serde(borrow, default, rename = "dStatus")]
    delete_status: Cow<'a, str>,
    #[serde(borrow, default)]
    targets: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "lastModified")]
    modified: Cow<'a, str>,
    #[serde(borrow, default, rename = "replTimestamp")]
    status_time: Cow<'a, str>,
    #[serde(default, rename = "deletemarker")]
    delete_marker: bool,
    #[serde(borrow, default)]
    pub(super) bucket: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) outcome: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "status")]
    pub(super) said: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) valid: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) complete: Option<&'a RawValue>,
}

impl<'a> Line<'a> {
    /// The version, as this one, and the time of its last replication status.
    pub(super) fn item(
        self,
        version: VersionId,
        table: &mut StatusTable,
    ) -> Result<(Item, Cow<'a, str>), serde_json::Error> {
        let item = Item {
            statuses: table.intern(
                &self.status,
                &self.delete_status,
                self.targets.map_or("", RawValue::get),
            )?,
            version,
            modified: Modified::Text(self.modified.into()),
            delete_marker: self.delete_marker,
            key: self.object.into_owned(),
        };
        Ok((item, self.status_time))
    }
}

/// What is wrong with a line of the listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadLine {
    /// It is not a JSON object of the expected form. The beginning of it is kept.
    NotJson(String),
    /// It names no object and no error.
    NoKey,
    /// The server says that the listing failed here.
    Error(String),
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(text) => write!(f, "not an entry of a replication diff: {text:?}"),
            Self::NoKey => f.write_str("an entry without an object name"),
            Self::Error(error) => f.write_str(error),
        }
    }
}

impl std::error::Error for BadLine {}

/// Reads one line into an item, and the time of its last replication status (`replTimestamp`).
///
/// # Errors
/// [`BadLine`]; each of them means that the listing cannot be trusted from here on.
pub fn parse_line<'a>(
    line: &'a [u8],
    table: &mut StatusTable,
) -> Result<(Item, Cow<'a, str>), BadLine> {
    let not_json = || {
        let text = String::from_utf8_lossy(line.get(..60).unwrap_or(line)).into_owned();
        BadLine::NotJson(text.trim().to_owned())
    };
    if let Some(plain) = plain::read(line) {
        let Plain { status, delete_status, targets, .. } = plain;
        let item = Item {
            statuses: table.intern(status, delete_status, targets).map_err(|_| not_json())?,
            version: VersionId::parse(plain.version_id),
            modified: Modified::Text(plain.modified.into()),
            delete_marker: plain.delete_marker,
            key: plain.object.to_owned(),
        };
        return Ok((item, Cow::Borrowed(plain.status_time)));
    }
    parse_any(line, table, not_json)
}

/// The same of any line, by serde_json.
fn parse_any<'a>(
    line: &'a [u8],
    table: &mut StatusTable,
    not_json: impl Fn() -> BadLine,
) -> Result<(Item, Cow<'a, str>), BadLine> {
    // An array would do for the decoder, which fills the members in their order.
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err(not_json());
    }
    let parsed: Line<'_> = serde_json::from_slice(line).map_err(|_| not_json())?;
    if let Some(error) = parsed.error.map(RawValue::get).filter(|error| *error != "null") {
        // A Go error: a string from the storage layer, or `{}` where it does not marshal.
        let text = serde_json::from_str::<String>(error).unwrap_or_default();
        let text = if text.is_empty() { "an unnamed error".to_owned() } else { text };
        return Err(BadLine::Error(text));
    }
    if parsed.object.is_empty() {
        return Err(BadLine::NoKey);
    }
    let version = VersionId::parse(&parsed.version_id);
    parsed.item(version, table).map_err(|_| not_json())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::statuses::{EXISTING, Statuses};
    use proptest::prelude::*;

    const ARN: &str = "arn:minio:replication::ed53:dst";

    fn parse(line: &str) -> Result<(Item, Statuses), BadLine> {
        let mut table = StatusTable::default();
        let (item, _) = parse_line(line.as_bytes(), &mut table)?;
        let statuses = table.get(item.statuses).unwrap().clone();
        Ok((item, statuses))
    }

    #[test]
    fn a_failed_version_is_read_with_its_targets() {
        let (item, statuses) = parse(
            r#" {"object":"a\u003cb","versionId":"8a38e1a2-0000-4000-8000-0123456789ab","targets":{"arn:minio:replication::ed53:dst":{"rStatus":"FAILED"}},"rStatus":"FAILED","replTimestamp":"2026-11-24T08:28:26.663850195Z","lastModified":"2026-11-24T08:28:26.645675391Z","deletemarker":false}"#,
        )
        .unwrap();
        assert_eq!(item.key, "a<b");
        assert_eq!(item.version.to_string(), "8a38e1a2-0000-4000-8000-0123456789ab");
        assert!(matches!(item.version, VersionId::Uuid(_)));
        assert_eq!(item.modified.to_string(), "2026-11-24T08:28:26.645675391Z");
        assert_eq!(
            (statuses.label(), statuses.operation(item.delete_marker)),
            ("FAILED", Operation::Put)
        );
        assert!(statuses.concerns(ARN) && !statuses.concerns("arn:other"));
    }

    #[test]
    fn markers_purges_and_existing_objects_are_told_apart() {
        let (item, statuses) =
            parse(r#"{"object":"m","versionId":"null","rStatus":"PENDING","deletemarker":true}"#)
                .unwrap();
        assert_eq!(statuses.operation(item.delete_marker), Operation::Delete);
        let (item, statuses) = parse(
            r#"{"object":"p","targets":{"arn:a":{"rStatus":"FAILED","drStatus":"PENDING"}},"rStatus":"FAILED","dStatus":"PENDING","deletemarker":true}"#,
        )
        .unwrap();
        assert_eq!(
            (statuses.label(), statuses.operation(item.delete_marker)),
            ("PENDING", Operation::Purge)
        );
        let (item, statuses) = parse(
            r#"{"object":"nv1","versionId":"null","replTimestamp":"0001-01-01T00:00:00Z","lastModified":"2026-01-01T00:00:00Z","deletemarker":false}"#,
        )
        .unwrap();
        assert_eq!((statuses.label(), item.version), (EXISTING, VersionId::Null));
        assert!(statuses.concerns("any target: which one it lacks cannot be seen"));
    }

    #[test]
    fn equal_statuses_share_one_shape() {
        let mut table = StatusTable::default();
        let mut number = |status: &str| {
            let line = format!(
                r#"{{"object":"k","rStatus":"{status}","targets":{{"arn:a":{{"rStatus":"{status}"}}}}}}"#
            );
            parse_line(line.as_bytes(), &mut table).unwrap().0.statuses
        };
        assert_eq!([number("FAILED"), number("PENDING"), number("FAILED")], [0, 1, 0]);
    }

    #[test]
    fn targets_are_handed_on_as_they_came_unless_a_strict_reader_refuses_them() {
        let known = r#"{"arn:a":{"rStatus":"FAILED"}}"#;
        for (more, handed_on) in [
            (r#""new":[1,{"x":null}]"#, r#"{"arn:a":{"rStatus":"FAILED","new":[1,{"x":null}]}}"#),
            (r#""new":1e999"#, known),
            (r#""new":"\ud800""#, known),
            (r#""new":{"\udfff":1}"#, known),
            (r#""new":[-1e400]"#, known),
            (&format!("\"new\":{}1{}", "[".repeat(200), "]".repeat(200)), known),
        ] {
            let line = format!(
                r#"{{"object":"k","rStatus":"FAILED","targets":{{"arn:a":{{"rStatus":"FAILED",{more}}}}}}}"#
            );
            let (_, statuses) = parse(&line).unwrap();
            let json = statuses.targets_json.unwrap();
            assert_eq!(json.get(), handed_on, "{more}");
            assert!(serde_json::from_str::<serde_json::Value>(json.get()).is_ok());
        }
    }

    #[test]
    fn lines_that_end_a_listing_are_errors() {
        assert_eq!(
            parse(r#"{"object":"","versionId":"","error":"file is corrupted"}"#).unwrap_err(),
            BadLine::Error("file is corrupted".into())
        );
        assert!(matches!(parse(r#"{"object":"","error":{}}"#), Err(BadLine::Error(_))));
        assert_eq!(parse(r#"{"versionId":"null"}"#).unwrap_err(), BadLine::NoKey);
        assert_eq!(parse("<html>").unwrap_err(), BadLine::NotJson("<html>".into()));
        assert!(matches!(parse(r#"["key","null"]"#), Err(BadLine::NotJson(_))));
    }

    #[test]
    fn times_are_compacted_only_if_their_text_can_be_made_again() {
        let good = Modified::Text("2026-11-24T08:28:26.1Z".into());
        assert!(matches!(*good.compact(), Modified::Nanos(_)));
        assert_eq!(good.compact().to_string(), good.to_string());
        for text in [
            "2026-11-24T08:28:26.100Z",
            "2026-11-24T09:28:26+01:00",
            "2026-11-24t08:28:26z",
            "2026-12-31T23:59:60Z",
            "2026-11-24 08:28:26Z",
            "2026-11-24T08:28:26.Z",
            "2026-11-24T08:28:26.1234567891Z",
            "x",
            "",
        ] {
            let modified = Modified::Text(text.into());
            assert_eq!(*modified.compact(), modified, "{text}");
        }
    }

    /// Members as servers write them, and such as they never do.
    fn member() -> impl Strategy<Value = String> {
        let names = "object|versionId|rStatus|dStatus|lastModified|replTimestamp|targets|deletemarker|error|status|x";
        let text = prop_oneof![
            "[a-z/ ]{0,20}",
            "(FAILED|PENDING|null|2026-11-24T08:28:26.645675391Z)",
            "(\\PC|\\\\n|\\\\u00e9|\\\\|\t){0,9}",
        ];
        let targets = "\\{(\"arn:[a-z]\":\\{(\"d?rStatus\":\"FAILED\")?\\}){0,2}\\}";
        let value = prop_oneof![
            6 => text.prop_map(|text| format!("\"{text}\"")),
            3 => targets,
            2 => "(true|false)",
            1 => "(null|1|-2e999|\\[\\]|\\{\\}|\\{\"a\":[\\]\\[{}1,]{0,5}\\}| \"a\")",
        ];
        (names, value).prop_map(|(name, value)| format!("\"{name}\":{value}"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn a_line_means_what_serde_json_takes_it_for(
            mut members in proptest::collection::vec(member(), 0..6),
            key in "[a-zü]{1,9}",
            swap in proptest::option::weighted(0.3, (any::<proptest::sample::Index>(), any::<u8>())),
        ) {
            members.push(format!("\"object\":\"{key}\""));
            let mut line = format!("{{{}}}", members.join(",")).into_bytes();
            if let Some((at, byte)) = swap {
                let at = at.index(line.len());
                line[at] = byte;
            }
            let read = |result: Result<(Item, Cow<'_, str>), BadLine>, table: &StatusTable| {
                let text = |item: &Item| format!("{:?} {:?}", item, table.get(item.statuses));
                result.map(|(item, time)| (text(&item), time.into_owned()))
            };
            let (mut ours, mut theirs) = (StatusTable::default(), StatusTable::default());
            let not_json = || BadLine::NotJson(String::new());
            let fast = parse_line(&line, &mut ours).map_err(|error| match error {
                BadLine::NotJson(_) => not_json(),
                error => error,
            });
            let slow = parse_any(&line, &mut theirs, not_json);
            prop_assert_eq!(read(fast, &ours), read(slow, &theirs), "{}", String::from_utf8_lossy(&line));
        }
    }
}
