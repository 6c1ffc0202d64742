//! Hands the host more in one call than it takes.

use hostile_guests::*;

behaves!({
    say("begun");
    let stream = wasi::cli::stdout::get_stdout();
    let much = vec![b'x'; 64 << 20];
    let _ = stream.write(&much);
    Ok(())
});
