//! The region that an answer names, which the next signature is made for.

use crate::wire::sigv4::DEFAULT_REGION;
use crate::wire::xml;

/// The header in which MinIO names its region on every answer, when it has one. The diff API accepts
/// any region, so the header comes before a wrong one can do harm, and no request is spent on it.
pub const REGION_HEADER: &str = "x-amz-bucket-region";

/// The region in the [`REGION_HEADER`] of an answer, else in its body: that of an error, which names
/// the region expected, or of an answer to `?location`.
pub fn named_region(header: Option<&str>, body: &[u8]) -> Option<String> {
    if let Some(region) = header.filter(|region| !region.is_empty()) {
        return Some(region.to_owned()).filter(|region| is_region(region));
    }
    let document = String::from_utf8_lossy(body);
    let named = xml::text(&document, "Region").or_else(|| location(&document));
    named.filter(|region| is_region(region))
}

/// Whether it can be the name of a region. It becomes a part of what is signed and of a header, and it
/// comes from whoever answers.
fn is_region(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The region in an answer to `?location`: an empty constraint means the default one, and `EU` is
/// the oldest name there is for a region.
fn location(document: &str) -> Option<String> {
    let region = xml::text(document, "LocationConstraint")?;
    Some(match region.as_str() {
        "" => DEFAULT_REGION.to_owned(),
        "EU" => "eu-west-1".to_owned(),
        _ => region,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_comes_before_the_body() {
        let error = b"<Error><Region>eu-central-1</Region></Error>";
        assert_eq!(named_region(Some("eu-west-2"), error).as_deref(), Some("eu-west-2"));
        assert_eq!(named_region(None, error).as_deref(), Some("eu-central-1"));
        assert_eq!(named_region(Some(""), error).as_deref(), Some("eu-central-1"));
        assert_eq!(named_region(None, b"<Error><Region></Region></Error>"), None);
        assert_eq!(named_region(None, b""), None);
    }

    #[test]
    fn what_cannot_be_a_region_is_not_learned() {
        let long = "a".repeat(65);
        for name in ["EU-WEST-1", "a/b", "a b", "a\r\nx: y", "é", "a_b", "s3/aws4_request", &long]
        {
            assert_eq!(named_region(Some(name), b""), None, "{name:?}");
            let body = format!("<Error><Region>{name}</Region></Error>");
            assert_eq!(named_region(None, body.as_bytes()), None, "{name:?}");
        }
        assert_eq!(named_region(Some(&long[1..]), b"").as_deref(), Some(&long[1..]));
    }

    #[test]
    fn old_and_empty_locations_have_a_name() {
        let location = |text: &str| {
            let body = format!("<LocationConstraint xmlns=\"x\">{text}</LocationConstraint>");
            named_region(None, body.as_bytes()).unwrap()
        };
        assert_eq!(location(""), DEFAULT_REGION);
        assert_eq!(location("EU"), "eu-west-1");
        assert_eq!(location("ap-south-1"), "ap-south-1");
        let empty = b"<LocationConstraint xmlns=\"x\"/>";
        assert_eq!(named_region(None, empty).as_deref(), Some(DEFAULT_REGION));
    }
}
