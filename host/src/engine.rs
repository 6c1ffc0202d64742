//! Compiles a component, keeps the machine code, and runs it within limits.

use crate::code_cache::CodeCache;
use crate::exchanges::{self, Exchanges, Waiting};
use crate::gate::Gate;
use crate::handler::{self, Handler};
use crate::meter::Meter;
use crate::outlet::Outlet;
use crate::settings::settings;
use crate::stop_input::Stdin;
use mc_wasi_policy::Limits;
use resync_core::report::Message;
use std::fmt;
use std::time::Duration;
use wasmtime::component::{Component, HasData, Linker, ResourceTable, ResourceTableError};
use wasmtime::{Engine, Store};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::p2::bindings::io::{error, streams};
use wasmtime_wasi::p2::bindings::{CommandPre, cli, clocks, random};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::bindings::LinkOptions;
use wasmtime_wasi_http::p2::bindings::http::types;
use wasmtime_wasi_http::{WasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// The version of wasmtime this host is built with.
pub(crate) const WASMTIME_VERSION: &str = env!("MC_WASI_WASMTIME");

/// What a component may import: WASI 0.2 without files and sockets.
const PACKAGES: [&str; 5] = ["wasi:cli/", "wasi:clocks/", "wasi:io/", "wasi:random/", "wasi:http/"];

/// Between two checks whether a component has run for too long without letting others run.
const EPOCH: Duration = Duration::from_millis(10);

/// What a component gets.
#[derive(Debug)]
pub(crate) struct Provision {
    /// `argv`.
    pub(crate) arguments: Vec<String>,
    /// The whole environment.
    pub(crate) variables: Vec<(String, String)>,
    /// Standard output.
    pub(crate) stdout: Outlet,
    /// Standard error.
    pub(crate) stderr: Outlet,
    /// Ends when the user asks to stop; and what the user gives.
    pub(crate) stdin: Stdin,
    /// The only way out; without it no request is sent.
    pub(crate) gate: Gate,
    /// What it may use of this machine.
    pub(crate) limits: Limits,
}

/// What the imports of a running component see.
struct Sandbox {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    meter: Meter,
    gate: Gate,
    exchanges: Exchanges,
}

impl WasiView for Sandbox {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Sandbox {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.gate }
    }
}

impl Sandbox {
    fn handler(&mut self) -> Handler<'_> {
        Handler {
            http: &mut self.http,
            table: &mut self.table,
            gate: &mut self.gate,
            exchanges: &mut self.exchanges,
        }
    }

    fn waiting(&mut self) -> Waiting<'_> {
        Waiting { table: &mut self.table, exchanges: &mut self.exchanges }
    }
}

/// An engine for components with at most this much memory.
///
/// # Errors
/// This machine cannot run WebAssembly.
pub(crate) fn engine() -> wasmtime::Result<Engine> {
    let mut config = settings();
    #[cfg(feature = "profiling")]
    config.profiler(wasmtime::ProfilingStrategy::PerfMap);
    if is_address_space_limited() {
        // Otherwise each memory reserves 4 GiB of addresses, which saves the code a comparison for every
        // access and is nothing where they are free.
        config.memory_reservation(0);
        config.memory_guard_size(64 << 10);
        config.memory_reservation_for_growth(16 << 20);
    }
    Engine::new(&config)
}

/// Whether `ulimit -v` says how many addresses this process may use. Windows has none.
#[cfg(not(unix))]
fn is_address_space_limited() -> bool {
    false
}

#[cfg(unix)]
fn is_address_space_limited() -> bool {
    use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
    getrlimit(Resource::RLIMIT_AS).is_ok_and(|(soft, _)| soft != RLIM_INFINITY)
}

