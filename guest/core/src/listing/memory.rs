//! The memory that a run needs to go on, and sets that grow only as far as they leave it.

use super::seen::Hashes;

/// Memory that has to be left, in bytes, for the run to go on. It is what one piece of a listing may
/// become at most: 256 KiB that were compressed to a tenth, and the same again for what they are parsed
/// into. It is only asked for, never touched.
const ROOM: usize = 8 << 20;

/// Whether the run may go on. A component that asks for more memory than there is crashes, and with it
/// goes what it knew of the run.
pub(crate) fn is_enough() -> bool {
    Vec::<u8>::new().try_reserve_exact(ROOM).is_ok()
}

/// Makes room for so many more, and says whether there is. A set doubles when it grows, which is
/// megabytes at once, between two looks of the run at its memory.
pub(super) fn reserve(hashes: &mut Hashes, more: usize) -> bool {
    let before = hashes.capacity();
    hashes.try_reserve(more).is_ok() && (hashes.capacity() == before || is_enough())
}
