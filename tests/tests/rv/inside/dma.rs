//! Which memory a device of the machine reaches.

use std::cell::RefCell;
use std::rc::Rc;

use maquette_machine::{BootMode, Slot, Status};
use maquette_model::{Cx, Iova, SimTime};
use maquette_rv64::isa::Op;
use maquette_sim::NoRim;
use maquette_trace::Trace;

use super::asm::{Asm, Image, reg};
use super::on_write::OnWrite;
use super::{Inside, Parts, QUANTUM, RAM_BYTES};

const RAM: u64 = 0x8000_0000;
/// Where it ends.
const END: u64 = RAM + RAM_BYTES;
/// In the middle of it.
const TARGET: u64 = RAM + 0x8000;
const SLOT0: u64 = 0x1000_1000;
const FINISHER: u64 = 0x0010_0000;

/// Runs a guest that has a device try all addresses, and powers off. Says of each whether a read, and then
/// a write, of eight bytes was allowed.
fn tried(addresses: Vec<u64>) -> Vec<(u64, bool, bool)> {
    let mut asm = Asm::new(RAM);
    asm.li(reg::T0, SLOT0);
    asm.store(Op::Sw, reg::ZERO, 0, reg::T0);
    asm.li(reg::T0, FINISHER);
    asm.li(reg::T1, 0x5555);
    asm.store(Op::Sw, reg::T1, 0, reg::T0);
    let stay = asm.mark();
    asm.jump(stay);
    let tried = Rc::new(RefCell::new(Vec::new()));
    let found = Rc::clone(&tried);
    let prober = OnWrite(move |cx: &mut Cx<'_>, _| {
        for &at in &addresses {
            let mut buf = [0x5a; 8];
            let read = cx.dma_read(Iova(at), &mut buf).is_ok();
            // Nothing has been stored, not even part of what was refused.
            assert_eq!(buf, if read { [0; 8] } else { [0x5a; 8] }, "{at:#x}");
            let written = cx.dma_write(Iova(at), &[0xa5; 8]).is_ok();
            found.borrow_mut().push((at, read, written));
        }
    });
    let mut inside = Inside::new(Parts {
        mode: BootMode::Bare,
        harts: 1,
        quantum: QUANTUM,
        kernel: Image(vec![(RAM, asm.finish())]).elf(),
        slots: vec![Slot {
            index: 0,
            device: Box::new(prober),
        }],
        trace: Trace::new(),
    });
    inside.serial.run(SimTime::from_ms(1), &mut NoRim);
    assert_eq!(*inside.machine().status(), Status::PoweredOff);
    tried.take()
}

#[test]
fn rv_54_dma_reaches_ram_and_neither_devices_nor_rom_nor_holes() {
    // Boot ROM, finisher, CLINT, PLIC, serial port, the prober itself, holes, and half past RAM.
    let outside = [
        0,
        0x1000,
        FINISHER,
        0x10_1000,
        0x200_0000,
        0x200_bff8,
        0xc00_0004,
        0x1000_0000,
        SLOT0,
        0x1000_8000,
        0x4000_0000,
        RAM - 8,
        RAM - 1,
        END - 7,
        END - 1,
        END,
        1 << 63,
        u64::MAX - 7,
        u64::MAX,
    ];
    let inside = [TARGET, END - 8];
    let refused = outside.map(|at| (at, false, false));
    let reached = inside.map(|at| (at, true, true));
    let all = tried([&outside[..], &inside].concat());
    assert_eq!(all, [&refused[..], &reached].concat());
}
