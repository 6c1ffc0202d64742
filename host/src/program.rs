//! The story of one call of `mc-wasi`.
//!
//! Tested on Linux, and as built for Windows under Wine.

use crate::built_in::{self, COMPONENT};
use crate::code_cache::CodeCache;
use crate::connect::Connector;
use crate::engine::{self, Provision};
use crate::gate::{Gate, Open, Signing};
use crate::given_input::GivenInput;
use crate::mask::Mask;
#[cfg(unix)]
use crate::next_mc::{self, Fate};
use crate::outlet::{Lost, Outlet};
use crate::pool::Pool;
use crate::proxy::Proxy;
use crate::stop_input::{Stdin, StopInput};
use crate::sts::{Keys, Sts};
use crate::trace::Tracer;
use crate::{signals, tls, version};
use mc_wasi_policy::command_words::{self, Intent};
use mc_wasi_policy::{Copies, Denials, Grant, Limits, WebIdentity, aliases};
use resync_core::command::{
    Args, BUNDLED, Class, Env, FLAGS, FROM, SERVES, SESSION, SIGNS, STOP, no_alias, program_name,
    redact, region, variables, wants_json,
};
use resync_core::report::Message;
use resync_core::wire::{Alias, DEFAULT_REGION, Endpoint, Signer};
use rustls::ClientConfig;
use std::cell::OnceCell;
use std::ffi::OsString;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A reader of stdout that went away ends mc by SIGPIPE, which a shell reports as this.
const BROKEN_PIPE: u8 = 141;

/// What `--debug` says where the program trusts its own list of authorities.
const BUILT_IN_AUTHORITIES: &str = "This system has no certificates of authorities, so those of Mozilla serve, as of this build. SSL_CERT_FILE names others.";

/// Runs the program with the words of the command line and returns its exit status.
pub fn run(words: &[OsString]) -> u8 {
    let text = |word: &OsString| word.to_string_lossy().into_owned();
    let program = words.first().map_or_else(|| "mc-wasi".to_owned(), text);
    let program = program_name(&program).to_owned();
    let env = |name: &str| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty());
        value.or_else(|| (name == "HOME").then(home).flatten())
    };
    let lossy: Vec<String> = words.iter().map(text).collect();
    // Before anything of this process is changed that another program would inherit.
    #[cfg(unix)]
    match next_mc::hand_over(words) {
        Ok(Fate::Ours) => {}
        Ok(Fate::Listed(list, status)) => return say(&list).max(status),
        Err(message) => return fail(&program, &message, wants_json(&lossy, &env)),
    }
    #[cfg(unix)]
    allow_many_files();
    #[cfg(windows)]
    anstyle_query::windows::enable_ansi_colors();
    if let Err(message) = check_text(words) {
        return fail(&program, &message, wants_json(&lossy, &env));
    }
    let words = lossy;
    match command_words::read(&program, words.get(1..).unwrap_or_default()) {
        Intent::Version => say(&version::version(&program)),
        Intent::Commands(level) => say(&command_words::commands(&program, &level)),
        Intent::Unknown { word, like } => unknown(&program, &word, &like),
        Intent::Run(rest) => match Setup::new(&program, &rest, &env) {
            Ok(setup) => setup.run(),
            Err(message) => fail(&program, &message, wants_json(&rest, &env)),
        },
    }
}

/// Raises the number of files that may be open to what is allowed, as Go's runtime does: the usual 1,024
/// are less than `--concurrent 1000` needs with everything else. Windows has no such limit.
#[cfg(unix)]
fn allow_many_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// The home folder of the password database, where the variable is missing: under cron, in a service, by
/// `env -i`.
#[cfg(unix)]
fn home() -> Option<String> {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::effective()).ok()??;
    user.dir.into_os_string().into_string().ok().filter(|home| !home.is_empty())
}

/// On Windows `USERPROFILE` is what mc looks at, too.
#[cfg(not(unix))]
fn home() -> Option<String> {
    None
}

/// Refuses what is not UTF-8: another name than the one meant would be asked for.
fn check_text(words: &[OsString]) -> Result<(), Message> {
    let cause = "It is not valid UTF-8.";
    if let Some(word) = words.iter().find(|word| word.to_str().is_none()) {
        return Err(Message::fatal(format!("Unable to use the argument {word:?}."), cause));
    }
    let read =
        |name: &str| name.starts_with("MC_") || variables().any(|variable| variable.name == name);
    let wrong = std::env::vars_os()
        .find(|(name, value)| value.to_str().is_none() && name.to_str().is_none_or(read));
    match wrong {
        None => Ok(()),
        Some((name, _)) => {
            let name = name.to_string_lossy();
            Err(Message::fatal(format!("Unable to use the variable {name}."), cause))
        }
    }
}

