//! What an answer to the trigger means.
//!
//! The server queues a version for replication after it has found and authorized it and before it
//! looks at anything else. So a 200 is a trigger, and so are the 405 of a delete marker or a
//! pending purge and the 400 of an object encrypted with the customer's key; no other answer is.

use crate::job::failure::Failure;
use crate::job::refusals;
use crate::wire::{
    Cause, Foreign, NO_BUCKET, REPLICATION_STATUS, Response, S3Error, is_wrong_region, retry,
};

/// How the server was made to queue a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// 200 to the HEAD of an object.
    Object,
    /// 405 to the HEAD of a delete marker.
    DeleteMarker,
    /// 405 to the HEAD of a version whose purge is pending.
    Purge,
    /// 400 to the HEAD of an object encrypted with a customer key, which the server queued anyway.
    CustomerKey,
    /// The object was copied onto itself.
    Copy,
}

/// What an answer means for its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Queued.
    Triggered(Trigger),
    /// Gone from this site since it was listed: nothing to do.
    Vanished,
    /// Answered by another site: gone from this one.
    Elsewhere,
    /// Worth another attempt.
    Again(Cause),
    /// The server signs for another region; worth another attempt once that is known.
    Region(S3Error),
    /// Not queued.
    Failed(Cause),
    /// Not queued, and no other version will be.
    Fatal(Cause),
}

/// The end of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Queued for replication.
    Triggered(Trigger),
    /// Gone since it was listed.
    Vanished,
    /// Gone here, answered by another site.
    Elsewhere,
    /// Replicated before, only the listing is behind.
    Replicated,
    /// Not queued.
    Failed(Failure),
    /// A dry run only lists.
    Listed,
    /// A look has shown that it is not replicated.
    Left {
        /// Whether that was tried in vain.
        failed: bool,
    },
}

impl Outcome {
    /// As in the JSON output.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Triggered(_) => "triggered",
            Self::Vanished => "vanished",
            Self::Elsewhere => "elsewhere",
            Self::Replicated => "replicated",
            Self::Failed(_) => "failed",
            Self::Listed => "listed",
            Self::Left { .. } => "left",
        }
    }
}

/// The same header of the answer to a delete marker.
const MARKER_STATUS: &str = "x-minio-replication-deletemarker-status";

/// The header in which the server says how far a permanent delete is.
const PURGE_STATUS: &str = "x-minio-replication-delete-status";

impl Outcome {
    /// What a look shows that asks by HEAD. What is gone is not waited for any longer: of a permanent delete
    /// it is the end.
    pub(crate) fn seen(head: &Response) -> Self {
        let of = |name| head.header(name);
        match of(PURGE_STATUS).or(of(MARKER_STATUS)).or(of(REPLICATION_STATUS)) {
            _ if head.status == 404 => Self::Replicated,
            // A delete marker that has been replicated answers no status (observed).
            None if head.status == 405 => Self::Replicated,
            // A permanent delete is called otherwise, where its version is still there.
            Some("COMPLETED" | "COMPLETE" | "REPLICA") => Self::Replicated,
            status => Self::Left { failed: status == Some("FAILED") },
        }
    }
}

impl Verdict {
    /// Reads the answer to a HEAD.
    pub(crate) fn from_head(response: &Response) -> Self {
        if let Some(foreign) = Foreign::of(response) {
            return Self::Again(Cause::Foreign(foreign));
        }
        let has = |name| response.header(name).is_some();
        match response.status {
            200 => match response.header(REPLICATION_STATUS) {
                Some("REPLICA") => Self::Elsewhere,
                _ => Self::Triggered(Trigger::Object),
            },
            405 if has(PURGE_STATUS) => Self::Triggered(Trigger::Purge),
            405 if response.header("x-amz-delete-marker") == Some("true") => {
                Self::Triggered(Trigger::DeleteMarker)
            }
            _ => Self::from_error(S3Error::from_response(response)),
        }
    }

    /// Reads an answer of the server that is not a success.
    pub(crate) fn from_error(error: S3Error) -> Self {
        let cause = |error| Cause::Server(Box::new(error));
        match (error.status, error.code.as_str()) {
            (400, "InvalidRequest") if is_customer_key(&error) => {
                Self::Triggered(Trigger::CustomerKey)
            }
            (404, "NoSuchKey" | "NoSuchVersion") => Self::Vanished,
            // It was listed a moment ago. A server that loses most of its drives says so for a second
            // before it says 503 (observed).
            (404, NO_BUCKET) => Self::Again(cause(error)),
            _ if is_wrong_region(&error) => Self::Region(error),
            // The next million versions would answer the same.
            (_, code) if refusals::is_of_the_account(code) => Self::Fatal(cause(error)),
            _ if retry::retries_answer(&error) => Self::Again(cause(error)),
            _ => Self::Failed(cause(error)),
        }
    }
}

