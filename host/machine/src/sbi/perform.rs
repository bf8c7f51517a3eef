//! What each call does.

use super::{
    Fence, FenceRange, HartId, HartMask, HartState, Reply, Reset, ResetReason, SbiCall, SbiError,
    SbiHost, Start, SuspendKind, console, legacy,
};
use maquette_model::{HypercallArgs, PhysAddr};
use sbi_spec::hsm::{hart_state, suspend_type};
use sbi_spec::{base, dbcn, hsm, rfnc, spi, srst, time};

/// The version of the specification: 2.0 (SBI 2.0 §4.1: major in bits 24 to 30).
const SPEC_VERSION: u64 = 0x0200_0000;
/// Implementation ids 0 to 11 and counting are registered (SBI 2.0 §4.9); this is not among them: "mqt".
pub const IMPLEMENTATION_ID: u64 = 0x006d_7174;
/// The version of this implementation, 0.1.
const IMPLEMENTATION_VERSION: u64 = 1;

/// Performs a call of `hart`.
pub fn call(host: &mut dyn SbiHost, hart: HartId, args: &HypercallArgs) -> Reply {
    let call = SbiCall::decode(args);
    if let Some(reply) = legacy::perform(host, hart, call) {
        return reply;
    }
    match call {
        SbiCall::HartStop => {
            host.hart_stop(hart);
            Reply::NoReturn
        }
        SbiCall::HartSuspend {
            kind,
            resume,
            opaque,
        } => suspend(
            host,
            hart,
            kind,
            Start {
                addr: PhysAddr(resume),
                opaque,
            },
        ),
        SbiCall::SystemReset { kind, reason } => match system_reset(kind, reason) {
            Ok((reset, reason)) => {
                host.system_reset(reset, reason);
                Reply::NoReturn
            }
            Err(e) => Reply::Return(Err(e)),
        },
        call => Reply::Return(value(host, hart, call)),
    }
}

/// The calls that always return.
fn value(host: &mut dyn SbiHost, hart: HartId, call: SbiCall) -> Result<u64, SbiError> {
    match call {
        SbiCall::SpecVersion => Ok(SPEC_VERSION),
        SbiCall::ImplementationId => Ok(IMPLEMENTATION_ID),
        SbiCall::ImplementationVersion => Ok(IMPLEMENTATION_VERSION),
        SbiCall::Probe(extension) => Ok(u64::from(is_present(extension))),
        SbiCall::VendorId => Ok(host.ids().vendor),
        SbiCall::ArchitectureId => Ok(host.ids().architecture),
        SbiCall::MachineImplementationId => Ok(host.ids().implementation),
        SbiCall::SetTimer(deadline) => {
            host.set_timer(hart, deadline);
            Ok(0)
        }
        SbiCall::SendIpi(harts) => send_ipi(host, harts).map(|()| 0),
        SbiCall::FenceI(harts) => send_fence(host, harts, Some(Fence::Instructions)).map(|()| 0),
        SbiCall::Sfence {
            harts,
            start,
            size,
            asid,
        } => {
            let fence = fence_range(start, size, asid)?;
            send_fence(host, harts, fence).map(|()| 0)
        }
        SbiCall::HartStart { hart, addr, opaque } => hart_start(
            host,
            hart,
            Start {
                addr: PhysAddr(addr),
                opaque,
            },
        ),
        SbiCall::HartStatus(hart) => {
            let hart = HartId::checked(hart, host.harts())?;
            Ok(state_number(host.hart_state(hart)))
        }
        SbiCall::ConsoleWrite(buffer) => console::write(host, buffer),
        SbiCall::ConsoleRead(buffer) => console::read(host, buffer),
        SbiCall::ConsoleWriteByte(byte) => {
            host.console_write(&[byte]);
            Ok(0)
        }
        _ => Err(SbiError::NotSupported),
    }
}

/// Whether an extension answers. Legacy functions are extensions of their own.
fn is_present(extension: u64) -> bool {
    matches!(
        usize::try_from(extension),
        Ok(0..=8
            | base::EID_BASE
            | time::EID_TIME
            | spi::EID_SPI
            | rfnc::EID_RFNC
            | hsm::EID_HSM
            | srst::EID_SRST
            | dbcn::EID_DBCN)
    )
}

