//! An alias: the endpoint that the first word of TARGET names, and the keys for it.
//!
//! `MC_HOST_<alias>` is read as mc reads it, which is not as a URL: the keys are taken raw, never
//! percent-decoded, so they may contain `/`, `+`, `@` and `#`, and a second `:` starts a session
//! token.

use crate::wire::secret::Secret;
use crate::wire::sigv4::Credentials;
use std::fmt;

/// `http` or `https`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The scheme as written in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port used when the URL names none.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Where the server is: scheme and authority, no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// `host[:port]` as the user wrote it, without the scheme's own port. It is the `Host` header, and
    /// it is what gets signed.
    pub authority: String,
}

impl Endpoint {
    /// Reads `scheme://host[:port][/]`.
    ///
    /// # Errors
    /// [`AliasError::Endpoint`], in words that fit after mc's "Unable to initialize target".
    pub fn parse(url: &str) -> Result<Self, AliasError> {
        let form = || AliasError::Endpoint(without_keys(url).to_owned());
        let (scheme, rest) = url.split_once("://").ok_or_else(form)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(form()),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let endpoint = Self { scheme, authority: authority.to_owned() };
        let (host, port) = endpoint.split();
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host_ok = match bracketed {
            Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty()
                    && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
            }
        };
        let port_ok = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        if !(host_ok && port_ok) {
            return Err(form());
        }
        // The scheme's own port is not a part of `Host`, as in mc: a proxy that passes its own idea of
        // the host on leaves it out, and the signature would be for another one.
        let own = scheme.default_port().to_string();
        match port.is_some_and(|port| port == own) {
            true => Ok(Self { scheme, authority: host.to_owned() }),
            false => Ok(endpoint),
        }
    }

    /// The host without the port; IPv6 in brackets.
    pub fn host(&self) -> &str {
        self.split().0
    }

    /// The host as resolvers and TLS take it: IPv6 without brackets.
    pub fn bare_host(&self) -> &str {
        self.host().trim_matches(['[', ']'])
    }

    /// The port, the scheme's default when none is written.
    pub fn port(&self) -> u16 {
        self.split().1.and_then(|port| port.parse().ok()).unwrap_or(self.scheme.default_port())
    }

    fn split(&self) -> (&str, Option<&str>) {
        let colon = match self.authority.rfind(']') {
            Some(end) => {
                self.authority.get(end..).and_then(|rest| rest.find(':')).map(|at| end + at)
            }
            None => self.authority.find(':'),
        };
        match colon.and_then(|at| self.authority.split_at_checked(at)) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => (&self.authority, None),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority)
    }
}

/// An endpoint with the keys for it; without keys, requests go out anonymous.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The server.
    pub endpoint: Endpoint,
    /// The account, `None` for anonymous access or when the host signs.
    pub credentials: Option<Credentials>,
}

impl Alias {
    /// Reads the value of `MC_HOST_<alias>`: `http[s]://[ACCESS:SECRET[:TOKEN]@]host[:port][/]`.
    ///
    /// # Errors
    /// What is wrong, never with the value itself: it may hold a secret.
    pub fn from_mc_host(value: &str) -> Result<Self, AliasError> {
        // A secret of Kubernetes that was made with `echo` ends with a newline. mc trims it, too.
        let value = value.trim();
        let scheme_end = value.find("://").map(|at| at + 3);
        let (scheme, rest) =
            scheme_end.and_then(|at| value.split_at_checked(at)).ok_or(AliasError::NoScheme)?;
        // mc's patterns are greedy up to the last `@`, which may stand inside the secret.
        let (keys, authority) = match rest.rsplit_once('@') {
            Some((keys, authority)) => (Some(keys), authority),
            None => (None, rest),
        };
        // The URL is not shown: in one that is mistyped, the keys stand where the host should.
        let endpoint = Endpoint::parse(&format!("{scheme}{authority}"))
            .map_err(|_| AliasError::HiddenEndpoint)?;
        let credentials = match keys {
            None => None,
            Some(keys) => {
                let (access, rest) = keys.split_once(':').ok_or(AliasError::NoSecretKey)?;
                let (secret, token) = match rest.split_once(':') {
                    Some((secret, token)) => (secret, Some(token)),
                    None => (rest, None),
                };
                credentials(access, secret, token)?
            }
        };
        Ok(Self { endpoint, credentials })
    }
}

/// What is wrong with an alias. No text repeats what may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AliasError {
    /// This is not the URL of a server.
    Endpoint(String),
    /// Neither is this one, which is not shown: where it is mistyped, the keys may be where the host belongs.
    HiddenEndpoint,
    /// It does not begin with `http://` or `https://`.
    NoScheme,
    /// It has an access key and no secret key.
    NoSecretKey,
    /// It has a secret key and no access key.
    NoAccessKey,
}

