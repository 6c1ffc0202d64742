//! Lines of the listing: `madmin.DiffInfo` exactly as Go encodes it.
//!
//! Strings and maps that are empty are left out, times never are; `<`, `>`, `&`
//! and the two Unicode line separators are escaped, so that a client which
//! searches for raw bytes instead of reading JSON is found out.

use super::version::{Kind, Status, Version, ZERO_TIME};

/// Appends the line of `version`. With an `arn` only that target's status is
/// told, but the line is sent all the same, as the server does.
pub(crate) fn write(out: &mut Vec<u8>, version: &Version, arn: Option<&str>) {
    out.extend_from_slice(b"{\"object\":");
    write_string(out, &version.key);
    out.extend_from_slice(b",\"versionId\":");
    write_string(out, version.id_text());
    let due = |status: Option<Status>| status.filter(|status| status.is_due());
    let mut targets = version.targets.iter().filter(|target| {
        let wanted = arn.is_none_or(|arn| arn == target.arn);
        wanted && (due(target.replication).is_some() || due(target.deletion).is_some())
    });
    if let Some(first) = targets.next() {
        out.extend_from_slice(b",\"targets\":{");
        for (nth, target) in std::iter::once(first).chain(targets).enumerate() {
            if nth > 0 {
                out.push(b',');
            }
            write_string(out, &target.arn);
            out.extend_from_slice(b":{");
            let mut separator = b"".as_slice();
            for (name, status) in [("rStatus", target.replication), ("drStatus", target.deletion)] {
                let Some(status) = status else { continue };
                out.extend_from_slice(separator);
                write_status(out, name, status);
                separator = b",";
            }
            out.push(b'}');
        }
        out.push(b'}');
    }
    for (name, status) in
        [("rStatus", due(version.status)), ("dStatus", due(version.delete_status))]
    {
        if let Some(status) = status {
            out.push(b',');
            write_status(out, name, status);
        }
    }
    write_end(
        out,
        &version.repl_timestamp,
        &version.last_modified,
        // True for purges of objects as well: a version being purged is hidden.
        version.kind != Kind::Put,
    );
}

/// Appends the line that stands for a failed walk. `error` is JSON: a string
/// for storage errors, `{}` for most others.
pub(crate) fn write_error(out: &mut Vec<u8>, error: &str) {
    out.extend_from_slice(b"{\"object\":\"\",\"versionId\":\"\",\"error\":");
    out.extend_from_slice(error.as_bytes());
    write_end(out, ZERO_TIME, ZERO_TIME, false);
}

/// Appends an entry that names no object.
pub(crate) fn write_keyless(out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"versionId\":\"null\"");
    write_end(out, ZERO_TIME, ZERO_TIME, false);
}

fn write_end(out: &mut Vec<u8>, tried: &str, modified: &str, delete_marker: bool) {
    out.extend_from_slice(b",\"replTimestamp\":\"");
    out.extend_from_slice(tried.as_bytes());
    out.extend_from_slice(b"\",\"lastModified\":\"");
    out.extend_from_slice(modified.as_bytes());
    out.extend_from_slice(b"\",\"deletemarker\":");
    out.extend_from_slice(if delete_marker { b"true}\n" } else { b"false}\n" });
}

fn write_status(out: &mut Vec<u8>, name: &str, status: Status) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":\"");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b'"');
}

/// A JSON string with the escapes of Go's `encoding/json`.
fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes());
            }
            _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::super::version::{Status, TargetState, Version};
    use super::{write, write_error};

    fn line(version: &Version, arn: Option<&str>) -> String {
        let mut out = Vec::new();
        write(&mut out, version, arn);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_failed_version_reads_as_the_server_writes_it() {
        let version = Version::put("plain")
            .id("8a38")
            .targets(vec![TargetState::new("arn:x", Status::Failed)]);
        assert_eq!(
            line(&version, None),
            concat!(
                r#"{"object":"plain","versionId":"8a38","targets":{"arn:x":{"rStatus":"FAILED"}},"#,
                r#""rStatus":"FAILED","replTimestamp":"2026-11-24T08:28:26.645675391Z","#,
                r#""lastModified":"2026-11-24T08:28:26.645675391Z","deletemarker":false}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_version_older_than_the_rule_has_neither_status_nor_targets() {
        let version =
            Version::put("nv1").null().never_replicated().modified("2026-11-24T08:28:26Z");
        assert_eq!(
            line(&version, None),
            concat!(
                r#"{"object":"nv1","versionId":"null","replTimestamp":"0001-01-01T00:00:00Z","#,
                r#""lastModified":"2026-11-24T08:28:26Z","deletemarker":false}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_purge_is_called_a_delete_marker() {
        let line = line(&Version::purge("p"), None);
        assert!(line.contains(r#":{"rStatus":"FAILED","drStatus":"PENDING"}},"#), "{line}");
        assert!(line.contains(r#","rStatus":"FAILED","dStatus":"PENDING","#), "{line}");
        assert!(line.contains(r#""deletemarker":true"#), "{line}");
    }

    #[test]
    fn another_targets_entry_is_sent_without_targets() {
        let line = line(&Version::put("k"), Some("arn:other"));
        assert!(!line.contains("targets"), "{line}");
        assert!(line.contains(r#""rStatus":"FAILED""#), "{line}");
    }

    #[test]
    fn strings_are_escaped_like_go() {
        let line = line(&Version::put("a<b>&\"\\\u{1}\n\u{2028}é"), None);
        assert!(
            line.starts_with(r#"{"object":"a\u003cb\u003e\u0026\"\\\u0001\n\u2028é","#),
            "{line}"
        );
    }

    #[test]
    fn the_error_entry_has_empty_names_and_zero_times() {
        let mut out = Vec::new();
        write_error(&mut out, r#""file is corrupted""#);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            concat!(
                r#"{"object":"","versionId":"","error":"file is corrupted","#,
                r#""replTimestamp":"0001-01-01T00:00:00Z","#,
                r#""lastModified":"0001-01-01T00:00:00Z","deletemarker":false}"#,
                "\n"
            )
        );
    }
}
