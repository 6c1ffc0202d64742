//! What a component may use of this machine.
//!
//! One place for the limits of a run, their defaults and the variables that change them. They are caps
//! for a component that cannot be trusted; the built-in one stays far below each.

use resync_core::command::{Args, Env, parse_size};
use resync_core::report::Message;
use serde::Serialize;

/// Linear memory of a component, all its memories together: `MC_WASI_MAX_MEMORY`. A backlog of any
/// size is handled in less than 100 MiB.
const MEMORY: usize = 512 << 20;

/// Headers of one request: `MC_WASI_MAX_HEADERS`. The largest that is granted, a copy of a key of
/// 1,024 bytes, all of them escaped, has less than 8 KiB; there is one set for each handle.
const HEADERS: usize = 16 << 10;

/// What is handed to the host in one call: `MC_WASI_MAX_CALL`. The built-in component writes 64 KiB
/// at once, and waits for at most 1,003 handles at once: 1,000 requests, the listing, a timer and
/// standard input.
const CALL: usize = 4 << 20;

/// The file of `--component`: `MC_WASI_MAX_COMPONENT`. The built-in one has less than 1 MiB.
const COMPONENT: usize = 64 << 20;

/// Handles beside those of requests: streams, clocks, a spare for bursts of short-lived ones.
const FIXED_HANDLES: usize = 64;

/// Handles of one request: headers, request, future and its pollable, response, body, stream and
/// its pollable.
const HANDLES_PER_REQUEST: usize = 8;

/// The limits of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Bytes of linear memory.
    pub memory: usize,
    /// Handles to streams, requests, clocks and so on.
    pub handles: usize,
    /// Requests on the wire at a time: those of `--concurrent`, and the listing.
    pub requests: usize,
    /// Bytes of headers of one request.
    pub headers: usize,
    /// Bytes handed to the host in one call.
    pub call: usize,
    /// Bytes of the file of a component.
    #[serde(skip)]
    pub component: usize,
}

impl Limits {
    /// The limits of a command line, as the variables have them: for the versions that it has in
    /// flight, and with what `--memory` asks for on top.
    ///
    /// # Errors
    /// A variable is not a size.
    pub fn new(args: Option<&Args>, env: Env<'_>) -> Result<Self, Message> {
        let given = |name: &str, default: usize| {
            let Some(text) = env(name) else { return Ok(default) };
            let bytes = parse_size(&text).map_err(|cause| {
                Message::fatal(format!("{name} must be a size such as 512MiB:"), cause.to_string())
            })?;
            Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
        };
        let requests = args.map_or(0, |args| args.concurrent) + 1;
        let spool = args.and_then(|args| args.memory).unwrap_or(0);
        let handles = FIXED_HANDLES + HANDLES_PER_REQUEST * (requests + 1);
        Ok(Self {
            memory: given("MC_WASI_MAX_MEMORY", MEMORY.saturating_add(spool))?,
            handles: given("MC_WASI_MAX_HANDLES", handles)?,
            requests,
            headers: given("MC_WASI_MAX_HEADERS", HEADERS)?,
            call: given("MC_WASI_MAX_CALL", CALL)?,
            component: given("MC_WASI_MAX_COMPONENT", COMPONENT)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_change_the_limits_and_nonsense_is_refused() {
        let of = |value: &str| {
            let value = value.to_owned();
            Limits::new(None, &move |name| (name == "MC_WASI_MAX_MEMORY").then(|| value.clone()))
        };
        assert_eq!(of("64MiB").unwrap().memory, 64 << 20);
        assert!(of("much").unwrap_err().message.contains("MC_WASI_MAX_MEMORY"));
        let words = ["a/b", "-c", "1000", "--memory", "1GiB"].map(str::to_owned);
        let args = Args::parse(&words, &|_| None).unwrap();
        let limits = Limits::new(Some(&args), &|_| None).unwrap();
        assert_eq!((limits.requests, limits.memory), (1001, 1536 << 20));
    }
}
