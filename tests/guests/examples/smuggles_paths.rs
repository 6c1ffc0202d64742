//! Writes paths so that a check and a server could read them differently.

use hostile_guests::*;

behaves!(try_all(&[
    (Method::Head, "http://127.0.0.2/mybucket/k?versionId=null", &[]),
    (Method::Head, "//127.0.0.2/mybucket/k?versionId=null", &[]),
    (Method::Head, "//mybucket/k?versionId=null", &[]),
    (Method::Head, "mybucket/k?versionId=null", &[]),
    (Method::Head, "*", &[]),
    (Method::Head, "", &[]),
    (Method::Head, "/mybucket/../other/k?versionId=null", &[]),
    (Method::Head, "/mybucket/./k?versionId=null", &[]),
    (Method::Head, "/mybucket/k/..?versionId=null", &[]),
    (Method::Head, "/mybucket/%2e%2e/other/k?versionId=null", &[]),
    (Method::Head, "/mybucket/%2E%2E/other/k?versionId=null", &[]),
    (Method::Head, "/mybucket/.%2e/other/k?versionId=null", &[]),
    (Method::Head, "/mybucket/..%2fother/k?versionId=null", &[]),
    (Method::Head, "/mybucket%2Fk?versionId=null", &[]),
    (Method::Head, "/mybucket\\..\\other\\k?versionId=null", &[]),
    (Method::Head, "/mybucket/a//k?versionId=null", &[]),
    (Method::Head, "/mybucket/%6B?versionId=null", &[]),
    (Method::Head, "/mybucket/k;a=b?versionId=null", &[]),
    (Method::Head, "/mybucket/\u{e9}?versionId=null", &[]),
    (Method::Head, "/minio/admin/v3/../../mybucket/k?versionId=null", &[]),
]));
