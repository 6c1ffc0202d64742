//! The node: its processes, and `kubectl`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::pause::{self, tar};
use crate::minio::workspace_root;
use crate::process::{Process, succeed};
use crate::wait::wait_each;

/// The address of the node, which pods reach it at; the network is this namespace's own.
pub(super) const ADDRESS: &str = "10.244.77.1";

const API: &str = "https://10.244.77.1:6443";

/// The folder of control groups that the kubelet has. `cargo xtask kube` removes it.
const GROUP: &str = "mc-wasi-kube";

/// Who holds it may do everything. Nobody else is in this namespace.
const TOKEN: &str = "a-token-of-the-tests";

/// The API server takes 5 s on an idle machine, the node 10 more.
const READY: Duration = Duration::from_secs(180);

/// A Job of a few seconds, with a pod to be made for it.
const DONE: Duration = Duration::from_secs(180);

/// `kubectl` costs 50 ms of processor time.
const GLANCE: Duration = Duration::from_millis(500);

/// What pods wait in. The kubelet wants one before there is any other image.
const PAUSE: &str = "test.invalid/pause:1";

/// What the documents call the image, whose layout has the version.
const IMAGE: &str = "registry.example.net/mc-wasi";

/// A running cluster. It ends with the process.
#[derive(Debug)]
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    processes: Vec<Process>,
}

