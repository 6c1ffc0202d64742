//! Uses the admin API for what only an administrator may do.

use hostile_guests::*;

behaves!(try_all(&[
    (Method::Post, "/minio/admin/v3/service?action=stop", &[]),
    (Method::Get, "/minio/admin/v3/list-users", &[]),
    (Method::Put, "/minio/admin/v3/add-user?accessKey=evil", &[]),
    (Method::Get, "/minio/admin/v3/info", &[]),
    (Method::Get, "/minio/admin/v2/list-remote-targets?bucket=mybucket", &[]),
    (Method::Get, "/minio/admin/v3/replication/diff?bucket=mybucket", &[]),
    (Method::Put, "/minio/admin/v3/set-remote-target?bucket=mybucket", &[]),
    (Method::Get, "/minio/v2/metrics/cluster", &[]),
    (Method::Get, "/minio/health/live", &[]),
]));
