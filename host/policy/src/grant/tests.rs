use super::*;
use crate::denials::Remedy;
use crate::limits::Limits;

fn grant(words: &[&str]) -> Grant {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    let args = Args::parse(&words, &|_| None).unwrap();
    Grant::new(&args, &Endpoint::parse("http://minio:9000").unwrap())
}

fn ask(grant: &Grant, method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<Kind, Reason> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    grant.check(&request.body(()).unwrap()).map_err(|denial| denial.reason)
}

const V: &str = "versionId=8a38e1a2-0000-4000-8000-0123456789ab";

#[test]
fn what_the_command_line_asks_for_is_granted() {
    let grant = grant(&["a/my.bucket/pre fix/", "--clear-checksum", "--validate"]);
    for (method, path, kind) in [
        (
            "POST",
            "/minio/admin/v3/replication/diff?bucket=my.bucket&prefix=pre%20fix%2F",
            Kind::Listing,
        ),
        (
            "POST",
            "/minio/admin/v4/replication/diff?bucket=my.bucket&prefix=pre%20fix%2F",
            Kind::Listing,
        ),
        (
            "GET",
            "/minio/admin/v3/list-remote-targets?bucket=my.bucket&type=replication",
            Kind::Targets,
        ),
        ("GET", "/my.bucket?location=", Kind::Location),
        ("GET", "/my.bucket?object-lock=", Kind::LockConfiguration),
        ("GET", "/my.bucket?encryption=", Kind::EncryptionConfiguration),
        ("GET", &format!("/my.bucket/pre%20fix/k?{V}"), Kind::Read),
        (
            "POST",
            "/minio/admin/v3/replication/diff?bucket=my.bucket&arn=arn%3A1&prefix=pre%20fix%2Fbelow",
            Kind::Listing,
        ),
        ("HEAD", &format!("/my.bucket/pre%20fix/k%C3%A9y?{V}"), Kind::Head),
        ("HEAD", "/my.bucket/pre%20fix/dir/?versionId=null", Kind::Head),
        ("GET", &format!("/my.bucket/pre%20fix/k?tagging=&{V}"), Kind::Tags),
    ] {
        let asked = ask(
            &grant,
            method,
            &format!("http://minio:9000{path}"),
            &[("authorization", "forged")],
        );
        assert_eq!(asked, Ok(kind), "{method} {path}");
    }
}

#[test]
fn the_counters_are_granted_where_they_are_used() {
    let asked = |words: &[&str]| {
        ask(&grant(words), "GET", "http://minio:9000/b?replication-metrics=2", &[])
    };
    assert_eq!(asked(&["a/b"]), Ok(Kind::Metrics));
    for words in [
        &["a/b", "--max-queue", "0"][..],
        &["a/b", "--dry-run"],
        &["a/b", "--clear-checksum", "--validate"],
    ] {
        assert_eq!(asked(words), Err(Reason::BucketSetting), "{words:?}");
    }
}

#[test]
fn the_listing_may_name_the_target_of_the_command_line_and_no_other() {
    let grant = grant(&["a/b/p", "--arn", "arn:minio:replication::1:b"]);
    let listing = |more: &str| {
        let uri = format!("http://minio:9000/minio/admin/v3/replication/diff?bucket=b{more}");
        ask(&grant, "POST", &uri, &[])
    };
    let arn = "&arn=arn%3Aminio%3Areplication%3A%3A1%3Ab";
    assert_eq!(listing(&format!("{arn}&prefix=p")), Ok(Kind::Listing));
    assert_eq!(listing(&format!("{arn}&prefix=p%2Fq")), Ok(Kind::Listing), "a part of it");
    for other in [
        "&prefix=p",
        "&arn=other&prefix=p",
        &format!("{arn}{arn}&prefix=p"),
        &format!("{arn}&prefix=q"),
        &format!("{arn}&prefix=p&prefix=q"),
        &format!("&prefix=p{arn}"),
        &format!("{arn}&prefix=p%"),
        &format!("{arn}&prefix=p&verbose=true"),
        arn,
    ] {
        assert_eq!(listing(other), Err(Reason::OutsideTarget), "{other}");
    }
}

