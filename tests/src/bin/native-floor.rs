//! The least a native program pays for the job: what the benchmark measures the component against
//! from below.
//!
//! One thread, one connection a worker, hyper without a pool, no retry, no output but the totals.
//! It lists and signs as the project does, so that the difference to `mc-wasi` is the price of the
//! sandbox and of being careful. Options, environment and the line of costs are those of the Go
//! peer in `tests/peer`. With `-list` it only reads the listing, parses each line with serde_json and
//! writes out what of it a dry run shows.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::env;
use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use mc_wasi_tests::minio::{encode_key, encode_query};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use resync_core::wire::{Credentials, DEFAULT_REGION, EMPTY_SHA256, Secret, Signer, Unsigned};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Interval, MissedTickBehavior, interval};

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Sender = SendRequest<Empty<Bytes>>;

/// Entries read ahead of the workers. Enough that they never wait, and little memory at 300 bytes
/// an entry.
const QUEUE: usize = 4096;

fn main() -> ExitCode {
    let started = Instant::now();
    let outcome = options().and_then(|options| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let set = LocalSet::new();
        let totals = if options.list {
            set.block_on(&runtime, show(options.clone()))?
        } else {
            set.block_on(&runtime, run(options.clone()))?
        };
        Ok((options, totals))
    });
    match outcome {
        Ok((options, totals)) => {
            totals.print(options.json);
            print_cost(started, totals.total);
            ExitCode::from(u8::from(totals.failed > 0 || !totals.complete))
        }
        Err(error) => {
            eprintln!("native-floor: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, Clone)]
struct Options {
    concurrent: usize,
    rate: f64,
    authority: String,
    bucket: String,
    prefix: String,
    json: bool,
    list: bool,
}

/// Go's flags: one dash or two, the value in the next argument.
fn options() -> Result<Options> {
    let mut options = Options {
        concurrent: 10,
        rate: 0.0,
        authority: String::new(),
        bucket: String::new(),
        prefix: String::new(),
        json: false,
        list: false,
    };
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let name = argument.trim_start_matches('-');
        if name == "json" {
            options.json = true;
            continue;
        }
        if name == "list" {
            options.list = true;
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("{argument} needs a value"))?;
        match name {
            "c" => options.concurrent = value.parse()?,
            "rate" => options.rate = value.parse()?,
            "endpoint" => options.authority = authority(&value)?,
            "bucket" => options.bucket = value,
            "prefix" => options.prefix = value,
            _ => return Err(format!("unknown option {argument}").into()),
        }
    }
    if options.concurrent == 0 || options.authority.is_empty() || options.bucket.is_empty() {
        return Err(
            "usage: native-floor -endpoint URL -bucket B [-prefix P] [-c N] [-rate R] [-json] [-list]"
                .into(),
        );
    }
    Ok(options)
}

fn authority(endpoint: &str) -> Result<String> {
    let uri: Uri = endpoint.parse()?;
    if uri.scheme_str() != Some("http") {
        return Err("only http:// endpoints: TLS would measure something else".into());
    }
    Ok(uri.authority().ok_or("the endpoint has no host")?.to_string())
}

/// Reads the listing and writes out each version.
async fn show(options: Options) -> Result<Totals> {
    let job = Job::new(options)?;
    let mut out = std::io::BufWriter::with_capacity(64 * 1024, std::io::stdout().lock());
    let mut totals = Totals::default();
    for_each_line(&job, async |line| {
        let shown: Shown<'_> = serde_json::from_slice(line)?;
        serde_json::to_writer(&mut out, &shown)?;
        out.write_all(b"\n")?;
        totals.total += 1;
        Ok(())
    })
    .await?;
    out.flush()?;
    Ok(Totals { complete: true, ..totals })
}

async fn run(options: Options) -> Result<Totals> {
    let job = Rc::new(Job::new(options)?);
    let workers: Vec<_> =
        (0..job.options.concurrent).map(|_| spawn_local(work(Rc::clone(&job)))).collect();
    let listed = list(&job).await;
    job.closed.set(true);
    job.filled.notify_waiters();
    for worker in workers {
        worker.await?;
    }
    let mut totals = job.totals.take();
    match listed {
        Ok(()) => totals.complete = true,
        Err(error) => eprintln!("native-floor: the listing is incomplete: {error}"),
    }
    Ok(totals)
}

fn credentials() -> Result<Credentials> {
    let variable = |name| env::var(name).map_err(|_| format!("{name} is not set"));
    Ok(Credentials {
        access_key: variable("PEER_ACCESS_KEY")?,
        secret_key: Secret::new(variable("PEER_SECRET_KEY")?),
        session_token: None,
    })
}

fn pace(rate: f64) -> Option<Interval> {
    (rate > 0.0).then(|| {
        let mut ticks = interval(Duration::from_secs_f64(1.0 / rate));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        ticks
    })
}

/// All that the tasks share; they run on one thread.
struct Job {
    options: Options,
    signer: RefCell<Signer>,
    queue: RefCell<VecDeque<Entry>>,
    filled: Notify,
    drained: Notify,
    closed: Cell<bool>,
    ticks: Option<tokio::sync::Mutex<Interval>>,
    totals: RefCell<Totals>,
}

/// What of a line is needed. Everything else in it is skipped, not stored.
#[derive(Debug, Deserialize)]
struct Entry {
    object: String,
    #[serde(rename = "versionId")]
    version_id: String,
    #[serde(default)]
    error: Option<serde::de::IgnoredAny>,
}

/// What of a line a dry run in JSON shows.
#[derive(Debug, Deserialize, Serialize)]
struct Shown<'a> {
    #[serde(borrow)]
    object: Cow<'a, str>,
    #[serde(borrow, rename = "versionId")]
    version_id: Cow<'a, str>,
    #[serde(borrow, default, rename = "rStatus")]
    status: Cow<'a, str>,
    #[serde(borrow, default, rename = "dStatus")]
    delete_status: Cow<'a, str>,
    #[serde(borrow, default)]
    targets: BTreeMap<Cow<'a, str>, BTreeMap<Cow<'a, str>, Cow<'a, str>>>,
    #[serde(borrow, default, rename = "lastModified")]
    modified: Cow<'a, str>,
    #[serde(default, rename = "deletemarker")]
    delete_marker: bool,
}

#[derive(Debug, Default)]
struct Totals {
    total: u64,
    processed: u64,
    failed: u64,
    complete: bool,
}

impl Totals {
    fn print(&self, json: bool) {
        let Self { total, processed, failed, .. } = self;
        if json {
            println!(r#"{{"total":{total},"processed":{processed},"failed":{failed}}}"#);
        } else {
            println!("Total: {total}\nProcessed: {processed}\nFailed: {failed}");
        }
    }
}

impl Job {
    fn new(options: Options) -> Result<Self> {
        Ok(Self {
            signer: RefCell::new(Signer::new(credentials()?, DEFAULT_REGION)),
            queue: RefCell::new(VecDeque::with_capacity(QUEUE)),
            filled: Notify::new(),
            drained: Notify::new(),
            closed: Cell::new(false),
            ticks: pace(options.rate).map(tokio::sync::Mutex::new),
            totals: RefCell::new(Totals::default()),
            options,
        })
    }

    fn request(&self, method: &str, path: &str, query: &str) -> Result<Request<Empty<Bytes>>> {
        let host = &self.options.authority;
        let unsigned = Unsigned { method, path, query, host, headers: &[] };
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let signed = self.signer.borrow_mut().sign(&unsigned, now);
        let request = Request::builder()
            .method(method)
            .uri(format!("{path}?{query}"))
            .header("host", host)
            .header("x-amz-content-sha256", EMPTY_SHA256)
            .header("x-amz-date", signed.date)
            .header("authorization", signed.authorization);
        Ok(request.body(Empty::new())?)
    }

    async fn push(&self, entry: Entry) {
        while self.queue.borrow().len() >= QUEUE {
            self.drained.notified().await;
        }
        self.queue.borrow_mut().push_back(entry);
        self.filled.notify_one();
    }

    /// The next entry, or nothing when the listing has ended.
    async fn pop(&self) -> Option<Entry> {
        loop {
            let filled = self.filled.notified();
            let next = self.queue.borrow_mut().pop_front();
            if next.is_some() {
                self.drained.notify_one();
                return next;
            }
            if self.closed.get() {
                return None;
            }
            filled.await;
        }
    }
}

/// Reads the whole listing into the queue.
async fn list(job: &Job) -> Result<()> {
    for_each_line(job, async |line| {
        job.push(entry(line)?).await;
        Ok(())
    })
    .await
}

/// Hands over each line of the listing.
async fn for_each_line(job: &Job, mut each: impl AsyncFnMut(&[u8]) -> Result<()>) -> Result<()> {
    let bucket = encode_query(&job.options.bucket);
    let mut query = format!("bucket={bucket}");
    if !job.options.prefix.is_empty() {
        query = format!("{query}&prefix={}", encode_query(&job.options.prefix));
    }
    let request = job.request("POST", "/minio/admin/v3/replication/diff", &query)?;
    let mut sender = connect(&job.options.authority).await?;
    let response = sender.send_request(request).await?;
    if !response.status().is_success() {
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
    }
    let mut body = response.into_body();
    let mut line = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let mut rest = &data[..];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (head, tail) = rest.split_at(end);
            rest = &tail[1..];
            line.extend_from_slice(head);
            each(&line).await?;
            line.clear();
        }
        line.extend_from_slice(rest);
    }
    // Between the entries, and at the end, the server keeps the connection alive with spaces.
    if line.trim_ascii().is_empty() { Ok(()) } else { Err("the last line is cut".into()) }
}

