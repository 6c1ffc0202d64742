//! What `docs/kubernetes.md` says.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::cluster::{ADDRESS, Cluster, wait};
use crate::dice::Dice;
use crate::fake::{Backlog, FakeServer, Options};
use crate::minio::{MinioOptions, Pair, workspace_root};
use crate::relay::Relay;
use crate::watch::peak_kib;

/// The alias in the documents.
const IN_DOCUMENTS: &str = "https://ACCESS:SECRET@minio.example.net";

/// A schedule has a minute at least, and the controller some seconds.
const TWO_MINUTES: Duration = Duration::from_secs(120);

/// Checks everything, with a cluster that has the image of this OCI layout.
///
/// # Panics
/// When something does not hold.
pub fn hold(layout: &Path) {
    say("Starting etcd, API server, controllers, scheduler, containerd and kubelet");
    let cluster = Cluster::start(layout);
    for (claim, holds) in [
        ("cronjob.yaml runs when it is told to", on_demand as fn(&Cluster)),
        ("cronjob.yaml runs when its time comes", on_schedule),
        ("a pod that fails ends its Job, and says why", a_failing_pod),
        ("cluster-job.yaml shares a backlog, and no version is triggered twice", shared),
        ("ten million versions stay within the limits of cronjob.yaml", ten_million),
        ("an index whose pod is killed is started again, and nothing is lost", a_killed_pod),
        ("cronjob-web-identity.yaml has no keys, and MinIO gives it some", without_keys),
    ] {
        holds(&cluster);
        say(&format!("✓ {claim}"));
    }
}

fn say(text: &str) {
    // Whoever reads this may be gone.
    let _ = writeln!(io::stdout(), "{text}");
}

