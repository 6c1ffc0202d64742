//! One request at a time, for what happens before the first trigger.

use crate::wire::cause::Cause;
use crate::wire::client::{Client, is_wrong_region};
use crate::wire::foreign::Foreign;
use crate::wire::fresh;
use crate::wire::net::{Event, Net, Response, Ticket, TransportError};
use crate::wire::retry;
use crate::wire::s3error::S3Error;
use std::time::Duration;

/// How long the answer may take. A copy of a large object is the slowest thing asked for.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long something else may answer in the server's place.
const FOREIGN: Duration = Duration::from_secs(30);

/// Is on_retry_after how long the server asks to wait by `Retry-After`, before that is waited for.
pub(crate) type OnRetryAfter<'a> = &'a mut dyn FnMut(Duration);

/// Sends what `send` sends with [`Ticket::Setting`] and waits for the answer, trying again as a trigger
/// would, also after the server has named its region. Any status but 200 is an error.
///
/// # Errors
/// The server's, or the transport's after the last attempt.
pub(crate) fn exchange<N: Net>(
    net: &mut N,
    client: &mut Client,
    on_retry_after: OnRetryAfter<'_>,
    send: &mut dyn FnMut(&mut N, &mut Client),
) -> Result<Response, Cause> {
    let mut attempt = 1;
    let began = net.now();
    loop {
        let sent = net.now();
        send(net, client);
        let mut asked = Duration::ZERO;
        let mut patient = false;
        let cause = match answer(net, PATIENCE) {
            Ok(response) if fresh::is_kept(&response, net.now() - sent) => Cause::Kept,
            Ok(response) if let Some(foreign) = Foreign::of(&response) => {
                asked = retry::retry_after(&response, net.unix());
                patient = net.now() < began + FOREIGN && !foreign.is_wrong_door();
                Cause::Foreign(foreign)
            }
            Ok(response) if response.status == 200 => return Ok(response),
            Ok(response) => {
                let error = S3Error::from_response(&response);
                asked = retry::retry_after(&response, net.unix());
                let again = retry::retries_answer(&error)
                    || (is_wrong_region(&error) && client.learn_region(&response));
                let cause = Cause::Server(Box::new(error));
                if !again {
                    return Err(cause);
                }
                cause
            }
            Err(error) => {
                // Nothing has begun yet: a server that is not there is better said at once.
                let again = retry::ADMIN.retries_transport(&error);
                let cause = Cause::Transport(error);
                if !again {
                    return Err(cause);
                }
                cause
            }
        };
        if (attempt >= retry::S3.attempts && !patient) || net.stop_requested() {
            return Err(cause);
        }
        if !asked.is_zero() {
            on_retry_after(asked);
        }
        let length = retry::S3.pause(attempt, net.random()).max(retry::capped(asked));
        pause(net, length);
        attempt += 1;
    }
}

/// Waits, until the time is over or the user stops the run.
pub(crate) fn pause<N: Net>(net: &mut N, length: Duration) {
    let until = net.now() + length;
    let mut events = Vec::new();
    while net.now() < until && !net.stop_requested() {
        net.wait(Some(until), &mut events);
    }
}

/// Sends what `send` sends with [`Ticket::Setting`] once.
///
/// # Errors
/// The transport's, also if no answer comes within this time or the user stops the run.
pub(crate) fn once<N: Net>(
    net: &mut N,
    client: &mut Client,
    time: Duration,
    send: impl FnOnce(&mut N, &mut Client),
) -> Result<Response, TransportError> {
    send(net, client);
    answer(net, time)
}

fn answer<N: Net>(net: &mut N, time: Duration) -> Result<Response, TransportError> {
    let until = net.now() + time;
    let mut events = Vec::new();
    while net.now() < until {
        net.wait(Some(until), &mut events);
        for event in events.drain(..) {
            if let Event::Response(Ticket::Setting, result) = event {
                return result;
            }
        }
        if net.stop_requested() {
            net.cancel(Ticket::Setting);
            return Err(TransportError::Other("stopped by the user".to_owned()));
        }
    }
    net.cancel(Ticket::Setting);
    Err(TransportError::Timeout(time))
}
