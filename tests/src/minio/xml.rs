//! The few S3 answers the tests have to read.

use percent_encoding::percent_decode_str;
use roxmltree::{Document, Node};

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

/// Reads a page that was asked for with `encoding-type=url`, because a key may hold what XML cannot.
pub(super) fn versions_page(xml: &str) -> VersionsPage {
    let document = parse(xml);
    let root = document.root_element();
    let listed = |node: &Node<'_, '_>| is_named(node, "Version") || is_named(node, "DeleteMarker");
    let versions = root.children().filter(listed).map(version).collect();
    let field = |name| child(root, name).unwrap_or_default();
    let next = (field("IsTruncated") == "true")
        .then(|| (field("NextKeyMarker"), field("NextVersionIdMarker")));
    VersionsPage { versions, next }
}

fn version(element: Node<'_, '_>) -> Version {
    let field = |name| child(element, name);
    let must = |name| field(name).unwrap_or_else(|| panic!("no {name} in {element:?}"));
    Version {
        key: decode(&must("Key")),
        version_id: must("VersionId"),
        delete_marker: is_named(&element, "DeleteMarker"),
        latest: must("IsLatest") == "true",
        etag: field("ETag").unwrap_or_default().replace('"', ""),
        last_modified: must("LastModified"),
        size: field("Size").and_then(|size| size.parse().ok()).unwrap_or_default(),
    }
}

/// The text of the first element of that name; for answers with one field of interest.
///
/// # Panics
/// When there is none.
#[track_caller]
pub(super) fn text_of(xml: &str, name: &str) -> String {
    let document = parse(xml);
    let found = document.descendants().find(|node| is_named(node, name));
    found.and_then(|node| node.text()).unwrap_or_else(|| panic!("no {name} in {xml}")).to_owned()
}

#[track_caller]
fn parse(xml: &str) -> Document<'_> {
    Document::parse(xml).unwrap_or_else(|error| panic!("{error}: {xml}"))
}

/// Whatever the namespace: some answers have one.
fn is_named(node: &Node<'_, '_>, name: &str) -> bool {
    node.tag_name().name() == name
}

fn child(parent: Node<'_, '_>, name: &str) -> Option<String> {
    let found = parent.children().find(|node| is_named(node, name))?;
    Some(found.text().unwrap_or_default().to_owned())
}

/// Undoes `encoding-type=url`. MinIO writes a space as `+` there, and a plus as `%2B`.
fn decode(encoded: &str) -> String {
    let spaced = encoded.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().expect("UTF-8").into_owned()
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
        let fields = |v: &Version| {
            let (key, id) = (v.key.clone(), v.version_id.clone());
            (key, id, v.delete_marker, v.latest, v.etag.clone(), v.size)
        };
        let seen: Vec<_> = page.versions.iter().map(fields).collect();
        let text = str::to_owned;
        let marker = (text("a b+ä"), text("v1"), true, true, text(""), 0);
        assert_eq!(seen, [marker, (text("c"), text("null"), false, false, text("e"), 5)]);
        assert_eq!(page.next, Some(("a%2F".to_owned(), "v2".to_owned())));
    }
}
