//! What the command promises: a line of words and some variables go in; text or JSON, and whether it
//! succeeded, come out.

mod alias;
mod answers;
mod breakdown;
mod failures;
mod filters;
mod from;
mod given;
mod json;
mod limits;
mod listing;
mod long_wait;
mod pipe;
mod printing;
mod queue;
mod regions;
mod shards;
mod stop;
mod targets;
mod terminal;
mod texts;
mod trial;
mod usage;
mod validate;
mod verify_listing;
mod wait;

use crate::world::{Screen, World};
use resync_core::command::{Invocation, run};
use serde_json::Value;

/// A user in front of a server, who knows it as `a`.
pub(crate) struct User {
    pub(crate) world: World,
    screen: Screen,
    program: &'static str,
    variables: Vec<(&'static str, &'static str)>,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) success: bool,
    pub(crate) out: String,
    pub(crate) err: String,
    /// Writes to stdout that nobody read.
    pub(crate) unread: usize,
}

impl User {
    /// A user whose console is two pipes.
    pub(crate) fn of(world: World) -> Self {
        let variables = vec![
            ("MC_HOST_a", "http://minio.example:9000"),
            ("TERM", "xterm"),
            ("MC_WASI_SERVES", "signs"),
        ];
        Self { world, screen: Screen::default(), program: "mc-wasi", variables }
    }

    pub(crate) fn at(self, screen: Screen) -> Self {
        Self { screen, ..self }
    }

    /// Who calls the program by this name.
    pub(crate) fn calling(self, program: &'static str) -> Self {
        Self { program, ..self }
    }

    /// With a variable, in the place of one of that name.
    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value));
        self
    }

    /// Runs the command with a line of words, as a shell reads it.
    pub(crate) fn run(&mut self, line: &str) -> Ran {
        let words = shlex::split(line).expect("a line that a shell can read");
        let mut screen = self.screen.clone();
        let variables = &self.variables;
        let env = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned()).filter(|value| !value.is_empty())
        };
        let call = Invocation { program: self.program, words: &words, env: &env };
        let success = run(call, &mut self.world, &mut screen);
        assert_eq!(self.world.under_way().next(), None, "{line}: left under way");
        Ran { success, out: screen.out, err: screen.err, unread: screen.unread }
    }
}

/// What a user reads of a run that goes through pipes.
pub(crate) fn ran(world: World, line: &str) -> Ran {
    User::of(world).run(line)
}

impl Ran {
    /// Both streams, and whether it succeeded.
    pub(crate) fn whole(&self) -> (&str, &str, bool) {
        (&self.out, &self.err, self.success)
    }

    /// The lines of a run with `--json`, for which everything goes to stdout.
    pub(crate) fn json(&self) -> Vec<Value> {
        assert_eq!(self.err, "", "with --json nothing goes to stderr");
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.out.lines().map(parse).collect()
    }

    /// The last line of a run with `--json`, whose numbers must add up.
    pub(crate) fn summary(&self) -> Value {
        let summary = self.json().pop().expect("a summary");
        assert_eq!(summary["status"] == "success", self.success, "{summary}");
        let count = |name: &str| summary[name].as_u64().unwrap_or_else(|| panic!("{summary}"));
        let parts = ["processed", "failed", "vanished", "elsewhere", "replicated", "notReached"];
        let parts = parts.map(count);
        let adds_up = count("total") == parts.iter().sum::<u64>();
        assert!(adds_up || summary["dryRun"] == true, "{summary}");
        summary
    }

    /// The line of the version with this key.
    pub(crate) fn version(&self, key: &str) -> Value {
        let line = self.json().into_iter().find(|line| line["object"] == key);
        line.unwrap_or_else(|| panic!("{key} is not in {}", self.out))
    }
}
