//! Takes all handles there are.

use hostile_guests::*;

behaves!({
    say("begun");
    let mut hoard = Vec::new();
    loop {
        hoard.push(wasi::clocks::monotonic_clock::subscribe_duration(u64::MAX));
    }
});
