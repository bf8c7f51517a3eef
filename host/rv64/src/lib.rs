//! The RISC-V CPU: RV64GC with M-, S- and U-mode, exact to the instruction.
//!
//! ```text
//!  Hart (implements Vcpu)
//!   ├─ HartState      registers, CSRs, clock, soft TLB      state.rs, csr/, mmu/
//!   └─ BlockExec      the engine: Interpreter               interp/
//!        └─ BlockCache  decoded blocks by physical address  block/
//!              └─ isa   one table: decode, encode, print    isa/
//!  fp                 IEEE 754 in integers, exact flags      fp/
//! ```
//!
//! # Extensions
//!
//! I M A F D C, Zicsr Zifencei Zicntr Zihpm, Zba Zbb Zbc Zbs, Zicond, Zicbom Zicbop Zicboz,
//! Zihintpause, Zawrs, Sstc, Svade, Svadu and Svinval, Sv39, Sv48 and Sv57, 16 PMP entries, misaligned
//! loads and stores. [`ISA_EXTENSIONS`] is the list that the device tree shows; nothing else is
//! advertised.
//!
//! # Invariants
//!
//! * `run(n)` retires exactly `n` instructions or returns earlier with a reason. Nothing that the guest
//!   can observe depends on the shape of blocks, on the soft TLB's size or on how budgets are cut. (A
//!   guest that changes a page table and leaves out `sfence.vma` may see the old translation for a
//!   while, as on hardware; for how long is a function of its accesses too.)
//! * Stores to code are seen by the next instruction, on every hart. (The specification would allow
//!   stale code until `fence.i`; determinism does not.)
//! * Time is a function of retired instructions and of the idle time that the machine adds.
//! * A guest can do anything; nothing here panics on it.
//!
//! # Not here
//!
//! Devices, memory maps, the scheduling of harts, SBI: `maquette-machine`. No vector and no hypervisor
//! extension yet: contexts and the walk are where they will go.

mod block;
pub mod csr;
pub mod fp;
mod hart;
mod interp;
pub mod isa;
mod mmu;
mod state;
pub mod trap;

pub use hart::{Hart, registers};
pub use interp::{BlockExec, BlockExit, DebugExec, Interpreter};
pub use mmu::{Walk, WalkEnd, WalkStep};
pub use state::{HartState, LoadTo, Outstanding, Profile, Waiting};

/// What the device tree's `riscv,isa-extensions` lists, in canonical order.
pub const ISA_EXTENSIONS: &[&str] = &[
    "i",
    "m",
    "a",
    "f",
    "d",
    "c",
    "zicbom",
    "zicbop",
    "zicboz",
    "zicntr",
    "zicond",
    "zicsr",
    "zifencei",
    "zihintpause",
    "zihpm",
    "zawrs",
    "zba",
    "zbb",
    "zbc",
    "zbs",
    "sstc",
    "svade",
    "svadu",
    "svinval",
];

/// Bytes in a cache block of Zicbom, Zicbop and Zicboz.
pub const CACHE_BLOCK_BYTES: u32 = 64;
