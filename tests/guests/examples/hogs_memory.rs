//! Takes all memory there is.

use hostile_guests::*;

behaves!({
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut piece = Vec::new();
        // Aborts where the allocator gives up, so every piece is tried first.
        if piece.try_reserve_exact(1 << 20).is_err() {
            say(&format!("{} MiB", hoard.len()));
            return Err(());
        }
        piece.resize(1 << 20, 0xaa);
        hoard.push(std::hint::black_box(piece));
    }
});
