//! Writes 10 GB to stdout.

use hostile_guests::*;

behaves!({
    let stream = wasi::cli::stdout::get_stdout();
    let line = vec![b'x'; 256 << 10];
    let mut left: u64 = 10_000_000_000;
    while left > 0 {
        let Ok(room) = stream.check_write() else { return Err(()) };
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let now = left.min(room).min(line.len() as u64);
        if stream.write(&line[..now as usize]).is_err() {
            return Err(());
        }
        left -= now;
    }
    Ok(())
});
