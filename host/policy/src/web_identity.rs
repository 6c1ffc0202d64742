//! Temporary keys in exchange for a token, as a pod of Kubernetes has one: which variables say so, what is asked of
//! the STS (`AssumeRoleWithWebIdentity`), and what its answer means.
//!
//! The variables are mc's. Where mc goes on with other keys, or with none, when it gets no answer, this is an error:
//! a run under another account than the one that was set up helps nobody.

use http::uri::PathAndQuery;
use resync_core::command::Env;
use resync_core::report::Message;
use resync_core::wire::{Credentials, Endpoint, Secret, encode, parse_rfc3339, xml};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The most that a token may have: the limit of AWS. Those of Kubernetes have about 1,000.
const LONGEST_TOKEN: usize = 20_000;

/// How long keys are taken to be good that say nothing of it: the shortest time an STS gives.
const SHORTEST: Duration = Duration::from_secs(900);

/// Who an alias is in exchange for a token.
#[derive(Debug, Clone)]
pub struct WebIdentity {
    alias: String,
    /// Where the STS is.
    pub endpoint: Endpoint,
    /// What is asked for there.
    pub path: PathAndQuery,
    token_file: PathBuf,
    role: Option<String>,
    session: String,
}

/// Keys for a time.
#[derive(Debug, Clone)]
pub struct Temporary {
    /// The keys.
    pub credentials: Credentials,
    /// For how long they are good, by the clock of the STS.
    pub lifetime: Duration,
}

impl WebIdentity {
    /// What the environment says of an alias; `None` where it has keys of its own, or none. `process` tells the
    /// sessions of this machine apart where the user gave them no name.
    ///
    /// # Errors
    /// A variable is missing or makes no sense.
    pub fn of(alias: &str, process: u32, env: Env<'_>) -> Result<Option<Self>, Message> {
        let name = |variable: &str| format!("{variable}_{alias}");
        let (endpoint, file) = (name("MC_STS_ENDPOINT"), name("MC_WEB_IDENTITY_TOKEN_FILE"));
        let unable = |variable: &str, cause: String| {
            Message::fatal(format!("Unable to get keys for alias `{alias}` by {variable}."), cause)
        };
        let Some(url) = env(&endpoint) else {
            return match env(&file) {
                None => Ok(None),
                Some(_) => Err(unable(&file, format!("{endpoint} is not set; it says where."))),
            };
        };
        let Some(token_file) = env(&file).map(PathBuf::from) else {
            let cause = format!("{file} is not set; it names the token to get them for.");
            return Err(unable(&endpoint, cause));
        };
        let (server, path) = server_and_path(&url).ok_or_else(|| {
            // It is not shown: somebody may have put keys into it.
            unable(&endpoint, "It should be of the form http[s]://host[:port][/path].".to_owned())
        })?;
        let session = env(&name("MC_ROLE_SESSION_NAME"));
        Ok(Some(Self {
            alias: alias.to_owned(),
            endpoint: server,
            path,
            token_file,
            role: env(&name("MC_ROLE_ARN")),
            session: session.unwrap_or_else(|| format!("mc-wasi-{process}")),
        }))
    }

