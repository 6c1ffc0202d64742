use super::*;
use proptest::prelude::*;

fn parse(words: &[&str]) -> Result<Args, Stop> {
    parse_in(words, &|_| None)
}

fn parse_in(words: &[&str], env: Env<'_>) -> Result<Args, Stop> {
    Args::parse(&words.iter().map(ToString::to_string).collect::<Vec<_>>(), env)
}

#[test]
fn flags_are_taken_in_every_position_and_every_form_of_go() {
    for words in [
        &["--json", "-c", "5", "a/b", "--rate-limit", "20"][..],
        &["a/b", "-json", "--c=5", "-rate-limit=20"],
        &["-concurrent", "5", "--rate-limit=20.0", "--json=T", "--", "a/b"],
    ] {
        let args = parse(words).unwrap();
        assert!(args.json, "{words:?}");
        assert_eq!((args.concurrent, args.rate_limit), (5, Some(20.0)), "{words:?}");
        assert_eq!(args.target.text, "a/b");
    }
}

#[test]
fn the_defaults_are_those_of_the_manual() {
    let args = parse(&["a/b"]).unwrap();
    assert_eq!((args.concurrent, args.rate_limit, args.arn.clone()), (10, None, None));
    assert!(!args.clear_checksum && !args.validate && !args.dry_run && args.given.is_empty());
}

#[test]
fn a_depth_is_attached_or_the_next_word_if_that_is_a_number_and_may_be_left_out() {
    for (words, depth) in [
        (&["--summary", "a/b"][..], 1),
        (&["a/b", "--summary"], 1),
        (&["a/b", "--summary", "--json"], 1),
        (&["a/b", "--summary", "2"], 2),
        (&["-summary", "0", "a/b"], 0),
        (&["--summary=3", "a/b"], 3),
        (&["--summary", "--", "a/b"], 1),
        (&["--summary=3", "a/b", "--summary"], 1),
        (&["--summary", "--summary", "512", "a/b"], 512),
    ] {
        let args = parse(&[&["--dry-run"], words].concat()).unwrap();
        assert_eq!((args.summary, args.target.text.as_str()), (Some(depth), "a/b"), "{words:?}");
    }
    assert_eq!(parse(&["a/b", "--dry-run"]).unwrap().summary, None);
    for words in [&["--summary", "2"][..], &["--summary", "a/b", "2"], &["--summary=1", "2", "a/b"]]
    {
        assert_eq!(parse(words).unwrap_err(), Stop::Arity, "{words:?}");
    }
    for value in ["", "-1", "1.5", "true", "99999999999999999999"] {
        let flag = format!("--summary={value}");
        assert!(matches!(parse(&["a/b", "--dry-run", &flag]), Err(Stop::Usage(_))), "{flag}");
    }
}

#[test]
fn a_flag_beats_its_variable() {
    let env = |name: &str| match name {
        "MC_JSON" => Some("true".to_owned()),
        "MC_RESOLVE" => Some("h:9000=127.0.0.1,i=::1".to_owned()),
        _ => None,
    };
    let args = parse_in(&["a/b"], &env).unwrap();
    assert!(args.json);
    assert_eq!(args.resolve.len(), 2);
    assert!(!parse_in(&["a/b", "--json=false"], &env).unwrap().json);
    assert!(parse(&["--json", "a/b", "--json=false"]).unwrap().json, "levels are or-ed, as in mc");
}

