//! Compiles a component, keeps the machine code, and runs it within limits.

use crate::hooks::Gate;
use crate::stdio::{Output, StopInput};
use std::path::PathBuf;
use std::time::Duration;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Cache, CacheConfig, Config, Engine, Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::p2::bindings::{Command, cli, random};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// The version of wasmtime this host is built with; also the name of its cache folder.
pub const WASMTIME_VERSION: &str = "48.0.8";

/// The component built with this host.
pub const COMPONENT: &[u8] = include_bytes!(env!("MC_WASI_COMPONENT"));

/// Memory of a component at most. A backlog of any size is handled in less than 100 MiB.
const MAX_MEMORY: usize = 512 << 20;

/// Handles a component may hold: seven for each request in flight, of which there are 1,000 at
/// most.
const MAX_HANDLES: usize = 20_000;

/// Between two checks whether a component has run for too long without letting others run.
const EPOCH: Duration = Duration::from_millis(10);

/// What a component gets.
#[derive(Debug)]
pub struct Provision {
    /// `argv`.
    pub arguments: Vec<String>,
    /// The whole environment.
    pub variables: Vec<(String, String)>,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
    /// Ends when the user asks to stop.
    pub stdin: StopInput,
    /// The only way out; without it no request is sent.
    pub gate: Gate,
}

struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    limits: StoreLimits,
    gate: Gate,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.gate }
    }
}

/// An engine that keeps compiled code in `cache`, if that can be written.
///
/// # Errors
/// This machine cannot run WebAssembly.
pub fn engine(cache: Option<PathBuf>) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    // Only WASI 0.3 needs it, and it makes every call between host and guest slower.
    config.concurrency_support(false);
    let cache = cache.and_then(|directory| {
        let mut settings = CacheConfig::new();
        settings.with_directory(directory);
        // A read-only home costs time, not the run.
        Cache::new(settings).ok()
    });
    config.cache(cache);
    Engine::new(&config)
}

/// Compiles a component, or takes it from the cache.
///
/// # Errors
/// The bytes are no component.
pub fn compile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
    Component::new(engine, bytes)
}

/// Runs a component's `wasi:cli/run`. Returns whether it succeeded.
///
/// # Errors
/// The component asks for more than WASI 0.2 without files and sockets, or it crashed.
pub async fn run(component: &Component, provision: Provision) -> wasmtime::Result<bool> {
    let engine = component.engine();
    let mut linker: Linker<State> = Linker::new(engine);
    link(&mut linker)?;

    let mut wasi = WasiCtx::builder();
    wasi.args(&provision.arguments)
        .envs(&provision.variables)
        .stdin(provision.stdin)
        .stdout(provision.stdout)
        .stderr(provision.stderr);
    let mut table = ResourceTable::new();
    table.set_max_capacity(MAX_HANDLES);
    let state = State {
        wasi: wasi.build(),
        http: WasiHttpCtx::new(),
        table,
        limits: StoreLimitsBuilder::new().memory_size(MAX_MEMORY).build(),
        gate: provision.gate,
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.limits);
    store.set_epoch_deadline(1);
    store.epoch_deadline_async_yield_and_update(1);
    tick(engine.weak());

    let command = Command::instantiate_async(&mut store, component, &linker).await?;
    Ok(command.wasi_cli_run().call_run(&mut store).await?.is_ok())
}

/// Command line, clocks, randomness, HTTP. No files, no sockets.
fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi_http::p2::add_to_linker_async(linker)?;
    cli::environment::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::exit::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    random::insecure::add_to_linker::<State, WasiRandom>(linker, |s| s.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<State, WasiRandom>(linker, |s| s.ctx().ctx.random())?;
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
