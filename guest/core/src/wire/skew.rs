//! A clock that is wrong, told from a refusal without a reason.
//!
//! A server refuses what was signed more than 15 minutes away from its own time. To a listing it
//! says so; the answer to a HEAD is a bare 403, which the `Date` header explains.

use crate::wire::cause::Cause;
use crate::wire::net::Response;
use crate::wire::timestamp;

/// How far a server lets clocks be apart, in seconds, less what the answer took.
const ALLOWED: u64 = 15 * 60 - 10;

/// The code of a server that gives one.
const CODE: &str = "RequestTimeTooSkewed";

/// The cause, with the reason in it if that is the clock. `unix` is this machine's time.
pub(crate) fn explained(cause: Cause, answer: &Response, unix: u64) -> Cause {
    let Cause::Server(mut error) = cause else { return cause };
    let date = answer.header("date").and_then(timestamp::parse_http_date);
    if let (403, "", Some(date)) = (error.status, error.code.as_str(), date) {
        let ahead = i128::from(unix) - i128::from(date);
        let (apart, how) = (ahead.unsigned_abs(), if ahead < 0 { "behind" } else { "ahead of" });
        if apart >= u128::from(ALLOWED) {
            CODE.clone_into(&mut error.code);
            error.message = format!(
                "The clock of this machine is {} minutes {how} that of the server.",
                apart / 60
            );
        }
    }
    Cause::Server(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::s3error::S3Error;

    fn name(code: &str, date: &str, unix: u64) -> String {
        let error = S3Error { status: 403, code: code.into(), ..S3Error::default() };
        let headers = vec![("date".to_owned(), date.to_owned())];
        let answer = Response { status: 403, headers, ..Response::default() };
        explained(Cause::Server(Box::new(error)), &answer, unix).to_string()
    }

    #[test]
    fn a_bare_403_far_from_the_servers_time_is_the_clocks_fault() {
        let (date, unix) = ("Tue, 24 Nov 2026 14:00:00 GMT", 1_795_528_800);
        let clock = |how| format!("The clock of this machine is 20 minutes {how} the server.");
        assert_eq!(name("", date, unix + 1200), clock("ahead of that of"));
        assert_eq!(name("", date, unix - 1200), clock("behind that of"));
        assert_eq!(name("", date, unix + 800), "the server answered 403 Forbidden");
        assert_eq!(name("", "soon", unix + 1200), "the server answered 403 Forbidden");
        assert!(name("AccessDenied", date, unix + 1200).starts_with("AccessDenied"));
    }
}
