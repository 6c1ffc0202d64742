//! Where copies are granted: copies another key or version, or changes what a copy must keep.

use hostile_guests::*;

const KEEP: (&str, &str) = ("x-amz-metadata-directive", "COPY");
const SAME: (&str, &str) = ("x-amz-copy-source", GRANTED);

behaves!(try_all(&[
    (Method::Put, GRANTED, &[KEEP, ("x-amz-copy-source", "/mybucket/other?versionId=null")]),
    (Method::Put, GRANTED, &[KEEP, ("x-amz-copy-source", "/other/k?versionId=null")]),
    (Method::Put, GRANTED, &[KEEP, ("x-amz-copy-source", "/mybucket/k")]),
    (Method::Put, GRANTED, &[KEEP, SAME, ("x-amz-copy-source", "/mybucket/o?versionId=null")]),
    (Method::Put, GRANTED, &[KEEP]),
    (Method::Put, GRANTED, &[SAME]),
    (Method::Put, GRANTED, &[SAME, ("x-amz-metadata-directive", "REPLACE")]),
    (Method::Put, GRANTED, &[SAME, KEEP, ("x-amz-acl", "public-read")]),
    (Method::Put, GRANTED, &[SAME, KEEP, ("x-amz-storage-class", "REDUCED_REDUNDANCY")]),
    (Method::Put, GRANTED, &[SAME, KEEP, ("x-amz-meta-owner", "me")]),
    (Method::Put, GRANTED, &[SAME, KEEP, ("x-amz-tagging", "a=b")]),
    (Method::Put, GRANTED, &[SAME, KEEP, ("x-amz-object-lock-mode", "COMPLIANCE")]),
    (Method::Put, GRANTED, &[SAME, KEEP, ("x-amz-website-redirect-location", "/evil")]),
    (Method::Put, GRANTED, &[SAME, KEEP, ("content-type", "text/html")]),
    (Method::Put, GRANTED, &[SAME, KEEP, ("x-minio-source-replication-request", "true")]),
]));
