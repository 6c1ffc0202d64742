//! The alias as the component itself reads it, in a host that does not sign.

use super::User;
use crate::world::{objects, serving};

const SECRET: &str = "topsecret";

#[test]
fn an_alias_with_keys_signs_and_one_without_does_not() {
    for (alias, signs, token) in [
        ("http://access:topsecret@minio.example:9000", true, None),
        ("http://access:top/sec+ret@x#y@minio.example:9000/", true, None),
        (
            "http://access:topsecret:to:ken/with+odd=letters@minio.example:9000",
            true,
            Some("to:ken/with+odd=letters"),
        ),
        ("http://minio.example:9000", false, None),
        ("https://minio.example", false, None),
        ("http://:@minio.example:9000", false, None),
    ] {
        let mut user = User::of(serving(objects(3))).with("MC_HOST_a", alias);
        assert!(user.run("a/bucket").success, "{alias}");
        for asked in &user.world.net.server.log {
            let authorization = asked.header("authorization");
            assert_eq!(authorization.is_some(), signs, "{alias}: {asked:?}");
            let begins = "AWS4-HMAC-SHA256 Credential=access/";
            assert!(authorization.is_none_or(|value| value.starts_with(begins)), "{asked:?}");
            assert_eq!(asked.header("x-amz-security-token"), token, "{alias}");
            let signed = authorization
                .is_none_or(|value| value.contains("x-amz-security-token") == token.is_some());
            assert!(signed, "{asked:?}");
            assert!(!format!("{asked:?}").contains(SECRET), "{asked:?}");
        }
    }
}

#[test]
fn a_broken_alias_is_refused_without_repeating_a_secret() {
    let form = "The URL should be of the form http[s]://ACCESS:SECRET@host[:port]/ without resource component.";
    for (alias, said) in [
        ("ak:topsecret@host", "expected http[s]://ACCESS:SECRET@host[:port]."),
        ("ftp://ak:topsecret@host", form),
        ("http://ak:topsecret@host/path", form),
        ("http://topsecret@host", "the access key needs a secret key: ACCESS:SECRET@host."),
    ] {
        for flags in ["", "--debug"] {
            let mut user = User::of(serving(objects(1))).with("MC_HOST_a", alias);
            let ran = user.run(&format!("a/bucket {flags}"));
            assert_eq!(
                ran.err,
                format!("mc-wasi: <ERROR> Unable to initialize target `a/bucket`. {said}\n")
            );
            assert_eq!((ran.out.as_str(), ran.success), ("", false), "{alias}");
            assert!(user.world.net.server.log.is_empty(), "{alias}: nothing is asked");
        }
    }
}

#[test]
fn custom_headers_are_set_here_where_the_host_does_not_set_them() {
    let line = "a/bucket -H 'X-A: one' --custom-header 'User-Agent:mine'";
    for (serves, own) in [("", true), ("debug", true), ("debug,custom-header", false)] {
        let mut user = User::of(serving(objects(2)));
        user = user.with("MC_HOST_a", "http://access:topsecret@minio.example:9000");
        user = user.with("MC_WASI_SERVES", serves);
        assert!(user.run(line).success, "{serves}");
        for asked in &user.world.net.server.log {
            assert_eq!(asked.header("X-A"), own.then_some("one"), "{asked:?}");
            assert_eq!(asked.header("User-Agent"), own.then_some("mine"), "{asked:?}");
            assert_eq!(
                asked.header("user-agent").is_none(),
                own,
                "one agent and not two: {asked:?}"
            );
            let authorization = asked.header("authorization").unwrap_or_default();
            assert!(!authorization.contains("x-a;"), "after signing: {asked:?}");
        }
    }
}
