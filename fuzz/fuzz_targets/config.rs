//! Aliases, from `MC_HOST_*`, from an env file and from `config.json`: no panic, and no error that
//! repeats a secret.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mc_wasi_policy::aliases;
use resync_core::command::Args;
use resync_core::wire::Alias;
use std::path::Path;

const SECRET: &str = "zq-topsecret-qz";

fuzz_target!(|input: (&str, &str, Vec<String>)| {
    let (before, after, words) = input;
    // The secret somewhere in something that may be an alias.
    let value = format!("{before}{SECRET}{after}");
    match Alias::from_mc_host(&value) {
        Ok(alias) => {
            let shown = format!("{alias:?}");
            let is_secret = alias
                .credentials
                .as_ref()
                .is_some_and(|keys| keys.secret_key.reveal().contains(SECRET));
            assert!(
                !is_secret || !shown.contains(SECRET) || before.contains('@') || {
                    // It may be the access key or the host as well, which are shown.
                    let keys = alias.credentials.as_ref().expect("keys");
                    keys.access_key.contains(SECRET) || alias.endpoint.authority.contains(SECRET)
                }
            );
            assert!(!alias.endpoint.authority.contains(['/', '@', ' ', '\r', '\n']));
        }
        Err(error) => assert!(!error.to_string().contains(SECRET), "{error}"),
    }

    // As a whole file, and as a value in one that is well-formed but for it.
    let member = serde_json::Value::String(value.clone());
    let file = format!(
        "{{\"version\":\"10\",\"aliases\":{{\"a\":{{\"url\":\"http://h\",\"accessKey\":\"AK\",\"secretKey\":{member},\"api\":\"S3v4\"{after}}}}}}}"
    );
    for text in [&value, &file] {
        if let Err(message) = aliases::from_config(text, Path::new("config.json"), "a") {
            let line = message.line("mc", false);
            // Of an alias, the URL and the API are shown, as in mc.
            assert!(!line.contains(SECRET) || before.contains(['u', 'a']), "{line}");
        }
    }
    if let Err(message) = aliases::from_env_file(&value, "env", "MC_HOST_a") {
        assert!(!message.line("mc", false).contains(SECRET), "{}", message.line("mc", false));
    }
    let _ = Args::parse(&words, &|_| None);
});