#[test]
fn everything_else_is_denied_for_its_own_reason() {
    let grant = grant(&["a/b/p"]);
    for (method, path, reason) in [
        ("HEAD", "/other/p?versionId=null", Reason::OutsideTarget),
        ("HEAD", "/b/q?versionId=null", Reason::OutsideTarget),
        ("HEAD", "/b?versionId=null", Reason::OutsideTarget),
        ("HEAD", "//b/p?versionId=null", Reason::OutsideTarget),
        ("HEAD", "/b/p", Reason::NotOneVersion),
        ("HEAD", "/b/p?versionId=null&other=1", Reason::NotOneVersion),
        ("HEAD", "/b/p?versionId=", Reason::NotOneVersion),
        ("HEAD", "/b/p/../../other/k?versionId=null", Reason::NotCanonical),
        ("HEAD", "/b/p/./k?versionId=null", Reason::NotCanonical),
        ("HEAD", "/b/p/%2E%2E/k?versionId=null", Reason::NotCanonical),
        ("HEAD", "/b/p/%2e%2e/k?versionId=null", Reason::NotCanonical),
        ("HEAD", "/b/p%2Fk?versionId=null", Reason::NotCanonical),
        ("HEAD", "/b/p//k?versionId=null", Reason::NotCanonical),
        ("HEAD", "/b/p%41?versionId=null", Reason::NotCanonical),
        ("HEAD", "/b/p%c3%a9?versionId=null", Reason::NotCanonical),
        ("HEAD", "/b/p%4?versionId=null", Reason::NotCanonical),
        ("GET", "/b/p?versionId=null", Reason::Reading),
        ("DELETE", "/b/p?versionId=null", Reason::ObjectAccess),
        ("PUT", "/b/p?tagging=&versionId=null", Reason::ObjectAccess),
        ("PUT", "/b/p?versionId=null", Reason::Copy),
        ("GET", "/b/p?tagging=&versionId=null", Reason::Tags),
        ("GET", "/b?object-lock=", Reason::ObjectLock),
        ("GET", "/b?policy", Reason::BucketSetting),
        ("POST", "/minio/admin/v3/replication/diff?bucket=b", Reason::OutsideTarget),
        (
            "POST",
            "/minio/admin/v3/replication/diff?bucket=b&prefix=p&bucket=c",
            Reason::OutsideTarget,
        ),
        ("POST", "/minio/admin/v3/replication/diff?bucket=other&prefix=p", Reason::AnotherBucket),
        ("GET", "/minio/admin/v3/list-remote-targets?bucket=other", Reason::AnotherBucket),
        ("GET", "/minio/admin/v3/list-remote-targets?bucket=b&type=ilm", Reason::AdminCall),
        ("GET", "/minio/admin/v3/replication/diff?bucket=b&prefix=p", Reason::AdminCall),
        ("POST", "/minio/admin/v5/replication/diff?bucket=b&prefix=p", Reason::AdminCall),
        ("POST", "/minio/admin/v3/service?action=stop", Reason::AdminCall),
        ("GET", "/minio/admin/v3/info", Reason::AdminCall),
    ] {
        let asked = ask(&grant, method, &format!("http://minio:9000{path}"), &[]);
        assert_eq!(asked, Err(reason), "{method} {path}");
    }
}

#[test]
fn another_server_is_denied_whatever_is_asked_of_it() {
    let grant = grant(&["a/b/p"]);
    for server in
        ["http://minio:9001", "https://minio:9000", "http://minio", "http://evil@minio:9000"]
    {
        let asked = ask(&grant, "HEAD", &format!("{server}/b/p?versionId=null"), &[]);
        let own = "http://minio:9000".to_owned();
        assert_eq!(asked, Err(Reason::AnotherServer(own)), "{server}");
    }
}

#[test]
fn headers_that_mean_something_else_are_denied() {
    let grant = grant(&["a/b/p"]);
    let carries = |name: &str| Reason::Header(name.to_owned());
    for (name, value, reason) in [
        ("host", "evil", Reason::AnotherHost),
        ("x-amz-copy-source", "/b/q", carries("x-amz-copy-source")),
        ("content-length", "5", carries("content-length")),
        ("x-amz-meta-a", "b", carries("x-amz-meta-a")),
    ] {
        let uri = "http://minio:9000/b/p?versionId=null";
        assert_eq!(ask(&grant, "HEAD", uri, &[(name, value)]), Err(reason), "{name}");
    }
}

#[test]
fn a_copy_is_granted_only_onto_itself_and_only_with_the_flag() {
    let grant = grant(&["a/b", "--clear-checksum"]);
    let uri = format!("http://minio:9000/b/k?{V}");
    let source = format!("/b/k?{V}");
    let good = [("x-amz-copy-source", source.as_str()), ("x-amz-metadata-directive", "COPY")];
    assert_eq!(ask(&grant, "PUT", &uri, &good), Ok(Kind::Copy));
    for (name, value) in [
        ("x-amz-acl", "public-read"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-meta-a", "b"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-object-lock-mode", "GOVERNANCE"),
    ] {
        let asked = ask(&grant, "PUT", &uri, &[good[0], good[1], (name, value)]);
        assert_eq!(asked, Err(Reason::Header(name.to_owned())));
    }
    let other = ("x-amz-copy-source", "/b/other?versionId=null");
    let replace = ("x-amz-metadata-directive", "REPLACE");
    for (headers, reason) in [
        (&[good[0], good[1], other][..], Reason::CopySource),
        (&[other, good[1]], Reason::CopySource),
        (&[good[1]], Reason::CopySource),
        (&[good[0], good[1], replace], Reason::CopyMetadata),
        (&[good[0], replace], Reason::CopyMetadata),
        (&[good[0]], Reason::CopyMetadata),
    ] {
        assert_eq!(ask(&grant, "PUT", &uri, headers), Err(reason), "{headers:?}");
    }
    let dry = self::grant(&["a/b", "--clear-checksum", "--dry-run"]);
    assert_eq!(ask(&dry, "PUT", &uri, &good), Err(Reason::Copy));
}

