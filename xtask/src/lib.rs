//! What the tasks share, here and in `bench/` and `dist/`.

pub mod sh;
