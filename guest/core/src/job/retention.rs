//! `--clear-checksum` on a bucket with a default retention would lock what it copies.

use crate::job::failure::{During, Failure};
use crate::wire::exchange::{OnRetryAfter, exchange};
use crate::wire::{Cause, Client, Net, xml};

/// Refuses the run when the bucket has a default retention: the server stamps it on every object
/// copied, for a period nobody can shorten. Where that cannot be read, the run is refused too.
///
/// # Errors
/// Why nothing may be copied.
pub fn no_default_retention<N: Net>(
    net: &mut N,
    client: &mut Client,
    on_retry_after: OnRetryAfter<'_>,
) -> Result<(), Failure> {
    refuse_retention(net, client, on_retry_after)
        .map_err(|cause| Failure { cause, during: During::LockConfiguration })
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
    let document = String::from_utf8_lossy(&response.body);
    let period = xml::text(&document, "Days")
        .map(|days| format!("{days} days"))
        .or_else(|| xml::text(&document, "Years").map(|years| format!("{years} years")));
    let Some(period) = period else { return Ok(()) };
    let bucket = client.bucket();
    Err(Cause::Declined(format!(
        "It has a default retention ({} for {period}), which the server would put on every object copied. Nothing was copied. Remove it for the time of the run: mc retention clear --default ALIAS/{bucket}",
        xml::text(&document, "Mode").unwrap_or_default()
    )))
}
