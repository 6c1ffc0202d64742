//! A source and a target with replication between them that can be broken and repaired.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::builder::PairBuilder;
use super::client::{Client, Keys, encode_query};
use super::mc::Mc;
use super::policy::attach_policy;
use super::server::Minio;
use super::xml::{Version, versions_page};

/// The bucket all objects are written to.
pub const SOURCE_BUCKET: &str = "src";
/// Alias of the source in [`Pair::mc`].
pub(super) const SOURCE: &str = "source";
/// What the rules replicate, as in `mc replicate add --replicate`.
const REPLICATE: &str = "delete,delete-marker,existing-objects";
/// The source knows its targets a few milliseconds after it is ready.
const TARGETS_TIMEOUT: Duration = Duration::from_secs(30);
/// Where the source saves its retry list every five minutes, on one of its drives.
const RETRY_LIST: &str = ".minio.sys/buckets/.replication/mrf";

/// One replication target: a server, its bucket, and the user as whom the source writes to it.
#[derive(Debug)]
pub struct Link {
    /// The server.
    pub server: Minio,
    /// Its alias in [`Pair::mc`].
    pub alias: &'static str,
    /// Its bucket.
    pub bucket: &'static str,
    /// The target's ARN. Empty until the rule exists.
    pub arn: String,
}

impl Link {
    pub(super) fn set_up(&self, mc: &Mc, kind: &str) {
        let keys = replication_keys();
        mc.run(&["mb", kind, &format!("{}/{}", self.alias, self.bucket)]);
        mc.run(&["admin", "user", "add", self.alias, &keys.access, &keys.secret]);
        attach_policy(&self.server.client(), "readwrite", &keys.access);
    }

    fn set(&self, mc: &Mc, state: &str) {
        mc.run(&["admin", "user", state, self.alias, &replication_keys().access]);
    }
}

/// A source and its targets. See the module for the life of a backlog.
#[derive(Debug)]
pub struct Pair {
    pub(super) source: Minio,
    pub(super) mc: Mc,
    pub(super) links: Vec<Link>,
    /// Whether the targets are frozen by [`Pair::stick_pending`].
    pub(super) frozen: bool,
}

impl Pair {
    /// One target, versioned buckets, a rule for everything.
    ///
    /// # Panics
    /// When it cannot be set up.
    #[must_use]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// To set up something else.
    #[must_use]
    pub fn builder() -> PairBuilder {
        PairBuilder::default()
    }

    /// The server with the bucket [`SOURCE_BUCKET`].
    #[must_use]
    pub fn source(&self) -> &Minio {
        &self.source
    }

    /// The source, to kill or restart it.
    pub fn source_mut(&mut self) -> &mut Minio {
        &mut self.source
    }

    /// The server with the bucket `dst`.
    #[must_use]
    pub fn target(&self) -> &Minio {
        &self.links[0].server
    }

    /// The target, to kill or restart it.
    pub fn target_mut(&mut self) -> &mut Minio {
        &mut self.links[0].server
    }

    /// An `mc` that knows the servers as `source`, `target` and `target2`.
    #[must_use]
    pub fn mc(&self) -> &Mc {
        &self.mc
    }

    /// The links, `dst` first.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// Root's client of the source.
    #[must_use]
    pub fn source_client(&self) -> Client {
        self.source.client()
    }

    /// Root's client of the first target.
    #[must_use]
    pub fn target_client(&self) -> Client {
        self.target().client()
    }

    /// The role that the source made for the policy of its OpenID provider, by its ARN.
    ///
    /// # Panics
    /// When it has none.
    #[must_use]
    pub fn openid_role(&self) -> String {
        let listed = self.mc.run(&["idp", "openid", "ls", SOURCE, "--json"]);
        let mut words = listed.split('"');
        let role = words.find(|word| word.starts_with("arn:minio:iam:::role/"));
        role.unwrap_or_else(|| panic!("{listed}")).to_owned()
    }

    /// Adds the replication rules, for a pair that was started without.
    ///
    /// # Panics
    /// When the source refuses.
    pub fn add_rules(&mut self) {
        for (number, link) in self.links.iter().enumerate() {
            let remote = link.server.alias_url(&replication_keys());
            self.mc.run(&[
                "replicate",
                "add",
                &format!("{SOURCE}/{SOURCE_BUCKET}"),
                "--remote-bucket",
                &format!("{remote}/{}", link.bucket),
                "--replicate",
                REPLICATE,
                "--priority",
                &(number + 1).to_string(),
            ]);
        }
        let targets = self.remote_targets(0);
        for link in &mut self.links {
            let target = targets.iter().find(|target| target.bucket == link.bucket);
            link.arn = target
                .unwrap_or_else(|| panic!("no target for {} in {targets:?}", link.bucket))
                .arn
                .clone();
        }
    }

    /// `mc version enable`, `mc version suspend`, with further arguments such as
    /// `--excluded-prefixes`.
    ///
    /// # Panics
    /// When the source refuses.
    pub fn set_versioning(&self, state: &str, more: &[&str]) {
        let bucket = format!("{SOURCE}/{SOURCE_BUCKET}");
        self.mc.run(&[&["version", state, &bucket], more].concat());
    }

