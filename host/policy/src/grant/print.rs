//! `--print-grant`: the grant in words, and as JSON.

use super::{Grant, Kind, Listing};
use crate::limits::Limits;
use serde::Serialize;
use std::fmt::Write;
use std::net::IpAddr;

/// A kind of request that is granted. `{version}` stands for one version id; of a HEAD with `--from`, which
/// may name a version by its key alone, also for none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Rule {
    /// What kind it is.
    #[serde(skip)]
    pub(super) kind: Kind,
    /// The method.
    pub(super) method: &'static str,
    /// The path; a `*` at its end stands for the rest of a key.
    pub(super) path: String,
    /// The query.
    pub(super) query: String,
    /// What it is for.
    pub(super) purpose: &'static str,
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Printed<'a> {
    status: &'static str,
    server: String,
    addresses: &'a [IpAddr],
    signed: bool,
    requests: &'a [Rule],
    limits: &'a Limits,
}

impl Grant {
    /// What is granted. Everything that fits none of these is denied.
    pub(super) fn rules(&self) -> Vec<Rule> {
        let Listing { bucket, arn, prefix } = &self.listing;
        let mut diff = bucket.clone();
        if let Some(arn) = arn {
            let _ = write!(diff, "&arn={arn}");
        }
        if !prefix.is_empty() {
            let _ = write!(diff, "&prefix={prefix}");
        }
        let version = || "versionId={version}".to_owned();
        let objects = || format!("{}*", self.objects);
        let rule = |kind, method, path, query, purpose| Rule { kind, method, path, query, purpose };
        let mut rules = Vec::new();
        for api in ["v3", "v4"] {
            let path = |call: &str| format!("/minio/admin/{api}/{call}");
            if !self.given {
                rules.push(rule(
                    Kind::Listing,
                    "POST",
                    path("replication/diff"),
                    diff.clone(),
                    "list the backlog, or a part of it",
                ));
            }
            rules.push(rule(
                Kind::Targets,
                "GET",
                path("list-remote-targets"),
                format!("{bucket}&type=replication"),
                "name the replication targets",
            ));
        }
        let bucket = || self.bucket.clone();
        rules.push(rule(
            Kind::Location,
            "GET",
            bucket(),
            "location=".to_owned(),
            "ask for the region of the bucket",
        ));
        if self.metrics {
            rules.push(rule(
                Kind::Metrics,
                "GET",
                bucket(),
                "replication-metrics=2".to_owned(),
                "count what is replicated, so that the queue does not overflow",
            ));
        }
        rules.push(rule(
            Kind::Head,
            "HEAD",
            objects(),
            version(),
            "look at a version, which triggers its replication",
        ));
        if self.copies {
            rules.push(rule(
                Kind::LockConfiguration,
                "GET",
                bucket(),
                "object-lock=".to_owned(),
                "see that nothing gets locked",
            ));
            rules.push(rule(
                Kind::EncryptionConfiguration,
                "GET",
                bucket(),
                "encryption=".to_owned(),
                "see whether copies are encrypted",
            ));
            rules.push(rule(
                Kind::Copy,
                "PUT",
                objects(),
                version(),
                "copy a version onto itself, metadata kept",
            ));
        }
        if self.tags {
            let query = format!("tagging=&{}", version());
            rules.push(rule(Kind::Tags, "GET", objects(), query, "compare the tags of a version"));
            let purpose = "read a version back, for its checksum";
            rules.push(rule(Kind::Read, "GET", objects(), version(), purpose));
        }
        rules
    }

    /// The grant for people.
    pub fn text(&self, signed: bool, limits: &Limits) -> String {
        let rules = self.rules();
        let target = |rule: &Rule| format!("{}?{}", rule.path, rule.query);
        let width = rules.iter().map(|rule| target(rule).chars().count()).max().unwrap_or(0);
        let requests: String = rules
            .iter()
            .map(|rule| format!("  {:<5}{:<width$}  {}\n", rule.method, target(rule), rule.purpose))
            .collect();
        let keys = if signed {
            "signed by mc-wasi; the component never sees the keys"
        } else {
            "not signed; the alias has no keys"
        };
        let addresses: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        let at = match addresses.as_slice() {
            [] => String::new(),
            addresses => format!(" at {}", addresses.join(", ")),
        };
        format!(
            "The component may send these requests to {}{at}, {keys}:
{requests}
Everything else is denied: other servers, methods, paths, parameters and headers, redirects, files,
sockets, other aliases, and variables other than those of its flags.

Limits: {} MiB of memory, {} handles, {} requests at a time, {} KiB of headers, {} MiB per call.
",
            self.origin,
            limits.memory >> 20,
            limits.handles,
            limits.requests,
            limits.headers >> 10,
            limits.call >> 20,
        )
    }

    /// The grant as one line of JSON.
    pub fn json(&self, signed: bool, limits: &Limits) -> String {
        let requests = self.rules();
        let printed = Printed {
            status: "success",
            server: self.origin.to_string(),
            addresses: &self.addresses,
            signed,
            requests: &requests,
            limits,
        };
        let mut line = serde_json::to_string(&printed).unwrap_or_default();
        line.push('\n');
        line
    }
}
