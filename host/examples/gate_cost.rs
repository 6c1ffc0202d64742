//! What the gate of `mc-wasi` costs a request: checked against the grant, freed of a foreign
//! signature, signed. Prints nanoseconds a request, the best of several rounds, since everything
//! else on the machine only adds to them.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark ends by panicking"
)]

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use mc_wasi::bench::{Connector, Gate, Mask, Open, Pool, Signing, tls};
use mc_wasi_policy::{Copies, Denials, Grant};
use resync_core::command::Args;
use resync_core::wire::{Alias, DEFAULT_REGION, Signer};

const ROUNDS: usize = 10;
const REQUESTS: u32 = 20_000;

/// The most a request may cost, as the project promises.
const TARGET_NANOS: u128 = 4_000;

fn head(number: u32) -> Request<Empty<Bytes>> {
    Request::head(format!(
        "http://minio.example:9000/mybucket/invoices/2026/11/INV-{number:08}.pdf?versionId=8a38e1a2-0000-4000-8000-0123456789ab"
    ))
    .header("host", "minio.example:9000")
    .header("user-agent", "mc-replicate-resync-backlog/0.2.0")
    .header("x-minio-source-proxy-request", "false")
    .body(Empty::new())
    .expect("a request")
}

fn main() {
    let words = ["a/mybucket/invoices/".to_owned()];
    let args = Args::parse(&words, &|_| None).expect("arguments");
    let alias = Alias::from_mc_host("http://minioadmin:minioadmin@minio.example:9000");
    let alias = alias.expect("an alias");
    let denials = Denials::new(|text| panic!("{text}"));
    let tls = tls(None).expect("TLS");
    let pool = Pool::new(Connector::new(&alias.endpoint, tls, denials.clone()), 1);
    let signer = alias.credentials.map(|credentials| Signer::new(credentials, DEFAULT_REGION));
    let gate = Gate::new(Open {
        grant: Grant::new(&args, &alias.endpoint),
        signing: Signing::new(signer, false),
        custom_headers: Vec::new(),
        copies: Copies::default(),
        settings: tokio::sync::OnceCell::new(),
        mask: Mask::default(),
        pool,
        denials,
        tracer: None,
    });

    let best = (0..ROUNDS)
        .map(|_| {
            let requests: Vec<_> = (0..REQUESTS).map(head).collect();
            let began = Instant::now();
            for request in requests {
                black_box(gate.admit(request).expect("a granted request"));
            }
            began.elapsed().as_nanos() / u128::from(REQUESTS)
        })
        .min()
        .expect("a round");
    println!("gate: {best} ns a request (target {TARGET_NANOS})");
    assert!(best <= TARGET_NANOS, "the gate costs more than it may");
}
