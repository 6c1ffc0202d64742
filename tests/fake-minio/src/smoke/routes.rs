//! Each route, and each form of its answers.

use std::io::Write;
use std::net::TcpStream;

use super::super::*;
use super::{DIFF, five, path_of, read, send, send_with, server};

#[test]
fn a_listing_is_chunked_text_and_shrinks_with_every_trigger() {
    let versions = five();
    let server = server(versions.clone());
    let reply = send(&server, "POST", DIFF);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
    assert!(reply.whole && reply.lines() == 5, "{reply:?}");

    let head = send(&server, "HEAD", &path_of(&versions[0]));
    assert_eq!((head.status, head.header("x-amz-replication-status")), (200, Some("FAILED")));
    assert_eq!(head.header("x-amz-version-id"), versions[0].version_id.as_deref());
    assert_eq!(send(&server, "POST", DIFF).lines(), 4);
    assert_eq!(server.backlog_len(), 4);

    for version in &versions[1..] {
        send(&server, "HEAD", &path_of(version));
    }
    let reply = send(&server, "POST", DIFF);
    assert_eq!((reply.header("content-length"), reply.header("content-type")), (Some("0"), None));
    assert_eq!(server.triggers(), (5, 0));
    assert_eq!(server.bad_signatures(), 0);
}

#[test]
fn prefixes_and_arns_narrow_a_listing_as_the_server_does() {
    let server = server(five());
    assert_eq!(send(&server, "POST", &format!("{DIFF}&prefix=b")).lines(), 1);
    assert_eq!(send(&server, "POST", &format!("{DIFF}&prefix=%2F")).lines(), 5);
    let arn = DEFAULT_ARN.replace(':', "%3A");
    assert_eq!(send(&server, "POST", &format!("{DIFF}&arn={arn}")).lines(), 5);
    let reply = send(&server, "POST", &format!("{DIFF}&arn=arn%3Ax"));
    assert_eq!((reply.status, reply.header("content-type")), (400, Some("application/json")));
    assert!(reply.body.contains("Invalid Request (invalid arn : 'arn:x')"), "{}", reply.body);
}

#[test]
fn errors_before_the_stream_have_the_servers_forms() {
    let server = server([]);
    let checks = [
        (
            "POST",
            "/minio/admin/v3/replication/diff?bucket=other",
            404,
            "application/xml",
            "NoSuchBucket",
        ),
        (
            "POST",
            "/minio/admin/v3/replication/diff",
            426,
            "application/json",
            "XMinioAdminVersionMismatch",
        ),
        ("GET", DIFF, 426, "application/json", "XMinioAdminVersionMismatch"),
        (
            "POST",
            "/minio/admin/v4/replication/diff?bucket=mybucket",
            426,
            "application/json",
            "found 'v4'",
        ),
        ("GET", "/other?location", 404, "application/xml", "NoSuchBucket"),
        ("DELETE", "/mybucket/a", 405, "application/xml", "MethodNotAllowed"),
    ];
    for (method, target, status, content_type, text) in checks {
        let reply = send(&server, method, target);
        assert_eq!(reply.status, status, "{method} {target}");
        assert_eq!(reply.header("content-type"), Some(content_type), "{method} {target}");
        assert!(reply.body.contains(text), "{method} {target}: {}", reply.body);
    }
    let options = Options { targets: Vec::new(), speaks_v4: true, ..Options::default() };
    let reply = send(&FakeServer::start(options), "POST", &DIFF.replace("v3", "v4"));
    assert_eq!(reply.status, 404);
    assert!(reply.body.contains("XMinioAdminRemoteTargetNotFoundError"));
}

