//! Which function a supervisor calls, by the numbers in its registers.

use super::HartMask;
use maquette_model::HypercallArgs;
use sbi_spec::{base, dbcn, hsm, legacy, rfnc, spi, srst, time};

/// A call with its arguments as the caller gave them: nothing has been checked yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SbiCall {
    /// Legacy 0: set the caller's timer.
    LegacySetTimer(u64),
    /// Legacy 1: write one byte to the console.
    LegacyPutchar(u64),
    /// Legacy 2: read one byte from the console.
    LegacyGetchar,
    /// Legacy 3: clear the caller's software interrupt.
    LegacyClearIpi,
    /// Legacy 4: raise software interrupts; the harts are a bit mask at this virtual address.
    LegacySendIpi(u64),
    /// Legacy 5: remote `fence.i`; harts as above.
    LegacyFenceI(u64),
    /// Legacy 6 and 7: remote `sfence.vma`; harts as above.
    LegacySfence {
        /// Address of the mask.
        mask: u64,
        /// The first address to forget.
        start: u64,
        /// How many bytes.
        size: u64,
        /// Of which address space.
        asid: Option<u64>,
    },
    /// Legacy 8: power off.
    LegacyShutdown,
    /// Base: version of the specification.
    SpecVersion,
    /// Base: who implements it.
    ImplementationId,
    /// Base: version of the implementation.
    ImplementationVersion,
    /// Base: whether an extension is there.
    Probe(u64),
    /// Base: `mvendorid`.
    VendorId,
    /// Base: `marchid`.
    ArchitectureId,
    /// Base: `mimpid`.
    MachineImplementationId,
    /// TIME: set the caller's timer.
    SetTimer(u64),
    /// IPI: raise software interrupts.
    SendIpi(HartMask),
    /// RFENCE: remote `fence.i`.
    FenceI(HartMask),
    /// RFENCE: remote `sfence.vma`.
    Sfence {
        /// On which harts.
        harts: HartMask,
        /// The first address to forget.
        start: u64,
        /// How many bytes.
        size: u64,
        /// Of which address space.
        asid: Option<u64>,
    },
    /// HSM: start a hart.
    HartStart {
        /// Which.
        hart: u64,
        /// Where.
        addr: u64,
        /// Its a1.
        opaque: u64,
    },
    /// HSM: stop the caller.
    HartStop,
    /// HSM: the state of a hart.
    HartStatus(u64),
    /// HSM: suspend the caller.
    HartSuspend {
        /// How.
        kind: u32,
        /// Where it goes on.
        resume: u64,
        /// Its a1.
        opaque: u64,
    },
    /// SRST: end or restart the system.
    SystemReset {
        /// How.
        kind: u32,
        /// Why.
        reason: u32,
    },
    /// DBCN: write bytes of RAM to the console.
    ConsoleWrite(ConsoleBuffer),
    /// DBCN: read bytes from the console into RAM.
    ConsoleRead(ConsoleBuffer),
    /// DBCN: write one byte to the console.
    ConsoleWriteByte(u8),
    /// No function that is known.
    Unknown,
}

/// The guest's buffer for the debug console.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConsoleBuffer {
    /// How many bytes.
    pub len: u64,
    /// The lower 64 bits of the physical address.
    pub addr_low: u64,
    /// The upper 64 bits.
    pub addr_high: u64,
}

impl SbiCall {
    /// Finds the function. Legacy calls do not look at a6 (SBI 2.0 §5).
    #[must_use]
    pub fn decode(call: &HypercallArgs) -> Self {
        let Ok(extension) = usize::try_from(call.extension) else {
            return Self::Unknown;
        };
        if let Some(legacy) = Self::decode_legacy(extension, call.args) {
            return legacy;
        }
        let Ok(function) = usize::try_from(call.function) else {
            return Self::Unknown;
        };
        let a = call.args;
        match extension {
            base::EID_BASE => Self::decode_base(function, a),
            rfnc::EID_RFNC => Self::decode_fence(function, a),
            hsm::EID_HSM => Self::decode_hsm(function, a),
            dbcn::EID_DBCN => Self::decode_console(function, a),
            time::EID_TIME if function == time::SET_TIMER => Self::SetTimer(a[0]),
            spi::EID_SPI if function == spi::SEND_IPI => Self::SendIpi(mask(a)),
            srst::EID_SRST if function == srst::SYSTEM_RESET => Self::SystemReset {
                kind: low32(a[0]),
                reason: low32(a[1]),
            },
            _ => Self::Unknown,
        }
    }

