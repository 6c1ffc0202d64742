//! Copies a version onto itself in a run that copies nothing.

use hostile_guests::*;

const COPY: &[(&str, &str)] =
    &[("x-amz-copy-source", GRANTED), ("x-amz-metadata-directive", "COPY")];

behaves!(try_all(&[
    (Method::Put, GRANTED, COPY),
    (Method::Put, GRANTED, &[]),
    (Method::Get, "/mybucket/k?tagging=&versionId=null", &[]),
    (Method::Get, "/mybucket?object-lock=", &[]),
]));
