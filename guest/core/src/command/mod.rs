//! The program: from the words of the command line to the exit status.

mod args;
mod breakdown;
mod exit_status;
mod failures;
mod flags;
mod go;
mod help;
mod invocation;
mod looks;
mod name;
mod offline;
mod output;
mod pass;
mod run;
mod serves;
mod size;
mod target;
mod tracker;
mod triggered;
mod validate;
mod variables;
mod waiting;
mod watching;

pub use args::{Args, Env, Resolve, STDIN, Stop, redact, wants_json};
pub use exit_status::EXIT_STATUSES;
pub use flags::{ABOUT, Class, FLAGS, Flag, Takes};
pub use invocation::Invocation;
pub use name::{COMMAND, PLUGIN, is_plugin, program_name};
pub use serves::{BUNDLED, FROM, SERVES, SESSION, SIGNS, STOP, serves};
pub use size::{SizeError, parse_size};
pub use target::{Target, TargetError};
pub use variables::{ReadBy, Variable, region, variables};

use crate::report::{Console, Message};
use crate::wire::{Alias, Client, Net};
use output::Output;

/// Runs the program. Returns whether it succeeded.
///
/// Where the host has not taken the words of the command out, they may stand in front of the others, as the help
/// shows them.
pub fn run<N: Net, C: Console>(call: Invocation<'_>, net: &mut N, console: &mut C) -> bool {
    let call = if serves(call.env, BUNDLED) { call } else { call.without_command() };
    let mut args = match Args::parse(call.words, call.env) {
        Ok(args) => args,
        Err(stop) => return refuse(call, console, &stop),
    };
    args.filter.at = net.unix();
    let mut output = Output::new(call, &args, console);
    match prepare(call, &args) {
        Ok(client) => {
            if !client.signs() && !serves(call.env, SIGNS) {
                output.unsigned(&args.target.alias);
            }
            run::start(call, &args, client, net, &mut output)
        }
        Err(message) => output.fatal(&message),
    }
}

/// Says why there is nothing to run.
fn refuse<C: Console>(call: Invocation<'_>, console: &mut C, stop: &Stop) -> bool {
    let program = call.program;
    match stop {
        Stop::Help => console.out(help::help(program, call.env).as_bytes()).is_ok(),
        Stop::Arity => {
            let _ = console.out(help::help(program, call.env).as_bytes());
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
                let _ = console.out(format!("{}\n", message.json()).as_bytes());
            } else {
                console.err(&format!("{}\n", message.line(program, false)));
            }
            false
        }
    }
}

/// What mc says where nothing is known of the alias of TARGET.
pub fn no_alias(target: &str) -> Message {
    Message::fatal(
        "Unable to initialize admin connection.",
        format!("No valid configuration found for '{target}' host alias."),
    )
}

/// The client for the alias of TARGET.
fn prepare(call: Invocation<'_>, args: &Args) -> Result<Client, Message> {
    check_served(call, args)?;
    let target = &args.target;
    let value =
        (call.env)(&format!("MC_HOST_{}", target.alias)).ok_or_else(|| no_alias(&target.text))?;
    let alias = Alias::from_mc_host(&value).map_err(|cause| {
        Message::fatal(format!("Unable to initialize target `{}`.", target.text), cause.to_string())
    })?;
    let mut client = Client::new(&alias, &target.bucket, region(call.env).as_deref());
    client.set_arn(args.arn.clone());
    client.set_session(serves(call.env, SESSION));
    if !serves(call.env, BUNDLED) {
        // Other hosts do not tell how a body was framed.
        client.ask_for_gzip();
    }
    if !serves(call.env, "custom-header") {
        client.set_custom_headers(args.custom_headers.clone());
    }
    Ok(client)
}

/// Refuses flags that concern configuration or network where the host does not serve them.
fn check_served(call: Invocation<'_>, args: &Args) -> Result<(), Message> {
    let unserved = args.given.iter().find(|long| {
        let concerns_host =
            Flag::find(long).is_some_and(|flag| matches!(flag.class, Class::Host | Class::Hidden));
        // A header can be set from in here as well.
        concerns_host && **long != "custom-header" && !serves(call.env, long)
    });
    match unserved {
        None => check_from(call, args),
        Some(long) => Err(Message::fatal(
            format!("--{long} cannot be honoured by this WebAssembly host."),
            "Configuration, name resolution, TLS and bandwidth are the host's. Run mc-wasi, which serves this flag.",
        )),
    }
}

/// Refuses a file where the host does not open it, and standard input where that has another use.
fn check_from(call: Invocation<'_>, args: &Args) -> Result<(), Message> {
    let refuse = |what: String, cause: &str| Err(Message::fatal(what, cause));
    match args.from.as_deref() {
        None => Ok(()),
        Some(_) if serves(call.env, FROM) => Ok(()),
        Some(STDIN) if serves(call.env, STOP) => refuse(
            "--from - cannot be honoured by this WebAssembly host.".to_owned(),
            "Its standard input stops the run.",
        ),
        Some(STDIN) => Ok(()),
        Some(file) => refuse(
            format!("--from {file} cannot be honoured by this WebAssembly host."),
            "A component reads no files. Give it the file as standard input, with --from -; or run mc-wasi.",
        ),
    }
}
