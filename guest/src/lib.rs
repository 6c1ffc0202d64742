//! The component: `resync-core` over WASI 0.2.
//!
//! Everything that names WASI is in these few adapter files, so that another version of WASI is
//! one more set of adapters.

mod bindings;
mod errors;
mod http;
mod memcmp;
mod stdio;
mod typed;

use bindings::exports::wasi::cli::run::Guest;
use bindings::wasi::cli::environment;
use resync_core::command::{self, Invocation, program_name, serves};

pub(crate) struct Component;

impl Guest for Component {
    fn run() -> Result<(), ()> {
        let mut words = environment::get_arguments();
        let argv0 = if words.is_empty() { String::new() } else { words.remove(0) };
        let variables = environment::get_environment();
        let env = |name: &str| {
            let found = variables.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
        };
        let call = Invocation { program: program_name(&argv0), words: &words, env: &env };
        let mut net = http::WasiNet::new(|what| serves(&env, what));
        let mut console = stdio::Stdio::new();
        if command::run(call, &mut net, &mut console) { Ok(()) } else { Err(()) }
    }
}