/// Why something cannot run in this sandbox, with what to do about it.
#[derive(Debug)]
pub(crate) enum Unfit {
    /// It is WebAssembly of the layer below.
    CoreModule,
    /// It is something else.
    NotWebAssembly,
    /// It is broken, or needs what wasmtime does not have.
    NotCompiled(wasmtime::Error),
    /// It imports these interfaces.
    Imports(Vec<String>),
    /// It is a component, but not a command.
    NotACommand,
    /// Its imports do not have the types that they should have.
    NotLinked(wasmtime::Error),
    /// This process may not make memory executable.
    NotExecutable,
    /// It takes too long to compile.
    TooSlow,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CoreModule => f.write_str("It is a core module, not a component. Build it for wasm32-wasip2, or wrap it with `wasm-tools component new`."),
            Self::NotWebAssembly => f.write_str("It is not a WebAssembly component."),
            Self::NotCompiled(error) => write!(f, "It does not compile: {}.", error.root_cause()),
            Self::Imports(foreign) => write!(
                f,
                "It imports {}; there is WASI 0.2 cli, clocks, io, random and http here, and nothing else.",
                foreign.join(", ")
            ),
            Self::NotACommand => f.write_str("It was built for another world: it does not export `wasi:cli/run@0.2`, which a command does."),
            Self::NotExecutable => f.write_str(
                "This process may not make memory executable, which compiled WebAssembly needs. Allow it: systemd's MemoryDenyWriteExecute=, SELinux and PaX forbid it.",
            ),
            Self::TooSlow => write!(f, "It takes longer than {} s to compile.", COMPILING.as_secs()),
            Self::NotLinked(error) => write!(f, "{}.", error.root_cause()),
        }
    }
}

impl std::error::Error for Unfit {}

/// How long a component may take to compile. The built-in one takes 2 s on a slow machine, and one made to
/// take for ever must not.
const COMPILING: Duration = Duration::from_secs(60);

/// Compiles a component, or takes it from the cache.
///
/// # Errors
/// What the bytes are instead of a component.
pub(crate) fn compile(
    engine: &Engine,
    bytes: &[u8],
    cache: Option<&CodeCache>,
) -> Result<Component, Unfit> {
    // The second half of the version field tells the layers of WebAssembly apart.
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', _, _, 1, 0]) => {}
        Some([0, b'a', b's', b'm', ..]) => return Err(Unfit::CoreModule),
        _ => return Err(Unfit::NotWebAssembly),
    }
    let mut slow = false;
    let compiled = match cache {
        Some(cache) => cache.compile(engine, bytes, || compile_in_time(engine, bytes, &mut slow)),
        None => compile_in_time(engine, bytes, &mut slow),
    };
    compiled.map_err(|error| {
        // The error has a type of a library that wasmtime does not show.
        let words = error.root_cause().to_string();
        let denied = ["(os error 13)", "(os error 1)"].iter().any(|code| words.contains(code));
        match denied {
            _ if slow => Unfit::TooSlow,
            true => Unfit::NotExecutable,
            false => Unfit::NotCompiled(error),
        }
    })
}

/// Compiles in a thread of its own, which the end of this process ends.
fn compile_in_time(engine: &Engine, bytes: &[u8], slow: &mut bool) -> wasmtime::Result<Component> {
    let (done, wait) = std::sync::mpsc::channel();
    let (engine, bytes) = (engine.clone(), bytes.to_vec());
    std::thread::Builder::new().name("compile".to_owned()).spawn(move || {
        let _ = done.send(Component::new(&engine, &bytes));
    })?;
    wait.recv_timeout(COMPILING).unwrap_or_else(|_| {
        *slow = true;
        Err(wasmtime::Error::msg("not compiled in time"))
    })
}

/// Runs a component's `wasi:cli/run`. Returns whether it succeeded.
///
/// # Errors
/// The component asks for more than WASI 0.2 without files and sockets, or it crashed.
pub(crate) async fn run(component: &Component, provision: Provision) -> Result<bool, Message> {
    let engine = component.engine();
    let command = link(component).map_err(|unfit| {
        Message::fatal("Unable to run the component in this sandbox.", unfit.to_string())
    })?;

    let limits = provision.limits;
    let mut wasi = WasiCtx::builder();
    wasi.args(&provision.arguments)
        .envs(&provision.variables)
        .stdin(provision.stdin)
        .stdout(provision.stdout)
        .stderr(provision.stderr)
        .max_random_size(limits.call as u64);
    let mut table = ResourceTable::new();
    table.set_max_capacity(limits.handles);
    let mut http = WasiHttpCtx::new();
    http.set_field_size_limit(limits.headers);
    let meter = Meter::new(&limits);
    let (gate, exchanges) = (provision.gate, Exchanges::default());
    let sandbox = Sandbox { wasi: wasi.build(), http, table, meter, gate, exchanges };
    let mut store = Store::new(engine, sandbox);
    store.limiter(|sandbox| &mut sandbox.meter);
    store.set_hostcall_fuel(limits.call);
    store.set_epoch_deadline(1);
    store.epoch_deadline_async_yield_and_update(1);
    tick(engine.weak());

    let result = async {
        let command = command.instantiate_async(&mut store).await?;
        command.wasi_cli_run().call_run(&mut store).await
    };
    match result.await {
        Ok(result) => Ok(result.is_ok()),
        Err(error) => match error.downcast_ref::<wasmtime_wasi::I32Exit>() {
            Some(exit) => Ok(exit.0 == 0),
            None => Err(crashed(&error, &store.data().meter, &limits)),
        },
    }
}