fn entry(line: &[u8]) -> Result<Entry> {
    let entry: Entry = serde_json::from_slice(line)?;
    if entry.error.is_some() {
        return Err(String::from_utf8_lossy(line).into());
    }
    Ok(entry)
}

/// Triggers one version after the other until none is left.
async fn work(job: Rc<Job>) {
    let mut connection = None;
    while let Some(entry) = job.pop().await {
        if let Some(ticks) = &job.ticks {
            ticks.lock().await.tick().await;
        }
        let outcome = trigger(&job, &mut connection, &entry).await;
        let mut totals = job.totals.borrow_mut();
        totals.total += 1;
        match outcome {
            Ok(()) => totals.processed += 1,
            Err(error) => {
                totals.failed += 1;
                connection = None;
                eprintln!("native-floor: {} ({}): {error}", entry.object, entry.version_id);
            }
        }
    }
}

async fn trigger(job: &Job, connection: &mut Option<Sender>, entry: &Entry) -> Result<()> {
    let path = format!("/{}/{}", job.options.bucket, encode_key(&entry.object));
    let request = job.request("HEAD", &path, &format!("versionId={}", entry.version_id))?;
    if connection.as_ref().is_none_or(SendRequest::is_closed) {
        *connection = Some(connect(&job.options.authority).await?);
    }
    let sender = connection.as_mut().ok_or("no connection")?;
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    if triggered(&response) { Ok(()) } else { Err(response.status().to_string().into()) }
}

/// A delete marker cannot be read, but the server has queued it by the time it says so.
fn triggered(response: &Response<Incoming>) -> bool {
    match response.status().as_u16() {
        200 => true,
        405 => response.headers().contains_key("x-amz-delete-marker"),
        _ => false,
    }
}

async fn connect(authority: &str) -> Result<Sender> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // Its errors reach whoever waits for a response.
    spawn_local(async move { connection.await.ok() });
    Ok(sender)
}

/// The line of costs, with the same fields as the Go peer's.
fn print_cost(started: Instant, objects: u64) {
    let wall = started.elapsed().as_secs_f64();
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return };
    let seconds = |time: nix::sys::time::TimeVal| {
        Duration::from_micros(time.num_microseconds().unsigned_abs()).as_secs_f64()
    };
    let (user, system) = (seconds(usage.user_time()), seconds(usage.system_time()));
    let peak = usage.max_rss();
    eprintln!(
        concat!(
            r#"{{"wall_seconds":{},"user_seconds":{},"system_seconds":{},"#,
            r#""peak_rss_kib":{},"objects":{}}}"#
        ),
        wall, user, system, peak, objects
    );
}