/// Everything decided before the component starts.
struct Setup<'a> {
    program: &'a str,
    words: &'a [String],
    env: Env<'a>,
    folder: Option<PathBuf>,
    limits: Limits,
    /// `None` when the component will only say what is wrong with the arguments.
    job: Option<(Args, Alias)>,
    /// Where the keys of the alias are had, if it has none of its own.
    identity: Option<WebIdentity>,
    /// Whom all connections of the run trust, once it is found out: the system's list takes some reading.
    tls: OnceCell<Arc<ClientConfig>>,
}

impl<'a> Setup<'a> {
    fn new(program: &'a str, words: &'a [String], env: Env<'a>) -> Result<Self, Message> {
        let args = Args::parse(words, env).ok();
        let folder =
            aliases::folder(args.as_ref().and_then(|args| args.config_dir.as_deref()), env);
        let mut identity = None;
        let job = match args {
            Some(args) => {
                let name = &args.target.alias;
                aliases::check_values(name, env)?;
                identity = WebIdentity::of(name, std::process::id(), env)?;
                match aliases::find(name, folder.as_deref(), env)? {
                    Some(alias) => Some((args, alias)),
                    None => {
                        let missing = no_alias(&args.target.text);
                        let places = aliases::looked_at(name, folder.as_deref(), env);
                        return Err(Message {
                            cause: format!("{} {places}", missing.cause),
                            ..missing
                        });
                    }
                }
            }
            None => None,
        };
        let limits = Limits::new(job.as_ref().map(|(args, _)| args), env)?;
        Ok(Self { program, words, env, folder, limits, job, identity, tls: OnceCell::new() })
    }

    fn run(mut self) -> u8 {
        if let Some((args, alias)) = self.job.as_ref().filter(|(args, _)| args.print_grant) {
            let grant = Grant::new(args, &alias.endpoint);
            let signed = alias.credentials.is_some() || self.identity.is_some();
            let limits = &self.limits;
            return say(&if args.json {
                grant.json(signed, limits)
            } else {
                grant.text(signed, limits)
            });
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let result = runtime
            .map_err(|error| Message::fatal("Unable to start.", error.to_string()))
            .and_then(|runtime| {
                let status = runtime.block_on(async {
                    let temporary = self.take_identity().await?;
                    self.run_component(temporary).await
                });
                // A request nobody waits for any more must not keep the process.
                runtime.shutdown_background();
                status
            });
        match result {
            Ok(status) => status,
            Err(message) => fail(self.program, &message, wants_json(self.words, self.env)),
        }
    }

    /// Gets the keys of an alias that has none of its own.
    async fn take_identity(&mut self) -> Result<Option<(Sts, Keys)>, Message> {
        let identity = self.identity.take();
        let (Some(identity), Some((args, _))) = (identity, &self.job) else { return Ok(None) };
        let tracer = self.tracer(args);
        let sts = Sts {
            connector: self.connector(args, &identity.endpoint, &self.denials(), &tracer)?.0,
            custom_headers: args.custom_headers.iter().map(header).collect::<Result<_, _>>()?,
            identity,
            tracer,
        };
        let keys = sts.ask().await?;
        if let Some((_, alias)) = &mut self.job {
            alias.credentials = Some(keys.temporary.credentials.clone());
        }
        Ok(Some((sts, keys)))
    }

    async fn run_component(&self, temporary: Option<(Sts, Keys)>) -> Result<u8, Message> {
        let engine = engine::engine()
            .map_err(|error| Message::fatal("Unable to run WebAssembly.", format!("{error:#}")))?;
        let component = self.component(&engine)?;
        let stdout = Outlet::stdout().for_component();
        let given = self.given()?;
        let gate = self.gate()?.unwrap_or_default();
        if let (Some((sts, keys)), Some(open)) = (temporary, gate.open()) {
            let program = self.program.to_owned();
            let tell = move |message: &Message| complain(&message.line(&program, false));
            tokio::spawn(sts.keep_fresh(keys, Arc::downgrade(open), tell));
        }
        let stop = StopInput::default();
        let received = signals::watch(stop.clone());
        let provision = Provision {
            arguments: self.arguments(),
            variables: self.variables(),
            stdout: stdout.clone(),
            stderr: Outlet::stderr().for_component(),
            stdin: Stdin::new(stop, given),
            gate,
            limits: self.limits,
        };
        // As a task it has its turn after the connections that are ready, so it finds more answers at a time, half as
        // many waits for the kernel with ten in flight.
        let run = tokio::spawn(async move { engine::run(&component, provision).await });
        let success = run.await.unwrap_or_else(|error| resume_unwind(error.into_panic()));
        if let Some(status) = received.status() {
            return Ok(status);
        }
        match stdout.lost() {
            Some(Lost::Reader) => Ok(BROKEN_PIPE),
            Some(Lost::Device(_)) => Ok(1),
            None => success.map(|success| u8::from(!success)),
        }
    }

    /// The built-in component, or the one of `--component`.
    fn component(
        &self,
        engine: &wasmtime::Engine,
    ) -> Result<wasmtime::component::Component, Message> {
        let file = self.job.as_ref().and_then(|(args, _)| args.component.as_deref());
        if let (None, Some(component)) = (file, built_in::component(engine)) {
            return Ok(component);
        }
        let cache = self.cache_folder().map(|folder| CodeCache::open(&folder));
        if let (Some(Err(why)), Some((Args { debug: true, .. }, _))) = (&cache, &self.job) {
            complain(&format!("{}: <DEBUG> Compiled code is not kept: {why}", self.program));
        }
        let cache = cache.and_then(Result::ok);
        let Some(file) = file else {
            return engine::compile(engine, COMPONENT, cache.as_ref()).map_err(|unfit| {
                Message::fatal("Unable to run the built-in component.", unfit.to_string())
            });
        };
        let unable =
            |cause: String| Message::fatal(format!("Unable to run the component `{file}`."), cause);
        let bytes = read_at_most(file, self.limits.component).map_err(unable)?;
        engine::compile(engine, &bytes, cache.as_ref()).map_err(|unfit| unable(unfit.to_string()))
    }

    /// What `--from` names.
    fn given(&self) -> Result<Option<GivenInput>, Message> {
        let from = self.job.as_ref().and_then(|(args, _)| args.from.as_deref());
        let opened = from.map(|from| {
            GivenInput::open(from).map_err(|cause| {
                Message::fatal(format!("Unable to read the versions of `{from}`."), cause)
            })
        });
        opened.transpose()
    }

    /// The words, without what is secret in them.
    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![self.program.to_owned()];
        arguments.extend(redact(self.words));
        arguments
    }

