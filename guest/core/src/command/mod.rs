//! The program: from the words of the command line to the exit status.

pub mod args;
mod failures;
pub mod flags;
pub mod help;
pub mod offline;
mod output;
mod run;
pub mod target;
mod tracker;
pub mod validate;
mod waiting;

use crate::command::args::{Args, Env, Stop, wants_json};
use crate::command::flags::{Class, find};
use crate::listing::reader::{Break, Failure};
use crate::report::console::Console;
use crate::report::message::Message;
use crate::report::remedy::explain_listing;
use crate::wire::alias::Alias;
use crate::wire::client::Client;
use crate::wire::net::Net;
use output::Output;
pub use waiting::Waited;

/// Names the flags that the host serves, separated by commas; set by a host that serves some.
/// Anything else of class [`Class::Host`] is refused, never ignored.
pub const SERVES: &str = "MC_WASI_SERVES";

/// How the program was called.
#[derive(Clone, Copy)]
pub struct Invocation<'a> {
    /// The name it goes by in messages.
    pub program: &'a str,
    /// The words behind `replicate resync-backlog`.
    pub words: &'a [String],
    /// The environment.
    pub env: Env<'a>,
}

impl std::fmt::Debug for Invocation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invocation").field("program", &self.program).finish_non_exhaustive()
    }
}

impl Invocation<'_> {
    /// The command that does the same again, ready to be pasted into a shell.
    fn command_line(&self, without: &[&str]) -> String {
        let mut line = command_name(self.program);
        for word in self.words.iter().filter(|word| !without.contains(&word.as_str())) {
            line.push(' ');
            line.push_str(&quoted(word));
        }
        line
    }
}

/// The program name for messages: the base name of `argv[0]`, or `mc` where that is a file of
/// wasm, which is how stock hosts call a component.
pub fn program_name(argv0: &str) -> &str {
    let base = argv0.rsplit(['/', '\\']).next().unwrap_or_default();
    let base = base.strip_suffix(".exe").unwrap_or(base);
    if base.is_empty() || base.ends_with(".wasm") { "mc" } else { base }
}

/// The name under which a program is this one command, as plugins are: on its own, or behind the
/// name of another program, as kubectl wants it.
pub const PLUGIN: &str = "mc-replicate-resync-backlog";

/// Whether a program of this name is the command itself. kubectl turns dashes of a command into
/// underscores of the file.
pub fn is_plugin(program: &str) -> bool {
    let name = program.replace('_', "-");
    name.strip_suffix(PLUGIN).is_some_and(|before| before.is_empty() || before.ends_with('-'))
}

/// How the command is called.
pub fn command_name(program: &str) -> String {
    if is_plugin(program) {
        return program.to_owned();
    }
    format!("{program} replicate resync-backlog")
}

/// Runs the program. Returns whether it succeeded.
pub fn run<N: Net, C: Console>(call: Invocation<'_>, net: &mut N, console: &mut C) -> bool {
    let args = match Args::parse(call.words, call.env) {
        Ok(args) => args,
        Err(stop) => return refuse(call, console, &stop),
    };
    let mut output = Output::new(call, &args, console);
    match prepare(call, &args, net) {
        Ok(client) => run::start(call, &args, client, net, &mut output),
        Err(message) => output.fatal(&message),
    }
}

/// Says why there is nothing to run.
fn refuse<C: Console>(call: Invocation<'_>, console: &mut C, stop: &Stop) -> bool {
    let program = call.program;
    match stop {
        Stop::Help => console.out(help::help(program, call.env).as_bytes()),
        Stop::Arity => {
            console.out(help::help(program, call.env).as_bytes());
            false
        }
        Stop::Usage(what) => {
            let message = Message::fatal(format!("Invalid command usage, {what}"), "");
            let line = message.line(program, false);
            console.err(&format!("{line}\n\n{}", help::supported_flags(call.env)));
            false
        }
        Stop::Invalid { message, cause } => {
            let message = Message::fatal(message, cause);
            if wants_json(call.words, call.env) {
                console.out(format!("{}\n", message.json()).as_bytes());
            } else {
                console.err(&format!("{}\n", message.line(program, false)));
            }
            false
        }
    }
}

/// The client for the alias of TARGET.
fn prepare<N: Net>(call: Invocation<'_>, args: &Args, net: &mut N) -> Result<Client, Message> {
    check_served(call, args)?;
    let target = &args.target;
    let value = (call.env)(&format!("MC_HOST_{}", target.alias)).ok_or_else(|| {
        Message::fatal(
            "Unable to initialize admin connection.",
            format!("No valid configuration found for '{}' host alias.", target.text),
        )
    })?;
    let alias = Alias::from_mc_host(&value).map_err(|cause| {
        Message::fatal(format!("Unable to initialize target `{}`.", target.text), cause)
    })?;
    net.connect(&alias.endpoint);
    let region = (call.env)("MC_REGION").or_else(|| (call.env)("AWS_REGION"));
    let mut client = Client::new(&alias, &target.bucket, region.as_deref());
    client.set_arn(args.arn.clone());
    if !serves(call, "custom-header") {
        client.set_custom_headers(args.custom_headers.clone());
    }
    Ok(client)
}

fn serves(call: Invocation<'_>, flag: &str) -> bool {
    (call.env)(SERVES).is_some_and(|list| list.split(',').any(|served| served == flag))
}

/// Refuses flags that concern configuration or network where the host does not serve them.
fn check_served(call: Invocation<'_>, args: &Args) -> Result<(), Message> {
    let unserved = args.given.iter().find(|long| {
        let concerns_host =
            find(long).is_some_and(|flag| matches!(flag.class, Class::Host | Class::Hidden));
        // A header can be set from in here as well.
        concerns_host && **long != "custom-header" && !serves(call, long)
    });
    match unserved {
        None => Ok(()),
        Some(long) => Err(Message::fatal(
            format!("--{long} cannot be honoured by this WebAssembly host."),
            "Configuration, name resolution, TLS and bandwidth are the host's. Run mc-wasi, which serves this flag.",
        )),
    }
}

/// What to tell when the backlog could not be listed, or not to its end.
fn listing_message(failure: &Failure, bucket: &str, authority: &str) -> Message {
    let what = format!("Unable to list the replication backlog of bucket `{bucket}`.");
    let message = Message::fatal(what, explain_listing(failure, bucket, authority));
    match &failure.cause {
        Break::Refused(cause) => message.because(cause),
        _ => message,
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