impl fmt::Display for AliasError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(url) => write!(
                f,
                "URL `{url}` for MinIO Client should be of the form scheme://host[:port]/ without resource component."
            ),
            Self::HiddenEndpoint => f.write_str(
                "The URL should be of the form http[s]://ACCESS:SECRET@host[:port]/ without resource component.",
            ),
            Self::NoScheme => f.write_str("expected http[s]://ACCESS:SECRET@host[:port]"),
            Self::NoAccessKey => {
                f.write_str("the secret key needs an access key: ACCESS:SECRET@host")
            }
            Self::NoSecretKey => {
                f.write_str("the access key needs a secret key: ACCESS:SECRET@host")
            }
        }
    }
}

impl std::error::Error for AliasError {}

/// A URL as a message may show it: somebody may have put keys where only a host belongs.
pub fn without_keys(url: &str) -> &str {
    url.rsplit_once('@').map_or(url, |(_, host)| host)
}

/// Keys as a config file or a variable gives them; empty ones mean anonymous access.
///
/// # Errors
/// One of the two is missing.
pub fn credentials(
    access: &str,
    secret: &str,
    token: Option<&str>,
) -> Result<Option<Credentials>, AliasError> {
    match (access.is_empty(), secret.is_empty()) {
        (true, true) => Ok(None),
        (false, true) => Err(AliasError::NoSecretKey),
        (true, false) => Err(AliasError::NoAccessKey),
        (false, false) => Ok(Some(Credentials {
            access_key: access.to_owned(),
            secret_key: Secret::new(secret),
            session_token: token.filter(|token| !token.is_empty()).map(Secret::new),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(value: &str) -> (String, String, Option<String>) {
        let keys = Alias::from_mc_host(value).unwrap().credentials.unwrap();
        let token = keys.session_token.map(|token| token.reveal().to_owned());
        (keys.access_key, keys.secret_key.reveal().to_owned(), token)
    }

    #[test]
    fn keys_are_taken_raw_as_mc_takes_them() {
        assert_eq!(keys("http://a:b/c+d%2F@h:9000"), ("a".into(), "b/c+d%2F".into(), None));
        assert_eq!(keys("https://a:p@ss#1@h"), ("a".into(), "p@ss#1".into(), None));
        assert_eq!(keys("https://a:b:to:ken@h/"), ("a".into(), "b".into(), Some("to:ken".into())));
    }

    #[test]
    fn white_space_around_it_is_not_a_part_of_it() {
        for value in ["http://a:b@h:9000\n", " http://a:b@h:9000/\r\n", "\thttp://a:b@h:9000"] {
            assert_eq!(Alias::from_mc_host(value).unwrap().endpoint.to_string(), "http://h:9000");
        }
    }

    #[test]
    fn one_key_alone_is_a_mistake() {
        for (value, error) in [
            ("http://a:@h", AliasError::NoSecretKey),
            ("http://a::token@h", AliasError::NoSecretKey),
            ("http://:b@h", AliasError::NoAccessKey),
        ] {
            assert_eq!(Alias::from_mc_host(value).unwrap_err(), error, "{value}");
        }
    }

    #[test]
    fn an_alias_without_keys_is_anonymous() {
        let alias = Alias::from_mc_host("https://minio.example.net").unwrap();
        assert_eq!(alias.credentials, None);
        assert_eq!((alias.endpoint.host(), alias.endpoint.port()), ("minio.example.net", 443));
        assert_eq!(Alias::from_mc_host("http://:@h:1").unwrap().credentials, None);
    }

    #[test]
    fn endpoints_keep_the_authority_as_written() {
        for (url, host, port) in [
            ("http://h:9000/", "h", 9000),
            ("https://[::1]:9443", "[::1]", 9443),
            ("https://[fe80::1]", "[fe80::1]", 443),
            ("http://10.0.0.1:443", "10.0.0.1", 443),
            ("https://h:80", "h", 80),
        ] {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!((endpoint.host(), endpoint.port()), (host, port), "{url}");
            assert_eq!(endpoint.bare_host(), host.trim_matches(['[', ']']), "{url}");
            assert_eq!(endpoint.to_string(), url.trim_end_matches('/'));
        }
    }

    #[test]
    fn the_schemes_own_port_is_left_out() {
        for (url, endpoint) in [
            ("http://h:80", "http://h"),
            ("https://h:443/", "https://h"),
            ("https://[::1]:443", "https://[::1]"),
            ("http://h:080", "http://h:080"),
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().to_string(), endpoint);
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused_without_echoing_keys() {
        for url in [
            "h:9000",
            "ftp://h",
            "http://",
            "http://h/p",
            "http://h:99999",
            "http://h:0",
            "http://h h",
            "http://h?x",
            "http://[::g]",
            "http://h\r\nX:y",
        ] {
            assert!(Endpoint::parse(url).is_err(), "{url:?}");
        }
        let error = Alias::from_mc_host("http://AK:topsecret@h/path").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("topsecret"), "{error}");
        for url in ["http://h:9000@AK:topsecret", "http://AK:x@h?topsecret", "http://topsecret@h"] {
            let error = Alias::from_mc_host(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("topsecret"), "{error}");
        }
        let error = Alias::from_mc_host("http://topsecret@h").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("topsecret"), "{error}");
    }
}