#[test]
fn the_bucket_tells_location_lock_and_targets() {
    let lock = ObjectLock::Default { mode: "GOVERNANCE".into(), days: 30 };
    let region = Some("eu-west-1".to_owned());
    let server = FakeServer::start(Options { object_lock: lock, region, ..Options::default() });
    for target in ["/mybucket?location=", "/mybucket/?location"] {
        let reply = send(&server, "GET", target);
        assert!(reply.body.contains(">eu-west-1</LocationConstraint>"), "any region: {reply:?}");
    }
    let reply = send_with(&server, "GET", "/mybucket?object-lock=", "eu-west-1", &[]);
    assert!(reply.body.contains("<Mode>GOVERNANCE</Mode><Days>30</Days>"), "{reply:?}");
    let reply = send(&server, "GET", "/mybucket?object-lock=");
    assert_eq!((reply.status, reply.header("x-amz-bucket-region")), (400, Some("eu-west-1")));
    assert!(reply.body.contains("<Region>eu-west-1</Region>"), "{reply:?}");
    let reply = send(&server, "HEAD", "/mybucket/a?versionId=null");
    assert_eq!(reply.code(), "AuthorizationHeaderMalformed");
    let targets = "/minio/admin/v3/list-remote-targets?bucket=mybucket&type=replication";
    let reply = send(&server, "GET", targets);
    assert!(reply.body.contains(&format!("\"arn\":\"{DEFAULT_ARN}\"")), "{reply:?}");
    assert_eq!(send_with(&server, "POST", DIFF, "", &[]).status, 200, "admin: even no region");

    let server = FakeServer::start(Options::default());
    let reply = send(&server, "GET", "/mybucket/?object-lock");
    assert!(reply.body.contains("ObjectLockConfigurationNotFoundError"), "{reply:?}");
}

#[test]
fn a_head_is_answered_by_the_kind_of_its_version() {
    let here = |key: &str| Version::put(key);
    let table = [
        (here("failed"), 200, "", true),
        (here("pending").status(Status::Pending), 200, "", true),
        (here("never").never_replicated(), 200, "", true),
        (here("null").null(), 200, "", true),
        (here("dir/"), 200, "", true),
        (here("ümlaut + & %/🦀"), 200, "", true),
        (here("kms").encrypted(Encryption::Kms("arn:aws:kms:key".into())), 200, "", true),
        (Version::delete_marker("marker"), 405, "MethodNotAllowed", true),
        (Version::purge("purge"), 405, "MethodNotAllowed", true),
        (here("sse-c").encrypted(Encryption::CustomerKey), 400, "InvalidRequest", true),
        (here("vanished").presence(Presence::Vanished), 404, "NoSuchVersion", false),
        (here("elsewhere").presence(Presence::OnTarget), 200, "", false),
        (here("down").presence(Presence::OnTargetDown), 500, "InternalError", false),
        (here("denied").refusing(S3Error::new(403, "AccessDenied")), 403, "AccessDenied", false),
        (here(&"k".repeat(1025)), 400, "XMinioInvalidObjectName", false),
        (here("bad-id").id("latest"), 400, "InvalidArgument", false),
        (here("a/../b"), 400, "", false),
    ];
    let server = server(table.iter().map(|(version, ..)| version.clone()));
    for (version, status, code, is_triggered) in &table {
        let reply = send(&server, "HEAD", &path_of(version));
        assert_eq!((reply.status, reply.code()), (*status, *code), "{}", version.key);
        let name = (version.key.clone(), version.id_text().to_owned());
        assert_eq!(server.triggered().contains_key(&name), *is_triggered, "{}", version.key);
    }
    let log = server.log();
    assert!(log.iter().all(|logged| logged.status.is_some()));
    let is_verified = |logged: &&Logged| logged.verified;
    assert_eq!(log.iter().filter(is_verified).count(), log.len() - 1, "all but `a/../b`");
    assert_eq!(log[0].region.as_deref(), Some("us-east-1"));
    assert!(log[5].path().ends_with("%C3%BCmlaut%20%2B%20%26%20%25/%F0%9F%A6%80"));
}