    /// The token of this moment: whoever wrote it writes a new one before it expires.
    ///
    /// # Errors
    /// There is none in the file.
    pub fn token(&self) -> Result<Secret, Message> {
        let text =
            read_some(&self.token_file, LONGEST_TOKEN).map_err(|cause| self.unreadable(cause))?;
        let token = text.trim();
        let wrong = if token.is_empty() {
            "It is empty."
        } else if token.len() > LONGEST_TOKEN {
            "It is too long for a token."
        } else if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            "What is in it is not a token: it has spaces or lines in it."
        } else {
            return Ok(Secret::new(token));
        };
        Err(self.unreadable(wrong.to_owned()))
    }

    fn unreadable(&self, cause: String) -> Message {
        let file = self.token_file.display();
        let variable = format!("MC_WEB_IDENTITY_TOKEN_FILE_{}", self.alias);
        Message::fatal(
            format!("Unable to read the token in {file}, which {variable} names."),
            cause,
        )
    }

    /// What is sent to the STS.
    pub fn form(&self, token: &Secret) -> Secret {
        let mut form = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15".to_owned();
        let mut add = |name: &str, value: &str| {
            let _ = write!(form, "&{name}=");
            encode::query_value(&mut form, value);
        };
        if let Some(role) = &self.role {
            add("RoleArn", role);
        }
        add("RoleSessionName", &self.session);
        add("WebIdentityToken", token.reveal());
        Secret::new(form)
    }

    /// What the answer of the STS means: its status, its body, and the time by the clock of the STS in seconds
    /// since 1970.
    ///
    /// # Errors
    /// It gives no keys.
    pub fn answered(&self, status: u16, body: &str, now: i64) -> Result<Temporary, Message> {
        let text = |name: &str| xml::text(body, name).map(|text| text.trim().to_owned());
        let filled = |name: &str| text(name).filter(|text| !text.is_empty());
        if status == 200
            && let (Some(access_key), Some(secret)) =
                (filled("AccessKeyId"), filled("SecretAccessKey"))
        {
            let lifetime = match filled("Expiration").map(|at| parse_rfc3339(&at)) {
                None => SHORTEST,
                Some(at) => {
                    let left = at.map_or(0, |at| at / 1_000_000_000 - i128::from(now));
                    Duration::from_secs(u64::try_from(left).unwrap_or(0))
                }
            };
            if lifetime.is_zero() {
                return Err(self.refused("The keys that it gave had expired already."));
            }
            let credentials = Credentials {
                access_key,
                secret_key: Secret::new(secret),
                session_token: filled("SessionToken").map(Secret::new),
            };
            return Ok(Temporary { credentials, lifetime });
        }
        let Some(code) = filled("Code").filter(|_| status != 200) else {
            return Err(self.refused(&format!(
                "It answered {status} with something that is no answer of an STS; MC_STS_ENDPOINT_{} should lead to one.",
                self.alias
            )));
        };
        let said = text("Message").unwrap_or_default();
        let said = said.trim_end_matches('.');
        let token = format!("the token in {}", self.token_file.display());
        // MinIO has a code for it, and uses another one.
        let expired = code.starts_with("ExpiredToken") || said.contains("expired");
        let remedy = match code.as_str() {
            _ if expired => format!(
                " Whoever writes {token} must write a new one before it expires; Kubernetes does, where it is projected."
            ),
            "InvalidParameterValue" | "InvalidIdentityToken" | "InvalidClientTokenId" => {
                format!(" It takes {token} only while it is good, and made for it (its audience).")
            }
            "AccessDenied" | "AccessDeniedException" => {
                format!(
                    " It has to know the issuer of {token}, and a policy for it (MC_ROLE_ARN_{}).",
                    self.alias
                )
            }
            _ => String::new(),
        };
        Err(self.refused(&format!("{code}: {said}.{remedy}")))
    }

    /// That there was no answer.
    pub fn unanswered(&self, cause: &str) -> Message {
        let variable = format!("MC_STS_ENDPOINT_{}", self.alias);
        self.refused(&format!("{cause}; {variable} says where it should be"))
    }

    /// That no keys were had.
    fn refused(&self, cause: &str) -> Message {
        let Self { alias, endpoint, path, .. } = self;
        Message::fatal(
            format!("Unable to get keys for alias `{alias}` from {endpoint}{path}."),
            cause,
        )
    }
}

/// A URL without a query, as server and path.
fn server_and_path(url: &str) -> Option<(Endpoint, PathAndQuery)> {
    let url = url.trim();
    let start = url.find("://")? + 3;
    let end = url.get(start..)?.find('/').map_or(url.len(), |at| start + at);
    let (server, path) = url.split_at_checked(end)?;
    let path = if path.is_empty() { "/" } else { path };
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte));
    Some((Endpoint::parse(server).ok()?, path.parse().ok().filter(|_| plain)?))
}