    /// From now on the target refuses what the source replicates: it ends up `FAILED`.
    ///
    /// # Panics
    /// When the target's users cannot be disabled.
    pub fn stick(&self) {
        for link in &self.links {
            link.set(&self.mc, "disable");
        }
    }

    /// Like [`Pair::stick`] for the link to one bucket.
    ///
    /// # Panics
    /// When there is no such link.
    pub fn stick_one(&self, bucket: &str) {
        self.link(bucket).set(&self.mc, "disable");
    }

    /// Opens the link to one bucket again, for what is written from now on. What failed before
    /// stays as it is for five minutes at least, or for good once [`Pair::release`] is called.
    ///
    /// # Panics
    /// When there is no such link.
    pub fn unstick_one(&self, bucket: &str) {
        self.link(bucket).set(&self.mc, "enable");
    }

    /// From now on no target answers at all: what is written stays `PENDING`.
    pub fn stick_pending(&mut self) {
        self.links.iter().for_each(|link| link.server.freeze());
        self.frozen = true;
    }

    /// Whether the source has written down versions that did not fit into its queue.
    #[must_use]
    pub fn has_retry_list(&self) -> bool {
        self.source.data_dirs().any(|drive| drive.join(RETRY_LIST).exists())
    }

    /// Replication works again for what is written or asked for from now on; the backlog stays as
    /// it is. The source is killed and started again for that, so that it forgets what it was going
    /// to retry.
    ///
    /// # Panics
    /// When the source does not come back, or a user cannot be enabled.
    pub fn release(&mut self) {
        self.source.kill();
        // It is only there if the source ran for five minutes; then it would be retried some
        // minutes from now.
        for drive in self.source.data_dirs() {
            let _ = fs::remove_dir_all(drive.join(RETRY_LIST));
        }
        if self.frozen {
            // Thawed, it would carry out what it was sent before the source died.
            self.links.iter_mut().for_each(|link| link.server.restart());
            self.frozen = false;
        }
        for link in &self.links {
            link.set(&self.mc, "enable");
        }
        self.source.restart();
        let ruled = self.links.iter().filter(|link| !link.arn.is_empty()).count();
        let started = Instant::now();
        let knows = |node| self.remote_targets(node).len() >= ruled;
        while !self.source.nodes().all(knows) {
            assert!(started.elapsed() < TARGETS_TIMEOUT, "the source has forgotten its targets");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// All versions in a bucket of the target, by key, newest first.
    ///
    /// # Panics
    /// When the target refuses to list them.
    #[must_use]
    #[track_caller]
    pub fn target_versions(&self, bucket: &str) -> Vec<Version> {
        list_versions(&self.link(bucket).server.client(), bucket, "")
    }

    /// All versions in the source bucket under a prefix. Listing them **re-queues** them: only for
    /// after the counting.
    ///
    /// # Panics
    /// When the source refuses to list them.
    #[must_use]
    #[track_caller]
    pub fn source_versions_requeue(&self, prefix: &str) -> Vec<Version> {
        list_versions(&self.source_client(), SOURCE_BUCKET, prefix)
    }

    #[track_caller]
    fn link(&self, bucket: &str) -> &Link {
        self.links
            .iter()
            .find(|link| link.bucket == bucket)
            .unwrap_or_else(|| panic!("no target has a bucket {bucket}"))
    }

    /// What one node of the source knows: after a start, each of them learns it on its own.
    fn remote_targets(&self, node: usize) -> Vec<RemoteTarget> {
        let target =
            format!("/minio/admin/v3/list-remote-targets?bucket={SOURCE_BUCKET}&type=replication");
        let reply = self
            .source
            .node_client(node)
            .send("GET", &target, &[], b"")
            .ok("list the remote targets");
        let targets: Option<_> = serde_json::from_slice(&reply.body)
            .unwrap_or_else(|error| panic!("{error}: {}", reply.text()));
        targets.unwrap_or_default() // the server says `null` while it has none
    }
}

#[derive(Debug, Deserialize)]
struct RemoteTarget {
    arn: String,
    #[serde(rename = "targetbucket")]
    bucket: String,
}

/// As whom the source replicates. Not root, so that it can be locked out; nobody else can reach
/// these servers.
fn replication_keys() -> Keys {
    Keys::new("replicator", "replication-secret")
}

#[track_caller]
fn list_versions(client: &Client, bucket: &str, prefix: &str) -> Vec<Version> {
    let mut versions = Vec::new();
    let mut marker = String::new();
    loop {
        let prefix = encode_query(prefix);
        let target =
            format!("/{bucket}?encoding-type=url{marker}&max-keys=1000&prefix={prefix}&versions=");
        let mut page =
            versions_page(&client.send("GET", &target, &[], b"").ok("list versions").text());
        versions.append(&mut page.versions);
        let Some((key, version)) = page.next else { return versions };
        marker = format!("&key-marker={key}&version-id-marker={}", encode_query(&version));
    }
}
