//! Whether it is the account that is refused, or only single versions.
//!
//! A policy on object tags, a rule of a firewall or a proxy that rewrites some paths refuses single
//! versions, and these alone fail. An account without the permission is refused for all of them, and
//! a run over millions should not find that out a million times.

use crate::job::failure::{During, Failure};
use crate::wire::{Cause, TransportError};

/// Versions refused before the account is taken to be refused.
const MAX: u32 = 20;

/// Codes of refusals that depend on nothing but the account, so that the first one is enough.
const OF_THE_ACCOUNT: [&str; 6] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidTokenId",
    "RequestTimeTooSkewed",
];

/// Whether no other version would be let through either.
pub(crate) fn is_of_the_account(code: &str) -> bool {
    OF_THE_ACCOUNT.contains(&code)
}

/// What was let through and what was not, of one kind of request.
#[derive(Debug, Default)]
struct Tally {
    /// Whether any version was.
    any: bool,
    /// Versions that were not, since the last one that was.
    refused: u32,
}

/// What was let through and what was not.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    heads: Tally,
    copies: Tally,
    first: Option<Failure>,
}

impl Refusals {
    fn of(&mut self, during: During) -> &mut Tally {
        if during == During::Copy { &mut self.copies } else { &mut self.heads }
    }

    /// A version was let through.
    pub(crate) fn let_through(&mut self, during: During) {
        *self.of(during) = Tally { any: true, refused: 0 };
    }

    /// Why every version was refused, when `failed` of them failed and none was let through: then, too,
    /// it is the account.
    pub(crate) fn of_all(&self, failed: u64) -> Option<&Failure> {
        let all = |tally: &Tally| !tally.any && u64::from(tally.refused) == failed;
        self.first.as_ref().filter(|_| all(&self.heads) || all(&self.copies))
    }

    /// A version failed. Returns whether the others would fail for the same reason.
    pub(crate) fn failed(&mut self, failure: &Failure) -> bool {
        let Some(only_before_any) = refuses(&failure.cause) else { return false };
        self.first.get_or_insert_with(|| failure.clone());
        let tally = self.of(failure.during);
        tally.refused += 1;
        tally.refused >= MAX && !(only_before_any && tally.any)
    }
}

/// Whether it counts, and if so, whether only as long as nothing was let through.
fn refuses(cause: &Cause) -> Option<bool> {
    match cause {
        // Permissions may differ from version to version, for any number of them.
        Cause::Server(error) if error.code == "AccessDenied" => Some(true),
        // A wrong signature, or no reason at all.
        Cause::Server(error) => matches!(error.status, 401 | 403).then_some(false),
        // What answers is not HTTP.
        Cause::Transport(TransportError::Protocol(_)) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::S3Error;

    fn refused(code: &str) -> Cause {
        let error = S3Error { status: 403, code: code.into(), ..S3Error::default() };
        Cause::Server(Box::new(error))
    }

    fn failure(cause: &Cause, during: During) -> Failure {
        Failure { cause: cause.clone(), during }
    }

    #[test]
    fn the_twentieth_version_in_a_row_shows_that_it_is_the_account() {
        for cause in [
            refused("AccessDenied"),
            refused("SignatureDoesNotMatch"),
            refused(""),
            Cause::Transport(TransportError::Protocol(String::new())),
        ] {
            let mut refusals = Refusals::default();
            (1..20).for_each(|_| assert!(!refusals.failed(&failure(&cause, During::Trigger))));
            assert!(!refusals.failed(&failure(&cause, During::Copy)), "that is another permission");
            assert!(refusals.failed(&failure(&cause, During::Trigger)), "{cause}");
        }
    }

    #[test]
    fn a_permission_that_some_have_is_not_missing() {
        for (code, ends) in [("AccessDenied", false), ("SignatureDoesNotMatch", true)] {
            let mut refusals = Refusals::default();
            refusals.let_through(During::Trigger);
            let ended =
                (0..1000).any(|_| refusals.failed(&failure(&refused(code), During::Trigger)));
            assert_eq!(ended, ends, "{code}");
            refusals.let_through(During::Trigger);
            assert!(!refusals.failed(&failure(&refused(code), During::Trigger)), "not in a row");
        }
    }

    #[test]
    fn a_few_of_which_none_is_let_through_show_it_too() {
        let denied = failure(&refused("AccessDenied"), During::Copy);
        let mut refusals = Refusals::default();
        assert_eq!(refusals.of_all(0), None);
        refusals.let_through(During::Trigger);
        (0..3).for_each(|_| _ = refusals.failed(&denied));
        assert_eq!(refusals.of_all(3), Some(&denied));
        assert_eq!(refusals.of_all(4), None, "one has failed for another reason");
        refusals.let_through(During::Copy);
        assert_eq!(refusals.of_all(3), None);
    }

    #[test]
    fn what_is_wrong_with_single_versions_does_not_count() {
        let mut refusals = Refusals::default();
        let invalid = S3Error { status: 400, code: "InvalidArgument".into(), ..S3Error::default() };
        let invalid = Cause::Server(Box::new(invalid));
        assert!((0..1000).all(|_| !refusals.failed(&failure(&invalid, During::Trigger))));
        assert!(is_of_the_account("ExpiredToken") && !is_of_the_account("AccessDenied"));
    }
}
