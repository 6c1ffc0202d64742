//! Times on the wire: RFC 3339 with nanoseconds in listings, basic ISO 8601 in signatures,
//! seconds or an HTTP date in `Retry-After`.

use std::time::SystemTime;
use time::{OffsetDateTime, UtcOffset, format_description::well_known};

/// `YYYYMMDDTHHMMSSZ` of a Unix time in seconds.
pub(crate) fn amz_date(unix: u64) -> String {
    let at = from_unix(unix);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// An RFC 3339 time as nanoseconds since 1970, or `None` when it is not one.
pub fn parse_rfc3339(text: &str) -> Option<i128> {
    let at = OffsetDateTime::parse(text, &well_known::Rfc3339).ok()?;
    Some(at.unix_timestamp_nanos())
}

/// Nanoseconds since 1970 in Go's RFC3339Nano: UTC with `Z`, no trailing zeros in the fraction.
pub(crate) fn format_rfc3339(nanos: i128) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .to_offset(UtcOffset::UTC);
    let mut text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    if at.nanosecond() > 0 {
        let fraction = format!(".{:09}", at.nanosecond());
        text.push_str(fraction.trim_end_matches('0'));
    }
    text.push('Z');
    text
}

/// Whether [`format_rfc3339`] gives this very text for its time: `T`, `Z`, no leap
/// second, and a fraction of at most nine digits that does not end in 0.
pub(crate) fn is_go_format(text: &str) -> bool {
    let Some((seconds, rest)) = text.as_bytes().split_at_checked(19) else { return false };
    let fraction = match rest {
        [b'Z'] => true,
        [b'.', digits @ .., last, b'Z'] => {
            digits.len() < 9 && *last != b'0' && digits.iter().chain([last]).all(u8::is_ascii_digit)
        }
        _ => false,
    };
    fraction && seconds.get(10) == Some(&b'T') && !seconds.ends_with(b"60")
}

/// `Retry-After`: seconds, or an HTTP date seen from `now_unix`. A date in the past is zero.
pub(crate) fn retry_after_seconds(value: &str, now_unix: u64) -> Option<u64> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(seconds);
    }
    let at = parse_http_date(value)?;
    Some(u64::try_from(at).unwrap_or(0).saturating_sub(now_unix))
}

/// An HTTP date (`Date`, `Last-Modified`) as Unix seconds.
pub fn parse_http_date(value: &str) -> Option<i64> {
    let at = httpdate::parse_http_date(value.trim()).ok()?;
    let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

fn from_unix(unix: u64) -> OffsetDateTime {
    i64::try_from(unix)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listing_times_survive_a_round_trip_to_the_nanosecond() {
        for text in [
            "2026-11-24T08:28:26.663850195Z",
            "2026-11-24T08:28:26.6638Z",
            "2026-11-24T08:28:26Z",
            "0001-01-01T00:00:00Z",
        ] {
            assert_eq!(format_rfc3339(parse_rfc3339(text).unwrap()), text);
        }
        assert_eq!(parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        assert_eq!(retry_after_seconds("60", 0), Some(60));
        assert_eq!(retry_after_seconds("Fri, 13 Feb 2009 23:31:40 GMT", 1_234_567_890), Some(10));
        assert_eq!(retry_after_seconds("Fri, 13 Feb 2009 23:31:30 GMT", 1_234_567_999), Some(0));
        assert_eq!(retry_after_seconds("soon", 0), None);
    }

    #[test]
    fn signatures_use_basic_iso_8601() {
        assert_eq!(amz_date(1_440_938_160), "20150830T123600Z");
    }
}
