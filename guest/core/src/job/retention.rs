//! `--clear-checksum` on a bucket with a default retention would lock what it copies.

use crate::wire::exchange::{EXCHANGE, Told, exchange};
use crate::wire::{Cause, Client, Net, xml};

/// Refuses the run when the bucket has a default retention: the server stamps it on every object
/// copied, for a period nobody can shorten. Where that cannot be read, the run is refused too.
///
/// # Errors
/// Why nothing may be copied.
pub fn no_default_retention<N: Net>(
    net: &mut N,
    client: &mut Client,
    told: Told<'_>,
) -> Result<(), Cause> {
    let response = match exchange(net, client, told, &mut |net, client| {
        client.lock_configuration(net, EXCHANGE);
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
    Err(Cause::Refused(format!(
        "It has a default retention ({} for {period}), which the server would put on every object copied. Nothing was copied. Remove it for the time of the run: mc retention clear --default ALIAS/{bucket}",
        xml::text(&document, "Mode").unwrap_or_default()
    )))
}
