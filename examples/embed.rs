//! Drives the job from Rust, in a sandbox of its own: one server may be asked, and nothing else.
//! Call: `ACCESS_KEY=… SECRET_KEY=… embed COMPONENT http://127.0.0.1:9000 mybucket`
#![allow(warnings, clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]
use exports::mc_wasi::replicate::resync::{Credentials, Mode, Options};
use std::env::{args, var};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{self as web, Error, WasiBody, WasiHttpCtxView, WasiHttpHooks};
wasmtime::component::bindgen!("resync-backlog" in "../wit");
type Later<T> = Box<dyn Future<Output = Result<T, Error>> + Send>;
/// The grant: the origin that may be asked.
struct Only(String);
impl WasiHttpHooks for Only {
    #[rustfmt::skip]
    fn send_request(&mut self, request: http::Request<WasiBody>, options: Option<web::RequestOptions>,
                    done: Later<()>) -> Later<(http::Response<WasiBody>, Later<()>)> {
        if request.uri().to_string().starts_with(&format!("{}/", self.0)) {
            return web::default_hooks().send_request(request, options, done);
        }
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
/// What the component gets: no argument, no variable, no file.
struct Sandbox(WasiCtx, web::WasiHttpCtx, ResourceTable, Only);
impl WasiView for Sandbox {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.0, table: &mut self.2 }
    }
}
impl web::WasiHttpView for Sandbox {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.1, table: &mut self.2, hooks: &mut self.3 }
    }
}
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [path, endpoint, bucket] = [1, 2, 3].map(|n| args().nth(n).unwrap_or_default());
    let mut linker = Linker::new(&Default::default());
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    web::p2::add_only_http_to_linker_sync(&mut linker)?;
    let sandbox = Sandbox(<_>::default(), <_>::default(), <_>::default(), Only(endpoint.clone()));
    let mut store = wasmtime::Store::new(linker.engine(), sandbox);
    let code = Component::from_file(linker.engine(), path)?;
    let component = ResyncBacklog::instantiate(&mut store, &code, &linker)?;
    let jobs = component.mc_wasi_replicate_resync().job();
    #[rustfmt::skip]
    let options = Options { endpoint, region: None, bucket, prefix: String::new(), arn: None,
        filter: None, versions: None, mode: Mode::Trigger, concurrent: 10, rate_limit: None, max_queue: None,
        credentials: Some(Credentials { access_key: var("ACCESS_KEY")?, secret_key: var("SECRET_KEY")?, session_token: None }) };
    let job = jobs.call_start(&mut store, &options)??;
    while let events @ [_, ..] = jobs.call_next(&mut store, job, 500)??.as_slice() {
        events.iter().filter(|event| event.error.is_some()).for_each(|event| println!("{event:?}"));
        eprintln!("{} triggered", jobs.call_summary(&mut store, job)?.triggered);
    }
    let end = jobs.call_summary(&mut store, job)?;
    println!(
        "{:?}: {} of {} triggered, {} failed",
        end.state, end.triggered, end.total, end.failed
    );
    if end.failed > 0 { Err("not everything was triggered".into()) } else { Ok(()) }
}
