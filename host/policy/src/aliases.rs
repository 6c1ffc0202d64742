//! The aliases of this user. One is looked up where mc looks for it: in `MC_HOST_<alias>`, then in the
//! file that `MC_CONFIG_ENV_FILE` names, then in `config.json`. Nothing is ever written.
//!
//! Tested on Linux, and as built for Windows under Wine: the folder there is mc's, `%USERPROFILE%\mc`.

use resync_core::command::{Env, variables};
use resync_core::report::Message;
use resync_core::wire::{Alias, AliasError, Endpoint, credentials, without_keys};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};

/// The folder of the configuration: the flag's, the variable's, or `~/.mc`. `None` without a home.
pub fn folder(flag: Option<&str>, env: Env<'_>) -> Option<PathBuf> {
    let given = flag.map(str::to_owned).or_else(|| env("MC_CONFIG_DIR"));
    given.map(PathBuf::from).or_else(|| {
        let home = env("HOME").or_else(|| env("USERPROFILE").filter(|_| cfg!(windows)))?;
        Some(Path::new(&home).join(if cfg!(windows) { "mc" } else { ".mc" }))
    })
}

/// How a value begins that is none: mc fetches what it stands for from another server, with keys that are in it.
const ELSEWHERE: [&str; 2] = ["env://", "env+tls://"];

/// Refuses variables of this alias, or of no alias, whose value is on another server. Taken literally, they would be
/// a region or a file of that name.
///
/// # Errors
/// The name of one. Its value is not shown: it has a secret in it.
pub fn check_values(alias: &str, env: Env<'_>) -> Result<(), Message> {
    let names = variables().map(|variable| variable.name.replace("<alias>", alias));
    let is_elsewhere = |name: &String| {
        let value = env(name).unwrap_or_default();
        ELSEWHERE.iter().any(|scheme| value.trim_start().starts_with(scheme))
    };
    match names.into_iter().find(is_elsewhere) {
        None => Ok(()),
        Some(name) => Err(Message::fatal(
            format!("Unable to use the variable {name}."),
            "Its value is an env:// reference, which is not followed here: set it to the value itself, or mount that as a file and name it in MC_CONFIG_ENV_FILE.",
        )),
    }
}

/// The alias of this name, `None` when nobody knows it.
///
/// # Errors
/// What is wrong with the configuration. No error repeats a value, since it may hold a secret.
pub fn find(name: &str, folder: Option<&Path>, env: Env<'_>) -> Result<Option<Alias>, Message> {
    let variable = format!("MC_HOST_{name}");
    let broken = |place: &str, cause: String| {
        Message::fatal(format!("Unable to initialize target `{name}` from {place}."), cause)
    };
    if let Some(value) = env(&variable) {
        return Alias::from_mc_host(&value)
            .map(Some)
            .map_err(|cause| broken(&variable, cause.to_string()));
    }
    if let Some(file) = env("MC_CONFIG_ENV_FILE")
        && let Some(value) = from_env_file(&read(Path::new(&file))?, &file, &variable)?
    {
        return Alias::from_mc_host(&value)
            .map(Some)
            .map_err(|cause| broken(&format!("`{file}`"), cause.to_string()));
    }
    match folder {
        Some(folder) => {
            let file = folder.join("config.json");
            match std::fs::read_to_string(&file) {
                Ok(text) => from_config(&text, &file, name),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Message::fatal(
                    "Unable to load config.",
                    format!("{}: {error}", file.display()),
                )),
            }
        }
        None => Ok(None),
    }
}

fn read(file: &Path) -> Result<String, Message> {
    std::fs::read_to_string(file).map_err(|error| {
        Message::fatal(format!("Unable to read {}.", file.display()), error.to_string())
    })
}

/// Where [`find`] looked in vain, in words.
pub fn looked_at(name: &str, folder: Option<&Path>, env: Env<'_>) -> String {
    let mut places = vec![format!("the variable MC_HOST_{name}")];
    places.extend(env("MC_CONFIG_ENV_FILE"));
    places.push(match folder.map(|folder| folder.join("config.json")) {
        Some(file) if file.exists() => file.display().to_string(),
        Some(file) => format!("{}, which does not exist", file.display()),
        None => "no config.json, since there is no home folder".to_owned(),
    });
    format!("It was looked for in {}.", places.join(", in "))
}

