//! What the host does itself, which it says in a variable.

use crate::command::args::Env;

/// Names what the host does itself, separated by commas: the flags that it serves, [`STOP`],
/// [`FROM`] and [`BUNDLED`]. A flag of class [`Class::Host`](super::Class) that is not named is refused, never
/// ignored.
pub const SERVES: &str = "MC_WASI_SERVES";

/// In [`SERVES`]: the end of standard input asks the run to stop.
pub const STOP: &str = "stop";

/// In [`SERVES`]: the host opens what `--from` names, and gives it as the standard input that is taken second.
/// The first is the one that asks the run to stop, also while the other is not read.
pub const FROM: &str = "from";

/// In [`SERVES`]: the host is mc-wasi.
pub const BUNDLED: &str = "mc-wasi";

/// In [`SERVES`]: the host signs, with keys that the component does not have.
pub const SIGNS: &str = "signs";

/// In [`SERVES`]: the keys are temporary and have a session token.
pub const SESSION: &str = "session";

/// Whether the host does this itself.
pub fn serves(env: Env<'_>, what: &str) -> bool {
    env(SERVES).is_some_and(|list| list.split(',').any(|served| served == what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_are_served() {
        let env = |name: &str| (name == SERVES).then(|| "insecure,stop".to_owned());
        assert!(serves(&env, STOP) && serves(&env, "insecure"));
        assert!(!serves(&env, "in") && !serves(&env, "") && !serves(&env, BUNDLED));
        assert!(!serves(&|_| None, STOP));
    }
}
