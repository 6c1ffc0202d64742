//! What to do about an error: the sentence after the server's own.

use crate::job::{During, Failure};
use crate::listing::{Break, Unfinished};
use crate::report::message::Message;
use crate::wire::{CONSOLE, Cause, Foreign, has_no_diff};

/// What it takes to count what is replicated.
pub(super) const COUNTERS: &str = "The account needs s3:GetReplicationConfiguration.";

/// Why it failed, and what to do next where that is known.
pub fn explain(failure: &Failure, bucket: &str, authority: &str) -> String {
    let Failure { cause, during } = failure;
    let text = match cause {
        Cause::Transport(_) | Cause::Foreign(_) => format!("{authority}: {cause}"),
        _ => cause.to_string(),
    };
    let error = match cause {
        Cause::Server(error) => error,
        Cause::Foreign(foreign) => return joined(&text, &about_foreign(foreign)),
        Cause::Kept => return joined(&text, CACHE),
        Cause::Transport(_) | Cause::Declined(_) => return text,
    };
    let remedy = match error.code.as_str() {
        "AccessDenied" => match during {
            During::Listing => {
                "The account needs the permission admin:ReplicationDiff.".to_owned()
            }
            During::Trigger | During::Input => format!("The account needs s3:GetObject on arn:aws:s3:::{bucket}/*."),
            During::Copy => format!("The account needs s3:PutObject on arn:aws:s3:::{bucket}/*."),
            During::EncryptionConfiguration => format!(
                "--clear-checksum needs s3:GetEncryptionConfiguration on arn:aws:s3:::{bucket}, to see whether it encrypts what is copied."
            ),
            During::Counters => COUNTERS.to_owned(),
            During::LockConfiguration => format!(
                "--clear-checksum needs s3:GetBucketObjectLockConfiguration on arn:aws:s3:::{bucket}, to see that no default retention locks what it copies."
            ),
        },
        "SignatureDoesNotMatch" => {
            "Check the secret key of the alias; a proxy that changes the Host header also causes this."
                .to_owned()
        }
        "InvalidAccessKeyId" if error.message.contains("disabled") => {
            "`mc admin user enable` lets its user in again.".to_owned()
        }
        "InvalidAccessKeyId" => "Check the access key of the alias.".to_owned(),
        "SlowDownRead" => {
            "`mc admin info` shows whether the server has lost drives; if not, it is overloaded."
                .to_owned()
        }
        "InvalidTokenId" | "ExpiredToken" => {
            "Get a new session token, and put it after the secret key: ACCESS:SECRET:TOKEN@host."
                .to_owned()
        }
        "RequestTimeTooSkewed" => {
            "Compare the clocks of this machine and of the server, and set the wrong one.".to_owned()
        },
        _ if *during == During::Listing && has_no_diff(error, bucket) => NO_DIFF.to_owned(),
        // MinIO of January 2024 says the second (observed).
        "XMinioAdminRemoteTargetNotFoundError" | "ReplicationConfigurationNotFoundError" => {
            format!("Bucket `{bucket}` has no replication target: `mc replicate add` makes one. A server that has just started may not know its targets yet: then run again.")
        }
        "InvalidRequest" if error.message.contains("invalid arn") => {
            format!("`mc replicate ls ALIAS/{bucket}` shows the ARNs of the bucket's targets.")
        }
        "AuthorizationHeaderMalformed" | "InvalidRegion" if !error.region.is_empty() => format!(
            "Unset MC_REGION and AWS_REGION, and the region is learned from the server; or set MC_REGION={}.",
            error.region
        ),
        _ if error.message.contains("HTTP request to an HTTPS server") => {
            "Write https:// in the URL of the alias.".to_owned()
        }
        _ if error.status == 403 && error.code.is_empty() && *during == During::Trigger => {
            "The same keys were good for the listing, so something in between may change the request: nginx makes a GET of a HEAD where it caches, unless `proxy_cache_convert_head off` is set. If there is nothing, check the permissions of the account.".to_owned()
        }
        _ if error.status == 403 && error.code.is_empty() => {
            "The server gave no reason: check the keys, their permissions and the clock.".to_owned()
        }
        _ => return text,
    };
    joined(&text, &remedy)
}

/// What to do about an object store of another kind.
const NO_DIFF: &str = "This seems to be an object store that has no replication diff, which MinIO and AIStor have: look at the URL of the alias.";

/// What to do about a cache between here and the server.
const CACHE: &str = "Let the cache pass on requests that forbid it to answer (nginx: `proxy_cache_bypass $http_cache_control;`), or ask the server past it.";

/// What to do about something that answers in the server's place.
fn about_foreign(foreign: &Foreign) -> String {
    match foreign.location.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) if matches!(foreign.status, 301..=308) => {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            format!(
                "Redirects are not followed: if that is the server, write {scheme}://{host} into the URL of the alias."
            )
        }
        _ if foreign.wants_tls => "Write https:// in the URL of the alias.".to_owned(),
        _ if foreign.is_other_store() => NO_DIFF.to_owned(),
        _ if foreign.server == CONSOLE => {
            "That is the console; the URL of the alias must have the port of the S3 API.".to_owned()
        }
        _ => "Look at the proxy, load balancer or firewall in front of the server, or at the URL of the alias.".to_owned(),
    }
}

