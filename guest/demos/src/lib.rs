//! What several demonstrations share.
//!
//! # Purpose
//!
//! Each file or folder in `src/bin` is one program; see the head of each for what it shows and what it
//! prints. All of them run in a stock QEMU (`-M virt`) and, unchanged, in a Maquette machine.
//!
//! # Invariants
//!
//! - No `unsafe`: that is in `maquette-guest-rt`.
//! - A program prints one `PASS <what>` line per thing it has shown, or one `FAIL <where>: <why>` line,
//!   and then stops the machine. Nothing it prints depends on time or speed.
//!
//! # What is not here
//!
//! - Start code, traps, paging: `maquette-guest-rt`.
#![no_std]

pub mod bench;
pub mod blk;
pub mod float_kernels;
pub mod kernels;
pub mod offload;
pub mod probing;