    fn decode_legacy(extension: usize, a: [u64; 6]) -> Option<Self> {
        Some(match extension {
            legacy::LEGACY_SET_TIMER => Self::LegacySetTimer(a[0]),
            legacy::LEGACY_CONSOLE_PUTCHAR => Self::LegacyPutchar(a[0]),
            legacy::LEGACY_CONSOLE_GETCHAR => Self::LegacyGetchar,
            legacy::LEGACY_CLEAR_IPI => Self::LegacyClearIpi,
            legacy::LEGACY_SEND_IPI => Self::LegacySendIpi(a[0]),
            legacy::LEGACY_REMOTE_FENCE_I => Self::LegacyFenceI(a[0]),
            legacy::LEGACY_REMOTE_SFENCE_VMA | legacy::LEGACY_REMOTE_SFENCE_VMA_ASID => {
                Self::LegacySfence {
                    mask: a[0],
                    start: a[1],
                    size: a[2],
                    asid: (extension == legacy::LEGACY_REMOTE_SFENCE_VMA_ASID).then_some(a[3]),
                }
            }
            legacy::LEGACY_SHUTDOWN => Self::LegacyShutdown,
            _ => return None,
        })
    }

    const fn decode_base(function: usize, a: [u64; 6]) -> Self {
        match function {
            base::GET_SBI_SPEC_VERSION => Self::SpecVersion,
            base::GET_SBI_IMPL_ID => Self::ImplementationId,
            base::GET_SBI_IMPL_VERSION => Self::ImplementationVersion,
            base::PROBE_EXTENSION => Self::Probe(a[0]),
            base::GET_MVENDORID => Self::VendorId,
            base::GET_MARCHID => Self::ArchitectureId,
            base::GET_MIMPID => Self::MachineImplementationId,
            _ => Self::Unknown,
        }
    }

    fn decode_fence(function: usize, a: [u64; 6]) -> Self {
        match function {
            rfnc::REMOTE_FENCE_I => Self::FenceI(mask(a)),
            rfnc::REMOTE_SFENCE_VMA | rfnc::REMOTE_SFENCE_VMA_ASID => Self::Sfence {
                harts: mask(a),
                start: a[2],
                size: a[3],
                asid: (function == rfnc::REMOTE_SFENCE_VMA_ASID).then_some(a[4]),
            },
            // The fences of the hypervisor extension, which the harts do not have.
            _ => Self::Unknown,
        }
    }

    const fn decode_hsm(function: usize, a: [u64; 6]) -> Self {
        match function {
            hsm::HART_START => Self::HartStart {
                hart: a[0],
                addr: a[1],
                opaque: a[2],
            },
            hsm::HART_STOP => Self::HartStop,
            hsm::HART_GET_STATUS => Self::HartStatus(a[0]),
            hsm::HART_SUSPEND => Self::HartSuspend {
                kind: low32(a[0]),
                resume: a[1],
                opaque: a[2],
            },
            _ => Self::Unknown,
        }
    }

    const fn decode_console(function: usize, a: [u64; 6]) -> Self {
        let buffer = ConsoleBuffer {
            len: a[0],
            addr_low: a[1],
            addr_high: a[2],
        };
        match function {
            dbcn::CONSOLE_WRITE => Self::ConsoleWrite(buffer),
            dbcn::CONSOLE_READ => Self::ConsoleRead(buffer),
            dbcn::CONSOLE_WRITE_BYTE => Self::ConsoleWriteByte(low8(a[0])),
            _ => Self::Unknown,
        }
    }
}

const fn mask(a: [u64; 6]) -> HartMask {
    HartMask {
        bits: a[0],
        base: a[1],
    }
}

/// A `uint32_t` argument: the upper half of the register says nothing.
const fn low32(v: u64) -> u32 {
    let [a, b, c, d, ..] = v.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// A `uint8_t` argument.
pub(super) const fn low8(v: u64) -> u8 {
    v.to_le_bytes()[0]
}
