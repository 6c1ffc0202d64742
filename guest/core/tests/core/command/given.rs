//! The forms of a line that `--from` takes.

use super::from::{ID, given};
use super::ran;
use crate::world::{Fate, Version, serving, uuid};
use proptest::prelude::*;
use resync_core::listing::{Given, StatusTable, parse_given};
use resync_core::wire::encode;
#[test]
fn each_form_of_a_line_names_a_version() {
    let mc = format!(
        r#"{{"object":"k","versionId":"{ID}","targets":{{"arn:a":{{"rStatus":"FAILED"}}}},"rStatus":"FAILED","replTimestamp":"2026-11-24T08:28:26Z","lastModified":"2026-11-24T08:28:26.645675391Z","deletemarker":false}}"#
    );
    let own = format!(
        r#"{{"status":"error","object":"k","versionId":"{ID}","rStatus":"FAILED","lastModified":"","deletemarker":false,"operation":"PUT","outcome":"failed","attempts":10,"error":{{"message":"m","cause":{{"message":"c","error":{{}}}},"type":"error"}}}}"#
    );
    for (line, key, version) in [
        (mc.as_str(), "k", ID),
        (&own, "k", ID),
        (&format!("  {own}  \r"), "k", ID),
        (&own.replace("failed", "listed"), "k", ID),
        (r#"{"object":"k"}"#, "k", ""),
        (r#"{"object":"k","versionId":"null","bucket":"bucket"}"#, "k", "null"),
        (r#"{"object":"a\n\u0007\"b\"","versionId":"v1"}"#, "a\n\u{7}\"b\"", "v1"),
        ("bucket,k", "k", ""),
        ("bucket,k,", "k", ""),
        ("bucket,k,null", "k", "null"),
        (&format!("bucket,k,{ID}\r"), "k", ID),
        ("bucket,a%0Ab%20c%2Bd%25,null", "a\nb c+d%", "null"),
        ("bucket,a+b/é.txt,null", "a+b/é.txt", "null"),
        (r#""bucket","a,""b""","null""#, "a,\"b\"", "null"),
        (r#"bucket,a"b"c"#, "a\"b\"c", ""),
    ] {
        let item = parse_given(line, "bucket", &mut StatusTable::default());
        let Ok(Given::Version(item)) = item else { panic!("{line}: {item:?}") };
        assert_eq!((item.key.as_str(), item.version.to_string().as_str()), (key, version));
    }
}

#[test]
fn what_names_no_version_is_said_with_its_reason_or_is_a_message_of_another_kind() {
    for (line, why) in [
        ("k", "neither JSON nor"),
        ("bucket,k,v,more", "neither JSON nor"),
        ("other,k,v", "of bucket `other`, not of `bucket`"),
        (r#"{"object":"k","bucket":"other"}"#, "of bucket `other`"),
        ("bucket,,v", "no key"),
        ("bucket,100%,v", "not percent-encoded"),
        ("bucket,%FF", "not percent-encoded"),
        (r#"bucket,"a"#, "a quote that is not closed"),
        (r#"bucket,"a"b,v"#, "between a closing quote and the comma"),
        ("{", "not one whole JSON object"),
        (r#"{"object":"k""#, "not one whole JSON object"),
        (r#"{"object":7}"#, "not one whole JSON object"),
        (r#"{"object":"k","targets":7}"#, "not one whole JSON object"),
        ("{}", "no `object`"),
        (r#"{"versionId":"null"}"#, "no `object`"),
        (r#"{"object":"","versionId":"","error":"file is corrupted"}"#, "file is corrupted"),
        (r#"[{"object":"k"}]"#, "neither JSON nor"),
    ] {
        let read = parse_given(line, "bucket", &mut StatusTable::default());
        assert!(read.as_ref().is_err_and(|said| said.contains(why)), "{line}: {read:?}");
    }
    for (line, unfinished) in [
        (r#"{"status":"success","complete":true,"total":1}"#, false),
        (r#"{"status":"error","complete":false,"total":1}"#, true),
        (r#"{"status":"error","error":{"message":"m","type":"fatal"}}"#, true),
        (r#"{"status":"error","error":{"message":"m","type":"error"}}"#, false),
        (r#"{"status":"success","valid":true,"object":"k","versionId":"null"}"#, false),
    ] {
        let read = parse_given(line, "bucket", &mut StatusTable::default());
        assert_eq!(read, Ok(Given::Message { unfinished }), "{line}");
    }
    for outcome in ["triggered", "vanished", "elsewhere", "replicated"] {
        let line = format!(r#"{{"object":"k","versionId":"null","outcome":"{outcome}"}}"#);
        let read = parse_given(&line, "bucket", &mut StatusTable::default());
        assert_eq!(read, Ok(Given::Done), "{outcome}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_json_wrote_is_read_back_as_it_was(
        keys in proptest::collection::btree_set(".{1,20}|(?s-u:[\\x00-\\x7f]){1,20}", 1..20),
        chunk in 1usize..200,
    ) {
        let versions: Vec<Version> = keys
            .iter()
            .enumerate()
            .map(|(n, key)| match n % 3 {
                0 => Version::new(key, &uuid(n as u128)),
                1 => Version::new(key, "null").targets(&[]),
                _ => Version::new(key, "null").fate(Fate::Marker).targets(&["arn:a", "arn:b"]),
            })
            .collect();
        let written = ran(serving(versions.clone()), "a/bucket --dry-run --json").out;
        let mut world = given(versions, &written);
        world.net.chunks = chunk..chunk + 1;
        let read = ran(world, "a/bucket --from - --dry-run --json").out;
        let lines = |out: &str| {
            let lines = out.lines().filter(|line| line.contains("\"outcome\""));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        prop_assert_eq!(lines(&read).len(), keys.len());
        prop_assert_eq!(lines(&read), lines(&written));
    }

    #[test]
    fn any_key_survives_a_manifest(key in ".{1,30}|(?s-u:[\\x00-\\x7f]){1,30}") {
        let mut encoded = String::new();
        encode::path(&mut encoded, &key);
        let quoted = key.replace('%', "%25").replace('"', "\"\"");
        let mut lines = vec![format!("b,{encoded},null"), format!("\"b\",\"{encoded}\",\"null\"")];
        lines.extend((!key.contains('\n')).then(|| format!("b,\"{quoted}\",null")));
        for line in lines {
            let read = parse_given(&line, "b", &mut StatusTable::default());
            let Ok(Given::Version(item)) = read else { panic!("{line:?}: {read:?}") };
            prop_assert_eq!(&item.key, &key);
        }
    }
}
