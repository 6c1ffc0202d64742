//! From the words of the command line and the `MC_*` variables to checked arguments.
//!
//! mc follows Go's flag package: one dash or two, flags before or after TARGET, `--json=false`,
//! no bundling of letters. [`words`] brings that into the one form clap reads; clap then does
//! the rest.

mod filter;
mod words;

pub use words::redact;

use crate::command::breakdown::DEPTH_RANGE;
use crate::command::flags::{self, Flag};
use crate::command::go::{parse_bool, parse_duration};
use crate::command::size::parse_size;
use crate::command::target::Target;
use crate::job::{CONCURRENT, CONCURRENT_RANGE, Filter, MAX_QUEUE, MIN_MEMORY, Mode};
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;
use words::normalize;

/// Looks up a variable. An empty one counts as unset, as in mc: whoever reads the environment leaves
/// it out.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The arguments of a run, checked.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "they are the switches of the command line")]
pub struct Args {
    /// What to work on.
    pub target: Target,
    /// Only this target ARN.
    pub arn: Option<String>,
    /// Only versions that pass it; its moment is not set yet.
    pub filter: Filter,
    /// Copy objects onto themselves first.
    pub clear_checksum: bool,
    /// Only try that on one version.
    pub validate: bool,
    /// Only list.
    pub dry_run: bool,
    /// Sum that up by prefix, so many levels deep.
    pub summary: Option<usize>,
    /// The file with the versions, [`STDIN`] for standard input, in the place of the listing.
    pub from: Option<String>,
    /// Requests in flight at most, 1 to 1,000.
    pub concurrent: usize,
    /// List once more at the end, for what the first listing did not show.
    pub verify_listing: bool,
    /// Wait this long for what was triggered to leave the backlog.
    pub wait: Option<Duration>,
    /// Bytes of listed versions kept at most.
    pub memory: Option<usize>,
    /// Versions triggered and not yet replicated at most; 0 is any number.
    pub max_queue: u64,
    /// Objects started per second at most; `None` is unlimited.
    pub rate_limit: Option<f64>,
    /// The folder of `config.json`, when given.
    pub config_dir: Option<String>,
    /// No progress, no colour.
    pub quiet: bool,
    /// No colour.
    pub no_color: bool,
    /// JSON lines.
    pub json: bool,
    /// Trace requests on stderr.
    pub debug: bool,
    /// `HOST[:PORT]=IP` entries.
    pub resolve: Vec<Resolve>,
    /// Do not verify certificates.
    pub insecure: bool,
    /// Bytes per second sent at most.
    pub limit_upload: Option<u64>,
    /// Bytes per second received at most.
    pub limit_download: Option<u64>,
    /// Idle deadline for a read on a connection.
    pub conn_read_deadline: Option<Duration>,
    /// Idle deadline for a write on a connection.
    pub conn_write_deadline: Option<Duration>,
    /// Headers set on every request after signing.
    pub custom_headers: Vec<(String, String)>,
    /// Run this component instead of the built-in one.
    pub component: Option<String>,
    /// Only say what the component may do.
    pub print_grant: bool,
    /// Names of the flags given on the command line.
    pub given: Vec<&'static str>,
}

/// What stands for standard input in the place of a file.
pub const STDIN: &str = "-";

/// One `--resolve` entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// `host` or `host:port` as written.
    pub host: String,
    /// Where to connect instead. More entries for a name are more addresses of it; mc takes the last one.
    pub address: std::net::IpAddr,
}

impl Resolve {
    /// Whether this is an address of that host, for that port.
    pub fn is_for(&self, host: &str, port: u16) -> bool {
        self.host == host || self.host == format!("{host}:{port}")
    }
}

/// Why there is nothing to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// `--help`: the help on stdout, success.
    Help,
    /// Not exactly one TARGET: the help on stdout, failure.
    Arity,
    /// A flag is wrong: mc's usage error with the list of flags.
    Usage(String),
    /// Anything else, in mc's error form: message and cause.
    Invalid {
        /// What failed.
        message: String,
        /// Why.
        cause: String,
    },
}

impl Stop {
    fn invalid(message: impl Into<String>, cause: impl Into<String>) -> Self {
        Self::Invalid { message: message.into(), cause: cause.into() }
    }
}

/// What mc says after a usage error.
pub(super) const INVALID_ARGUMENTS: &str =
    "Invalid arguments provided, please refer `mc <command> -h` for relevant documentation.";