/// Lines `MC_HOST_name=URL` or `name=URL`. Blank lines and comments, on which mc stumbles, are
/// passed over.
///
/// # Errors
/// A line is neither.
pub fn from_env_file(text: &str, file: &str, variable: &str) -> Result<Option<String>, Message> {
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            let cause = format!("parsing error at line {}", number + 1);
            return Err(Message::fatal(format!("Unable to parse {file}:"), cause));
        };
        let name = name.trim();
        if name == variable || variable.strip_prefix("MC_HOST_") == Some(name) {
            return Ok(Some(value.trim().to_owned()));
        }
    }
    Ok(None)
}

/// The version of `config.json` that mc writes.
const VERSION: &str = "10";

/// The members of a JSON object as Go's `encoding/json` takes them for a struct: names in any case, and
/// of several the last.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }

            // `null` leaves everything as it was, in Go.
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Vec::new())
            }
        }
        deserializer.deserialize_any(All).map(Members)
    }
}

impl<'a> Members<'a> {
    /// The values of a member, in their order.
    fn all(&self, name: &str) -> impl DoubleEndedIterator<Item = &'a RawValue> {
        self.0.iter().filter(move |(known, _)| folded(known) == name).map(|(_, value)| *value)
    }

    /// A text. `null` leaves what was there before it, which is nothing at first.
    fn text(&self, name: &str) -> Result<String, serde_json::Error> {
        let texts = self.all(name).map(|value| serde_json::from_str::<Option<String>>(value.get()));
        let texts = texts.collect::<Result<Vec<_>, _>>()?;
        Ok(texts.into_iter().flatten().next_back().unwrap_or_default())
    }
}

/// A name as Go compares it: without case, and with the two other characters that are an `s` and a `k`
/// then.
fn folded(name: &str) -> String {
    let fold = |c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    name.chars().map(fold).collect()
}