#[test]
fn a_denial_names_what_would_allow_it() {
    for (reason, remedy) in [
        (Reason::AnotherServer("http://minio:9000".to_owned()), Remedy::Target),
        (Reason::AnotherBucket, Remedy::Target),
        (Reason::OutsideTarget, Remedy::Target),
        (Reason::Address([169, 254, 169, 254].into()), Remedy::Address),
        (Reason::Copy, Remedy::Flag("--clear-checksum")),
        (Reason::ObjectLock, Remedy::Flag("--clear-checksum")),
        (Reason::Tags, Remedy::Flag("--clear-checksum --validate")),
        (Reason::NotCanonical, Remedy::Nothing),
        (Reason::ObjectAccess, Remedy::Nothing),
    ] {
        assert_eq!(reason.remedy(), remedy, "{reason:?}");
    }
}

#[test]
fn what_is_printed_is_what_is_granted() {
    for flags in
        [&["a/b/p q"][..], &["a/b", "--clear-checksum"], &["a/b", "--clear-checksum", "--validate"]]
    {
        let grant = grant(flags);
        let rules = grant.rules();
        for rule in &rules {
            let path = rule.path.replace('*', "k");
            let query = rule.query.replace("{version}", "null");
            let source = format!("{path}?{query}");
            let copy =
                [("x-amz-copy-source", source.as_str()), ("x-amz-metadata-directive", "COPY")];
            let headers = if rule.kind == Kind::Copy { &copy[..] } else { &[] };
            let asked = ask(&grant, rule.method, &format!("http://minio:9000{source}"), headers);
            assert_eq!(asked, Ok(rule.kind), "{rule:?}");
        }
        for (kind, method, target) in [
            (Kind::Copy, "PUT", "/b/k?versionId=null"),
            (Kind::LockConfiguration, "GET", "/b?object-lock="),
            (Kind::Tags, "GET", "/b/k?tagging=&versionId=null"),
        ] {
            let copy = [("x-amz-copy-source", target), ("x-amz-metadata-directive", "COPY")];
            let headers = if kind == Kind::Copy { &copy[..] } else { &[] };
            let asked = ask(&grant, method, &format!("http://minio:9000{target}"), headers);
            assert_eq!(asked.is_ok(), rules.iter().any(|rule| rule.kind == kind), "{kind:?}");
        }
    }
}

#[test]
fn every_address_that_the_command_line_gives_the_server_is_printed() {
    let printed = |words: &[&str]| {
        let grant = grant(words);
        let limits = Limits::new(None, &|_| None).unwrap();
        let json: serde_json::Value = serde_json::from_str(&grant.json(true, &limits)).unwrap();
        (grant.text(true, &limits), json["addresses"].clone())
    };
    let (text, json) = printed(&[
        "a/b",
        "--resolve=minio:9000=10.0.0.1",
        "--resolve=minio:9001=10.0.0.9",
        "--resolve=minio=10.0.0.2",
        "--resolve=minio:9000=[fd00::1]",
        "--resolve=other=10.0.0.9",
    ]);
    assert_eq!(json, serde_json::json!(["10.0.0.1", "10.0.0.2", "fd00::1"]));
    let at = "requests to http://minio:9000 at 10.0.0.1, 10.0.0.2, fd00::1, signed by";
    assert!(text.contains(at), "{text}");
    let (text, json) = printed(&["a/b"]);
    assert_eq!(json, serde_json::json!([]));
    assert!(text.contains("requests to http://minio:9000, signed by"), "{text}");
}

#[test]
fn where_versions_are_given_nothing_is_listed_and_a_key_is_enough_to_look() {
    let grant = grant(&["a/b/p", "--from", "-", "--clear-checksum"]);
    let ask = |method, path: &str| ask(&grant, method, &format!("http://minio:9000{path}"), &[]);
    assert_eq!(ask("HEAD", "/b/p?versionId="), Ok(Kind::Head));
    assert_eq!(ask("HEAD", &format!("/b/p?{V}")), Ok(Kind::Head));
    for (method, path, reason) in [
        ("POST", "/minio/admin/v3/replication/diff?bucket=b&prefix=p", Reason::Listing),
        ("POST", "/minio/admin/v4/replication/diff?bucket=other", Reason::Listing),
        ("PUT", "/b/p?versionId=", Reason::NotOneVersion),
        ("GET", "/b/p?tagging=&versionId=", Reason::NotOneVersion),
        ("HEAD", "/b/p", Reason::NotOneVersion),
        ("HEAD", "/b/p?versionId=%", Reason::NotOneVersion),
    ] {
        assert_eq!(ask(method, path), Err(reason), "{method} {path}");
    }
    let printed = grant.text(true, &Limits::new(None, &|_| None).unwrap());
    assert!(!printed.contains("replication/diff") && printed.contains("HEAD "), "{printed}");
}
