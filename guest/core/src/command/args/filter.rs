//! The flags that say which versions of the backlog a run is about.

use super::{Given, INVALID_ARGUMENTS, Stop};
use crate::job::{Filter, MAX_SHARDS, Shard, Status};
use crate::listing::Operation;

/// What they ask for. When ages are judged is not known yet: [`Filter::at`] is set by the run.
pub(super) fn filter(given: &Given<'_>) -> Result<Filter, Stop> {
    let filter = Filter {
        older_than: given.duration("older-than")?,
        newer_than: given.duration("newer-than")?,
        status: given.one_of("status", status, "PENDING or FAILED")?,
        operation: given.one_of("only", operation, "puts, deletes or purges")?,
        shard: given.one_of(
            "shard",
            shard,
            &format!("I/N with I less than N and N at most {MAX_SHARDS}, such as 0/4"),
        )?,
        ..Filter::default()
    };
    if filter.lets_no_age_through() {
        let cause = "--older-than must be less than --newer-than, or no version is both.";
        return Err(Stop::invalid(cause, INVALID_ARGUMENTS));
    }
    Ok(filter)
}

impl Given<'_> {
    /// A value in a form of its own, which an error describes.
    fn one_of<T>(
        &self,
        name: &str,
        parse: fn(&str) -> Option<T>,
        form: &str,
    ) -> Result<Option<T>, Stop> {
        let Some(text) = self.value(name) else { return Ok(None) };
        parse(&text).map(Some).ok_or_else(|| {
            Stop::invalid(format!("--{name} must be {form}, not `{text}`."), INVALID_ARGUMENTS)
        })
    }
}

fn status(text: &str) -> Option<Status> {
    [Status::Pending, Status::Failed].into_iter().find(|s| text.eq_ignore_ascii_case(s.as_str()))
}

fn operation(text: &str) -> Option<Operation> {
    match text {
        "puts" => Some(Operation::Put),
        "deletes" => Some(Operation::Delete),
        "purges" => Some(Operation::Purge),
        _ => None,
    }
}

fn shard(text: &str) -> Option<Shard> {
    let (index, count) = text.split_once('/')?;
    // Rust also reads a sign.
    let number =
        |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?;
    Shard::new(number(index)?, number(count)?)
}