    /// What the component may know of the environment.
    fn variables(&self) -> Vec<(String, String)> {
        let keys = self.job.as_ref().and_then(|(_, alias)| alias.credentials.as_ref());
        let signs = keys.map(|_| SIGNS);
        let session = keys.and_then(|keys| keys.session_token.as_ref()).map(|_| SESSION);
        let mut passed = vec![(SERVES.to_owned(), served(signs.into_iter().chain(session)))];
        if let Some(folder) = &self.folder {
            passed.push(("MC_CONFIG_DIR".to_owned(), folder.display().to_string()));
        }
        for variable in variables().filter(|variable| variable.read_by.is_passed()) {
            if let Some(value) = (self.env)(variable.name) {
                passed.push((variable.name.to_owned(), value));
            }
        }
        if let Some((args, alias)) = &self.job {
            passed.push((format!("MC_HOST_{}", args.target.alias), alias.endpoint.to_string()));
        }
        passed
    }

    /// `None` where there is nothing to ask a server for: the component will say what is wrong.
    fn gate(&self) -> Result<Option<Gate>, Message> {
        let Some((args, alias)) = &self.job else { return Ok(None) };
        let (denials, tracer) = (self.denials(), self.tracer(args));
        let (connector, login) = self.connector(args, &alias.endpoint, &denials, &tracer)?;
        let custom = args.custom_headers.iter().map(|(_, value)| value.as_str());
        let mask = Mask::new(alias.credentials.as_ref(), custom.chain(login.as_deref()));
        let region = region(self.env);
        let signer = alias.credentials.clone().map(|credentials| {
            Signer::new(credentials, region.as_deref().unwrap_or(DEFAULT_REGION))
        });
        Ok(Some(Gate::new(Open {
            grant: Grant::new(args, &alias.endpoint),
            signing: Signing::new(signer, region.is_some()),
            custom_headers: args.custom_headers.iter().map(header).collect::<Result<_, _>>()?,
            copies: Copies::default(),
            settings: tokio::sync::OnceCell::new(),
            mask,
            pool: Pool::new(connector, self.limits.requests),
            denials,
            tracer,
        })))
    }

