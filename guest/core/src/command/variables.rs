//! Every variable of the environment that anything here reads, said once: what `mc-wasi` hands to the
//! component, the man page and docs/environment.md all come from this table and from that of the flags.

use crate::command::args::Env;
use crate::command::flags::FLAGS;
use crate::command::serves::SERVES;

/// Who reads a variable under `mc-wasi`. Any other host hands over what its user tells it to, and the
/// component reads all but those of [`ReadBy::Host`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadBy {
    /// The component; `mc-wasi` passes it on as it is.
    Component,
    /// Both; `mc-wasi` passes it on as it is.
    Both,
    /// Both; the component gets another value than the user gave, without what it need not know.
    Rewritten,
    /// `mc-wasi`; the component never sees it.
    Host,
}

impl ReadBy {
    /// Whether the component gets the user's own value.
    pub fn is_passed(self) -> bool {
        matches!(self, Self::Component | Self::Both)
    }
}

/// One variable.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name; `<alias>` stands for the name of an alias.
    pub name: &'static str,
    /// What it does.
    pub does: &'static str,
    /// What counts where it is not set, empty when nothing does.
    pub default: &'static str,
    /// Who reads it.
    pub read_by: ReadBy,
}

const fn variable(
    name: &'static str,
    read_by: ReadBy,
    default: &'static str,
    does: &'static str,
) -> Variable {
    Variable { name, does, default, read_by }
}

/// All variables but those that stand for a flag. An empty one counts as not set.
const VARIABLES: &[Variable] = &[
    variable(
        "MC_HOST_<alias>",
        ReadBy::Rewritten,
        "",
        "the server and the keys of an alias: http[s]://[ACCESS:SECRET[:TOKEN]@]host[:port]; the component gets it without keys",
    ),
    variable(
        "MC_CONFIG_ENV_FILE",
        ReadBy::Host,
        "",
        "a file of MC_HOST_<alias>=URL lines, asked for an alias after the variable and before config.json",
    ),
    variable(
        "MC_STS_ENDPOINT_<alias>",
        ReadBy::Host,
        "",
        "where to get temporary keys for an alias in exchange for a token: http[s]://host[:port][/path]; they come before those of MC_HOST_<alias>",
    ),
    variable(
        "MC_WEB_IDENTITY_TOKEN_FILE_<alias>",
        ReadBy::Host,
        "",
        "the file of that token, read anew each time, as Kubernetes projects it for a service account",
    ),
    variable(
        "MC_ROLE_ARN_<alias>",
        ReadBy::Host,
        "",
        "the role that is asked for with it, where the server has roles",
    ),
    variable(
        "MC_ROLE_SESSION_NAME_<alias>",
        ReadBy::Host,
        "mc-wasi-PID",
        "the name of the session in the server's log",
    ),
    variable("MC_REGION", ReadBy::Both, "the server's", "the region to sign for"),
    variable("AWS_REGION", ReadBy::Both, "", "as MC_REGION, which comes first"),
    variable("NO_COLOR", ReadBy::Component, "", "no colours, whatever it is set to"),
    variable(
        "TERM",
        ReadBy::Component,
        "",
        "the kind of terminal; where it is dumb or not set, no colours and no progress line",
    ),
    variable(
        "COLUMNS",
        ReadBy::Component,
        "",
        "the width of the terminal, for the progress line and the table of --summary",
    ),
    variable(
        "HTTPS_PROXY",
        ReadBy::Host,
        "https_proxy",
        "the HTTP proxy for servers with https://: http[s]://[USER:PASSWORD@]host:port",
    ),
    variable(
        "HTTP_PROXY",
        ReadBy::Host,
        "http_proxy",
        "the HTTP proxy for servers with http://; not read where REQUEST_METHOD is set",
    ),
    variable(
        "NO_PROXY",
        ReadBy::Host,
        "no_proxy",
        "hosts that are asked without a proxy, separated by commas: names with everything below them, addresses, networks, host:port, or *",
    ),
    variable(
        "REQUEST_METHOD",
        ReadBy::Host,
        "",
        "set for a CGI program, whose HTTP_PROXY is a header of whoever calls",
    ),
    variable(
        "SSL_CERT_FILE",
        ReadBy::Host,
        "the system's",
        "a PEM file of the authorities to trust, instead of the system's",
    ),
    variable(
        "SSL_CERT_DIR",
        ReadBy::Host,
        "the system's",
        "folders of such files, separated by colons",
    ),
    variable(
        "HOME",
        ReadBy::Host,
        "",
        "where the configuration (~/.mc) and the compiled code of --component (~/.cache) are",
    ),
    variable("USERPROFILE", ReadBy::Host, "", "as HOME, on Windows"),
    variable(
        "XDG_CACHE_HOME",
        ReadBy::Host,
        "~/.cache",
        "the folder in which mc-wasi/ keeps the machine code of --component; an absolute path",
    ),
    variable("LOCALAPPDATA", ReadBy::Host, "", "as XDG_CACHE_HOME, on Windows"),
    variable(
        "MC_WASI_MAX_MEMORY",
        ReadBy::Host,
        "512MiB and --memory",
        "memory that a component may have",
    ),
    variable(
        "MC_WASI_MAX_HANDLES",
        ReadBy::Host,
        "80 and 8 for each of --concurrent",
        "streams, requests and other handles that a component may hold",
    ),
    variable("MC_WASI_MAX_HEADERS", ReadBy::Host, "16KiB", "headers of one request"),
    variable(
        "MC_WASI_MAX_CALL",
        ReadBy::Host,
        "4MiB",
        "what a component may hand over in one call",
    ),
    variable(
        "MC_WASI_MAX_COMPONENT",
        ReadBy::Host,
        "64MiB",
        "the size of the file of --component, which has 60 s to be compiled",
    ),
    variable(
        "MC_WASI_MC",
        ReadBy::Host,
        "the next mc of PATH",
        "where mc-wasi is called by the name mc: the program that runs every other command",
    ),
    variable(
        "MC_WASI_HANDED_OVER",
        ReadBy::Host,
        "",
        "set by mc-wasi for that program: how often a command was handed over; from 10 on it is a circle",
    ),
    variable(
        SERVES,
        ReadBy::Rewritten,
        "",
        "set by a host: what it does itself, separated by commas: flags, stop, from and mc-wasi; a flag of a host that is not among them is refused",
    ),
];

