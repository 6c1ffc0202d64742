//! The few S3 answers the tests have to read. The servers write them without attributes and always
//! in the same way, so that looking for a tag is enough and no parser is needed.

/// One version or delete marker, as a listing of versions tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Object key, decoded.
    pub key: String,
    /// Version id, `null` for a null version.
    pub version_id: String,
    /// Whether this is a delete marker.
    pub delete_marker: bool,
    /// Whether this is what a GET without a version would see.
    pub latest: bool,
    /// Entity tag without quotes, empty for a delete marker.
    pub etag: String,
    /// Modification time to the millisecond, as the server writes it.
    pub last_modified: String,
    /// Size in bytes, 0 for a delete marker.
    pub size: u64,
}

/// A page of `ListObjectVersions` and where the next one starts.
#[derive(Debug)]
pub(super) struct VersionsPage {
    pub(super) versions: Vec<Version>,
    /// Key marker (still encoded as a query value) and version marker of the next page.
    pub(super) next: Option<(String, String)>,
}

/// Reads a page that was asked for with `encoding-type=url`, which leaves nothing in it to be
/// unescaped but quotes.
pub(super) fn versions_page(xml: &str) -> VersionsPage {
    let mut versions = Vec::new();
    let mut rest = xml;
    while let Some((element, delete_marker, after)) = next_version(rest) {
        versions.push(version(element, delete_marker));
        rest = after;
    }
    let field = |name| text_of(xml, name).unwrap_or_default();
    let next = (field("IsTruncated") == "true")
        .then(|| (field("NextKeyMarker"), field("NextVersionIdMarker")));
    VersionsPage { versions, next }
}

/// The next `<Version>` or `<DeleteMarker>`, which of them it is, and what comes after it.
fn next_version(xml: &str) -> Option<(&str, bool, &str)> {
    let version = xml.find("<Version>");
    let marker = xml.find("<DeleteMarker>");
    let delete_marker = match (version, marker) {
        (Some(version), Some(marker)) => marker < version,
        (version, _) => version.is_none(),
    };
    let (start, end) =
        if delete_marker { (marker?, "</DeleteMarker>") } else { (version?, "</Version>") };
    let (element, after) = xml.get(start..)?.split_once(end)?;
    Some((element, delete_marker, after))
}

fn version(element: &str, delete_marker: bool) -> Version {
    let field = |name| text_of(element, name);
    let must = |name| field(name).unwrap_or_else(|| panic!("no {name} in {element}"));
    Version {
        key: decode(&must("Key")),
        version_id: must("VersionId"),
        delete_marker,
        latest: must("IsLatest") == "true",
        etag: field("ETag").unwrap_or_default().replace("&#34;", ""),
        last_modified: must("LastModified"),
        size: field("Size").and_then(|size| size.parse().ok()).unwrap_or_default(),
    }
}

/// The text of the first element of that name; for answers with one field of interest.
pub(super) fn text_of(xml: &str, name: &str) -> Option<String> {
    let start = xml.find(&format!("<{name}>"))? + name.len() + 2;
    let end = start + xml.get(start..)?.find('<')?;
    xml.get(start..end).map(str::to_owned)
}

/// Undoes `encoding-type=url`. MinIO writes a space as `+` there, and a plus as `%2B`.
fn decode(encoded: &str) -> String {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => {
                let hex = [rest.next().unwrap_or_default(), rest.next().unwrap_or_default()];
                let hex = std::str::from_utf8(&hex).ok();
                hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())
                    .unwrap_or_else(|| panic!("bad escape in {encoded}"))
            }
            b'+' => b' ',
            other => other,
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).unwrap_or_else(|_| panic!("{encoded} is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_keep_their_order_and_keys_are_decoded() {
        let page = versions_page(
            "<R><IsTruncated>true</IsTruncated><NextKeyMarker>a%2F</NextKeyMarker>\
             <NextVersionIdMarker>v2</NextVersionIdMarker><DeleteMarker><Key>a+b%2B%C3%A4</Key>\
             <LastModified>t</LastModified><IsLatest>true</IsLatest><VersionId>v1</VersionId>\
             </DeleteMarker><Version><Key>c</Key><LastModified>t</LastModified>\
             <ETag>&#34;e&#34;</ETag><Size>5</Size><IsLatest>false</IsLatest>\
             <VersionId>null</VersionId></Version></R>",
        );
        let seen: Vec<_> = page
            .versions
            .iter()
            .map(|v| {
                (
                    v.key.as_str(),
                    v.version_id.as_str(),
                    v.delete_marker,
                    v.latest,
                    v.etag.as_str(),
                    v.size,
                )
            })
            .collect();
        assert_eq!(seen, [("a b+ä", "v1", true, true, "", 0), ("c", "null", false, false, "e", 5)]);
        assert_eq!(page.next, Some(("a%2F".to_owned(), "v2".to_owned())));
    }
}