/// The server's sentence is the only sign: it shares its code with other invalid requests.
pub(crate) fn is_customer_key(error: &S3Error) -> bool {
    error.message.contains("stored using a form of Server Side Encryption")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, headers: &[(&str, &str)]) -> Verdict {
        answer(status, &[headers, &[("x-amz-request-id", "187B")]].concat())
    }

    fn answer(status: u16, headers: &[(&str, &str)]) -> Verdict {
        Verdict::from_head(&Response {
            status,
            headers: headers.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(),
            body: Vec::new(),
        })
    }

    fn coded(status: u16, code: &str) -> Verdict {
        head(status, &[("x-minio-error-code", code)])
    }

    #[test]
    fn the_answers_that_queue_a_version_are_told_from_those_that_do_not() {
        use Trigger::{CustomerKey, DeleteMarker, Object, Purge};
        let sse = "\"The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.\"";
        for (verdict, trigger) in [
            (head(200, &[("x-amz-replication-status", "FAILED")]), Object),
            (head(200, &[]), Object),
            (head(200, &[("x-amz-replication-status", "COMPLETED")]), Object),
            (head(405, &[("x-amz-delete-marker", "true")]), DeleteMarker),
            (
                head(
                    405,
                    &[
                        ("x-amz-delete-marker", "true"),
                        ("x-minio-replication-delete-status", "FAILED"),
                    ],
                ),
                Purge,
            ),
            (
                head(400, &[("x-minio-error-code", "InvalidRequest"), ("x-minio-error-desc", sse)]),
                CustomerKey,
            ),
        ] {
            assert_eq!(verdict, Verdict::Triggered(trigger));
        }
        assert!(matches!(head(405, &[]), Verdict::Failed(_)), "a bare 405 is a failure");
        assert!(matches!(coded(400, "InvalidRequest"), Verdict::Failed(_)));
        assert!(matches!(coded(400, "InvalidArgument"), Verdict::Failed(_)));
        assert!(
            matches!(head(404, &[]), Verdict::Failed(_)),
            "no reason is none to say it is gone"
        );
    }

    #[test]
    fn what_something_else_answers_says_nothing_of_the_version() {
        for status in
            [200, 204, 302, 307, 400, 401, 403, 404, 405, 408, 429, 460, 500, 502, 509, 521]
        {
            for headers in [&[][..], &[("content-type", "text/html"), ("server", "cloudflare")]] {
                let verdict = answer(status, headers);
                assert!(
                    matches!(verdict, Verdict::Again(Cause::Foreign(_))),
                    "{status}: {verdict:?}"
                );
            }
        }
        let marker = answer(405, &[("x-amz-delete-marker", "true")]);
        assert!(matches!(marker, Verdict::Again(Cause::Foreign(_))), "{marker:?}");
    }

    #[test]
    fn gone_and_elsewhere_are_not_failures() {
        assert_eq!(coded(404, "NoSuchVersion"), Verdict::Vanished);
        assert_eq!(coded(404, "NoSuchKey"), Verdict::Vanished);
        assert_eq!(head(200, &[("x-amz-replication-status", "REPLICA")]), Verdict::Elsewhere);
    }

    #[test]
    fn what_every_version_would_answer_ends_the_run_and_what_one_is_refused_for_does_not() {
        for (status, code) in [
            (403, "InvalidAccessKeyId"),
            (403, "InvalidTokenId"),
            (403, "ExpiredToken"),
            (400, "ExpiredToken"),
        ] {
            assert!(matches!(coded(status, code), Verdict::Fatal(_)), "{code}");
        }
        for (status, code) in [(403, "AccessDenied"), (403, "SignatureDoesNotMatch"), (403, "")] {
            assert!(matches!(coded(status, code), Verdict::Failed(_)), "{code}");
        }
        assert!(matches!(coded(400, "AuthorizationHeaderMalformed"), Verdict::Region(_)));
        for (status, code) in
            [(503, "SlowDownRead"), (429, ""), (500, "InternalError"), (404, "NoSuchBucket")]
        {
            assert!(matches!(coded(status, code), Verdict::Again(_)), "{code}");
        }
    }
}
