//! For each kind of event: two runs that differ in one event of that kind, and in nothing else that
//! is recorded, have different hashes.
//!
//! The guest is one program. The data word that it reads first, and a device in a slot, decide what is
//! altered; both are gone before the end, so that the final state is the same (but for the run that
//! alters just that).

use std::cell::RefCell;
use std::rc::Rc;

use maquette_machine::{BootMode, Slot, Status};
use maquette_model::{
    Access, Cx, Device, Event, Inspect, Iova, LoadError, Message, PortId, Reader, Region,
    ResetKind, SimTime, Snapshot, Tree, Width, Writer,
};
use maquette_rv64::isa::Op;
use maquette_sim::{NoRim, Outcome};
use maquette_trace::{Entry, Kind, PathId, Sink, Trace};

use super::asm::{Asm, Image, reg};
use super::{Inside, Parts, QUANTUM};

const KERNEL: u64 = 0x8020_0000;
const DATA: u64 = 0x8020_1000;
/// Where the device puts something and takes it away again.
const TARGET: u64 = 0x8020_2000;
const SLOT0: u64 = 0x1000_1000;
const SLOT1: u64 = 0x1000_2000;
const PLIC: u64 = 0x0c00_0000;

/// A device whose every answer and effect can be altered.
struct Odd {
    alter: Option<Kind>,
}

impl Odd {
    /// One value, or another in the run that alters this kind.
    fn pick<T>(&self, kind: Kind, usual: T, altered: T) -> T {
        if self.alter == Some(kind) {
            altered
        } else {
            usual
        }
    }
}

impl Snapshot for Odd {
    fn kind(&self) -> &'static str {
        "odd"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, _: &mut Writer) {}
    fn load(&mut self, _: &mut Reader<'_>) -> Result<(), LoadError> {
        Ok(())
    }
}

impl Inspect for Odd {
    fn inspect(&self, _: &mut Tree) {}
}

impl Device for Odd {
    fn read(&mut self, _: &mut Cx<'_>, _: Region, _: u64, _: Width) -> Access<u64> {
        Access::Done(self.pick(Kind::Mmio, 1, 2))
    }

    fn write(&mut self, cx: &mut Cx<'_>, _: Region, _: u64, _: Width, _: u64) -> Access<()> {
        let byte = self.pick(Kind::Dma, 1, 2);
        for byte in [byte, 0] {
            cx.dma_write(Iova(TARGET), &[byte])
                .expect("the target is RAM");
        }
        let letter = self.pick(Kind::Console, b'a', b'b');
        // Nothing is plugged in at slot 0: only the console's own record remains.
        cx.send(PortId(0), Message::Byte(letter));
        // A word is no console text: at slot 1, only the link's record remains.
        cx.send(PortId(0), Message::Word(self.pick(Kind::Link, 1, 2)));
        let later = self.pick(Kind::Interrupt, SimTime::from_us(2), SimTime::from_us(3));
        let when = cx.now().saturating_add(later);
        cx.at(when, Event::Timer { tag: 0, arg: 0 });
        Access::Done(())
    }

    fn event(&mut self, cx: &mut Cx<'_>, _: Event) {
        cx.line(0, true);
    }