/// What to tell of a crash: the limit that was met, or what WebAssembly calls it.
fn crashed(error: &wasmtime::Error, meter: &Meter, limits: &Limits) -> Message {
    let full = |error: &ResourceTableError| matches!(error, ResourceTableError::Full);
    let cause = if error.downcast_ref().is_some_and(full) {
        format!(
            "It held more than the {} handles it may have. MC_WASI_MAX_HANDLES changes that.",
            limits.handles
        )
    } else if meter.refused_memory() {
        format!(
            "It needed more than the {} MiB of memory it may have. MC_WASI_MAX_MEMORY changes that.",
            limits.memory >> 20
        )
    } else {
        error.root_cause().to_string()
    };
    Message::fatal("The component crashed.", cause)
}

/// Gives a component what it imports, if that is in this sandbox.
fn link(component: &Component) -> Result<CommandPre<Sandbox>, Unfit> {
    let engine = component.engine();
    let kind = component.component_type();
    let foreign: Vec<String> = kind
        .imports(engine)
        .map(|(name, _)| name)
        .filter(|name| !is_provided(name))
        .map(|name| format!("`{name}`"))
        .collect();
    if !foreign.is_empty() {
        return Err(Unfit::Imports(foreign));
    }
    if !kind.exports(engine).any(|(name, _)| name.starts_with("wasi:cli/run@0.2.")) {
        return Err(Unfit::NotACommand);
    }
    let mut linker: Linker<Sandbox> = Linker::new(engine);
    let command = add_wasi(&mut linker)
        .and_then(|()| linker.instantiate_pre(component))
        .and_then(CommandPre::new);
    command.map_err(Unfit::NotLinked)
}

fn is_provided(name: &str) -> bool {
    let Some((interface, version)) = name.split_once('@') else { return false };
    version.starts_with("0.2.") && PACKAGES.iter().any(|package| interface.starts_with(package))
}

/// Streams and their errors are in the table alone.
struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

/// Command line, clocks, randomness, HTTP. No files, no sockets.
fn add_wasi(linker: &mut Linker<Sandbox>) -> wasmtime::Result<()> {
    exchanges::add_to_linker(linker, Sandbox::waiting)?;
    error::add_to_linker::<Sandbox, Io>(linker, |sandbox| &mut sandbox.table)?;
    streams::add_to_linker::<Sandbox, Io>(linker, |sandbox| &mut sandbox.table)?;
    clocks::monotonic_clock::add_to_linker::<Sandbox, WasiClocks>(linker, Sandbox::clocks)?;
    clocks::wall_clock::add_to_linker::<Sandbox, WasiClocks>(linker, Sandbox::clocks)?;
    let options = LinkOptions::default();
    types::add_to_linker::<Sandbox, WasiHttp>(linker, &(&options).into(), Sandbox::http)?;
    handler::add_to_linker(linker, Sandbox::handler)?;
    cli::environment::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::stdin::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::stdout::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::stderr::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::exit::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::terminal_input::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::terminal_output::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::terminal_stdin::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::terminal_stdout::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::terminal_stderr::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    random::random::add_to_linker::<Sandbox, WasiRandom>(linker, |s| s.ctx().ctx.random())?;
    random::insecure::add_to_linker::<Sandbox, WasiRandom>(linker, |s| s.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<Sandbox, WasiRandom>(linker, |s| s.ctx().ctx.random())?;
    Ok(())
}

/// Advances the epoch as long as the engine lives, so that a busy component yields to its
/// connections.
fn tick(engine: wasmtime::EngineWeak) {
    let _ = std::thread::Builder::new().name("epoch".to_owned()).spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(EPOCH);
        }
    });
}
