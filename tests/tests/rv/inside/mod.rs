//! A machine in this process, for what cannot be arranged from the outside: pauses at any picosecond,
//! a device that misbehaves in one event, the count of allocations.

mod allocation;
mod altered;
#[path = "../../isa/asm.rs"]
#[expect(
    dead_code,
    reason = "these programs need fewer instructions than those it was written for"
)]
mod asm;
mod counted;
mod debugged;
mod diagnostics;
mod dma;
mod on_write;
mod pauses;
mod reservation;
mod restored;

use maquette_machine::{BootMode, BootSource, Config, Machine, Slot};
use maquette_model::{Frequency, RestoreError, SaveError, Sections, SimTime};
use maquette_sim::{Component, ComponentId, End, Link, Port, Serial, SimCx, SimEvent};
use maquette_trace::Trace;

/// The usual length of a hart's turn.
pub const QUANTUM: u64 = 10_000;
/// RAM of these machines.
pub const RAM_BYTES: u64 = 64 << 20;

/// A machine on a trace, its console linked to somebody who listens.
pub struct Inside {
    pub serial: Serial,
    pub machine: ComponentId,
}

/// What differs between the machines of these tests.
pub struct Parts {
    pub mode: BootMode,
    pub harts: u8,
    pub quantum: u64,
    pub kernel: Vec<u8>,
    pub slots: Vec<Slot>,
    pub trace: Trace,
}

impl Inside {
    pub fn new(parts: Parts) -> Self {
        let config = Config {
            name: "machine0".to_owned(),
            harts: parts.harts,
            ram_bytes: RAM_BYTES,
            clock: Frequency::from_hz(1_000_000_000),
            cpi: (1, 1),
            quantum: parts.quantum,
            block_limit: 64,
            seed: 1,
            rtc: maquette_machine::UnixTime::default(),
            boot: BootSource {
                mode: parts.mode,
                firmware: None,
                kernel: parts.kernel,
                initrd: None,
                cmdline: String::new(),
            },
            slots: parts.slots,
            functions: Vec::new(),
        };
        let machine = Machine::new(config).expect("the machine is possible");
        let mut serial = Serial::new(parts.trace);
        let machine = serial.add(Box::new(machine)).expect("the first component");
        let far = serial.add(Box::new(Far)).expect("another name");
        // The console, and slot 1; slot 0 is left open.
        for (n, port) in [(0, 0), (1, 2)] {
            let end = |id, port| -> End { (id, maquette_model::PortId(port)) };
            let link = Link {
                a: end(machine, port),
                b: end(far, n),
                latency: SimTime::from_us(1),
            };
            serial.link(link).expect("both ends exist");
        }
        Self { serial, machine }
    }

    pub fn machine(&self) -> &Machine {
        self.serial.get(self.machine).expect("it is a machine")
    }

    pub fn machine_mut(&mut self) -> &mut Machine {
        self.serial.get_mut(self.machine).expect("it is a machine")
    }
}

/// Listens and says nothing.
struct Far;

impl Component for Far {
    fn path(&self) -> &str {
        "far"
    }
    fn ports(&self) -> Vec<Port> {
        vec![Port::new(0, "console"), Port::new(1, "slot1")]
    }
    fn event(&mut self, _: &mut SimCx<'_>, _: SimEvent) {}
    fn save(&self, _: &mut Sections) -> Result<(), SaveError> {
        Ok(())
    }
    fn restore(&mut self, _: &mut Sections) -> Result<(), RestoreError> {
        Ok(())
    }
}
