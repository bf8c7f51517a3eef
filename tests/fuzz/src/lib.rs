//! What fuzzers feed: one plain function for each kind of hostile input.
//!
//! # Purpose
//!
//! Each body takes any bytes, makes of them what a guest or a file might hold, and panics if the
//! product breaks a promise: it hangs or crashes, contradicts itself, or accepts what is unsound.
//! `cargo xtask test` calls the bodies with seeded inputs (`tests/seeded.rs`), `cargo xtask soak` with
//! ever new ones, and `fuzz/` lets libFuzzer look for inputs that reach further.
//!
//! # Invariants
//!
//! - A body depends on its input and on nothing else, so that what a fuzzer finds can be repeated.
//! - Any input is good: where it is too short, zeroes follow.
//! - One call takes milliseconds: the work grows with the length of the input and not with numbers in it.
//!
//! # Not here
//!
//! What inputs are tried is the caller's choice. Checks against another implementation are in the
//! crates' own tests and in `tests/tests/isa`.

mod boot;
mod bytes;
mod instructions;
pub mod mutate;
mod queues;
mod registers;
pub mod samples;
mod system_file;

pub use boot::boot;
pub use instructions::instructions;
pub use queues::queues;
pub use registers::registers;
pub use system_file::system_file;
