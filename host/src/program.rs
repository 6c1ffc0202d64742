//! The story of one call of `mc-wasi`.

use crate::connect::Connector;
use crate::engine::{self, COMPONENT, Provision};
use crate::gate::Gate;
use crate::pool::Pool;
use crate::proxy::Proxy;
use crate::stdio::{Output, StopInput};
use crate::trace::Tracer;
use crate::{signals, tls, version};
use mc_wasi_policy::command_words::{self, Intent};
use mc_wasi_policy::{Denials, Grant, Limits, aliases};
use resync_core::command::{
    Args, BUNDLED, Class, Env, FLAGS, SERVES, STOP, program_name, redact, wants_json,
};
use resync_core::report::Message;
use resync_core::wire::{Alias, DEFAULT_REGION, Signer};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A reader of stdout that went away ends mc by SIGPIPE, which a shell reports as this.
const BROKEN_PIPE: u8 = 141;

/// Runs the program with the words of the command line and returns its exit status.
pub fn run(words: &[String]) -> u8 {
    let program = program_name(words.first().map_or("mc-wasi", String::as_str)).to_owned();
    let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match command_words::read(&program, words.get(1..).unwrap_or_default()) {
        Intent::Version => say(&version::version(&program)),
        Intent::Commands(level) => say(&command_words::commands(&program, &level)),
        Intent::Unknown { word, like } => unknown(&program, &word, &like),
        Intent::Run(rest) => match Call::new(&program, &rest, &env) {
            Ok(call) => call.run(),
            Err(message) => fail(&program, &message, wants_json(&rest, &env)),
        },
    }
}

/// Everything decided before the component starts.
struct Call<'a> {
    program: &'a str,
    words: &'a [String],
    env: Env<'a>,
    folder: Option<PathBuf>,
    /// `None` when the component will only say what is wrong with the arguments.
    job: Option<(Args, Alias)>,
}

impl<'a> Call<'a> {
    fn new(program: &'a str, words: &'a [String], env: Env<'a>) -> Result<Self, Message> {
        let args = Args::parse(words, env).ok();
        let folder =
            aliases::folder(args.as_ref().and_then(|args| args.config_dir.as_deref()), env);
        let job = match args {
            Some(args) => {
                let alias = aliases::find(&args.target.alias, folder.as_deref(), env)?;
                alias.map(|alias| (args, alias))
            }
            None => None,
        };
        Ok(Self { program, words, env, folder, job })
    }

    fn run(self) -> u8 {
        if let Some((args, alias)) = self.job.as_ref().filter(|(args, _)| args.print_grant) {
            return match self.grant(args, alias) {
                Ok(text) => say(&text),
                Err(message) => fail(self.program, &message, args.json),
            };
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let result = runtime
            .map_err(|error| Message::fatal("Unable to start.", error.to_string()))
            .and_then(|runtime| {
                let status = runtime.block_on(self.run_component());
                // A request nobody waits for any more must not keep the process.
                runtime.shutdown_background();
                status
            });
        match result {
            Ok(status) => status,
            Err(message) => fail(self.program, &message, wants_json(self.words, self.env)),
        }
    }

    /// The text of `--print-grant`.
    fn grant(&self, args: &Args, alias: &Alias) -> Result<String, Message> {
        let grant = Grant::new(args, &alias.endpoint);
        let limits = Limits::new(Some(args), self.env)?;
        let signed = alias.credentials.is_some();
        Ok(if args.json { grant.json(signed, &limits) } else { grant.text(signed, &limits) })
    }

    async fn run_component(&self) -> Result<u8, Message> {
        let engine = engine::engine(self.cache_folder())
            .map_err(|error| Message::fatal("Unable to run WebAssembly.", format!("{error:#}")))?;
        let component = self.component(&engine)?;
        let stdout = Output::stdout();
        let stdin = StopInput::default();
        let received = signals::watch(stdin.clone());
        let args = self.job.as_ref().map(|(args, _)| args);
        let provision = Provision {
            arguments: self.arguments(),
            variables: self.variables(),
            stdout: stdout.clone(),
            stderr: Output::stderr(),
            stdin,
            gate: self.gate()?.unwrap_or_default(),
            limits: Limits::new(args, self.env)?,
        };
        let success = engine::run(&component, provision).await;
        if let Some(status) = received.status() {
            return Ok(status);
        }
        if stdout.is_broken() {
            return Ok(BROKEN_PIPE);
        }
        success.map(|success| u8::from(!success))
    }

    /// The built-in component, or the one of `--component`.
    fn component(
        &self,
        engine: &wasmtime::Engine,
    ) -> Result<wasmtime::component::Component, Message> {
        let file = self.job.as_ref().and_then(|(args, _)| args.component.as_deref());
        let Some(file) = file else {
            return engine::compile(engine, COMPONENT)
                .map_err(|cause| Message::fatal("Unable to run the built-in component.", cause));
        };
        let unable =
            |cause: String| Message::fatal(format!("Unable to run the component `{file}`."), cause);
        let bytes = std::fs::read(file).map_err(|error| unable(error.to_string()))?;
        engine::compile(engine, &bytes).map_err(unable)
    }

    /// The words, without what is secret in them.
    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![self.program.to_owned()];
        arguments.extend(redact(self.words));
        arguments
    }

