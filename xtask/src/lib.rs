//! What the tasks share, here and in `bench/` and `dist/`.

pub mod python;
pub mod rust;
pub mod sh;
