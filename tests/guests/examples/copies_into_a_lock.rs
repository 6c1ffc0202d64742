//! Where copies are granted: does not ask whether the bucket would lock what is copied, and copies a version
//! onto itself as it should be done.

use hostile_guests::*;

fn main() -> Result<(), ()> {
    let (scheme, authority) = server();
    let head = headers_of(&scheme, &authority, GRANTED)?;
    let etag = head.into_iter().find(|(name, _)| name == "etag").map_or(String::new(), |h| h.1);
    let headers = [
        ("content-type", "application/zip"),
        ("x-amz-checksum-algorithm", "CRC64NVME"),
        ("x-amz-copy-source", GRANTED),
        ("x-amz-copy-source-if-match", etag.as_str()),
        ("x-amz-metadata-directive", "COPY"),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-minio-source-mtime", "2026-11-24T08:28:26.645675391Z"),
    ];
    let result = ask(&scheme, &authority, &Method::Put, GRANTED, &headers);
    say(&format!("{result:?}"));
    if result.is_err() { Ok(()) } else { Err(()) }
}

behaves!(main());