impl Cluster {
    /// Starts everything, with the image of this OCI layout under the name that the documents have.
    ///
    /// # Panics
    /// When a part of it is missing, or does not start.
    #[must_use]
    pub fn start(layout: &Path) -> Self {
        let programs = workspace_root().join("target/tools/kube");
        let folder = TempDir::new().expect("a folder");
        let mut cluster = Self { folder, programs, processes: Vec::new() };
        cluster.prepare();
        cluster.control_plane();
        cluster.node();
        let (pauses, archive) = (cluster.path("pause.tar"), cluster.path("image.tar"));
        pause::write(Path::new(&pauses), PAUSE);
        cluster.import(&pauses, "test.invalid/pause");
        tar(Path::new(&archive), layout, &["."]);
        cluster.import(&archive, IMAGE);
        wait(READY, "a node that is ready", || {
            let ready = "jsonpath={.items[*].status.conditions[?(@.type==\"Ready\")].status}";
            cluster.try_kubectl(&["get", "nodes", "-o", ready]).is_some_and(|text| text == "True")
        });
        cluster
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).expect("a file");
        self.path(name)
    }

    /// Network, control groups and keys.
    fn prepare(&self) {
        for words in [
            "link set lo up",
            "link add mc-wasi0 type bridge",
            "address add 10.244.77.1/24 dev mc-wasi0",
            "link set mc-wasi0 up",
        ] {
            let _ = succeed(Command::new("ip").args(words.split(' ')));
        }
        let hierarchies = fs::read_dir("/sys/fs/cgroup").expect("control groups").flatten();
        let hierarchies = hierarchies.map(|entry| entry.path());
        for root in hierarchies.chain(["/sys/fs/cgroup".into()]) {
            if !root.join("cgroup.procs").is_file() {
                continue;
            }
            // Version 2 gives a folder only what the one above it hands down.
            let _ = fs::write(root.join("cgroup.subtree_control"), "+cpu +cpuset +memory +pids");
            fs::create_dir_all(root.join(GROUP)).expect("a control group");
            for of_cpuset in ["cpuset.cpus", "cpuset.mems"] {
                if let Ok(all) = fs::read(root.join(of_cpuset)) {
                    let _ = fs::write(root.join(GROUP).join(of_cpuset), all);
                }
            }
        }
        let key = self.path("sa.key");
        let _ = succeed(Command::new("openssl").args(["genrsa", "-out", &key, "2048"]));
        let public = self.path("sa.pub");
        let _ =
            succeed(Command::new("openssl").args(["rsa", "-in", &key, "-pubout", "-out", &public]));
        self.write("tokens.csv", &format!("{TOKEN},admin,admin,system:masters\n"));
        self.write(
            "kubeconfig",
            &format!(
                "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
                 clusters: [{{name: k, cluster: {{server: '{API}', insecure-skip-tls-verify: true}}}}]\n\
                 users: [{{name: a, user: {{token: {TOKEN}}}}}]\n\
                 contexts: [{{name: c, context: {{cluster: k, user: a}}}}]\n"
            ),
        );
    }

    fn control_plane(&mut self) {
        let data = self.path("etcd");
        self.spawn("etcd", &["--data-dir", &data]);
        let kubeconfig = format!("--kubeconfig={}", self.path("kubeconfig"));
        let certificates = format!("--cert-dir={}", self.path("certificates"));
        let key = self.path("sa.key");
        let more = [
            format!("--service-account-issuer={API}"),
            format!("--service-account-key-file={}", self.path("sa.pub")),
            format!("--service-account-signing-key-file={key}"),
            format!("--token-auth-file={}", self.path("tokens.csv")),
            format!("--advertise-address={ADDRESS}"),
        ];
        let mut words = vec![
            certificates.as_str(),
            "--etcd-servers=http://127.0.0.1:2379",
            "--secure-port=6443",
            "--bind-address=0.0.0.0",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/24",
            "--kubelet-preferred-address-types=Hostname",
        ];
        words.extend(more.iter().map(String::as_str));
        self.spawn("kube-apiserver", &words);
        wait(READY, "an API server", || self.try_kubectl(&["get", "--raw", "/readyz"]).is_some());
        let key = format!("--service-account-private-key-file={key}");
        let alone = ["--leader-elect=false", "--secure-port=0", kubeconfig.as_str()];
        self.spawn("kube-controller-manager", &[&alone[..], &[&key, &certificates]].concat());
        self.spawn("kube-scheduler", &alone);
    }

    fn node(&mut self) {
        let folder = self.folder.path().display().to_string();
        fs::create_dir_all(self.path("cni")).expect("a folder");
        self.write(
            "cni/10.conflist",
            &format!(
                r#"{{"cniVersion":"0.4.0","name":"pods","plugins":[{{"type":"bridge","bridge":"mc-wasi0","isGateway":true,"ipam":{{"type":"host-local","dataDir":"{folder}/addresses","ranges":[[{{"subnet":"10.244.77.0/24"}}]]}}}}]}}"#
            ),
        );
        // In a container itself, this may not make processes less likely to be killed than it is.
        let containerd = self.write(
            "containerd.toml",
            &format!(
                "version = 2\nroot = \"{folder}/containerd\"\nstate = \"{folder}/containers\"\n\
                 [grpc]\naddress = \"{folder}/containerd.sock\"\n\
                 [plugins.\"io.containerd.grpc.v1.cri\"]\n\
                 sandbox_image = \"{PAUSE}\"\nrestrict_oom_score_adj = true\n\
                 [plugins.\"io.containerd.grpc.v1.cri\".cni]\n\
                 bin_dir = \"/usr/lib/cni\"\nconf_dir = \"{folder}/cni\"\n\
                 [plugins.\"io.containerd.grpc.v1.cri\".containerd]\nsnapshotter = \"native\"\n"
            ),
        );
        self.spawn("containerd", &["-c", &containerd]);
        let kubelet = self.write(
            "kubelet.yaml",
            &format!(
                "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n\
                 authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}\n\
                 authorization: {{mode: AlwaysAllow}}\naddress: 127.0.0.1\n\
                 readOnlyPort: 0\nhealthzPort: 0\n\
                 cgroupDriver: cgroupfs\ncgroupRoot: /{GROUP}\nfailCgroupV1: false\nfailSwapOn: false\n\
                 containerRuntimeEndpoint: unix://{folder}/containerd.sock\n\
                 evictionHard: {{memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}}\n\
                 imageGCHighThresholdPercent: 100\nimageGCLowThresholdPercent: 99\n\
                 podLogsDir: {folder}/logs\nclusterDNS: [10.96.0.10]\n"
            ),
        );
        let words = [
            format!("--config={kubelet}"),
            format!("--kubeconfig={}", self.path("kubeconfig")),
            format!("--root-dir={folder}/kubelet"),
            format!("--cert-dir={folder}/certificates"),
            // A name that resolves: the logs of pods are asked for by it.
            "--hostname-override=localhost".to_owned(),
            format!("--node-ip={ADDRESS}"),
        ];
        self.spawn("kubelet", &words.each_ref().map(String::as_str));
        let socket = self.path("containerd.sock");
        wait(READY, "containerd", || Path::new(&socket).exists());
    }

    /// Gives the node the image in an archive, whose name begins with this.
    fn import(&self, archive: &str, name: &str) {
        let socket = self.path("containerd.sock");
        let mut command = Command::new("ctr");
        command.args(["--address", &socket, "--namespace", "k8s.io", "images", "import"]);
        let _ = succeed(command.args(["--base-name", name, archive]));
    }

    /// Starts a process whose output goes into a file.
    fn spawn(&mut self, program: &str, words: &[&str]) {
        let log = fs::File::create(self.path(&format!("{program}.log"))).expect("a file");
        let own = self.programs.join(program);
        let own = if own.is_file() { own } else { program.into() };
        let mut command = Command::new(own);
        command.args(words).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a second descriptor")).stderr(log);
        self.processes.push(Process::spawn(&mut command));
    }

    /// The certificate of the API server with its authority, for who asks it for its keys.
    #[must_use]
    pub fn certificate(&self) -> String {
        self.path("certificates/apiserver.crt")
    }

    /// Runs `kubectl` and returns what it printed, `None` when it failed.
    #[must_use]
    pub fn try_kubectl(&self, words: &[&str]) -> Option<String> {
        let output = self.kubectl_command(words).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    }

    /// The same.
    ///
    /// # Panics
    /// When it failed.
    #[track_caller]
    pub fn kubectl(&self, words: &[&str]) -> String {
        succeed(&mut self.kubectl_command(words)).trim().to_owned()
    }

    fn kubectl_command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join("kubectl"));
        command.args(words).env("KUBECONFIG", self.path("kubeconfig")).stdin(Stdio::null());
        command
    }

    /// Applies a document.
    ///
    /// # Panics
    /// When the server does not take it.
    #[track_caller]
    pub fn apply(&self, document: &str) {
        let file = self.write("document.yaml", document);
        // A field that is no field is an error.
        let _ = self.kubectl(&["apply", "--validate=strict", "-f", &file]);
    }

    /// The conditions of a Job that hold, once one of them ends it.
    ///
    /// # Panics
    /// When it does not end in time, with what is known of its pods.
    #[track_caller]
    pub fn ended(&self, job: &str) -> String {
        let path = "jsonpath={.status.conditions[?(@.status==\"True\")].type}";
        let began = Instant::now();
        loop {
            let conditions = self.kubectl(&["get", "job", job, "-o", path]);
            if conditions.contains("Complete") || conditions.contains("Failed") {
                return conditions;
            }
            if began.elapsed() > DONE {
                let pods = self.kubectl(&["describe", "pods", "-l", &format!("job-name={job}")]);
                panic!("{job} does not end: {pods}");
            }
            sleep(GLANCE);
        }
    }

    /// A field of a Job.
    #[track_caller]
    pub fn field(&self, job: &str, path: &str) -> String {
        self.kubectl(&["get", "job", job, "-o", &format!("jsonpath={{{path}}}")])
    }

    /// The last line that each pod of a Job wrote.
    #[track_caller]
    pub fn last_lines(&self, job: &str) -> Vec<String> {
        let selector = format!("job-name={job}");
        let names = self.kubectl(&[
            "get",
            "pods",
            "-l",
            &selector,
            "-o",
            "jsonpath={.items[*].metadata.name}",
        ]);
        let last = |pod: &str| self.kubectl(&["logs", pod, "--tail", "1"]);
        names.split_whitespace().map(last).collect()
    }
}

/// Waits for something that `kubectl` is asked for.
#[track_caller]
pub(super) fn wait(limit: Duration, what: &str, holds: impl FnMut() -> bool) {
    wait_each(GLANCE, limit, what, holds);
}