    fn reset(&mut self, _: &mut Cx<'_>, _: ResetKind) {}
}

/// Reads its data word, erases it, makes a firmware call of it, works both devices, waits, ends.
fn program(alter: Option<Kind>) -> Vec<u8> {
    let mut asm = Asm::new(KERNEL);
    // Slot 0's interrupt reaches hart 0's S-mode context, whose `sie` stays empty.
    for (offset, value) in [(4, 1), (0x2080, 2)] {
        asm.li(reg::T0, PLIC + offset);
        asm.li(reg::T1, value);
        asm.store(Op::Sw, reg::T1, 0, reg::T0);
    }
    asm.li(reg::S0, DATA);
    asm.i(Op::Ld, reg::A0, reg::S0, 0);
    // What is not erased stays to the end: a store beside it takes as long.
    let erased = if alter == Some(Kind::Digest) { 8 } else { 0 };
    asm.store(Op::Sd, reg::ZERO, erased, reg::S0);
    const A6: u8 = 16;
    const A7: u8 = 17;
    // SBI: probe an extension that there is not, whatever its number.
    asm.li(A6, 3);
    asm.li(A7, 0x10);
    asm.bare(Op::Ecall);
    for slot in [SLOT0, SLOT1] {
        asm.li(reg::T0, slot);
        asm.i(Op::Lw, reg::ZERO, reg::T0, 0);
        asm.store(Op::Sw, reg::ZERO, 0, reg::T0);
    }
    asm.li(reg::T0, 5_000);
    let wait = asm.mark();
    asm.i(Op::Addi, reg::T0, reg::T0, -1);
    asm.branch(Op::Bne, reg::T0, reg::ZERO, wait);
    // SBI: SRST, shutdown.
    asm.li(reg::A0, 0);
    asm.li(reg::A1, 0);
    asm.li(A6, 0);
    asm.li(A7, 0x5352_5354);
    asm.bare(Op::Ecall);
    asm.pad_to(DATA);
    let data = match alter {
        Some(Kind::Sbi) => 0x0a00_0001,
        _ => 0x0a00_0000,
    };
    asm.word(data);
    // The page is never all zero, so that a digest of page numbers alone would not do.
    asm.pad_to(DATA + 0x10);
    asm.word(1);
    Image(vec![(KERNEL, asm.finish())]).elf()
}

/// An event as it was recorded.
type Record = (SimTime, String, Kind, Vec<u8>);

#[derive(Clone, Default)]
struct Notes {
    paths: Rc<RefCell<Vec<(PathId, String)>>>,
    records: Rc<RefCell<Vec<Record>>>,
}

impl Sink for Notes {
    fn path(&mut self, id: PathId, name: &str) {
        self.paths.borrow_mut().push((id, name.to_owned()));
    }
    fn event(&mut self, e: Entry<'_>) {
        let paths = self.paths.borrow();
        let (_, name) = paths
            .iter()
            .find(|(id, _)| *id == e.path)
            .expect("paths come first");
        let record = (e.time, name.clone(), e.kind, e.payload.concat());
        self.records.borrow_mut().push(record);
    }
}

/// The hash of a run with one kind of event altered, and all that was recorded.
fn run(alter: Option<Kind>) -> (String, Vec<Record>) {
    let notes = Notes::default();
    let mut trace = Trace::new();
    trace.set_sink(Some(Box::new(notes.clone())));
    // Slot 0 has no link and slot 1 no interrupt, so that each alteration touches one event.
    let only = |kinds: &[Kind]| alter.filter(|kind| kinds.contains(kind));
    let slot = |index, alter| Slot {
        index,
        device: Box::new(Odd { alter }),
    };
    let mut inside = Inside::new(Parts {
        mode: BootMode::Sbi,
        harts: 1,
        quantum: QUANTUM,
        kernel: program(alter),
        slots: vec![
            slot(
                0,
                only(&[Kind::Mmio, Kind::Dma, Kind::Console, Kind::Interrupt]),
            ),
            slot(1, only(&[Kind::Link])),
        ],
        trace,
    });
    let outcome = inside.serial.run(SimTime::from_ms(1), &mut NoRim);
    assert_eq!(outcome, Outcome::Stopped);
    assert_eq!(*inside.machine().status(), Status::PoweredOff);
    let hash = inside.serial.finish().to_string();
    let mut records = notes.records.take();
    records.sort();
    (hash, records)
}

#[test]
fn rv_09_one_altered_event_of_each_kind_changes_the_hash() {
    let (usual, records) = run(None);
    for kind in Kind::ALL {
        let (hash, altered) = run(Some(kind));
        let left: Vec<_> = altered.iter().filter(|r| !records.contains(r)).collect();
        let missing = records.iter().filter(|r| !altered.contains(r)).count();
        assert_eq!((left.len(), missing), (1, 1), "{kind}: {left:?}");
        assert_eq!(left[0].2, kind, "{left:?}");
        assert_ne!(hash, usual, "{kind}: {left:?}");
    }
    assert_eq!(run(None), (usual, records));
}