/// Two sentences; the first may lack its full stop.
fn joined(first: &str, second: &str) -> String {
    let stop = if first.ends_with('.') { "" } else { "." };
    format!("{first}{stop} {second}")
}

/// Why the backlog could not be listed, or not to its end.
pub fn explain_listing(unfinished: &Unfinished, bucket: &str, authority: &str) -> String {
    let Unfinished { cause, after } = unfinished;
    let text = match cause {
        Break::NotOpened(cause) => {
            let failure = Failure { cause: cause.clone(), during: During::Listing };
            explain(&failure, bucket, authority)
        }
        cause => format!("{authority}: {cause}."),
    };
    let text = match after {
        Some(name) => joined(&text, &format!("Everything after `{name}` is missing.")),
        None => text,
    };
    match cause {
        Break::Server(_) => joined(
            &text,
            "The next object on the server is damaged: `mc admin heal` it, or remove it, and re-run.",
        ),
        Break::Silent(_) => joined(
            &text,
            "Where a proxy is in between, it may keep the answer to itself: nginx needs `proxy_buffering off`.",
        ),
        Break::Unproven | Break::Short(_) | Break::Lacks => joined(
            &text,
            "Where a proxy is in between, let it speak HTTP/1.1 with the server (nginx: `proxy_http_version 1.1`), or ask the server past it.",
        ),
        _ => text,
    }
}

/// What to tell when the backlog could not be listed, or not to its end.
pub(crate) fn listing_message(unfinished: &Unfinished, bucket: &str, authority: &str) -> Message {
    let what = format!("Unable to list the replication backlog of bucket `{bucket}`.");
    let message = Message::fatal(what, explain_listing(unfinished, bucket, authority));
    match &unfinished.cause {
        Break::NotOpened(cause) => message.because(cause),
        _ => message,
    }
}

/// What to tell when no further version can be triggered.
pub(crate) fn fatal_message(failure: &Failure, bucket: &str, authority: &str) -> Message {
    let what = format!("Unable to trigger replication in bucket `{bucket}`.");
    Message::fatal(what, explain(failure, bucket, authority)).because(&failure.cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::S3Error;
    use crate::wire::TransportError;

    #[test]
    fn a_missing_permission_is_named() {
        let denied = |during| {
            let error = S3Error {
                code: "AccessDenied".into(),
                message: "Access Denied.".into(),
                ..S3Error::default()
            };
            explain(&Failure { cause: Cause::Server(Box::new(error)), during }, "b", "h:9000")
        };
        assert_eq!(
            denied(During::Listing),
            "Access Denied. The account needs the permission admin:ReplicationDiff."
        );
        assert_eq!(
            denied(During::Trigger),
            "Access Denied. The account needs s3:GetObject on arn:aws:s3:::b/*."
        );
        assert!(denied(During::Copy).contains("s3:PutObject"));
    }

    #[test]
    fn what_only_an_operator_can_mend_is_said() {
        let said = |code: &str, message: &str| {
            let error =
                S3Error { code: code.into(), message: message.into(), ..S3Error::default() };
            let cause = Cause::Server(Box::new(error));
            explain(&Failure { cause, during: During::Trigger }, "b", "h:9000")
        };
        let disabled = "Your account is disabled; please contact your administrator.";
        assert!(
            said("InvalidAccessKeyId", disabled)
                .ends_with("`mc admin user enable` lets its user in again.")
        );
        assert!(
            said("InvalidAccessKeyId", "It does not exist.")
                .ends_with("Check the access key of the alias.")
        );
        assert!(said("SlowDownRead", "Resource requested is unreadable").contains("mc admin info"));
        assert!(said("RequestTimeTooSkewed", "Too large.").ends_with("and set the wrong one."));
    }

    #[test]
    fn another_object_store_is_told_from_a_bucket_that_is_not_there() {
        let said = |code: &str, bucket_name: &str| {
            let (code, bucket_name) = (code.into(), bucket_name.into());
            let error = S3Error { code, bucket_name, message: "No.".into(), ..S3Error::default() };
            let cause = Cause::Server(Box::new(error));
            explain(&Failure { cause, during: During::Listing }, "b", "h:9000")
        };
        // As stores of the S3 API word it that know no admin API.
        for (code, bucket) in
            [("NoSuchBucket", "minio"), ("MethodNotAllowed", ""), ("NotImplemented", "")]
        {
            assert!(said(code, bucket).contains("no replication diff"), "{code} {bucket}");
        }
        for (code, bucket) in [
            ("NoSuchBucket", "b"),
            ("NoSuchBucket", ""),
            ("InternalError", ""),
            ("SlowDown", "minio"),
        ] {
            assert_eq!(said(code, bucket), "No.", "{code} {bucket}");
        }
    }

    #[test]
    fn a_network_error_names_the_server() {
        let cause = Cause::Transport(TransportError::ConnectionRefused);
        let break_off = |after: Option<&str>| {
            let (cause, after) = (Break::NotOpened(cause.clone()), after.map(str::to_owned));
            explain_listing(&Unfinished { cause, after }, "b", "h:9000")
        };
        let missing = "h:9000: connection refused. Everything after `k` is missing.";
        assert_eq!(
            (break_off(Some("k")).as_str(), break_off(None).as_str()),
            (missing, "h:9000: connection refused")
        );
        assert_eq!(
            explain(&Failure { cause, during: During::Listing }, "b", "h:9000"),
            "h:9000: connection refused"
        );
    }
}
