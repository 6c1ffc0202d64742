//! What the tasks share, here and in `bench/` and `dist/`.

pub mod page;
pub mod python;
pub mod rust;
pub mod sh;