fn document(name: &str) -> String {
    let path = workspace_root().join("docs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn serve(versions: u64) -> FakeServer {
    let address = format!("{ADDRESS}:0").parse().expect("an address");
    FakeServer::start(Options { address, ..Options::with_backlog(Backlog::synthetic(versions, 1)) })
}

/// Applies the CronJob for this server. It is not told to run by itself.
fn cronjob(cluster: &Cluster, server: &FakeServer) {
    let document = document("cronjob.yaml");
    assert!(document.contains(IN_DOCUMENTS) && document.contains("\"17 * * * *\""));
    // A minute of a year, lest it comes.
    let document = document.replace("\"17 * * * *\"", "\"0 0 29 2 *\"");
    cluster.apply(&document.replace(IN_DOCUMENTS, &server.alias_url()));
}

fn start(cluster: &Cluster, job: &str) {
    let _ = cluster.kubectl(&["create", "job", "--from=cronjob/resync-backlog", job]);
}

#[track_caller]
fn summary(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn on_demand(cluster: &Cluster) {
    let server = serve(500);
    cronjob(cluster, &server);
    start(cluster, "on-demand");
    assert!(cluster.ended("on-demand").contains("Complete"));
    let lines = cluster.last_lines("on-demand");
    let [line] = &lines[..] else { panic!("one pod, and not {lines:?}") };
    assert_eq!(
        (&summary(line)["complete"], &summary(line)["processed"]),
        (&true.into(), &500.into())
    );
    assert_eq!(server.triggers(), (500, 0));
}

fn on_schedule(cluster: &Cluster) {
    let server = serve(50);
    cronjob(cluster, &server);
    let schedule = |schedule: &str, suspend: bool| {
        let patch = format!(r#"{{"spec":{{"schedule":"{schedule}","suspend":{suspend}}}}}"#);
        let _ = cluster.kubectl(&["patch", "cronjob", "resync-backlog", "--patch", &patch]);
    };
    schedule("* * * * *", false);
    wait(TWO_MINUTES, "a scheduled run", || server.triggers() == (50, 0));
    schedule("* * * * *", true);
    let last = "jsonpath={.status.lastSuccessfulTime}";
    wait(TWO_MINUTES, "success of a scheduled run", || {
        !cluster.kubectl(&["get", "cronjob", "resync-backlog", "-o", last]).is_empty()
    });
}

fn a_failing_pod(cluster: &Cluster) {
    let address = format!("{ADDRESS}:0").parse().expect("an address");
    let options = Options::with_backlog(Backlog::synthetic(5, 1));
    let secret_key = "another".to_owned();
    let server = FakeServer::start(Options { address, secret_key, ..options });
    let document = document("cronjob.yaml").replace("\"17 * * * *\"", "\"0 0 29 2 *\"");
    let wrong = server.alias_url().replace("another", "mistyped");
    cluster.apply(&document.replace(IN_DOCUMENTS, &wrong));
    start(cluster, "failing");
    assert!(cluster.ended("failing").contains("Failed"));
    let failed = [
        cluster.field("failing", ".status.failed"),
        cluster.field("failing", ".status.conditions[0].reason"),
    ];
    assert_eq!(failed, ["1", "BackoffLimitExceeded"]);
    let lines = cluster.last_lines("failing");
    let [line] = &lines[..] else { panic!("one pod, and not {lines:?}") };
    assert_eq!(summary(line)["status"], "error", "{line}");
    assert!(line.contains("SignatureDoesNotMatch") || line.contains("signature"), "{line}");
    assert_eq!(server.triggers(), (0, 0));
}

/// Applies the shared Job under this name.
fn share(cluster: &Cluster, server: &FakeServer, job: &str) {
    cronjob(cluster, server);
    cluster.apply(&document("cluster-job.yaml").replace("resync-backlog-shared", job));
}

/// The sum of a number in all summaries.
fn sum(lines: &[String], name: &str) -> u64 {
    lines.iter().filter_map(|line| summary(line)[name].as_u64()).sum()
}

fn shared(cluster: &Cluster) {
    let server = serve(1_000);
    share(cluster, &server, "shared");
    assert!(cluster.ended("shared").contains("Complete"));
    let lines = cluster.last_lines("shared");
    assert_eq!((lines.len(), sum(&lines, "processed")), (4, 1_000));
    assert_eq!(server.triggers(), (1_000, 0));
}

fn ten_million(cluster: &Cluster) {
    // By then the component has read all that it keeps, and the server waits.
    const READ: u64 = 2_000_000;
    let server = serve(10_000_000);
    cronjob(cluster, &server);
    start(cluster, "large");
    wait(TWO_MINUTES, "a listing", || server.listed() > READ && server.triggers().0 > 1_000);
    let pods = ["get", "pods", "-l", "job-name=large", "-o", "jsonpath={.items[*].status.phase}"];
    assert_eq!(cluster.kubectl(&pods), "Running", "it was not killed for its memory");
    let peak = peak_kib(process("--rate-limit").as_raw().unsigned_abs()) / 1024;
    say(&format!("  {peak} MiB at most"));
    let _ = cluster.kubectl(&["delete", "job", "large"]);
}

fn a_killed_pod(cluster: &Cluster) {
    let server = serve(4_000);
    share(cluster, &server, "retried");
    wait(TWO_MINUTES, "triggers", || server.triggers().0 > 400);
    kill(process("2/4"), Signal::SIGKILL).expect("a process");
    assert!(cluster.ended("retried").contains("Complete"));
    let fields = [".status.failed", ".status.succeeded", ".status.completedIndexes"];
    assert_eq!(fields.map(|path| cluster.field("retried", path)), ["1", "4", "0-3"]);
    assert_eq!((server.backlog_len(), server.triggers().1), (0, 0), "all of it is triggered");
}

/// The process with this word on its command line, which is not this one.
fn process(word: &str) -> Pid {
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let found = processes.filter_map(|entry| {
        let words = fs::read(entry.path().join("cmdline")).ok()?;
        let mut words = words.split(|byte| *byte == 0);
        let is_it = words.next() == Some(b"mc-wasi") && words.any(|known| known == word.as_bytes());
        entry.file_name().to_str()?.parse().ok().filter(|_| is_it)
    });
    Pid::from_raw(found.last().unwrap_or_else(|| panic!("no process has {word}")))
}

fn without_keys(cluster: &Cluster) {
    let discovery = [
        "create",
        "clusterrolebinding",
        "discovery",
        "--clusterrole=system:service-account-issuer-discovery",
        "--group=system:unauthenticated",
    ];
    let _ = cluster.kubectl(&discovery);
    let options = MinioOptions::default()
        .env("SSL_CERT_FILE", &cluster.certificate())
        .env(
            "MINIO_IDENTITY_OPENID_CONFIG_URL",
            &format!("https://{ADDRESS}:6443/.well-known/openid-configuration"),
        )
        .env("MINIO_IDENTITY_OPENID_CLIENT_ID", "minio")
        .env("MINIO_IDENTITY_OPENID_CLIENT_SECRET", "of-no-use-here")
        .env("MINIO_IDENTITY_OPENID_ROLE_POLICY", "consoleAdmin");
    let mut pair = Pair::builder().source(options).start();
    pair.stick();
    pair.put_many("k", 20, b"hello");
    pair.wait_backlog(20);
    pair.release();
    let role = pair.openid_role();
    let address = ADDRESS.parse().expect("an address");
    let relay = Relay::on(address, pair.source().authority(), Dice::new(0, "relay"));
    let relay = relay.expect("a port that pods reach the server at");
    let mut document = document("cronjob-web-identity.yaml");
    for (in_document, here) in [
        ("https://minio.example.net", format!("http://{}", relay.authority())),
        ("arn:minio:iam:::role/ROLE", role),
        ("myaistor/mybucket", "myaistor/src".to_owned()),
        ("\"17 * * * *\"", "\"0 0 29 2 *\"".to_owned()),
    ] {
        assert!(document.contains(in_document), "{in_document}");
        document = document.replace(in_document, &here);
    }
    cluster.apply(&document);
    start(cluster, "without-keys");
    let ended = cluster.ended("without-keys");
    let lines = cluster.last_lines("without-keys");
    assert!(ended.contains("Complete"), "{lines:?}");
    assert_eq!(sum(&lines, "processed"), 20);
    pair.wait_empty(TWO_MINUTES);
}