#[test]
fn heads_tell_what_triggered_them_and_what_the_object_has() {
    let full = Version::put("full")
        .encrypted(Encryption::S3)
        .checksum("SHA256", "abc=-2")
        .meta("owner", "me")
        .tag("k", "v")
        .lock(Lock { legal_hold: true, retention: None });
    let elsewhere = Version::put("elsewhere").presence(Presence::OnTarget);
    let versions = [Version::delete_marker("marker"), Version::purge("purge"), elsewhere, full];
    let server = server(versions.clone());
    let marker = send(&server, "HEAD", &path_of(&versions[0]));
    assert_eq!(marker.header("x-amz-delete-marker"), Some("true"));
    assert_eq!(marker.header("x-minio-replication-deletemarker-status"), Some("FAILED"));
    let purge = send(&server, "HEAD", &path_of(&versions[1]));
    assert_eq!(purge.header("x-minio-replication-delete-status"), Some("PENDING"));
    assert_eq!(send(&server, "HEAD", &path_of(&versions[1])).status, 404, "purged");

    let honest = [("x-minio-source-proxy-request", "false")];
    let target = path_of(&versions[2]);
    let reply = send(&server, "HEAD", &target);
    assert_eq!(reply.header("x-amz-replication-status"), Some("REPLICA"));
    let reply = send_with(&server, "HEAD", &target, "us-east-1", &honest);
    assert_eq!((reply.status, reply.code()), (404, "NoSuchVersion"));

    let target = path_of(&versions[3]);
    assert_eq!(send(&server, "HEAD", &target).header("x-amz-checksum-sha256"), None);
    let mode = [("x-amz-checksum-mode", "ENABLED")];
    let reply = send_with(&server, "HEAD", &target, "us-east-1", &mode);
    for (name, value) in [
        ("x-amz-checksum-sha256", "abc=-2"),
        ("x-amz-checksum-type", "COMPOSITE"),
        ("x-amz-meta-owner", "me"),
        ("x-amz-tagging-count", "1"),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-object-lock-legal-hold", "ON"),
        ("content-length", "1024"),
        ("last-modified", "Tue, 24 Nov 2026 08:28:26 GMT"),
    ] {
        assert_eq!(reply.header(name), Some(value), "{name}");
    }
    assert!(reply.head.contains("\r\nX-Amz-Request-Id: "), "Go's spelling");
    let tags = send(&server, "GET", &format!("{target}&tagging"));
    assert!(tags.body.contains("<Tag><Key>k</Key><Value>v</Value></Tag>"), "{tags:?}");
}

