//! Points in time in the four spellings that the wire uses.
//!
//! RFC 3339 with up to nine digits in listings (Go trims trailing zeros, so
//! must we), `20261124T082826Z` in signatures, and the HTTP date in headers.
//! A calendar library would be the larger part of what is needed here.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SECONDS_A_DAY: i64 = 86_400;

/// A point in time to the nanosecond, which is what decides the order of an
/// object's versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
}

impl Moment {
    pub(crate) fn now() -> Self {
        SystemTime::now().into()
    }

    /// Reads `2026-11-24T08:28:26.645675391Z`. Offsets other than `Z` are
    /// refused: no server sends one.
    pub(crate) fn parse_rfc3339(text: &str) -> Option<Self> {
        let (clock, fraction) = text.strip_suffix('Z')?.split_at_checked(19)?;
        let bytes = clock.as_bytes();
        let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if !separators.iter().all(|&(at, separator)| bytes[at] == separator) {
            return None;
        }
        let nanos = match fraction.strip_prefix('.') {
            None if fraction.is_empty() => 0,
            Some(digits) if (1..=9).contains(&digits.len()) => {
                number(digits)? * 10_i64.pow(9 - digits.len() as u32)
            }
            _ => return None,
        };
        let seconds = seconds_of(
            number(&clock[0..4])?,
            number(&clock[5..7])?,
            number(&clock[8..10])?,
            [number(&clock[11..13])?, number(&clock[14..16])?, number(&clock[17..19])?],
        )?;
        Some(Self { seconds, nanos: nanos as u32 })
    }

    /// Reads `20261124T082826Z`, the form of `x-amz-date`.
    pub(crate) fn parse_amz(text: &str) -> Option<Self> {
        let (day, clock) = text.strip_suffix('Z')?.split_once('T')?;
        if day.len() != 8 || clock.len() != 6 || !day.is_ascii() || !clock.is_ascii() {
            return None;
        }
        let seconds = seconds_of(
            number(&day[0..4])?,
            number(&day[4..6])?,
            number(&day[6..8])?,
            [number(&clock[0..2])?, number(&clock[2..4])?, number(&clock[4..6])?],
        )?;
        Some(Self { seconds, nanos: 0 })
    }

    /// `20261124T082826Z`.
    #[cfg(test)]
    pub(crate) fn to_amz(self) -> String {
        let (year, month, day, [hour, minute, second]) = self.civil();
        format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
    }

    /// `Tue, 24 Nov 2026 08:28:26 GMT`. Moments before 1970, as Go's zero time,
    /// have no HTTP date and become the epoch.
    pub(crate) fn to_http(self) -> String {
        let since_epoch = Duration::from_secs(u64::try_from(self.seconds).unwrap_or(0));
        httpdate::fmt_http_date(UNIX_EPOCH + since_epoch)
    }

    fn civil(self) -> (i64, i64, i64, [i64; 3]) {
        let (year, month, day) = civil_from_days(self.seconds.div_euclid(SECONDS_A_DAY));
        let clock = self.seconds.rem_euclid(SECONDS_A_DAY);
        (year, month, day, [clock / 3600, clock / 60 % 60, clock % 60])
    }
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { seconds: since.as_secs() as i64, nanos: since.subsec_nanos() }
    }
}

/// Go's `RFC3339Nano`: no trailing zeros, no fraction if it is zero.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day, [hour, minute, second]) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if self.nanos != 0 {
            let digits = format!("{:09}", self.nanos);
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

fn number(digits: &str) -> Option<i64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn seconds_of(year: i64, month: i64, day: i64, [hour, minute, second]: [i64; 3]) -> Option<i64> {
    let valid = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    valid.then(|| {
        days_from_civil(year, month, day) * SECONDS_A_DAY + hour * 3600 + minute * 60 + second
    })
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar; years
/// start in March, so that the leap day is the last one.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn rfc3339_round_trips_and_trims_zeros_like_go() {
        for text in [
            "2026-11-24T08:28:26.645675391Z",
            "2026-11-24T08:28:26.5Z",
            "2024-02-29T23:59:59Z",
            "0001-01-01T00:00:00Z",
        ] {
            assert_eq!(Moment::parse_rfc3339(text).unwrap().to_string(), text);
        }
        assert_eq!(
            Moment::parse_rfc3339("2026-11-24T08:28:26.500Z").unwrap().to_string(),
            "2026-11-24T08:28:26.5Z"
        );
    }

    #[test]
    fn garbage_is_no_moment() {
        for text in ["", "now", "2026-11-24", "2026-13-24T08:28:26Z", "2026-11-24T08:28:26.Z"] {
            assert_eq!(Moment::parse_rfc3339(text), None, "{text}");
        }
        assert_eq!(Moment::parse_amz("20261124T0828Z"), None);
    }

    #[test]
    fn signature_and_http_dates_name_the_same_second() {
        let moment = Moment::parse_amz("20130524T000000Z").unwrap();
        assert_eq!(moment.seconds, 1_369_353_600);
        assert_eq!(moment.to_amz(), "20130524T000000Z");
        assert_eq!(moment.to_http(), "Fri, 24 May 2013 00:00:00 GMT");
    }
}
