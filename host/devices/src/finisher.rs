//! The test finisher (`sifive,test0`): a guest ends or restarts the machine with one store.
//!
//! SiFive E31 core complex manual, "test finisher"; the reset value is QEMU's (`hw/misc/sifive_test`),
//! which device trees describe by `syscon-reboot` and `syscon-poweroff`.

use maquette_model::registers::{Register, find};
use maquette_model::{
    Access, BusError, Cx, Device, Event, Inspect, LoadError, PowerRequest, Reader, Region,
    RegisterInfo, ResetKind, Snapshot, Tree, Width, Writer,
};

#[derive(Clone, Copy)]
enum Reg {
    /// Bits 15..0 say what, bits 31..16 are the exit code of a failure.
    Finish,
}

const REGISTERS: [Register<Reg>; 1] = [Register::one(0, Width::B4, Reg::Finish)];

/// The low half that reports success.
pub const PASS: u16 = 0x5555;
/// The low half that reports failure.
pub const FAIL: u16 = 0x3333;
/// The low half that restarts the machine.
pub const RESET: u16 = 0x7777;

/// The test finisher. It has no state: a store is a request to the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Finisher;

impl Finisher {
    /// Size of the register region.
    pub const SIZE: u64 = 0x1000;
}

/// It has no state.
impl Inspect for Finisher {
    fn inspect(&self, _: &mut Tree) {}
}

impl Device for Finisher {
    fn read(&mut self, _: &mut Cx<'_>, _: Region, off: u64, w: Width) -> Access<u64> {
        match decode(off, w) {
            Ok(_) => Access::Done(0),
            Err(e) => Access::Fault(e),
        }
    }

    fn write(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, w: Width, v: u64) -> Access<()> {
        let reg = match decode(off, w) {
            Ok(reg) => reg,
            Err(e) => return Access::Fault(e),
        };
        let [b0, b1, b2, b3, ..] = v.to_le_bytes();
        let code = u16::from_le_bytes([b2, b3]);
        match (reg, u16::from_le_bytes([b0, b1])) {
            (Some(Reg::Finish), PASS) => cx.power(PowerRequest::Off),
            (Some(Reg::Finish), FAIL) => cx.power(PowerRequest::Fail(code.into())),
            (Some(Reg::Finish), RESET) => cx.power(PowerRequest::Reset),
            (Some(Reg::Finish), _) => cx.guest_error("finisher: unknown command", v),
            (None, _) => cx.guest_error("finisher: write to a reserved offset", off),
        }
        Access::Done(())
    }

    fn event(&mut self, _: &mut Cx<'_>, _: Event) {}

    fn reset(&mut self, _: &mut Cx<'_>, _: ResetKind) {}

    fn register(&self, _: Region, off: u64) -> Option<RegisterInfo> {
        find(&REGISTERS, off).map(|_| RegisterInfo::plain("finish"))
    }
}

impl Snapshot for Finisher {
    fn kind(&self) -> &'static str {
        "sifive-test"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, _: &mut Writer) {}
    fn load(&mut self, _: &mut Reader<'_>) -> Result<(), LoadError> {
        Ok(())
    }
}

/// The register starts at `off`, `None` for reserved space. A half-word store works, as with QEMU:
/// the code is then 0.
fn decode(off: u64, w: Width) -> Result<Option<Reg>, BusError> {
    if off >= Finisher::SIZE {
        return Err(BusError::Unmapped);
    }
    if !matches!(w, Width::B2 | Width::B4) || !off.is_multiple_of(w.bytes()) {
        return Err(BusError::Width);
    }
    Ok(find(&REGISTERS, off).filter(|h| h.byte == 0).map(|h| h.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use maquette_model::testing::{Seen, TestHost};

    fn written(off: u64, w: Width, v: u64) -> Vec<Seen> {
        let mut host = TestHost::new();
        let answer = Finisher.write(&mut Cx::new(&mut host), Region(0), off, w, v);
        assert_eq!(answer, Access::Done(()));
        host.take_log()
    }

    maquette_model::conformance!(finisher, || Finisher, Finisher::SIZE);

    #[test]
    fn finisher_commands_become_power_requests() {
        let power = |v| written(0, Width::B4, v);
        assert_eq!(power(0x5555), [Seen::Power(PowerRequest::Off)]);
        assert_eq!(power(0x7777), [Seen::Power(PowerRequest::Reset)]);
        assert_eq!(power(0x002a_3333), [Seen::Power(PowerRequest::Fail(42))]);
        assert_eq!(
            written(0, Width::B2, 0x3333),
            [Seen::Power(PowerRequest::Fail(0))]
        );
    }

    #[test]
    fn finisher_other_values_and_offsets_do_nothing_but_are_reported() {
        for (off, v) in [(0, 0), (0, 0x1234), (8, 0x5555), (2, 0x5555)] {
            let w = if off == 2 { Width::B2 } else { Width::B4 };
            assert!(
                matches!(written(off, w, v)[..], [Seen::GuestError(..)]),
                "{off}"
            );
        }
    }
}
