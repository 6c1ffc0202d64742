//! A name with several addresses: each is asked as often as the others, and one where nobody answers is
//! done without.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use crate::{mc_wasi, mc_wasi_at};
use mc_wasi_tests::background::{Background, Ended};
use mc_wasi_tests::fake::{Backlog, Effect, FakeServer, Fault, Options, Route};
use mc_wasi_tests::mcwasi::McWasi;

/// How often a port is looked for that is free at all addresses.
const LOOKS: usize = 20;

/// Servers that have the same bucket, on one port of 127.0.0.2, 127.0.0.3 and so on. At some of these,
/// something else may be.
struct Cluster {
    port: u16,
    nodes: Vec<Option<FakeServer>>,
    /// What else has an address, as long as it is needed.
    _others: Vec<(TcpListener, Vec<TcpStream>)>,
}

/// What is at an address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    Server,
    /// Nobody listens.
    Dead,
    /// The kernel drops what asks to connect.
    Silent,
    /// The kernel takes connections, and nobody answers.
    Mute,
}

impl Cluster {
    fn start(nodes: &[Node], versions: u64) -> Self {
        for _ in 0..LOOKS {
            let free = TcpListener::bind("127.0.0.1:0").expect("a port");
            let port = free.local_addr().expect("its address").port();
            if let Some(cluster) = Self::at(port, nodes, versions) {
                return cluster;
            }
        }
        panic!("no port is free at all of 127.0.0.2 and up");
    }

    fn at(port: u16, nodes: &[Node], versions: u64) -> Option<Self> {
        let mut cluster = Self { port, nodes: Vec::new(), _others: Vec::new() };
        for (last, node) in (2..).zip(nodes) {
            let address = (Ipv4Addr::new(127, 0, 0, last), port);
            let server = match node {
                Node::Server => {
                    // Each node lists what all of them have, whichever was asked for it.
                    let backlog = Backlog::synthetic(versions, 1);
                    let options = Options { replicates: false, ..Options::with_backlog(backlog) };
                    let options = Options { address: address.into(), ..options };
                    Some(FakeServer::try_start(options).ok()?)
                }
                Node::Dead => None,
                Node::Silent | Node::Mute => {
                    let listener = TcpListener::bind(address).ok()?;
                    let held = if *node == Node::Silent { fill(&listener) } else { Vec::new() };
                    cluster._others.push((listener, held));
                    None
                }
            };
            cluster.nodes.push(server);
        }
        Some(cluster)
    }

    fn servers(&self) -> impl Iterator<Item = &FakeServer> {
        self.nodes.iter().flatten()
    }

    fn mc(&self) -> McWasi {
        mc_wasi().alias("a", &format!("http://minioadmin:minioadmin@minio.example:{}", self.port))
    }

    /// These words, and where the name leads to.
    fn words(&self, words: &[&str]) -> Vec<String> {
        let words = words.iter().map(|word| (*word).to_owned());
        let resolve =
            |nth: usize| format!("--resolve=minio.example:{}=127.0.0.{}", self.port, nth + 2);
        words.chain((0..self.nodes.len()).map(resolve)).collect()
    }

    fn begin(&self, words: &[&str]) -> Background {
        let words = self.words(&[&["a/mybucket"], words].concat());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Background::start(&self.mc(), &words)
    }

    fn run(&self, words: &[&str]) -> Ended {
        self.begin(words).end()
    }

    /// Lets every HEAD take this long, beside which it matters little how busy the machine is.
    fn delay(&self, milliseconds: u64) {
        let delay = Effect::Delay(Duration::from_millis(milliseconds));
        let head = Fault::on(Route::Head, delay);
        self.servers().for_each(|server| server.inject(head.clone()));
    }

    /// HEADs that each server answered.
    fn heads(&self) -> Vec<usize> {
        let of = |server: &FakeServer| {
            let log = server.log();
            log.iter().filter(|asked| asked.method == "HEAD" && asked.status == Some(200)).count()
        };
        self.servers().map(of).collect()
    }

    /// No server answered a fifth more HEADs than the others, or less.
    #[track_caller]
    fn assert_even(&self) {
        let heads = self.heads();
        let fair = heads.iter().sum::<usize>() / heads.len();
        let even = heads.iter().all(|heads| heads.abs_diff(fair) <= fair / 5);
        assert!(even, "{heads:?}");
    }
}

