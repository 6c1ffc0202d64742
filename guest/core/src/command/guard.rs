//! `--clear-checksum` on a bucket with a default retention would lock what it copies.

use crate::client::Client;
use crate::exchange::{EXCHANGE, exchange};
use crate::message::Message;
use crate::net::Net;
use crate::outcome::Cause;
use crate::remedy::{During, explain};
use crate::xml;

/// Refuses the run when the bucket has a default retention: the server stamps it on every object
/// copied, for a period nobody can shorten. Where that cannot be read, the run is refused too.
pub(super) fn no_default_retention<N: Net>(
    net: &mut N,
    client: &mut Client,
) -> Result<(), Message> {
    let answer = exchange(net, client, |net, client| client.lock_configuration(net, EXCHANGE));
    let bucket = client.bucket();
    let message = format!("Unable to clear checksums in bucket `{bucket}`.");
    match answer {
        Ok(response) => {
            let document = String::from_utf8_lossy(&response.body);
            let period = xml::text(&document, "Days")
                .map(|days| format!("{days} days"))
                .or_else(|| xml::text(&document, "Years").map(|years| format!("{years} years")));
            match period {
                None => Ok(()),
                Some(period) => Err(Message::fatal(
                    message,
                    format!(
                        "It has a default retention ({} for {period}), which the server would put on every object copied. Nothing was copied. Remove it for the time of the run: mc retention clear --default ALIAS/{bucket}",
                        xml::text(&document, "Mode").unwrap_or_default()
                    ),
                )),
            }
        }
        Err(Cause::Server(error)) if error.code == "ObjectLockConfigurationNotFoundError" => Ok(()),
        Err(cause) => {
            let text = explain(&cause, During::LockConfiguration, bucket, client.authority());
            Err(Message::fatal(message, text).because(&cause))
        }
    }
}
