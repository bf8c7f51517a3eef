//! The instruction set as a whole, against QEMU: which words are instructions, and what they do.
//!
//! Guests are bare M-mode programs that the tests themselves assemble with the encoder of
//! `maquette_rv64::isa`, so that no cross compiler is needed and every word is under control.

mod asm;
mod board;
mod disassembly;
mod here;
mod legality;
mod programs;
mod random;
