use super::*;

fn grant(words: &[&str]) -> Grant {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    let args = Args::parse(&words, &|_| None).unwrap();
    Grant::new(&args, &Endpoint::parse("http://minio:9000").unwrap())
}

fn ask(grant: &Grant, method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<Kind, String> {
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
fn the_listing_may_name_the_target_of_the_command_line_and_no_other() {
    let grant = grant(&["a/b/p", "--arn", "arn:minio:replication::1:b"]);
    let listing = |more: &str| {
        let uri = format!("http://minio:9000/minio/admin/v3/replication/diff?bucket=b{more}");
        ask(&grant, "POST", &uri, &[])
    };
    let arn = "&arn=arn%3Aminio%3Areplication%3A%3A1%3Ab";
    assert_eq!(listing(&format!("{arn}&prefix=p")), Ok(Kind::Listing));
    for other in ["&prefix=p", "&arn=other&prefix=p", &format!("{arn}{arn}&prefix=p"), arn] {
        assert!(listing(other).is_err(), "{other}");
    }
}

#[test]
fn everything_else_is_denied() {
    let grant = grant(&["a/b/p"]);
    for (method, uri) in [
        ("HEAD", "http://minio:9001/b/p?versionId=null"),
        ("HEAD", "https://minio:9000/b/p?versionId=null"),
        ("HEAD", "http://minio/b/p?versionId=null"),
        ("HEAD", "http://evil@minio:9000/b/p?versionId=null"),
        ("HEAD", "http://minio:9000/other/p?versionId=null"),
        ("HEAD", "http://minio:9000/b/q?versionId=null"),
        ("HEAD", "http://minio:9000/b?versionId=null"),
        ("HEAD", "http://minio:9000/b/p"),
        ("HEAD", "http://minio:9000/b/p?versionId=null&other=1"),
        ("HEAD", "http://minio:9000/b/p?versionId="),
        ("HEAD", "http://minio:9000/b/p/../../other/k?versionId=null"),
        ("HEAD", "http://minio:9000/b/p/%2E%2E/k?versionId=null"),
        ("HEAD", "http://minio:9000/b/p/%2e%2e/k?versionId=null"),
        ("HEAD", "http://minio:9000/b/p%2Fk?versionId=null"),
        ("HEAD", "http://minio:9000/b/p//k?versionId=null"),
        ("HEAD", "http://minio:9000//b/p?versionId=null"),
        ("HEAD", "http://minio:9000/b/p%41?versionId=null"),
        ("HEAD", "http://minio:9000/b/p%c3%a9?versionId=null"),
        ("HEAD", "http://minio:9000/b/p%4?versionId=null"),
        ("GET", "http://minio:9000/b/p?versionId=null"),
        ("DELETE", "http://minio:9000/b/p?versionId=null"),
        ("PUT", "http://minio:9000/b/p?versionId=null"),
        ("GET", "http://minio:9000/b?object-lock="),
        ("GET", "http://minio:9000/b?policy"),
        ("GET", "http://minio:9000/b/p?tagging=&versionId=null"),
        ("POST", "http://minio:9000/minio/admin/v3/replication/diff?bucket=b"),
        ("POST", "http://minio:9000/minio/admin/v3/replication/diff?bucket=other&prefix=p"),
        ("POST", "http://minio:9000/minio/admin/v3/replication/diff?bucket=b&prefix=p&bucket=c"),
        ("POST", "http://minio:9000/minio/admin/v3/service?action=stop"),
        ("GET", "http://minio:9000/minio/admin/v3/info"),
        ("GET", "http://minio:9000/minio/admin/v3/replication/diff?bucket=b&prefix=p"),
    ] {
        assert!(ask(&grant, method, uri, &[]).is_err(), "{method} {uri}");
    }
    assert!(
        ask(&grant, "HEAD", "http://minio:9000/b/p?versionId=null", &[("host", "evil")]).is_err()
    );
    assert!(
        ask(
            &grant,
            "HEAD",
            "http://minio:9000/b/p?versionId=null",
            &[("x-amz-copy-source", "/b/q")]
        )
        .is_err()
    );
    assert!(
        ask(&grant, "HEAD", "http://minio:9000/b/p?versionId=null", &[("content-length", "5")])
            .is_err()
    );
}

#[test]
fn a_copy_is_granted_only_onto_itself_and_only_with_the_flag() {
    let grant = grant(&["a/b", "--clear-checksum"]);
    let uri = format!("http://minio:9000/b/k?{V}");
    let source = format!("/b/k?{V}");
    let good = [("x-amz-copy-source", source.as_str()), ("x-amz-metadata-directive", "COPY")];
    assert_eq!(ask(&grant, "PUT", &uri, &good), Ok(Kind::Copy));
    for bad in [
        ("x-amz-acl", "public-read"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-meta-a", "b"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-copy-source", "/b/other"),
        ("x-amz-metadata-directive", "REPLACE"),
        ("content-type", "text/html"),
    ] {
        assert!(ask(&grant, "PUT", &uri, &[good[0], good[1], bad]).is_err(), "{bad:?}");
    }
    assert!(
        ask(&grant, "PUT", &uri, &[("x-amz-copy-source", "/b/other?versionId=null"), good[1]])
            .is_err()
    );
    assert!(ask(&grant, "PUT", &uri, &good[..1]).is_err());
    let dry = self::grant(&["a/b", "--clear-checksum", "--dry-run"]);
    assert!(ask(&dry, "PUT", &uri, &good).is_err());
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