/// The alias of this name in the text of a `config.json`. Only this one has to be sound: what is wrong with
/// another is for those who use it.
///
/// # Errors
/// As [`find`].
pub fn from_config(text: &str, file: &Path, name: &str) -> Result<Option<Alias>, Message> {
    let unable = |cause: String| Message::fatal("Unable to load config.", cause);
    // The text around the error is not shown, as mc shows it: it may be a secret key.
    let syntax = |error: serde_json::Error| {
        unable(format!(
            "Unable to parse JSON schema due to a syntax error in {} at line {}, column {}.",
            file.display(),
            error.line(),
            error.column()
        ))
    };
    let member =
        |what: &str| unable(format!("{what} in {} is not what it should be.", file.display()));
    let config: Members<'_> = serde_json::from_str(text).map_err(syntax)?;
    let version = config.text("version").map_err(|_| member("`version`"))?;
    if version != VERSION {
        let remedy = match version.parse::<u32>() {
            Ok(version) if version < 10 => "run `mc alias list` once, which migrates it",
            _ => "please update your binary",
        };
        return Err(Message::fatal(
            format!(
                "Config version '{version}' does not match mc config version '{VERSION}', {remedy}."
            ),
            "",
        ));
    }
    let mut found = None;
    for aliases in config.all("aliases") {
        let aliases: Members<'_> =
            serde_json::from_str(aliases.get()).map_err(|_| member("`aliases`"))?;
        // The names of aliases have a case.
        found = aliases.0.into_iter().rev().find(|(known, _)| known == name).or(found);
    }
    let Some((_, found)) = found else { return Ok(None) };
    let found: Members<'_> =
        serde_json::from_str(found.get()).map_err(|_| member(&format!("Alias `{name}`")))?;
    let text =
        |what: &str| found.text(what).map_err(|_| member(&format!("`{what}` of alias `{name}`")));
    let (url, api) = (text("url")?, text("api")?);
    if api.eq_ignore_ascii_case("S3v2") {
        return Err(Message::fatal(
            format!("Unable to initialize target `{name}`."),
            format!(
                "It uses API signature S3v2, which the replication API does not accept. Set it again: mc alias set {name} {} ACCESSKEY SECRETKEY --api S3v4",
                without_keys(&url)
            ),
        ));
    }
    if !api.eq_ignore_ascii_case("S3v4") {
        return Err(Message::fatal(
            format!(
                "Unrecognized API signature {api} for host {}. Valid options are `[S3v4, S3v2]`",
                without_keys(&url)
            ),
            "",
        ));
    }
    let target = |cause: AliasError| {
        Message::fatal(format!("Unable to initialize target `{name}`."), cause.to_string())
    };
    let endpoint = Endpoint::parse(url.trim()).map_err(target)?;
    let token = text("sessiontoken")?;
    let (access, secret) = (text("accesskey")?, text("secretkey")?);
    let credentials = credentials(&access, &secret, Some(&token)).map_err(target)?;
    Ok(Some(Alias { endpoint, credentials }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(aliases: &str) -> Result<Option<Alias>, Message> {
        let text = format!(r#"{{"version":"10","aliases":{aliases}}}"#);
        from_config(&text, Path::new("config.json"), "a")
    }

    fn sound(aliases: &str) -> Alias {
        read(aliases).unwrap_or_else(|error| panic!("{error:?}")).expect("an alias")
    }

    const REST: &str = r#""url":"http://127.0.0.1:9000","api":"S3v4","path":"auto""#;

    #[test]
    fn members_are_taken_as_go_takes_them() {
        for (members, access) in [
            (r#""accessKey":"ak","secretKey":"sk","sessionToken":null"#, "ak"),
            (r#""AccessKey":"ak","SecretKey":"sk""#, "ak"),
            (r#""ACCESSKEY":"ak","secretkey":"sk""#, "ak"),
            (r#""acce\u017f\u017f\u212aey":"ak","secretKey":"sk""#, "ak"),
            (r#""accessKey":"first","AccessKey":"last","secretKey":"sk""#, "last"),
            (r#""AccessKey":"first","accessKey":"last","secretKey":"sk""#, "last"),
            (r#""accessKey":"ak","accessKey":null,"secretKey":"sk""#, "ak"),
            (r#""accessKey":"ak","secretKey":"sk","unknown":{"x":[1]}"#, "ak"),
        ] {
            let alias = sound(&format!(r#"{{"a":{{{REST},{members}}}}}"#));
            assert_eq!(alias.credentials.expect("keys").access_key, access, "{members}");
        }
        let none = sound(&format!(r#"{{"a":{{{REST},"accessKey":null}}}}"#));
        assert_eq!(none.credentials, None);
        let mixed = format!(r#"{{"VERSION":"10","Aliases":{{"a":{{{REST}}}}}}}"#);
        assert!(from_config(&mixed, Path::new("c"), "a").expect("sound").is_some());
    }

    #[test]
    fn a_value_that_is_on_another_server_is_refused_by_its_name_and_not_shown() {
        for name in ["MC_HOST_a", "MC_STS_ENDPOINT_a", "MC_REGION", "MC_CONFIG_ENV_FILE"] {
            for scheme in ELSEWHERE {
                let env = |asked: &str| (asked == name).then(|| format!("{scheme}k:topsecret@h/w"));
                let line = check_values("a", &env).unwrap_err().line("mc", false);
                assert!(line.contains(name) && !line.contains("topsecret"), "{line}");
            }
        }
        let another = |asked: &str| match asked {
            "MC_HOST_b" => Some("env://k:s@h/w".to_owned()),
            "MC_HOST_a" => Some("http://env:s@env://".to_owned()),
            "MC_REGION" => Some("environment".to_owned()),
            _ => None,
        };
        assert!(check_values("a", &another).is_ok());
    }

    #[test]
    fn only_the_alias_that_is_used_has_to_be_sound() {
        for other in [r#"{"url":5}"#, r#"{"api":"S3v9"}"#, "null", "7", r#"{"accessKey":[]}"#] {
            sound(&format!(r#"{{"b":{other},"a":{{{REST}}}}}"#));
            assert!(read(&format!(r#"{{"a":{other}}}"#)).is_err(), "{other}");
        }
        assert!(read("{}").expect("sound").is_none());
        assert!(read("null").expect("sound").is_none());
        assert!(read(&format!(r#"{{"A":{{{REST}}}}}"#)).expect("sound").is_none(), "another");
    }

    #[test]
    fn what_is_wrong_is_named_without_its_value() {
        for (members, named) in [
            (r#""accessKey":{"topsecret":1}"#, "`accesskey` of alias `a`"),
            (r#""accessKey":"topsecret""#, "needs a secret key"),
            (r#""secretKey":"topsecret""#, "needs an access key"),
        ] {
            let error = read(&format!(r#"{{"a":{{{REST},{members}}}}}"#)).unwrap_err();
            let line = error.line("mc", false);
            assert!(line.contains(named) && !line.contains("topsecret"), "{line}");
        }
        let broken = r#"{"version":"10","aliases":{"a":{"secretKey":"topsecret" x}}}"#;
        let error = from_config(broken, Path::new("config.json"), "a").unwrap_err();
        let line = error.line("mc", false);
        assert!(line.contains("line 1") && !line.contains("topsecret"), "{line}");
        let trailing = r#"{"version":"10"} {"version":"10"}"#;
        assert!(from_config(trailing, Path::new("c"), "a").is_err());
    }
}