    /// The way to a server, and what a proxy on it is told of who asks.
    fn connector(
        &self,
        args: &Args,
        server: &Endpoint,
        denials: &Arc<Denials>,
        tracer: &Option<Tracer>,
    ) -> Result<(Connector, Option<String>), Message> {
        let tls = self.tls(args)?;
        let proxy = Proxy::for_server(server, self.env)?;
        let login = proxy.as_ref().and_then(Proxy::authorization);
        let login = login.and_then(|login| login.to_str().ok()).map(str::to_owned);
        let connector = Connector::new(server, tls, Arc::clone(denials))
            .with_resolve(args.resolve.clone())
            .with_proxy(proxy)
            .with_tracer(tracer.clone())
            .with_limits(args.limit_upload, args.limit_download)
            .with_deadlines(args.conn_read_deadline, args.conn_write_deadline);
        Ok((connector, login))
    }

    /// Whom connections trust.
    fn tls(&self, args: &Args) -> Result<Arc<ClientConfig>, Message> {
        if let Some(tls) = self.tls.get() {
            return Ok(Arc::clone(tls));
        }
        let authorities = (!args.insecure).then(|| tls::Authorities::find(self.folder.as_deref()));
        if args.debug && authorities.as_ref().is_some_and(tls::Authorities::are_built_in) {
            complain(&format!("{}: <DEBUG> {BUILT_IN_AUTHORITIES}", self.program));
        }
        let tls = tls::client(authorities)
            .map_err(|error| Message::fatal("Unable to set up TLS.", error.to_string()))?;
        Ok(Arc::clone(self.tls.get_or_init(|| tls)))
    }

    /// Tells the user what was denied.
    fn denials(&self) -> Arc<Denials> {
        let program = self.program.to_owned();
        Denials::new(move |text| complain(&Message::error(text, "").line(&program, false)))
    }

    /// Traces with `--debug`.
    fn tracer(&self, args: &Args) -> Option<Tracer> {
        args.debug.then(|| Tracer::new(self.program, &args.custom_headers))
    }

    /// `$XDG_CACHE_HOME/mc-wasi` or `~/.cache/mc-wasi`; without a home nothing is kept.
    fn cache_folder(&self) -> Option<PathBuf> {
        let base = (self.env)("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| {
            (self.env)("LOCALAPPDATA")
                .filter(|_| cfg!(windows))
                .map(PathBuf::from)
                .or_else(|| (self.env)("HOME").map(|home| Path::new(&home).join(".cache")))
        });
        base.filter(|base| base.is_absolute()).map(|base| base.join("mc-wasi"))
    }
}

/// The bytes of a file that is no larger than this.
fn read_at_most(file: &str, most: usize) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(|error| error.to_string())?;
    let read = opened.take(most as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    if bytes.len() > most {
        return Err(format!("It is larger than {most} bytes. MC_WASI_MAX_COMPONENT changes that."));
    }
    Ok(bytes)
}

/// What this host does itself.
fn served<'a>(more: impl Iterator<Item = &'a str>) -> String {
    let served = FLAGS.iter().filter(|flag| matches!(flag.class, Class::Host | Class::Hidden));
    let mut names: Vec<&str> = served.map(|flag| flag.long).collect();
    names.extend(["debug", STOP, FROM, BUNDLED]);
    names.extend(more);
    names.join(",")
}

fn header(
    (name, value): &(String, String),
) -> Result<(http::HeaderName, http::HeaderValue), Message> {
    let bad = || Message::fatal(format!("invalid custom header entry {name}"), "");
    let parsed = http::HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
    let mut value = http::HeaderValue::from_str(value).map_err(|_| bad())?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

/// Says something on stdout, and returns the exit status of a run that only does so.
fn say(text: &str) -> u8 {
    let stdout = Outlet::stdout();
    let _ = stdout.put(text.as_bytes());
    match stdout.lost() {
        None => 0,
        Some(Lost::Reader) => BROKEN_PIPE,
        Some(Lost::Device(why)) => {
            complain(&format!("Unable to write to standard output: {why}"));
            1
        }
    }
}

/// Says something on stderr, if anybody listens there.
fn complain(text: &str) {
    let _ = Outlet::stderr().put(format!("{text}\n").as_bytes());
}

fn fail(program: &str, message: &Message, json: bool) -> u8 {
    if json {
        say(&format!("{}\n", message.json()));
    } else {
        complain(&message.line(program, false));
    }
    1
}

fn unknown(program: &str, word: &str, like: &[&str]) -> u8 {
    let message = Message::fatal(
        format!("`{word}` is not a recognized command. Get help using `--help` flag."),
        "",
    );
    let mut text = message.line(program, false);
    if !like.is_empty() {
        text.push_str("\n\nDid you mean one of these?\n");
        for name in like {
            text.push_str(&format!("        `{name}`\n"));
        }
    }
    complain(text.trim_end());
    1
}
