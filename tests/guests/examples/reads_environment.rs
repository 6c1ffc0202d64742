//! Prints everything it was told.

use hostile_guests::*;

behaves!({
    for (name, value) in wasi::cli::environment::get_environment() {
        say(&format!("{name}={value}"));
    }
    for word in wasi::cli::environment::get_arguments() {
        say(&word);
    }
    say(&format!("{:?}", wasi::cli::environment::initial_cwd()));
    Ok(())
});