#[test]
fn usage_errors_have_the_words_of_go() {
    for (words, message) in [
        (&["a/b", "--bogus"][..], "flag provided but not defined: -bogus"),
        (&["a/b", "-qc"], "flag provided but not defined: -qc"),
        (&["a/b", "--arn"], "flag needs an argument: -arn"),
        (&["a/b", "---json"], "bad flag syntax: ---json"),
        (&["a/b", "--json=maybe"], "invalid boolean value \"maybe\" for -json: parse error"),
        (
            &["a/b", "-c", "x"],
            "invalid value \"x\" for flag -concurrent: strconv.ParseInt: parsing \"x\": invalid syntax",
        ),
        (
            &["a/b", "--max-queue", "-1"],
            "invalid value \"-1\" for flag -max-queue: strconv.ParseUint: parsing \"-1\": invalid syntax",
        ),
    ] {
        assert_eq!(parse(words).unwrap_err(), Stop::Usage(message.into()), "{words:?}");
    }
}

#[test]
fn the_number_of_targets_is_checked_before_anything_else() {
    assert_eq!(parse(&[]).unwrap_err(), Stop::Arity);
    assert_eq!(parse(&["a/b", "c/d"]).unwrap_err(), Stop::Arity);
    assert_eq!(parse(&["-h", "a/b", "c/d"]).unwrap_err(), Stop::Help);
}

#[test]
fn values_out_of_range_are_refused_by_name() {
    for (words, named) in [
        (&["a/b", "-c", "0"][..], "--concurrent"),
        (&["a/b", "-c", "1001"], "--concurrent"),
        (&["a/b", "--memory", "63KiB"], "--memory must be at least 64KiB."),
        (&["a/b", "--rate-limit", "-1"], "--rate-limit"),
        (&["a/b", "--rate-limit", "NaN"], "--rate-limit"),
        (&["a/b", "--validate"], "--validate"),
        (&["a/b", "--arn", ""], "--arn"),
        (&["a/b", "--resolve", "foo"], "invalid DNS resolve entry foo"),
        (&["a/b", "-H", "bad"], "invalid custom header entry without a colon"),
        (&["a/b", "-H", "a:b\r\nc:d"], "invalid custom header entry a"),
        (&["a/b", "--limit-upload", "fast"], "strconv.ParseFloat: parsing \"\": invalid syntax"),
    ] {
        let Stop::Invalid { message, .. } = parse(words).unwrap_err() else { panic!("{words:?}") };
        assert!(message.starts_with(named), "{words:?}: {message}");
    }
}

#[test]
fn a_variable_that_is_no_bool_is_an_error_in_the_words_of_mc() {
    let env = |name: &str| (name == "MC_JSON").then(|| "yes".to_owned());
    let Stop::Invalid { message, .. } = parse_in(&["a/b"], &env).unwrap_err() else { panic!() };
    assert_eq!(
        message,
        "could not parse yes as bool value for flag json: strconv.ParseBool: parsing \"yes\": invalid syntax"
    );
}

#[test]
fn the_sandbox_never_sees_the_value_of_a_custom_header() {
    let words: Vec<String> =
        ["-H", "X-A:topsecret", "--custom-header=X-B:topsecret", "-H=X-C: topsecret", "a/b"]
            .iter()
            .map(ToString::to_string)
            .collect();
    let redacted = redact(&words);
    assert!(redacted.iter().all(|word| !word.contains("topsecret")), "{redacted:?}");
    assert_eq!(redacted[1], "X-A:**REDACTED**");
    let env = |_: &str| None;
    assert_eq!(Args::parse(&redacted, &env).unwrap().custom_headers.len(), 3);
    for wrong in ["Bearer topsecret", "X-A:topsecret\u{1}b", ":topsecret"] {
        let redacted = redact(&["-H".into(), wrong.into(), "a/b".into()]);
        assert!(!redacted[1].contains("topsecret"), "{redacted:?}");
        assert!(Args::parse(&redacted, &env).is_err(), "{wrong:?} is still wrong");
    }
}

