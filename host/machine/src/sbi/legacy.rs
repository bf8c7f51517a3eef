//! The legacy functions (SBI 2.0 §5), which kernels before 5.7 and small programs still use.

use super::call::low8;
use super::perform::{fence_range, send_fence, send_ipi};
use super::{Fence, HartId, HartMask, Reply, Reset, ResetReason, SbiCall, SbiError, SbiHost};

/// What `getchar` returns when nothing has arrived.
const NOTHING: u64 = u64::MAX;

/// Performs a legacy call; `None` if it is none.
pub(super) fn perform(host: &mut dyn SbiHost, hart: HartId, call: SbiCall) -> Option<Reply> {
    let result = match call {
        SbiCall::LegacySetTimer(deadline) => {
            host.set_timer(hart, deadline);
            Ok(())
        }
        SbiCall::LegacyPutchar(byte) => {
            host.console_write(&[low8(byte)]);
            Ok(())
        }
        SbiCall::LegacyGetchar => {
            let byte = host.console_read();
            return Some(Reply::Legacy(byte.map_or(NOTHING, u64::from)));
        }
        SbiCall::LegacyClearIpi => {
            return Some(Reply::Legacy(u64::from(host.clear_ipi(hart))));
        }
        SbiCall::LegacySendIpi(mask) => {
            read_mask(host, hart, mask).and_then(|harts| send_ipi(host, harts))
        }
        SbiCall::LegacyFenceI(mask) => read_mask(host, hart, mask)
            .and_then(|harts| send_fence(host, harts, Some(Fence::Instructions))),
        SbiCall::LegacySfence {
            mask,
            start,
            size,
            asid,
        } => read_mask(host, hart, mask).and_then(|harts| {
            let fence = fence_range(start, size, asid)?;
            send_fence(host, harts, fence)
        }),
        SbiCall::LegacyShutdown => {
            host.system_reset(Reset::Shutdown, ResetReason::None);
            return Some(Reply::NoReturn);
        }
        _ => return None,
    };
    Some(Reply::Legacy(result.map_or_else(SbiError::code, |()| 0)))
}

/// The mask lies in the caller's memory, at a virtual address; 0 means every hart, as in OpenSBI.
fn read_mask(host: &mut dyn SbiHost, hart: HartId, addr: u64) -> Result<HartMask, SbiError> {
    if addr == 0 {
        return Ok(HartMask::ALL);
    }
    let bits = host.read_virt(hart, addr).ok_or(SbiError::InvalidAddress)?;
    Ok(HartMask { bits, base: 0 })
}