impl Args {
    /// Reads the words after `replicate resync-backlog`.
    ///
    /// # Errors
    /// [`Stop`] says what to print instead of running.
    pub fn parse(words: &[String], env: Env<'_>) -> Result<Self, Stop> {
        let words = normalize(words).map_err(Stop::Usage)?;
        let matches = flags::command()
            .try_get_matches_from(words)
            .map_err(|error| Stop::Usage(error.kind().to_string()))?;
        let given = Given { matches: &matches, env };
        if given.switch("help")? {
            return Err(Stop::Help);
        }
        let targets = given.command_line("TARGET");
        let [target] = targets.as_slice() else { return Err(Stop::Arity) };
        let concurrent: usize = given.number("concurrent", CONCURRENT, "strconv.ParseInt")?;
        let rate_limit: f64 = given.number("rate-limit", 0.0, "strconv.ParseFloat")?;
        let args = Self {
            target: Target::parse(target)
                .map_err(|message| Stop::invalid(format!("{message}."), INVALID_ARGUMENTS))?,
            arn: given.value("arn"),
            filter: filter::filter(&given)?,
            clear_checksum: given.switch("clear-checksum")?,
            validate: given.switch("validate")?,
            dry_run: given.switch("dry-run")?,
            summary: match given.value("summary") {
                Some(_) => Some(given.number("summary", 0, "strconv.ParseInt")?),
                None => None,
            },
            from: given.value("from"),
            concurrent,
            verify_listing: given.switch("verify-listing")?,
            wait: given.duration("wait")?,
            conn_read_deadline: given.duration("conn-read-deadline")?,
            conn_write_deadline: given.duration("conn-write-deadline")?,
            memory: given
                .bytes("memory")?
                .map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
            max_queue: given.number("max-queue", MAX_QUEUE, "strconv.ParseUint")?,
            rate_limit: (rate_limit > 0.0).then_some(rate_limit),
            config_dir: given.value("config-dir"),
            quiet: given.switch("quiet")?,
            no_color: given.switch("no-color")? || env("NO_COLOR").is_some(),
            json: given.switch("json")?,
            debug: given.switch("debug")?,
            resolve: given
                .values("resolve")
                .iter()
                .map(|text| resolve(text))
                .collect::<Result<_, _>>()?,
            insecure: given.switch("insecure")?,
            limit_upload: given.bytes("limit-upload")?,
            limit_download: given.bytes("limit-download")?,
            custom_headers: given
                .values("custom-header")
                .iter()
                .map(|text| custom_header(text))
                .collect::<Result<_, _>>()?,
            component: given.value("component"),
            print_grant: given.switch("print-grant")?,
            given: flags::FLAGS
                .iter()
                .map(|flag| flag.long)
                .filter(|long| !given.command_line(long).is_empty())
                .collect(),
        };
        given.switch("disable-pager")?;
        args.check(rate_limit)?;
        Ok(args)
    }

    /// What is to be done with each version.
    pub fn mode(&self) -> Mode {
        match (self.dry_run, self.clear_checksum) {
            (true, _) => Mode::DryRun,
            (false, true) => Mode::ClearChecksum,
            (false, false) => Mode::Trigger,
        }
    }

    fn check(&self, rate_limit: f64) -> Result<(), Stop> {
        let refuse = |cause: &str| Err(Stop::invalid(cause, INVALID_ARGUMENTS));
        if !CONCURRENT_RANGE.contains(&self.concurrent) {
            return refuse("--concurrent must be between 1 and 1000.");
        }
        if !rate_limit.is_finite() || rate_limit < 0.0 {
            return refuse("--rate-limit must be 0 (unlimited) or a number of objects per second.");
        }
        if self.memory.is_some_and(|bytes| bytes < MIN_MEMORY) {
            return refuse(&format!("--memory must be at least {}KiB.", MIN_MEMORY >> 10));
        }
        if self.validate && !self.clear_checksum {
            return refuse("--validate can only be used with --clear-checksum.");
        }
        if self.validate && self.dry_run {
            return refuse(
                "--validate and --dry-run exclude each other: --validate copies one object.",
            );
        }
        if self.summary.is_some() && !self.dry_run {
            return refuse("--summary sums up what --dry-run lists: add --dry-run.");
        }
        if self.summary.is_some_and(|depth| !DEPTH_RANGE.contains(&depth)) {
            return refuse(&format!("--summary must be between 0 and {}.", DEPTH_RANGE.end()));
        }
        if self.wait.is_some() && (self.dry_run || self.validate) {
            return refuse("--wait needs a run that triggers: leave --dry-run and --validate out.");
        }
        if self.from.as_deref() == Some("") {
            return refuse("--from needs a file with versions, or - for standard input.");
        }
        if self.from.is_some() && self.verify_listing {
            return refuse(
                "--verify-listing and --from exclude each other: with --from nothing is listed.",
            );
        }
        if self.from.is_some() && self.validate {
            return refuse(
                "--validate and --from exclude each other: --validate takes versions from the listing.",
            );
        }
        if self.arn.as_deref() == Some("") {
            return refuse("--arn needs the ARN of a replication target.");
        }
        Ok(())
    }
}

