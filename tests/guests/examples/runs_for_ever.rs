//! Never ends and never calls the host.

use hostile_guests::*;

behaves!({
    say("begun");
    let mut state = 1u64;
    loop {
        state = std::hint::black_box(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
});
