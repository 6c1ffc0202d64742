//! What the bucket does with everything that is written to it, copies included.
//!
//! The server stamps a default retention on every object copied, for a period nobody can shorten, and
//! encrypts it where that is the default. Both are looked at before the first copy.

use crate::job::failure::{During, Failure};
use crate::wire::exchange::{OnRetryAfter, exchange};
use crate::wire::{Cause, Client, Net, xml};

/// What a copy has to reckon with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// What is written is encrypted.
    pub encrypts: bool,
}

/// Looks at the settings of the bucket, and refuses a run that they would make harmful: one on a bucket with
/// a default retention. Where they cannot be read, the run is refused too.
///
/// # Errors
/// Why nothing may be copied.
pub fn check_settings<N: Net>(
    net: &mut N,
    client: &mut Client,
    on_retry_after: OnRetryAfter<'_>,
) -> Result<Settings, Failure> {
    refuse_retention(net, client, on_retry_after)
        .map_err(|cause| Failure { cause, during: During::LockConfiguration })?;
    let encrypts = encrypts(net, client, on_retry_after)
        .map_err(|cause| Failure { cause, during: During::EncryptionConfiguration })?;
    Ok(Settings { encrypts })
}

fn refuse_retention<N: Net>(
    net: &mut N,
    client: &mut Client,
    on_retry_after: OnRetryAfter<'_>,
) -> Result<(), Cause> {
    let response = match exchange(net, client, on_retry_after, &mut |net, client| {
        client.lock_configuration(net);
    }) {
        Ok(response) => response,
        Err(Cause::Server(error)) if error.code == "ObjectLockConfigurationNotFoundError" => {
            return Ok(());
        }
        Err(cause) => return Err(cause),
    };
    let Some(retention) = default_retention(&String::from_utf8_lossy(&response.body)) else {
        return Ok(());
    };
    let bucket = client.bucket();
    Err(Cause::Declined(format!(
        "It has a default retention ({retention}), which the server would put on every object copied. Nothing was copied. Remove it for the time of the run: mc retention clear --default ALIAS/{bucket}"
    )))
}

/// The default retention in an object lock configuration, in words.
pub fn default_retention(document: &str) -> Option<String> {
    let period = xml::text(document, "Days")
        .map(|days| format!("{days} days"))
        .or_else(|| xml::text(document, "Years").map(|years| format!("{years} years")))?;
    Some(format!("{} for {period}", xml::text(document, "Mode").unwrap_or_default()))
}

fn encrypts<N: Net>(
    net: &mut N,
    client: &mut Client,
    on_retry_after: OnRetryAfter<'_>,
) -> Result<bool, Cause> {
    match exchange(net, client, on_retry_after, &mut |net, client| {
        client.encryption_configuration(net);
    }) {
        Ok(response) => Ok(encrypts_by_default(&String::from_utf8_lossy(&response.body))),
        Err(Cause::Server(error)) if error.code == NOT_ENCRYPTED => Ok(false),
        Err(cause) => Err(cause),
    }
}

/// What the server says of a bucket without a default encryption.
const NOT_ENCRYPTED: &str = "ServerSideEncryptionConfigurationNotFoundError";

/// Whether an encryption configuration names an algorithm.
pub fn encrypts_by_default(document: &str) -> bool {
    xml::text(document, "SSEAlgorithm").is_some()
}
