//! The name that the program goes by.

/// The program name for messages: the base name of `argv[0]`, or `mc` where that is a file of
/// wasm, which is how stock hosts call a component.
pub fn program_name(argv0: &str) -> &str {
    let base = argv0.rsplit(['/', '\\']).next().unwrap_or_default();
    let base = base.strip_suffix(".exe").unwrap_or(base);
    if base.is_empty() || base.ends_with(".wasm") { "mc" } else { base }
}

/// The words of the command, as mc has it.
pub const COMMAND: [&str; 2] = ["replicate", "resync-backlog"];

/// The name under which a program is this one command, as plugins are: on its own, or after the
/// name of another program, as kubectl wants it.
pub const PLUGIN: &str = "mc-replicate-resync-backlog";

/// Whether a program of this name is the command itself. kubectl turns dashes of a command into
/// underscores of the file.
pub fn is_plugin(program: &str) -> bool {
    let name = program.replace('_', "-");
    name.strip_suffix(PLUGIN).is_some_and(|before| before.is_empty() || before.ends_with('-'))
}

/// How the command is called.
pub(super) fn command_name(program: &str) -> String {
    if is_plugin(program) {
        return program.to_owned();
    }
    let [group, command] = COMMAND;
    format!("{program} {group} {command}")
}
