//! Adds parameters that turn a HEAD of a version into something else.

use hostile_guests::*;

behaves!(try_all(&[
    (Method::Head, "/mybucket/k", &[]),
    (Method::Head, "/mybucket/k?", &[]),
    (Method::Head, "/mybucket/k?versionId", &[]),
    (Method::Head, "/mybucket/k?versionId&other=1", &[]),
    (Method::Head, "/mybucket/k?versionId=null&other=1", &[]),
    (Method::Head, "/mybucket/k?other=1&versionId=null", &[]),
    (Method::Head, "/mybucket/k?versionId=null&versionId=x", &[]),
    (Method::Head, "/mybucket/k?versionId=null;acl", &[]),
    (Method::Head, "/mybucket/k?versionid=null", &[]),
    (Method::Head, "/mybucket/k?version%49d=null", &[]),
    (Method::Head, "/mybucket/k?versionId=n+ll", &[]),
    (Method::Head, "/mybucket/k?tagging=&versionId=null&acl", &[]),
    (Method::Head, "/mybucket/k?X-Amz-Signature=00&versionId=null", &[]),
    (Method::Post, "/minio/admin/v3/replication/diff?bucket=mybucket&bucket=other", &[]),
    (Method::Post, "/minio/admin/v3/replication/diff?bucket=mybucket&verbose=true", &[]),
    (Method::Get, "/mybucket?location=&policy", &[]),
]));
