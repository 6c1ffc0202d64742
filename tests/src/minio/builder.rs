//! How a pair is set up: servers, buckets, users, rules.

use std::thread;

use super::mc::Mc;
use super::pair::{Link, Pair, SOURCE, SOURCE_BUCKET};
use super::server::{Minio, MinioOptions};

/// Alias and bucket of the targets. A server takes no two targets at one address, so each is a
/// server of its own.
const TARGETS: [(&str, &str); 2] = [("target", "dst"), ("target2", "dst2")];

/// What a pair is to look like. [`Pair::start`] is the default one.
#[derive(Debug)]
pub struct PairBuilder {
    source: MinioOptions,
    targets: Vec<MinioOptions>,
    versioned: bool,
    lock: bool,
}

impl Default for PairBuilder {
    fn default() -> Self {
        Self {
            source: MinioOptions::default(),
            targets: vec![MinioOptions::default()],
            versioned: true,
            lock: false,
        }
    }
}

impl PairBuilder {
    /// How the source runs.
    #[must_use]
    pub fn source(mut self, options: MinioOptions) -> Self {
        self.source = options;
        self
    }

    /// A second target with the bucket `dst2` and a rule of its own.
    #[must_use]
    pub fn second_target(mut self, options: MinioOptions) -> Self {
        self.targets.truncate(1);
        self.targets.push(options);
        self
    }

    /// The source bucket starts without versioning, for null versions, and without rules, which need a
    /// versioned bucket ([`Pair::set_versioning`]). What is written before [`Pair::add_rules`] is an
    /// existing object to them.
    #[must_use]
    pub fn unversioned(mut self) -> Self {
        self.versioned = false;
        self
    }

    /// Both buckets with object locking.
    #[must_use]
    pub fn lock(mut self) -> Self {
        self.lock = true;
        self
    }

    /// All servers (named before this) with a key for SSE-S3 and SSE-KMS.
    #[must_use]
    pub fn kms(mut self) -> Self {
        self.source = self.source.kms();
        self.targets = self.targets.into_iter().map(MinioOptions::kms).collect();
        self
    }

    /// Starts the servers and sets everything up.
    ///
    /// # Panics
    /// When any part of that fails.
    #[must_use]
    pub fn start(self) -> Pair {
        let (source, links) = thread::scope(|scope| {
            let targets = self.targets.into_iter().zip(TARGETS);
            let targets: Vec<_> = targets
                .map(|(options, name)| scope.spawn(move || start_link(options, name)))
                .collect();
            let source = Minio::start(self.source);
            let links: Vec<_> =
                targets.into_iter().map(|target| target.join().expect("start a target")).collect();
            (source, links)
        });
        let mc = links
            .iter()
            .fold(Mc::new().alias(SOURCE, &source), |mc, link| mc.alias(link.alias, &link.server));
        let mut pair = Pair { source, mc, links, frozen: false };
        let kind = if self.lock { "--with-lock" } else { "--with-versioning" };
        thread::scope(|scope| {
            let mc = &pair.mc;
            scope.spawn(move || {
                let bucket = format!("{SOURCE}/{SOURCE_BUCKET}");
                if self.versioned {
                    mc.run(&["mb", kind, &bucket])
                } else {
                    mc.run(&["mb", &bucket])
                }
            });
            for link in &pair.links {
                scope.spawn(move || link.set_up(mc, kind));
            }
        });
        if self.versioned {
            pair.add_rules();
        }
        pair
    }
}

fn start_link(options: MinioOptions, (alias, bucket): (&'static str, &'static str)) -> Link {
    Link { server: Minio::start(options), alias, bucket, arn: String::new() }
}