    /// What the component may know of the environment.
    fn variables(&self) -> Vec<(String, String)> {
        let mut variables = vec![(SERVES.to_owned(), served())];
        if let Some(folder) = &self.folder {
            variables.push(("MC_CONFIG_DIR".to_owned(), folder.display().to_string()));
        }
        let known = FLAGS.iter().map(|flag| flag.env).filter(|env| !env.is_empty());
        for name in known.chain(["NO_COLOR", "COLUMNS", "MC_REGION", "AWS_REGION"]) {
            if name != "MC_CONFIG_DIR"
                && let Some(value) = (self.env)(name)
            {
                variables.push((name.to_owned(), value));
            }
        }
        if let Some((args, alias)) = &self.job {
            variables.push((format!("MC_HOST_{}", args.target.alias), alias.endpoint.to_string()));
        }
        variables
    }

    /// `None` where there is nothing to ask a server for: the component will say what is wrong.
    fn gate(&self) -> Result<Option<Gate>, Message> {
        let Some((args, alias)) = &self.job else { return Ok(None) };
        let tls = tls::client(self.folder.as_deref(), args.insecure)
            .map_err(|error| Message::fatal("Unable to set up TLS.", error.to_string()))?;
        let program = self.program.to_owned();
        let denials = Denials::new(move |text| {
            let line = Message::error(text, "").line(&program, false);
            let _ = writeln!(std::io::stderr(), "{line}");
        });
        let proxy = Proxy::for_server(&alias.endpoint, self.env)?;
        let mut connector = Connector::new(&alias.endpoint, tls, Arc::clone(&denials))
            .resolving(args.resolve.clone())
            .through(proxy);
        connector.limit(args.limit_upload, args.limit_download);
        connector.set_deadlines(args.conn_read_deadline, args.conn_write_deadline);
        // One more than objects in flight: the listing has a connection of its own.
        let pool = Pool::new(connector, Limits::new(Some(args), self.env)?.requests);
        let region = (self.env)("MC_REGION").or_else(|| (self.env)("AWS_REGION"));
        let signer = alias.credentials.clone().map(|credentials| {
            Signer::new(credentials, region.as_deref().unwrap_or(DEFAULT_REGION))
        });
        let grant = Grant::new(args, &alias.endpoint);
        let headers: Result<Vec<_>, Message> = args.custom_headers.iter().map(header).collect();
        let tracer = args.debug.then(|| Tracer::new(self.program, &args.custom_headers));
        let gate = Gate::new(grant, signer, region.is_some(), pool, denials)
            .with_custom_headers(headers?)
            .with_debug(tracer);
        Ok(Some(gate))
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

/// The flags this host serves, and that it can stop a run.
fn served() -> String {
    let served = FLAGS.iter().filter(|flag| matches!(flag.class, Class::Host | Class::Hidden));
    let mut names: Vec<&str> = served.map(|flag| flag.long).collect();
    names.extend(["debug", STOP, BUNDLED]);
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

fn say(text: &str) -> u8 {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => 0,
        Err(_) => BROKEN_PIPE,
    }
}

fn fail(program: &str, message: &Message, json: bool) -> u8 {
    if json {
        say(&format!("{}\n", message.json()));
    } else {
        let _ = writeln!(std::io::stderr(), "{}", message.line(program, false));
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
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
    1
}
