//! The aliases of this user. One is looked up where mc looks for it: in `MC_HOST_<alias>`, then in the
//! file that `MC_CONFIG_ENV_FILE` names, then in `config.json`. Nothing is ever written.
//!
//! Tested on Linux. The folder on Windows is mc's, and untested.

use resync_core::command::Env;
use resync_core::report::Message;
use resync_core::wire::{Alias, Endpoint, credentials, without_keys};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folder of the configuration: the flag's, the variable's, or `~/.mc`. `None` without a home.
pub fn folder(flag: Option<&str>, env: Env<'_>) -> Option<PathBuf> {
    let given = flag.map(str::to_owned).or_else(|| env("MC_CONFIG_DIR"));
    given.map(PathBuf::from).or_else(|| {
        let home = env("HOME").or_else(|| env("USERPROFILE").filter(|_| cfg!(windows)))?;
        Some(Path::new(&home).join(if cfg!(windows) { "mc" } else { ".mc" }))
    })
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

#[derive(Deserialize)]
struct ConfigFile {
    #[serde(default)]
    version: String,
    #[serde(default)]
    aliases: BTreeMap<String, ConfigAlias>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct ConfigAlias {
    url: String,
    access_key: String,
    secret_key: String,
    session_token: String,
    api: String,
}

/// The version of `config.json` that mc writes.
const VERSION: &str = "10";

/// The alias of this name in the text of a `config.json`.
///
/// # Errors
/// As [`find`].
pub fn from_config(text: &str, file: &Path, name: &str) -> Result<Option<Alias>, Message> {
    let unable = |cause: String| Message::fatal("Unable to load config.", cause);
    // The text around the error is not shown, as mc shows it: it may be a secret key.
    let config: ConfigFile = serde_json::from_str(text).map_err(|error| {
        unable(format!(
            "Unable to parse JSON schema due to a syntax error in {} at line {}, column {}.",
            file.display(),
            error.line(),
            error.column()
        ))
    })?;
    if config.version != VERSION {
        let remedy = match config.version.parse::<u32>() {
            Ok(version) if version < 10 => "run `mc alias list` once, which migrates it",
            _ => "please update your binary",
        };
        return Err(Message::fatal(
            format!(
                "Config version '{}' does not match mc config version '{VERSION}', {remedy}.",
                config.version
            ),
            "",
        ));
    }
    for alias in config.aliases.values() {
        if !alias.api.eq_ignore_ascii_case("S3v4") && !alias.api.eq_ignore_ascii_case("S3v2") {
            return Err(Message::fatal(
                format!(
                    "Unrecognized API signature {} for host {}. Valid options are `[S3v4, S3v2]`",
                    alias.api,
                    without_keys(&alias.url)
                ),
                "",
            ));
        }
    }
    let Some(found) = config.aliases.get(name) else { return Ok(None) };
    if found.api.eq_ignore_ascii_case("S3v2") {
        return Err(Message::fatal(
            format!("Unable to initialize target `{name}`."),
            format!(
                "It uses API signature S3v2, which the replication API does not accept. Set it again: mc alias set {name} {} ACCESSKEY SECRETKEY --api S3v4",
                without_keys(&found.url)
            ),
        ));
    }
    let endpoint = Endpoint::parse(&found.url).map_err(|cause| {
        Message::fatal(format!("Unable to initialize target `{name}`."), cause.to_string())
    })?;
    let token = Some(found.session_token.as_str());
    Ok(Some(Alias {
        endpoint,
        credentials: credentials(&found.access_key, &found.secret_key, token),
    }))
}