/// The region to sign for, if the user chose one.
pub fn region(env: Env<'_>) -> Option<String> {
    env("MC_REGION").or_else(|| env("AWS_REGION"))
}

/// All of them, those of the flags first.
pub fn variables() -> impl Iterator<Item = Variable> {
    let of_flags = FLAGS.iter().filter(|flag| !flag.env.is_empty()).map(|flag| Variable {
        name: flag.env,
        does: flag.help,
        default: flag.default,
        // The host tells the component which folder it uses in the end.
        read_by: if flag.long == "config-dir" { ReadBy::Rewritten } else { ReadBy::Both },
    });
    of_flags.chain(VARIABLES.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_variable_is_there_once() {
        let names: Vec<&str> = variables().map(|variable| variable.name).collect();
        let unique: BTreeSet<&&str> = names.iter().collect();
        assert_eq!(unique.len(), names.len(), "{names:?}");
    }

    #[test]
    fn the_region_of_mc_comes_before_that_of_aws() {
        let both = |name: &str| name.ends_with("_REGION").then(|| name.to_lowercase());
        assert_eq!(region(&both).as_deref(), Some("mc_region"));
        let aws = |name: &str| (name == "AWS_REGION").then(|| "eu-west-1".to_owned());
        assert_eq!(region(&aws).as_deref(), Some("eu-west-1"));
        assert_eq!(region(&|_| None), None);
    }

    #[test]
    fn a_variable_that_may_hold_a_secret_is_not_passed_on() {
        for secret in [
            "MC_HOST_<alias>",
            "MC_WEB_IDENTITY_TOKEN_FILE_<alias>",
            "MC_CONFIG_ENV_FILE",
            "HTTPS_PROXY",
            "HTTP_PROXY",
        ] {
            let found = variables().find(|variable| variable.name == secret);
            assert!(found.is_some_and(|variable| !variable.read_by.is_passed()), "{secret}");
        }
    }
}