/// Raises software interrupts (SBI 2.0 §7.1).
pub(super) fn send_ipi(host: &mut dyn SbiHost, harts: HartMask) -> Result<(), SbiError> {
    let set = harts.resolve(host.harts())?;
    if !set.is_empty() {
        host.send_ipi(set);
    }
    Ok(())
}

/// Sends a fence (SBI 2.0 §8); `None` is one about no address at all.
pub(super) fn send_fence(
    host: &mut dyn SbiHost,
    harts: HartMask,
    fence: Option<Fence>,
) -> Result<(), SbiError> {
    let set = harts.resolve(host.harts())?;
    if let (Some(fence), false) = (fence, set.is_empty()) {
        host.fence(set, fence);
    }
    Ok(())
}

/// The fence of a range (SBI 2.0 §8: everything if start and size are 0, or if the size is all ones).
pub(super) fn fence_range(
    start: u64,
    size: u64,
    asid: Option<u64>,
) -> Result<Option<Fence>, SbiError> {
    let asid = match asid.map(u16::try_from) {
        None => None,
        Some(Ok(asid)) => Some(asid),
        // satp holds 16 bits of it.
        Some(Err(_)) => return Err(SbiError::InvalidParam),
    };
    let range = match (start, size) {
        (0, 0) | (_, u64::MAX) => FenceRange::All,
        (_, 0) => return Ok(None),
        // The range may end with the last byte of the address space.
        _ if start.checked_add(size - 1).is_none() => return Err(SbiError::InvalidAddress),
        _ => FenceRange::Bytes { start, size },
    };
    Ok(Some(Fence::Translations { range, asid }))
}

/// Whether a hart may begin at an address: an instruction in RAM.
fn check_start(host: &dyn SbiHost, start: Start) -> Result<(), SbiError> {
    if start.addr.0.is_multiple_of(2) && host.is_ram(start.addr, 2) {
        Ok(())
    } else {
        Err(SbiError::InvalidAddress)
    }
}

/// Starts a hart (SBI 2.0 §9.1).
fn hart_start(host: &mut dyn SbiHost, hart: u64, start: Start) -> Result<u64, SbiError> {
    let hart = HartId::checked(hart, host.harts())?;
    check_start(host, start)?;
    match host.hart_state(hart) {
        HartState::Stopped => {
            host.hart_start(hart, start);
            Ok(0)
        }
        HartState::Started | HartState::StartPending | HartState::Suspended => {
            Err(SbiError::AlreadyAvailable)
        }
    }
}

/// Suspends the caller (SBI 2.0 §9.4).
fn suspend(host: &mut dyn SbiHost, hart: HartId, kind: u32, start: Start) -> Reply {
    match kind {
        suspend_type::RETENTIVE => {
            host.hart_suspend(hart, SuspendKind::Retentive);
            Reply::Return(Ok(0))
        }
        suspend_type::NON_RETENTIVE => match check_start(host, start) {
            Ok(()) => {
                host.hart_suspend(hart, SuspendKind::NonRetentive(start));
                Reply::NoReturn
            }
            Err(e) => Reply::Return(Err(e)),
        },
        // Reserved, or of a platform that this is not.
        _ => Reply::Return(Err(SbiError::InvalidParam)),
    }
}

const fn state_number(state: HartState) -> u64 {
    (match state {
        HartState::Started => hart_state::STARTED,
        HartState::Stopped => hart_state::STOPPED,
        HartState::StartPending => hart_state::START_PENDING,
        HartState::Suspended => hart_state::SUSPENDED,
    }) as u64
}

/// How and why the system ends (SBI 2.0 §10.1); reserved and foreign numbers are refused.
const fn system_reset(kind: u32, reason: u32) -> Result<(Reset, ResetReason), SbiError> {
    let reset = match kind {
        srst::RESET_TYPE_SHUTDOWN => Reset::Shutdown,
        srst::RESET_TYPE_COLD_REBOOT => Reset::ColdReboot,
        srst::RESET_TYPE_WARM_REBOOT => Reset::WarmReboot,
        _ => return Err(SbiError::InvalidParam),
    };
    let reason = match reason {
        srst::RESET_REASON_NO_REASON => ResetReason::None,
        srst::RESET_REASON_SYSTEM_FAILURE => ResetReason::SystemFailure,
        _ => return Err(SbiError::InvalidParam),
    };
    Ok((reset, reason))
}
