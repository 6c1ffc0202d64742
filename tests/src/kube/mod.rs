//! A real Kubernetes of one node, in which the Jobs of `docs/` run as they are written: etcd and containerd from
//! Debian, API server, controllers, scheduler and kubelet from `tests/kube`.
//!
//! `cargo xtask kube` starts the program that uses this in namespaces of its own, so that addresses, ports, mounts
//! and processes are nobody else's, and all of them end with it.

mod claims;
mod cluster;
mod pause;

pub use claims::hold;
pub use cluster::Cluster;
