//! What the environment says beside the variables of the flags: the region, and what the host does.

use crate::command::args::Env;

/// The region to sign for, in the order of their weight. Without either it is learned.
pub const REGION: [&str; 2] = ["MC_REGION", "AWS_REGION"];

/// The region that the user chose.
pub fn region(env: Env<'_>) -> Option<String> {
    REGION.into_iter().find_map(env)
}

/// Names what the host does itself, separated by commas: the flags that it serves, [`STOP`] and
/// [`BUNDLED`]. A flag of class [`Class::Host`](super::Class) that is not named is refused, never
/// ignored.
pub const SERVES: &str = "MC_WASI_SERVES";

/// In [`SERVES`]: the end of standard input asks the run to stop.
pub const STOP: &str = "stop";

/// In [`SERVES`]: the host is mc-wasi.
pub const BUNDLED: &str = "mc-wasi";

/// Whether the host does this itself.
pub fn serves(env: Env<'_>, what: &str) -> bool {
    env(SERVES).is_some_and(|list| list.split(',').any(|served| served == what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_of_mc_comes_first() {
        let both = |name: &str| REGION.contains(&name).then(|| name.to_lowercase());
        assert_eq!(region(&both).as_deref(), Some("mc_region"));
        let aws = |name: &str| (name == "AWS_REGION").then(|| "eu-west-1".to_owned());
        assert_eq!(region(&aws).as_deref(), Some("eu-west-1"));
        assert_eq!(region(&|_| None), None);
    }

    #[test]
    fn only_whole_words_are_served() {
        let env = |name: &str| (name == SERVES).then(|| "insecure,stop".to_owned());
        assert!(serves(&env, STOP) && serves(&env, "insecure"));
        assert!(!serves(&env, "in") && !serves(&env, "") && !serves(&env, BUNDLED));
        assert!(!serves(&|_| None, STOP));
    }
}
