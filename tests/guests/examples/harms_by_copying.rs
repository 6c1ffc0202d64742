//! Where copies are granted: looks at a version, and then copies it onto itself so that something else than
//! its checksum changes.

use hostile_guests::*;

const KEEP: (&str, &str) = ("x-amz-metadata-directive", "COPY");
const SAME: (&str, &str) = ("x-amz-copy-source", GRANTED);
const TYPE: (&str, &str) = ("content-type", "application/zip");
const SUM: (&str, &str) = ("x-amz-checksum-algorithm", "CRC64NVME");
const AES: (&str, &str) = ("x-amz-server-side-encryption", "AES256");

fn main() -> Result<(), ()> {
    let (scheme, authority) = server();
    let never_looked_at = "/mybucket/other?versionId=null";
    let look = || headers_of(&scheme, &authority, GRANTED);
    let etag = look()?.into_iter().find(|(name, _)| name == "etag").map_or(String::new(), |h| h.1);
    let same = ("x-amz-copy-source-if-match", etag.as_str());
    let time = |text| ("x-minio-source-mtime", text);
    let kept = time("2026-11-24T08:28:26.645675391Z");
    let other = ("x-amz-copy-source", never_looked_at);
    let mut harmless = true;
    for (path, headers) in [
        (never_looked_at, &[KEEP, other, TYPE, SUM, AES, same, kept][..]),
        (GRANTED, &[KEEP, SAME, TYPE, SUM, AES, same]),
        (GRANTED, &[KEEP, SAME, TYPE, SUM, AES, same, time("2036-01-01T00:00:00Z")]),
        (GRANTED, &[KEEP, SAME, TYPE, SUM, AES, same, time("1970-01-01T00:00:00Z")]),
        (GRANTED, &[KEEP, SAME, TYPE, SUM, AES, kept]),
        (GRANTED, &[KEEP, SAME, TYPE, SUM, AES, ("x-amz-copy-source-if-match", "\"old\""), kept]),
        (GRANTED, &[KEEP, SAME, TYPE, SUM, same, kept]),
        (
            GRANTED,
            &[KEEP, SAME, TYPE, SUM, ("x-amz-server-side-encryption", "aws:kms"), same, kept],
        ),
        (GRANTED, &[KEEP, SAME, SUM, AES, same, kept]),
        (GRANTED, &[KEEP, SAME, ("content-type", "text/html"), SUM, AES, same, kept]),
        (GRANTED, &[KEEP, SAME, TYPE, AES, same, kept]),
    ] {
        look()?;
        let result = ask(&scheme, &authority, &Method::Put, path, headers);
        say(&format!("{path} {headers:?}: {result:?}"));
        harmless &= result.is_err();
    }
    if harmless { Ok(()) } else { Err(()) }
}

behaves!(main());
