//! Calls of the Supervisor Binary Interface that the guests use.

use sbi_spec::{base, dbcn, hsm, legacy, rfnc, spi, srst, time};

use crate::arch::ecall;

/// An SBI error number (negative, SBI 2.0 chapter 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error(pub isize);

/// State of a hart as HSM reports it (SBI 2.0 chapter 9).
pub use hsm::hart_state;

fn call(eid: usize, fid: usize, args: [usize; 5]) -> Result<usize, Error> {
    let (error, value) = ecall(eid, fid, args);
    if error == 0 {
        Ok(value)
    } else {
        Err(Error(error as isize))
    }
}

/// Whether the extension is there.
#[must_use]
pub fn probe(eid: usize) -> bool {
    call(base::EID_BASE, base::PROBE_EXTENSION, [eid, 0, 0, 0, 0]).is_ok_and(|v| v != 0)
}

/// The extensions that the demonstration needs, by name.
pub const NEEDED: [(&str, usize); 6] = [
    ("TIME", time::EID_TIME),
    ("IPI", spi::EID_SPI),
    ("RFENCE", rfnc::EID_RFNC),
    ("HSM", hsm::EID_HSM),
    ("SRST", srst::EID_SRST),
    ("DBCN", dbcn::EID_DBCN),
];

/// Writes all bytes to the debug console, or byte by byte to the legacy one where there is none.
pub fn console_write(bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let args = [rest.len(), rest.as_ptr() as usize, 0, 0, 0];
        match call(dbcn::EID_DBCN, dbcn::CONSOLE_WRITE, args) {
            Ok(n) => rest = rest.get(n..).unwrap_or_default(),
            Err(_) => {
                for byte in rest {
                    ecall(
                        legacy::LEGACY_CONSOLE_PUTCHAR,
                        0,
                        [usize::from(*byte), 0, 0, 0, 0],
                    );
                }
                return;
            }
        }
    }
}

/// Asks for a timer interrupt at `deadline`.
pub fn set_timer(deadline: u64) -> Result<usize, Error> {
    call(
        time::EID_TIME,
        time::SET_TIMER,
        [deadline as usize, 0, 0, 0, 0],
    )
}

/// Raises a software interrupt on one hart.
pub fn send_ipi(hart: usize) -> Result<usize, Error> {
    call(spi::EID_SPI, spi::SEND_IPI, [1, hart, 0, 0, 0])
}

/// Makes one hart forget its translations of `[start, start + size)`.
pub fn remote_sfence_vma(hart: usize, start: usize, size: usize) -> Result<usize, Error> {
    call(
        rfnc::EID_RFNC,
        rfnc::REMOTE_SFENCE_VMA,
        [1, hart, start, size, 0],
    )
}

/// Makes one hart see code that was written.
pub fn remote_fence_i(hart: usize) -> Result<usize, Error> {
    call(rfnc::EID_RFNC, rfnc::REMOTE_FENCE_I, [1, hart, 0, 0, 0])
}

/// Starts a hart in S-mode at `address` with `opaque` in `a1`.
pub fn hart_start(hart: usize, address: usize, opaque: usize) -> Result<usize, Error> {
    call(hsm::EID_HSM, hsm::HART_START, [hart, address, opaque, 0, 0])
}

/// Stops the calling hart; returns only if that fails.
pub fn hart_stop() -> Error {
    match call(hsm::EID_HSM, hsm::HART_STOP, [0; 5]) {
        Ok(_) => Error(0),
        Err(e) => e,
    }
}

/// State of a hart, one of [`hart_state`].
pub fn hart_status(hart: usize) -> Result<usize, Error> {
    call(hsm::EID_HSM, hsm::HART_GET_STATUS, [hart, 0, 0, 0, 0])
}

/// Ends the machine; returns only if the firmware refuses.
pub fn shutdown(failed: bool) {
    let reason = if failed {
        srst::RESET_REASON_SYSTEM_FAILURE
    } else {
        srst::RESET_REASON_NO_REASON
    };
    reset(srst::RESET_TYPE_SHUTDOWN, reason);
}

/// Restarts the machine from the beginning; returns only if the firmware refuses.
pub fn cold_reboot() {
    reset(srst::RESET_TYPE_COLD_REBOOT, srst::RESET_REASON_NO_REASON);
}

fn reset(kind: u32, reason: u32) {
    // It does not return; where it does, the caller goes on to park.
    let _ = call(
        srst::EID_SRST,
        srst::SYSTEM_RESET,
        [kind as usize, reason as usize, 0, 0, 0],
    );
}