/// Fills the queue of a listener that accepts nothing.
fn fill(listener: &TcpListener) -> Vec<TcpStream> {
    nix::sys::socket::listen(listener, nix::sys::socket::Backlog::new(0).expect("a backlog"))
        .expect("a shorter queue");
    let address = listener.local_addr().expect("its address");
    let mut held = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        held.push(stream);
        assert!(held.len() < 50, "its queue never fills");
    }
    held
}

#[test]
fn all_nodes_are_asked_and_evenly() {
    for (concurrent, delay, connections) in [("10", 20, 17), ("1", 0, 5), ("100", 100, 129)] {
        let cluster = Cluster::start(&[Node::Server; 4], 1_000);
        cluster.delay(delay);
        cluster.run(&["-c", concurrent]).assert_triggered(1_000);
        assert_eq!(cluster.heads().iter().sum::<usize>(), 1_000, "each once");
        cluster.assert_even();
        // Kept open, whatever the number of requests.
        let opened: u64 = cluster.servers().map(FakeServer::connections).sum();
        assert!(opened <= connections, "{opened}");
    }
}

#[test]
fn a_node_that_is_dead_from_the_beginning_costs_no_request() {
    for dead in [Node::Dead, Node::Silent] {
        let cluster = Cluster::start(&[dead, Node::Server, Node::Server, Node::Server], 600);
        cluster.delay(20);
        let ended = cluster.run(&[]);
        ended.assert_triggered(600);
        assert_eq!(ended.count("retries"), 0, "{}", ended.summary);
        cluster.assert_even();
    }
}

#[test]
fn a_node_that_dies_while_it_is_asked_costs_no_request() {
    let mut cluster = Cluster::start(&[Node::Server; 4], 1_000);
    cluster.delay(20);
    let mut run = cluster.begin(&[]);
    run.reach(200);
    cluster.nodes[2] = None;
    let ended = run.end();
    ended.assert_triggered(1_000);
    let summary = &ended.summary;
    assert_eq!((ended.count("retries"), ended.count("listings")), (0, 1), "{summary}");
}

#[test]
fn a_run_survives_the_node_that_was_listing() {
    let mut cluster = Cluster::start(&[Node::Server; 4], 1_000);
    let pause = Effect::Pause { after: 500, length: Duration::from_secs(600), keepalive: true };
    cluster.servers().for_each(|server| server.inject(Fault::on(Route::Diff, pause.clone())));
    let mut run = cluster.begin(&[]);
    run.reach(400);
    let listing = cluster.servers().position(|server| server.listings() > 0).expect("a listing");
    cluster.servers().for_each(FakeServer::clear_faults);
    cluster.nodes[listing] = None;
    let ended = run.end();
    ended.assert_triggered(1_000);
    assert_eq!(ended.count("listings"), 2, "{}", ended.summary);
}

#[test]
fn a_node_that_takes_requests_and_answers_none_is_done_without() {
    let cluster = Cluster::start(&[Node::Server, Node::Server, Node::Server, Node::Mute], 600);
    cluster.delay(50);
    let ended = cluster.run(&[]);
    ended.assert_triggered(600);
    // Its share of the places was given up, and nothing was sent there any more.
    assert!((1..=4).contains(&ended.count("retries")), "{}", ended.summary);
    println!("{:?} {}", ended.took, ended.summary);
}

#[test]
fn debug_tells_the_addresses_once() {
    let cluster = Cluster::start(&[Node::Server; 3], 100);
    let words = cluster.words(&["a/mybucket", "--debug"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ran = cluster.mc().run(&words);
    assert_eq!(ran.status, 0, "{ran:?}");
    let port = cluster.port;
    let line = format!(
        "mc-wasi: <DEBUG> minio.example:{port} is at 127.0.0.2:{port}, 127.0.0.3:{port}, 127.0.0.4:{port}\n"
    );
    assert_eq!(ran.stderr.matches(&line).count(), 1, "{}", ran.stderr);
    assert_eq!(ran.stderr.matches(" is at ").count(), 1);
}

#[test]
fn a_name_without_an_address_is_named_in_the_error() {
    let ran = mc_wasi_at("http://AK:SK@nosuchhost.invalid:9000").run(&["a/mybucket"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains("nosuchhost.invalid:9000"), "{}", ran.stderr);
    assert!(ran.stderr.contains("lookup failed: "), "{}", ran.stderr);
}
