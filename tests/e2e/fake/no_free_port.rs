//! A host that opens a connection for every request runs out of ports on a busy day and calls that
//! "address not available". It costs time, never a version.

use mc_wasi_tests::fake::{Backlog, FakeServer, Options};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
    default_hooks,
};

type Later<T> = Box<dyn Future<Output = Result<T, Error>> + Send>;

/// Has no port for every fifth request.
#[derive(Default)]
struct OutOfPorts {
    asked: u64,
    refused: u64,
}

impl WasiHttpHooks for OutOfPorts {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        done: Later<()>,
    ) -> Later<(http::Response<WasiBody>, Later<()>)> {
        self.asked += 1;
        if self.asked % 5 != 1 {
            return default_hooks().send_request(request, options, done);
        }
        self.refused += 1;
        // As wasmtime's own sender says it, on Linux.
        Box::new(async {
            let rcode = Some("address not available".to_owned());
            Err(Error::DnsError { rcode, info_code: Some(0) })
        })
    }
}

struct State(WasiCtx, WasiHttpCtx, ResourceTable, OutOfPorts);

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.0, table: &mut self.2 }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.1, table: &mut self.2, hooks: &mut self.3 }
    }
}

#[test]
fn a_host_without_a_free_port_is_asked_again() {
    const VERSIONS: u64 = 200;
    let server = FakeServer::start(Options::with_backlog(Backlog::synthetic(VERSIONS, 1)));
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("wasi");
    wasmtime_wasi_http::p2::add_only_http_to_linker_sync(&mut linker).expect("http");
    let stdout = MemoryOutputPipe::new(1 << 20);
    let wasi = WasiCtx::builder()
        .args(&["component.wasm", "myaistor/mybucket", "--json"])
        .env("MC_HOST_myaistor", server.alias_url())
        .stdout(stdout.clone())
        .build();
    let state = State(wasi, WasiHttpCtx::new(), ResourceTable::new(), OutOfPorts::default());
    let mut store = Store::new(&engine, state);
    let component = Component::new(&engine, mc_wasi::COMPONENT).expect("the component");
    let command = Command::instantiate(&mut store, &component, &linker).expect("an instance");
    let result = command.wasi_cli_run().call_run(&mut store).expect("no trap");

    let text = String::from_utf8_lossy(&stdout.contents()).into_owned();
    let last = text.lines().last().expect("a summary");
    let summary: serde_json::Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(result, Ok(()), "{summary}");
    assert_eq!((summary["processed"].as_u64(), &summary["failed"]), (Some(VERSIONS), &0.into()));
    assert_eq!(server.triggers(), (VERSIONS, 0));
    // The very first request, which opens the listing, was refused too.
    let refused = store.data().3.refused;
    assert!(refused > 40, "{refused}");
    assert_eq!(summary["retries"].as_u64().map(|retries| retries + 1), Some(refused));
}
