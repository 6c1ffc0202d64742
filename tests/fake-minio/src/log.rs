//! The requests that the server got, for tests to look at afterwards.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::Method;
use hyper::header::HeaderMap;

/// A request and its fate.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Method.
    pub method: String,
    /// Path and query exactly as received.
    pub target: String,
    /// Status of the answer; `None` if there was none, or not yet.
    pub status: Option<u16>,
    /// Headers in the order received.
    pub headers: Vec<(String, String)>,
    /// The signature was checked and was right.
    pub verified: bool,
    /// Region signed for; admin requests sign for any, also for none.
    pub region: Option<String>,
    /// Number of the connection, from 1 in the order of their opening.
    pub connection: u64,
    /// Time since the server started.
    pub at: Duration,
}

impl Logged {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Path without query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }
}

/// All requests, or none: a benchmark cannot afford it.
#[derive(Debug)]
pub(crate) struct Log {
    requests: Mutex<Vec<Logged>>,
    enabled: bool,
}

impl Log {
    pub(crate) fn new(enabled: bool) -> Self {
        Self { requests: Mutex::default(), enabled }
    }

    /// Notes a request; the number returned stands for it.
    pub(crate) fn note(
        &self,
        method: &Method,
        target: &str,
        headers: &HeaderMap,
        connection: u64,
        at: Duration,
    ) -> usize {
        if !self.enabled {
            return 0;
        }
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let logged = Logged {
            method: method.to_string(),
            target: target.to_owned(),
            status: None,
            headers: headers
                .iter()
                .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
                .collect(),
            verified: false,
            region: None,
            connection,
            at,
        };
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.push(logged);
        requests.len() - 1
    }

    /// Adds to what is known of a request.
    pub(crate) fn amend(&self, number: usize, change: impl FnOnce(&mut Logged)) {
        if !self.enabled {
            return;
        }
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(logged) = requests.get_mut(number) {
            change(logged);
        }
    }

    pub(crate) fn all(&self) -> Vec<Logged> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
