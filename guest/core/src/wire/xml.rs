//! The little XML that S3 answers with: error documents, a location, a lock configuration, tags.
//!
//! They are flat, a few hundred bytes long and made by a known server. Looking elements up by name
//! is all that is needed, and a parser crate would be a tenth of the component's size.

/// The texts of all elements of this name, entities resolved.
pub fn texts<'a>(document: &'a str, name: &'a str) -> impl Iterator<Item = String> + 'a {
    let mut rest = document;
    std::iter::from_fn(move || {
        loop {
            let (_, at) = rest.split_once('<')?;
            rest = at;
            let Some(after) = at.strip_prefix(name) else { continue };
            let Some((attributes, content)) = after.split_once('>') else { continue };
            if !attributes.is_empty() && !attributes.starts_with([' ', '/', '\n', '\t']) {
                continue;
            }
            if attributes.ends_with('/') {
                rest = content;
                return Some(String::new());
            }
            let close = format!("</{name}>");
            let (text, after) = content.split_once(close.as_str())?;
            rest = after;
            return Some(unescape(text));
        }
    })
}

/// The text of the first element of this name.
pub fn text(document: &str, name: &str) -> Option<String> {
    texts(document, name).next()
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let entity = after.split_once(';').and_then(|(entity, tail)| {
            let character = match entity {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                _ => {
                    let number = entity.strip_prefix('#')?;
                    let code = match number.strip_prefix(['x', 'X']) {
                        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                        None => number.parse().ok()?,
                    };
                    char::from_u32(code)?
                }
            };
            Some((character, tail))
        });
        match entity {
            Some((character, tail)) => {
                out.push(character);
                rest = tail;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_name() {
        let document = "<?xml version=\"1.0\"?><Error xmlns=\"x\"><Code>NoSuchBucket</Code>\
             <Message>a &lt;b&gt; &#34;c&#x22; &amp; d &nope;</Message><CodeX>1</CodeX><Empty/></Error>";
        assert_eq!(text(document, "Code").unwrap(), "NoSuchBucket");
        assert_eq!(text(document, "Message").unwrap(), "a <b> \"c\" & d &nope;");
        assert_eq!(text(document, "Empty").unwrap(), "");
        assert_eq!(text(document, "Region"), None);
        assert_eq!(texts("<T><K>a</K><K>b</K></T>", "K").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn broken_documents_are_no_panic() {
        for document in
            ["<", "<Code", "<Code>", "<Code>x", "</Code>", "<Code>&#xFFFFFFFF;</Code>", "é<Code>"]
        {
            let _ = text(document, "Code");
        }
    }
}
