//! What the diagnostics have noticed, with names.

use super::bus::Target;
use super::harts::{Doing, HartSlot};
use super::{Machine, Status};
use crate::diagnostics::{
    Access, Findings, Lost, Mode, Place, Spin, Storm, Thresholds, Unimplemented,
};
use maquette_model::{CpuLine, Device, PhysAddr, RegisterInfo, SimTime, Vcpu};
use maquette_rv64::csr::mstatus;
use maquette_rv64::trap::{Privilege, irq};

impl Machine {
    /// The register that an access leads to.
    pub(super) fn register(&self, target: Target) -> Option<RegisterInfo> {
        let Target {
            device,
            region,
            off,
        } = target;
        match self.bus.nodes.get(device)?.model.device() {
            None => self.core.plic.register(region, off),
            Some(device) => device.register(region, off),
        }
    }

    /// Tells the diagnostics of an access that was answered.
    pub(super) fn diagnose(&mut self, access: &Access) {
        self.core.diagnostics.access(access);
    }

    /// Tells the diagnostics of a change of a hart's interrupt input.
    pub(super) fn diagnose_input(&mut self, hart: usize, line: CpuLine, level: bool) {
        let mode = match line.0 {
            irq::SEI => Mode::Supervisor,
            irq::MEI => Mode::Machine,
            _ => return,
        };
        let now = self.reached();
        let pc = self.harts.get(hart).map_or(0, |slot| slot.hart.pc());
        let diagnostics = &mut self.core.diagnostics;
        diagnostics.output((hart, mode), level, now, pc);
    }

    /// Says from when on the diagnostics say something.
    pub const fn set_thresholds(&mut self, thresholds: Thresholds) {
        self.core.diagnostics.thresholds = thresholds;
    }

    /// What has been noticed so far.
    pub(super) fn findings(&self) -> Findings {
        let d = &self.core.diagnostics;
        let unimplemented = d.unimplemented.known.iter();
        let spins = d.polling.spins.iter();
        let storms = d.storms.known.iter();
        Findings {
            unimplemented: unimplemented
                .map(|(&(addr, write), entry)| Unimplemented {
                    place: self.place(PhysAddr(addr)),
                    addr: PhysAddr(addr),
                    write,
                    count: entry.count,
                    first: entry.first,
                })
                .collect(),
            unimplemented_more: d.unimplemented.more,
            spins: spins
                .map(|(&(pc, addr), entry)| Spin {
                    hart: entry.hart,
                    pc,
                    place: self.place(PhysAddr(addr)),
                    addr: PhysAddr(addr),
                    value: entry.value,
                    reads: entry.reads,
                })
                .collect(),
            storms: storms
                .map(|(&source, entry)| Storm {
                    device: self.device_of(source),
                    source,
                    claims: entry.claims,
                    since: entry.since,
                    at: entry.at,
                })
                .collect(),
            lost: self.lost(),
        }
    }

    fn place(&self, addr: PhysAddr) -> Place {
        match self.bus.find(addr) {
            Some(target) => Place {
                device: self.bus.nodes.get(target.device).map(|n| n.name.clone()),
                register: self.register(target).map(|r| r.name),
                offset: target.off,
            },
            None => Place {
                device: None,
                register: None,
                offset: addr.0,
            },
        }
    }

    fn device_of(&self, source: u32) -> String {
        let nodes = self.bus.nodes.iter();
        let names = nodes.filter(|n| n.wiring.irq == Some(source));
        let names: Vec<&str> = names.map(|n| n.name.as_str()).collect();
        if names.is_empty() {
            return format!("source {source}");
        }
        names.join(" or ")
    }

    fn lost(&self) -> Vec<Lost> {
        let after = self.core.diagnostics.thresholds.lost_after;
        let d = &self.core.diagnostics.lost;
        let late = d.late.iter().map(|(&(hart, mode), entry)| Lost {
            hart,
            mode,
            since: entry.since,
            lasted: entry.lasted,
            pc: entry.pc,
            why: None,
            count: entry.count,
        });
        let now = self.reached();
        let is_stuck = self.status == Status::Running;
        let waiting = d.high.iter().filter_map(|(&(hart, mode), &since)| {
            let slot = self.harts.get(hart)?;
            let lasted = now.saturating_sub(since);
            let for_ever = is_stuck && slot.waits_for_ever();
            (lasted >= after || for_ever).then(|| Lost {
                hart,
                mode,
                since,
                lasted,
                pc: slot.hart.pc(),
                why: slot.deaf(mode),
                count: 1,
            })
        });
        late.chain(waiting).collect()
    }
}

impl HartSlot {
    /// Whether it waits and nothing that it has enabled will wake it.
    fn waits_for_ever(&self) -> bool {
        self.doing == Doing::Sleeping && self.wake_time() == SimTime::MAX
    }

    /// Why it does not take an external interrupt for `mode` (privileged ISA §3.1.9).
    fn deaf(&self, mode: Mode) -> Option<&'static str> {
        let state = self.hart.state();
        let (bit, enable, own, off, masked) = match mode {
            Mode::Machine => (
                irq::MEI,
                mstatus::MIE,
                Privilege::Machine,
                "mie.MEIE is clear",
                "mstatus.MIE is clear",
            ),
            Mode::Supervisor => (
                irq::SEI,
                mstatus::SIE,
                Privilege::Supervisor,
                "sie.SEIE is clear",
                "sstatus.SIE is clear",
            ),
        };
        match self.doing {
            Doing::Stopped | Doing::Suspended { .. } => Some("the hart is stopped"),
            _ if state.csr.mie >> bit & 1 == 0 => Some(off),
            _ if state.prv == own && state.csr.mstatus & enable == 0 => Some(masked),
            _ => None,
        }
    }
}
