//! What a program asks for, checked before anything is sent.

use crate::bindings::exports::mc_wasi::replicate::resync::{
    self as wit, Operation, Options, VersionRef,
};
use resync_core::job::{Filter, MAX_QUEUE, Mode, Shard, Spec, Status};
use resync_core::listing;
use resync_core::wire::{Alias, Endpoint, VersionId, credentials};
use std::time::Duration;

/// The server and the account.
pub(super) fn alias(options: &Options) -> Result<Alias, String> {
    // Said before the URL is looked at, because what is wrong with that quotes it.
    if options.endpoint.contains('@') {
        return Err("Keys belong in `credentials`, not in `endpoint`.".to_owned());
    }
    let endpoint = Endpoint::parse(&options.endpoint).map_err(|error| error.to_string())?;
    let credentials = match &options.credentials {
        None => None,
        Some(keys) if keys.access_key.is_empty() || keys.secret_key.is_empty() => {
            return Err("`credentials` need an access key and a secret key.".to_owned());
        }
        Some(keys) => {
            credentials(&keys.access_key, &keys.secret_key, keys.session_token.as_deref())
                .map_err(|error| error.to_string())?
        }
    };
    Ok(Alias { endpoint, credentials })
}

/// The job.
pub(super) fn spec(options: &Options) -> Result<Spec, String> {
    if options.bucket.is_empty() || options.bucket.contains('/') {
        return Err("`bucket` must be the name of a bucket, without a prefix.".to_owned());
    }
    let spec = Spec {
        prefix: options.prefix.clone(),
        arn: options.arn.clone(),
        filter: options.filter.as_ref().map(filter).transpose()?.unwrap_or_default(),
        mode: match options.mode {
            wit::Mode::Trigger => Mode::Trigger,
            wit::Mode::ClearChecksum => Mode::ClearChecksum,
            wit::Mode::DryRun => Mode::DryRun,
        },
        concurrent: usize::try_from(options.concurrent).unwrap_or(usize::MAX),
        rate_limit: options.rate_limit,
        // Events carry the times of their versions.
        times: true,
        max_queue: options.max_queue.unwrap_or(MAX_QUEUE),
        ..Spec::default()
    };
    spec.check().map_err(|error| error.to_string())?;
    if options.versions.is_some() && spec.mode == Mode::ClearChecksum {
        return Err("`versions` cannot be used with `clear-checksum`: a copy keeps the time of its version, which only a listing has to the nanosecond.".to_owned());
    }
    for (index, version) in options.versions.iter().flatten().enumerate() {
        check_version(version).map_err(|why| format!("`versions[{index}]` {why}"))?;
    }
    Ok(spec)
}

/// Whether there can be such a version. The command sends every id that it is given; a program makes such
/// mistakes for all versions at once, and is told before anything is sent.
fn check_version(version: &VersionRef) -> Result<(), &'static str> {
    if version.key.is_empty() {
        return Err("has an empty `key`.");
    }
    match VersionId::given(&version.version_id) {
        VersionId::Other(_) => Err(
            "has a `version-id` that no server makes: it must be a UUID in lower case, `null` for the null version, or empty for the latest.",
        ),
        VersionId::Null | VersionId::Latest | VersionId::Uuid(_) => Ok(()),
    }
}

/// What the versions are called, once they are checked.
pub(super) fn names(versions: Vec<VersionRef>) -> impl Iterator<Item = (String, VersionId)> {
    versions.into_iter().map(|VersionRef { key, version_id }| {
        let version = VersionId::given(&version_id);
        (key, version)
    })
}

/// Which versions it is about.
fn filter(asked: &wit::Filter) -> Result<Filter, String> {
    let seconds = |time: u32| Duration::from_secs(time.into());
    let shard = asked.shard.map(|shard| {
        Shard::new(shard.index, shard.count).ok_or(
            "`shard` must have an `index` less than its `count`, and a `count` from 1 to 1000.",
        )
    });
    Ok(Filter {
        older_than: asked.older_than.map(seconds),
        newer_than: asked.newer_than.map(seconds),
        status: asked.status.map(|status| match status {
            wit::Status::Pending => Status::Pending,
            wit::Status::Failed => Status::Failed,
        }),
        operation: asked.operation.map(|operation| match operation {
            Operation::Put => listing::Operation::Put,
            Operation::Delete => listing::Operation::Delete,
            Operation::Purge => listing::Operation::Purge,
        }),
        shard: shard.transpose()?,
        ..Filter::default()
    })
}
