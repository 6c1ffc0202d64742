//! What a version may be: its status, its operation, and the targets that it waits for.
//!
//! A version is of one kind only, however many targets it waits for, so that kinds add up to versions.

use crate::job::OTHER;
use crate::listing::{Item, Operation, Statuses};

/// Kinds that are told apart. Four targets in every combination, each with all that a server has of
/// statuses and operations, are fewer. What comes beyond that is counted as `OTHER`.
const KINDS: usize = 100;

/// Bytes of the names in a kind that is told apart; 40 ARNs take that.
const TEXT: usize = 4_096;

/// One kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    /// As [`Statuses::label`] has it.
    pub(super) status: String,
    pub(super) operation: Operation,
    /// The ARNs of what it waits for, none where the server does not say.
    pub(super) targets: Vec<String>,
}

impl Kind {
    fn is_of(&self, statuses: &Statuses, operation: Operation) -> bool {
        self.operation == operation
            && self.status == statuses.label()
            && self.targets.iter().eq(statuses.targets.iter().map(|target| &target.arn))
    }
}

/// The kinds seen so far, each with a number.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    list: Vec<Kind>,
}

impl Kinds {
    /// The number of the version's kind.
    pub(super) fn number(&mut self, item: &Item, statuses: &Statuses) -> usize {
        let operation = statuses.operation(item.delete_marker);
        if let Some(known) = self.list.iter().position(|kind| kind.is_of(statuses, operation)) {
            return known;
        }
        let arns = statuses.targets.iter().map(|target| target.arn.len());
        let fits = self.list.len() < KINDS && statuses.label().len() + arns.sum::<usize>() <= TEXT;
        let kind = if fits {
            let targets = statuses.targets.iter().map(|target| target.arn.clone()).collect();
            Kind { status: statuses.label().to_owned(), operation, targets }
        } else {
            Kind { status: OTHER.to_owned(), operation, targets: Vec::new() }
        };
        self.list.iter().position(|known| *known == kind).unwrap_or_else(|| {
            self.list.push(kind);
            self.list.len() - 1
        })
    }

    /// All of them, by their numbers.
    pub(super) fn into_list(self) -> Vec<Kind> {
        self.list
    }
}
