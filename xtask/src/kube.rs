//! The Jobs of `docs/` in a real Kubernetes: the tools for it, and the namespaces that it runs in.

use crate::tools;
use std::fs;
use std::path::Path;
use std::process::Command;
use xtask::sh::{Result, build, built, headline, is_root, root, run};

/// The control groups that the kubelet makes below each hierarchy.
const GROUP: &str = "mc-wasi-kube";

/// Everything that is needed, and then every claim.
pub fn run_jobs() -> Result {
    if !is_root() {
        return Err("pods need root: sudo -E cargo xtask kube".to_owned());
    }
    tools::servers()?;
    tools::debian(&[
        "etcd:etcd-server",
        "containerd",
        "ip:iproute2",
        "openssl",
        "/usr/lib/cni/bridge:containernetworking-plugins",
    ])?;
    kubernetes()?;
    build(&["mc-wasi-tests", "xtask-dist"])?;
    headline("The image that is handed out: the first time a quarter of an hour");
    run(Command::new(built("xtask-dist")).args(["image", "target/image"]).current_dir(root()))?;
    headline("A node of Kubernetes, in namespaces of its own; three minutes");
    // With the process that this starts everything in its namespace ends, mounts included.
    let words = ["--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc"];
    let ran = run(Command::new("unshare").args(words).arg(built("kube")));
    remove_groups(Path::new("/sys/fs/cgroup"));
    ran
}

/// API server, controllers, scheduler, kubelet and kubectl, at the version of `tests/kube/go.mod`.
fn kubernetes() -> Result {
    let folder = root().join("target/tools/kube");
    let programs =
        ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kubelet"];
    let go_mod = root().join("tests/kube/go.mod");
    let made = |file: &Path| fs::metadata(file).and_then(|data| data.modified()).ok();
    let wanted = made(&go_mod);
    if programs.iter().all(|program| made(&folder.join(program)) > wanted) {
        return Ok(());
    }
    headline("Building Kubernetes: 20 minutes on two idle cores, once, and 7 GB of disk");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut command = Command::new("nice");
    command.args(["-n", "19", "go", "install", "-ldflags", "-s -w", "tool"]);
    command.current_dir(root().join("tests/kube")).env("CGO_ENABLED", "0").env("GOBIN", folder);
    run(&mut command)
}

/// Removes what is left of the groups, empty by now, below each hierarchy or below the one that there is.
fn remove_groups(hierarchies: &Path) {
    remove(&hierarchies.join(GROUP));
    for entry in fs::read_dir(hierarchies).into_iter().flatten().flatten() {
        remove(&entry.path().join(GROUP));
    }
}

/// A control group is removed as an empty folder is, although it has files.
fn remove(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    let _ = fs::remove_dir(group);
}