/// The text of a file, or of its beginning that is longer than `most`.
fn read_some(file: &Path, most: usize) -> Result<String, String> {
    use std::io::Read as _;
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|error| error.to_string())?;
    // White space around it is not a part of it.
    let read = opened.take(2 * most as u64).read_to_string(&mut text);
    read.map_err(|error| error.to_string())?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: [(&str, &str); 2] = [
        ("MC_STS_ENDPOINT_a", "https://sts.example.net:4223/sts/ns-1"),
        ("MC_WEB_IDENTITY_TOKEN_FILE_a", "/token"),
    ];

    fn of(variables: &[(&str, &str)]) -> Result<Option<WebIdentity>, String> {
        let env = |name: &str| {
            variables.iter().rev().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned())
        };
        WebIdentity::of("a", 7, &env).map_err(|message| message.line("mc", false))
    }

    fn identity() -> WebIdentity {
        of(&SET).expect("sound").expect("set")
    }

    fn with(more: &[(&str, &str)]) -> WebIdentity {
        of(&[&SET[..], more].concat()).expect("sound").expect("set")
    }

    #[test]
    fn the_variables_of_another_alias_are_not_meant() {
        assert!(
            of(&[("MC_STS_ENDPOINT_b", "https://sts"), ("MC_ROLE_ARN_a", "r")]).unwrap().is_none()
        );
        let identity = identity();
        assert_eq!(identity.endpoint.to_string(), "https://sts.example.net:4223");
        assert_eq!(identity.path, "/sts/ns-1");
        assert_eq!(with(&[("MC_STS_ENDPOINT_a", " http://minio:9000\n")]).path, "/");
    }

    #[test]
    fn one_variable_without_the_other_is_an_error_that_names_both() {
        for only in SET {
            let error = of(&[only]).unwrap_err();
            assert!(SET.iter().all(|(name, _)| error.contains(name)), "{error}");
        }
    }

    #[test]
    fn what_is_no_url_of_a_server_is_refused_and_not_shown() {
        for url in [
            "sts.example.net",
            "ftp://topsecret",
            "http://",
            "https://a:topsecret@sts",
            "https://sts/?topsecret",
            "https://sts/topsecret#",
            "https://sts/top secret",
            "https://sts/\u{e9}topsecret",
        ] {
            let error = of(&[SET[1], ("MC_STS_ENDPOINT_a", url)]).unwrap_err();
            assert!(error.contains("MC_STS_ENDPOINT_a") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_form_says_who_asks_for_what_role() {
        let form =
            |identity: WebIdentity| identity.form(&Secret::new("a.b+c/d")).reveal().to_owned();
        assert_eq!(
            form(identity()),
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=mc-wasi-7&WebIdentityToken=a.b%2Bc%2Fd"
        );
        let role =
            [("MC_ROLE_ARN_a", "arn:minio:iam:::role/x"), ("MC_ROLE_SESSION_NAME_a", "job&1")];
        let form = form(with(&role));
        assert!(
            form.contains("&RoleArn=arn%3Aminio%3Aiam%3A%3A%3Arole%2Fx&RoleSessionName=job%261&"),
            "{form}"
        );
    }

    fn answer(status: u16, body: &str) -> Result<Temporary, String> {
        let now = 1_800_000_000;
        identity().answered(status, body, now).map_err(|message| message.line("mc", false))
    }

    fn keys(expiration: &str) -> String {
        format!(
            "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AK</AccessKeyId><SecretAccessKey>s&amp;k</SecretAccessKey>{expiration}<SessionToken>tok</SessionToken></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
        )
    }

    #[test]
    fn keys_are_good_until_they_expire_by_the_clock_of_the_sts() {
        let answered = answer(200, &keys("<Expiration>2027-01-15T09:00:00Z</Expiration>")).unwrap();
        assert_eq!(answered.lifetime, Duration::from_secs(3600));
        let Credentials { access_key, secret_key, session_token } = answered.credentials;
        assert_eq!((access_key.as_str(), secret_key.reveal()), ("AK", "s&k"));
        assert_eq!(session_token.as_ref().map(Secret::reveal), Some("tok"));
        assert_eq!(answer(200, &keys("")).unwrap().lifetime, SHORTEST);
        for past in ["2027-01-15T08:00:00Z", "1970-01-01T00:00:00Z", "tomorrow"] {
            let error =
                answer(200, &keys(&format!("<Expiration>{past}</Expiration>"))).unwrap_err();
            assert!(error.contains("expired already"), "{error}");
        }
    }

    #[test]
    fn what_is_no_answer_of_an_sts_is_said_to_be_none() {
        let keyless = "<AccessKeyId>AK</AccessKeyId>";
        for (status, body) in [
            (200, "<html><body>Log in</body></html>"),
            (200, ""),
            (200, keyless),
            (404, "<html><h1>404</h1></html>"),
            (302, ""),
            (502, "Bad Gateway"),
        ] {
            let error = answer(status, body).unwrap_err();
            let named =
                format!("from https://sts.example.net:4223/sts/ns-1. It answered {status} with");
            assert!(error.contains(&named) && error.contains("MC_STS_ENDPOINT_a"), "{error}");
        }
    }

    #[test]
    fn what_the_sts_says_is_passed_on_with_what_to_do() {
        for (code, remedy) in [
            ("ExpiredToken", "must write a new one before it expires"),
            ("InvalidParameterValue", "made for it (its audience)."),
            ("ExpiredTokenException", "must write a new one before it expires"),
            ("AccessDenied", "(MC_ROLE_ARN_a)."),
            ("InternalError", "InternalError: so it is."),
        ] {
            let body = format!(
                "<ErrorResponse><Error><Type/><Code>{code}</Code><Message>so it is.</Message></Error></ErrorResponse>"
            );
            let error = answer(400, &body).unwrap_err();
            assert!(
                error.contains(format!("{code}: so it is. ").trim_end()) && error.contains(remedy),
                "{error}"
            );
        }
    }

    #[test]
    fn a_token_is_one_word_of_a_file() {
        let file = std::env::temp_dir().join(format!("mc-wasi-token-{}", std::process::id()));
        let identity = with(&[("MC_WEB_IDENTITY_TOKEN_FILE_a", &file.display().to_string())]);
        let read = |text: &str| {
            std::fs::write(&file, text).expect("a file");
            identity.token().map_err(|message| message.line("mc", false))
        };
        assert_eq!(read("eyJ.x.y\n").unwrap().reveal(), "eyJ.x.y");
        let long = "x".repeat(LONGEST_TOKEN + 1);
        for wrong in ["", " \n", "two topsecret", "a\n\nb", "\u{e9}topsecret", &long] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains("MC_WEB_IDENTITY_TOKEN_FILE_a"), "{error}");
            assert!(!error.contains("topsecret") && error.len() < 400, "{error}");
        }
        std::fs::remove_file(&file).expect("the file");
        assert!(identity.token().unwrap_err().line("mc", false).contains("No such file"));
    }
}
