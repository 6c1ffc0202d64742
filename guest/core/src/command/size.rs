//! Sizes in bytes, as go-humanize reads them.

use std::fmt;

/// What is wrong with a size, in go-humanize's words where it has some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SizeError {
    /// It does not begin with a number.
    Number(String),
    /// Its unit is not known.
    Unit(String),
    /// It is less than one byte.
    TooSmall(String),
}

impl fmt::Display for SizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(text) => {
                write!(f, "strconv.ParseFloat: parsing {text:?}: invalid syntax")
            }
            Self::Unit(unit) => write!(f, "unhandled size name: {unit}"),
            Self::TooSmall(text) => write!(f, "{text:?} is less than one byte per second"),
        }
    }
}

impl std::error::Error for SizeError {}

/// Bytes: `10M` and `10MB` are powers of 1,000, `10MiB` of 1,024; a rate may end with `/s`.
///
/// # Errors
/// What is wrong with the number or its unit.
pub fn parse_size(text: &str) -> Result<u64, SizeError> {
    let at = text.find(|c: char| !(c.is_ascii_digit() || ".,".contains(c))).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(at).unwrap_or((text, ""));
    let number = number.replace(',', "");
    let value: f64 = number.parse().map_err(|_| SizeError::Number(number.clone()))?;
    let unit = unit.trim().to_ascii_lowercase();
    let unit = unit.strip_suffix("/s").unwrap_or(&unit);
    let (letter, base) = match unit.strip_suffix("ib").or_else(|| unit.strip_suffix('i')) {
        Some(letter) => (letter, 1024f64),
        None => (unit.strip_suffix('b').unwrap_or(unit), 1000f64),
    };
    let power = ["", "k", "m", "g", "t", "p", "e"]
        .iter()
        .position(|known| *known == letter)
        .ok_or_else(|| SizeError::Unit(unit.to_owned()))?;
    let bytes = value * base.powi(i32::try_from(power).unwrap_or(0));
    if bytes < 1.0 {
        return Err(SizeError::TooSmall(text.to_owned()));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at least 1, and a cast saturates"
    )]
    Ok(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_go_humanize_reads_them() {
        for (text, bytes) in
            [("10M", 10_000_000), ("10MiB", 10_485_760), ("1.5KiB/s", 1536), ("1,000", 1000)]
        {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        assert!(parse_size("0").is_err() && parse_size("1XB").is_err());
    }
}
