//! The built tool from the outside: what it says, how it ends, what it refuses.

mod bad_input;
mod bench;
mod cli;
mod debugger;
mod elf;
mod systems;
