//! The architecture as the protocol's library wants it: 64-bit registers by number.

use core::num::NonZeroUsize;
use gdbstub::arch::{Arch, RegId, Registers};
use maquette_model::Debuggable;
use maquette_rv64::Hart;

/// Bytes of every register.
pub(super) const REGISTER_BYTES: usize = 8;

/// RV64.
pub struct Rv64;

impl Arch for Rv64 {
    type Usize = u64;
    type Registers = General;
    type BreakpointKind = usize;
    type RegId = Number;
}

/// The general registers, the program counter last.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct General(pub(super) Vec<u64>);

impl Registers for General {
    type ProgramCounter = u64;

    fn pc(&self) -> u64 {
        self.0.last().copied().unwrap_or(0)
    }

    fn gdb_serialize(&self, mut write_byte: impl FnMut(Option<u8>)) {
        for byte in self.0.iter().flat_map(|v| v.to_le_bytes()) {
            write_byte(Some(byte));
        }
    }

    fn gdb_deserialize(&mut self, bytes: &[u8]) -> Result<(), ()> {
        let (values, rest) = bytes.as_chunks::<REGISTER_BYTES>();
        if !rest.is_empty() || values.len() != <Hart>::GENERAL_REGISTERS {
            return Err(());
        }
        self.0 = values.iter().map(|v| u64::from_le_bytes(*v)).collect();
        Ok(())
    }
}

/// The number of a register, which need not exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Number(pub(super) usize);

impl RegId for Number {
    fn from_raw_id(id: usize) -> Option<(Self, Option<NonZeroUsize>)> {
        Some((Self(id), NonZeroUsize::new(REGISTER_BYTES)))
    }

    fn to_raw_id(&self) -> Option<usize> {
        Some(self.0)
    }
}