#[test]
fn durations_are_those_of_mc() {
    for (text, seconds) in
        [("90s", 90.0), ("1h30m", 5400.0), ("1d", 86_400.0), ("1.5m", 90.0), ("250ms", 0.25)]
    {
        let wait = parse(&["a/b", "--wait", text]).unwrap().wait.unwrap();
        assert_eq!(wait.as_secs_f64(), seconds, "{text}");
    }
    assert!(parse(&["a/b", "--wait", "292y"]).is_err(), "Go has no years");
    assert!(parse(&["a/b", "--wait", "2562047h"]).is_ok());
    for text in [
        "",
        "10",
        "m",
        "1x",
        "-5s",
        "0s",
        "1m2",
        "2562048h",
        "30000000000000w",
        "1e400s",
        "NaNs",
        "infs",
    ] {
        assert!(
            matches!(parse(&["a/b", &format!("--wait={text}")]), Err(Stop::Usage(_))),
            "{text}"
        );
    }
    assert!(parse(&["a/b", "--wait", "1m", "--dry-run"]).is_err());
}

/// Words that a command line with headers may be made of, in any order.
fn word() -> impl Strategy<Value = String> {
    let words = [
        "-H",
        "--H",
        "-custom-header",
        "--custom-header",
        "-C",
        "--config-dir",
        "--arn",
        "-c",
        "--json",
        "--json=false",
        "--",
        "-",
        "a/b",
        "--wait",
        "--summary",
        "3",
        "--unknown",
        "-HX-Auth:topsecret",
        "---",
        "-q",
        "--resolve",
        "X-Auth: topsecret",
        "X-Auth:topsecret=1",
        "topsecret-without-colon",
        "-H=X-Auth:topsecret",
        "--custom-header=X-Auth: topsecret",
        "-x=X-Auth:topsecret",
    ];
    prop::sample::select(words.to_vec()).prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn no_order_of_words_shows_the_value_of_a_header(words in prop::collection::vec(word(), 0..8)) {
        let env = |_: &str| None;
        let redacted = redact(&words);
        match (Args::parse(&words, &env), Args::parse(&redacted, &env)) {
            (Ok(args), Ok(seen)) => {
                let names = |args: &Args| {
                    args.custom_headers.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
                };
                prop_assert_eq!(names(&args), names(&seen));
                prop_assert!(seen.custom_headers.iter().all(|(_, value)| value == "**REDACTED**"));
                // A value of `--arn` that looks like a header is none.
                let secrets = args.custom_headers.iter().filter(|(_, v)| v.contains("topsecret"));
                let elsewhere = [args.arn.as_deref(), args.config_dir.as_deref()];
                let shown = redacted.iter().filter(|word| word.contains("topsecret")).count();
                let known = words.iter().filter(|word| word.contains("topsecret")).count();
                prop_assert!(shown + secrets.count() <= known, "{:?} {:?}", redacted, elsewhere);
            }
            (Err(error), Err(seen)) => prop_assert_eq!(
                std::mem::discriminant(&error), std::mem::discriminant(&seen), "{:?} {:?}", error, seen
            ),
            (one, other) => prop_assert!(false, "{:?} but {:?}", one.is_ok(), other.is_ok()),
        }
    }
}

#[test]
fn a_word_that_is_meant_as_the_value_of_another_flag_is_not_taken_for_a_header() {
    let redacted =
        |words: &[&str]| redact(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
    for (words, hidden) in [
        (&["-C", "-H", "-H", "X-Auth: topsecret", "a/b"][..], 3),
        (&["--arn", "-H", "-H", "X-Auth:topsecret", "a/b"], 3),
        (&["-H", "-H", "-H", "X-Auth:topsecret", "a/b"], 3),
        (&["-c", "--", "-H", "X-Auth:topsecret", "a/b"], 3),
    ] {
        let redacted = redacted(words);
        assert!(!redacted.concat().contains("topsecret"), "{redacted:?}");
        assert_eq!(redacted[hidden], "X-Auth:**REDACTED**");
    }
    let redacted = redacted(&["-HX-Auth:topsecret", "-H", "X-Auth:topsecret"]);
    assert_eq!(redacted, ["-HX-Auth"], "it ends the reading");
}