/// Clap's matches, and the variables that count where a flag is not given.
struct Given<'a> {
    matches: &'a clap::ArgMatches,
    env: Env<'a>,
}

impl Given<'_> {
    fn command_line(&self, name: &str) -> Vec<String> {
        self.matches.get_many::<String>(name).into_iter().flatten().cloned().collect()
    }

    fn variable(&self, name: &str) -> Option<String> {
        let variable = Flag::find(name).map(|flag| flag.env).filter(|env| !env.is_empty())?;
        (self.env)(variable)
    }

    /// The last one given, else the variable's.
    fn value(&self, name: &str) -> Option<String> {
        self.command_line(name).pop().or_else(|| self.variable(name))
    }

    /// All given, else the variable's, which separates several by commas.
    fn values(&self, name: &str) -> Vec<String> {
        let given = self.command_line(name);
        if !given.is_empty() {
            return given;
        }
        let variable = self.variable(name).unwrap_or_default();
        variable.split(',').map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned).collect()
    }

    /// On when any occurrence says so: mc joins the levels of its command line with "or".
    fn switch(&self, name: &str) -> Result<bool, Stop> {
        let given = self.command_line(name);
        if given.is_empty() {
            let Some(value) = self.variable(name) else { return Ok(false) };
            return parse_bool(&value).ok_or_else(|| {
                let parser = format!("strconv.ParseBool: parsing {value:?}: invalid syntax");
                let what = format!("could not parse {value} as bool value for flag {name}");
                Stop::invalid(format!("{what}: {parser}"), "")
            });
        }
        given.iter().try_fold(false, |on, value| {
            parse_bool(value).map(|value| on || value).ok_or_else(|| {
                Stop::Usage(format!("invalid boolean value {value:?} for -{name}: parse error"))
            })
        })
    }

    fn number<T: FromStr>(&self, name: &str, default: T, parser: &str) -> Result<T, Stop> {
        let Some(text) = self.value(name) else { return Ok(default) };
        text.parse().map_err(|_| {
            Stop::Usage(format!(
                "invalid value {text:?} for flag -{name}: {parser}: parsing {text:?}: invalid syntax"
            ))
        })
    }

    fn duration(&self, name: &str) -> Result<Option<Duration>, Stop> {
        let parsed = self.value(name).map(|text| {
            parse_duration(&text).ok_or_else(|| {
                Stop::Usage(format!(
                    "invalid value {text:?} for flag -{name}: time: invalid duration {text:?}"
                ))
            })
        });
        parsed.transpose()
    }

    fn bytes(&self, name: &str) -> Result<Option<u64>, Stop> {
        let Some(text) = self.value(name) else { return Ok(None) };
        parse_size(&text).map(Some).map_err(|error| Stop::invalid(error.to_string(), ""))
    }
}

/// Whether errors are wanted as JSON, also of arguments that are wrong.
pub fn wants_json(words: &[String], env: Env<'_>) -> bool {
    let words = normalize(words).unwrap_or_default();
    let options = words.iter().take_while(|word| *word != "--");
    let given: Vec<&str> = options.filter_map(|word| word.strip_prefix("--json=")).collect();
    let is_on = |value: &str| parse_bool(value) == Some(true);
    if given.is_empty() {
        return env("MC_JSON").is_some_and(|value| is_on(&value));
    }
    given.into_iter().any(is_on)
}

fn resolve(text: &str) -> Result<Resolve, Stop> {
    let bad = || Stop::invalid(format!("invalid DNS resolve entry {text}"), "");
    let (host, address) = text.split_once('=').ok_or_else(bad)?;
    let address = address.trim_start_matches('[').trim_end_matches(']');
    match address.parse() {
        Ok(address) if !host.is_empty() => Ok(Resolve { host: host.to_owned(), address }),
        _ => Err(bad()),
    }
}

fn custom_header(text: &str) -> Result<(String, String), Stop> {
    // The value may be a token: an error names the header only, or nothing where it has no name.
    let bad =
        |shown: &dyn Display| Stop::invalid(format!("invalid custom header entry {shown}"), "");
    let (name, value) = text.split_once(':').ok_or_else(|| bad(&"without a colon"))?;
    let (name, value) = (name.trim(), value.trim());
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let visible = |b: u8| b == b'\t' || (b' '..0x7f).contains(&b) || b >= 0x80;
    if name.is_empty() || !name.bytes().all(token) || !value.bytes().all(visible) {
        return Err(bad(&name.escape_debug()));
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests;
