//! Which failures are tried again, how often and after how long: minio-go's and madmin-go's
//! policies as data, plus `Retry-After`, which both ignore.

use crate::wire::net::{Response, TransportError};
use crate::wire::s3error::S3Error;
use crate::wire::timestamp;
use std::time::Duration;

/// How one kind of request is tried again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    /// Attempts in all, the first one included.
    pub attempts: u32,
    /// The longest first pause.
    pub unit: Duration,
    /// The longest pause.
    pub cap: Duration,
    /// Whether a refused connection, a name that does not resolve, and a `fetch` that failed are tried
    /// again.
    pub refused: bool,
}

/// S3 requests: minio-go v7.0.90.
pub(crate) const S3: Policy = Policy {
    attempts: 10,
    unit: Duration::from_millis(200),
    cap: Duration::from_secs(1),
    refused: true,
};

/// Opening the listing: madmin-go v3, which gives up at once when nobody listens.
pub(crate) const ADMIN: Policy = Policy {
    attempts: 10,
    unit: Duration::from_secs(1),
    cap: Duration::from_secs(30),
    refused: false,
};

/// The longest `Retry-After` obeyed. MinIO says 60; a proxy may say an hour, and an operator
/// would rather see the failure.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(120);

const STATUSES: &[u16] = &[408, 429, 499, 500, 502, 503, 504, 520];

const CODES: &[&str] = &[
    "RequestError",
    "RequestTimeout",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "InternalError",
    "SlowDown",
    "SlowDownRead",
    "SlowDownWrite",
    "TooManyRequests",
];

impl Policy {
    /// The pause before the next attempt: full jitter below a doubling cap.
    pub(crate) fn pause(&self, attempt: u32, random: u64) -> Duration {
        let longest =
            self.unit.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(self.cap);
        let nanos = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(random % nanos.max(1))
    }

    /// Whether an exchange that failed so is tried again.
    pub(crate) fn retries_transport(&self, error: &TransportError) -> bool {
        match error {
            TransportError::ConnectionRefused
            | TransportError::Fetch(_)
            | TransportError::Dns(_)
            | TransportError::Proxy(_) => self.refused,
            TransportError::Tls(_) | TransportError::Denied(_) => false,
            _ => true,
        }
    }
}

/// How long an answer asks to wait by `Retry-After`, in seconds or as a date; zero when it does not.
pub(crate) fn retry_after(response: &Response, now_unix: u64) -> Duration {
    let after = response.header("retry-after");
    let seconds = after.and_then(|value| timestamp::retry_after_seconds(value, now_unix));
    Duration::from_secs(seconds.unwrap_or_default())
}

/// How much of a [`retry_after`] is waited for.
pub(crate) fn capped(asked: Duration) -> Duration {
    asked.min(MAX_RETRY_AFTER)
}

/// Whether an answer of this kind is tried again.
pub(crate) fn retries_answer(error: &S3Error) -> bool {
    STATUSES.contains(&error.status) || CODES.contains(&error.code.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap_and_jitter_over_the_whole_range() {
        for policy in [S3, ADMIN] {
            for attempt in 1..12 {
                let longest = (policy.unit * (1 << (attempt - 1))).min(policy.cap);
                let nanos = u64::try_from(longest.as_nanos()).unwrap();
                let pause = |random| policy.pause(attempt, random);
                assert_eq!(pause(nanos - 1), longest - Duration::from_nanos(1), "{attempt}");
                assert_eq!((pause(0), pause(nanos)), (Duration::ZERO, Duration::ZERO), "{attempt}");
            }
        }
        assert_eq!(
            S3.pause(4, 999_999_999),
            Duration::from_nanos(999_999_999),
            "the cap is reached"
        );
    }

    #[test]
    fn permission_and_signature_errors_are_final() {
        let error =
            |status, code: &str| S3Error { status, code: code.into(), ..S3Error::default() };
        for (status, code) in [
            (403, "AccessDenied"),
            (403, "SignatureDoesNotMatch"),
            (404, "NoSuchKey"),
            (400, "InvalidArgument"),
            (412, "PreconditionFailed"),
            // minio-go asks ten times; a token does not come back.
            (400, "ExpiredToken"),
        ] {
            assert!(!retries_answer(&error(status, code)), "{code}");
        }
        for (status, code) in
            [(503, "SlowDownRead"), (429, ""), (500, "InternalError"), (400, "RequestTimeout")]
        {
            assert!(retries_answer(&error(status, code)), "{status} {code}");
        }
    }

    #[test]
    fn a_refused_connection_ends_a_listing_but_not_a_trigger() {
        assert!(S3.retries_transport(&TransportError::ConnectionRefused));
        assert!(!ADMIN.retries_transport(&TransportError::ConnectionRefused));
        assert!(!S3.retries_transport(&TransportError::Tls("unknown authority".into())));
        assert!(!S3.retries_transport(&TransportError::Denied(String::new())));
    }
}
