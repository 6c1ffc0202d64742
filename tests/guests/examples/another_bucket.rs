//! Asks for another bucket, for all of them, and for keys beside the prefix.

use hostile_guests::*;

behaves!(try_all(&[
    (Method::Head, "/other/k?versionId=null", &[]),
    (Method::Head, "/mybucket2/k?versionId=null", &[]),
    (Method::Get, "/other?location=", &[]),
    (Method::Get, "/", &[]),
    (Method::Get, "/mybucket?list-type=2", &[]),
    (Method::Get, "/mybucket?versions", &[]),
    (Method::Head, "/mybucket", &[]),
    (Method::Head, "/mybucket/", &[]),
    (Method::Post, "/minio/admin/v3/replication/diff?bucket=other", &[]),
    (Method::Get, "/minio/admin/v3/list-remote-targets?bucket=other&type=replication", &[]),
]));