#[test]
fn wrong_signers_are_refused_in_the_form_of_the_route() {
    let secret_key = "another".to_owned();
    let server = FakeServer::start(Options { secret_key, ..Options::default() });
    let reply = send(&server, "POST", DIFF);
    assert_eq!((reply.status, reply.header("content-type")), (403, Some("application/json")));
    assert!(reply.body.contains(r#""Code":"SignatureDoesNotMatch""#), "{reply:?}");
    assert_eq!(send(&server, "HEAD", "/mybucket/a").code(), "SignatureDoesNotMatch");
    assert_eq!(server.bad_signatures(), 2);

    let access_key = "other".to_owned();
    let server = FakeServer::start(Options { access_key, ..Options::default() });
    assert_eq!(send(&server, "HEAD", "/mybucket/a").code(), "InvalidAccessKeyId");
    let old = [("x-amz-date", "20200101T000000Z")];
    let server = FakeServer::start(Options::default());
    let reply = send_with(&server, "HEAD", "/mybucket/a", "us-east-1", &old);
    assert_eq!((reply.status, reply.code()), (403, ""), "no code for a wrong clock");
    assert_eq!(reply.header("content-type"), Some("application/xml"));

    let mut stream = TcpStream::connect(server.addr()).unwrap();
    stream.write_all(b"HEAD /mybucket/a HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert_eq!(read(&mut stream, "HEAD").code(), "AccessDenied");
}

/// Form F6 and the ways to get it wrong.
#[test]
fn copies_in_place_replace_the_checksum_and_nothing_else() {
    let version = Version::put("k").checksum("SHA256", "old=").meta("a", "b");
    let kms = Version::put("kms").encrypted(Encryption::Kms("key".into()));
    let held = Version::put("held").lock(Lock { legal_hold: true, retention: None });
    let server = server([version.clone(), kms.clone(), held.clone()]);
    let copy = |version: &Version, target: &str, extra: &[(&'static str, &str)]| {
        let source = path_of(version);
        let mut headers = vec![("x-amz-copy-source", source.as_str())];
        headers.extend_from_slice(extra);
        send_with(&server, "PUT", target, "us-east-1", &headers)
    };
    let algorithm = ("x-amz-checksum-algorithm", "CRC64NVME");
    let time = ("x-minio-source-mtime", version.last_modified.as_str());
    let target = path_of(&version);

    let reply = send_with(
        &server,
        "PUT",
        "/mybucket/k",
        "us-east-1",
        &[("x-amz-copy-source", "/mybucket/k")],
    );
    assert!(reply.status == 400 && reply.body.contains("illegal"), "{reply:?}");
    let reply = copy(&version, &target, &[algorithm, ("x-minio-source-mtime", "now")]);
    assert!(reply.status == 400 && reply.body.contains("InvalidArgument"), "{reply:?}");
    let reply =
        copy(&version, &target, &[algorithm, time, ("x-amz-copy-source-if-match", "\"0\"")]);
    assert_eq!(reply.status, 412);
    let reply = copy(&held, &path_of(&held), &[algorithm, time]);
    assert!(reply.status == 400 && reply.body.contains("WORM"), "{reply:?}");
    assert!(server.copied().is_empty());

    let reply = copy(&version, &target, &[algorithm, time]);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("x-amz-version-id"), version.version_id.as_deref());
    assert!(reply.header("x-amz-checksum-crc64nvme").is_some());
    let after = server.version("k", version.version_id.as_deref()).unwrap();
    assert_eq!(after.checksum.unwrap().algorithm, "CRC64NVME");
    assert_eq!(
        (after.metadata, after.last_modified),
        (version.metadata.clone(), version.last_modified.clone())
    );
    assert_eq!(server.backlog_len(), 2, "the copy replicates");

    copy(&kms, &path_of(&kms), &[algorithm]);
    copy(&version, "/mybucket/k", &[algorithm, time]);
    let copied = server.copied();
    assert!(copied[0].is_in_place() && copied[0].kept_time && !copied[0].decrypted);
    assert!(copied[1].decrypted && !copied[1].kept_time);
    assert!(!copied[2].is_in_place());
}

#[test]
fn a_computed_backlog_is_listed_and_triggered_like_any_other() {
    let refusal = S3Error::new(500, "InternalError");
    let backlog = Backlog::mixed(3000, 1, 30, 3, refusal);
    let server = FakeServer::start(Options::with_backlog(backlog));
    let reply = send(&server, "POST", DIFF);
    assert!(reply.whole && reply.lines() == 3000);
    let (mut statuses, mut heads) = (std::collections::BTreeMap::new(), 0);
    for line in reply.body.lines().step_by(10) {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        let (key, id) = (entry["object"].as_str().unwrap(), entry["versionId"].as_str().unwrap());
        let reply = send(&server, "HEAD", &format!("/mybucket/{key}?versionId={id}"));
        *statuses.entry(reply.status).or_insert(0) += 1;
        assert_eq!(reply.status == 405, entry["deletemarker"] == true);
        heads += u64::from(reply.status != 500);
    }
    assert!(statuses[&200] > 200, "{statuses:?}");
    assert_eq!(server.backlog_len(), 3000 - heads);
    assert_eq!(send(&server, "POST", DIFF).lines() as u64, 3000 - heads);
}
