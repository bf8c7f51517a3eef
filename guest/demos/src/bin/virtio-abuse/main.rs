//! A driver that does everything wrong: garbage in registers, rings where there is no RAM, chains that
//! loop or never end, buffers that wrap around the address space, kicks during reset.
//!
//! A device may answer with an error, set `DEVICE_NEEDS_RESET`, or do nothing. It may not hang, and
//! after a reset it must work: each group of attacks ends with an honest read of the disk, whose
//! content must be what it was.
#![no_std]
#![no_main]

mod chains;
mod registers;
mod rogue;

use maquette_demos::blk::{self, Disk, FNV_START, SECTORS_PER_PAGE, Shared, fnv1a};
use maquette_guest_rt::arch::Mmio;
use maquette_guest_rt::{Boot, board, check, entry, finish, println};
use maquette_virtio_protocol::blk::{RequestType, SECTOR_SIZE};

use crate::rogue::Rogue;

entry!(main);

static SHARED: Shared = Shared::ZERO;

fn main(_: Boot) -> ! {
    let Some(regs) = (0..board::VIRTIO_SLOTS)
        .map(board::virtio_slot)
        .find(|regs| blk::is_disk(*regs))
    else {
        panic!("this needs a virtio block device")
    };
    let disk = start(regs);
    check!(
        disk.capacity() >= SECTORS_PER_PAGE,
        "this needs a disk of {SECTORS_PER_PAGE} sectors"
    );
    let content = checksum(regs);
    let rogue = Rogue::new(regs);
    type Attack = fn(&Rogue);
    let groups: [(&str, Attack); 11] = [
        ("garbage in registers", registers::garbage),
        ("registers by the wrong width", registers::widths),
        ("queue sizes", registers::queue_sizes),
        ("rings in the wrong place", registers::ring_places),
        ("ring indices", registers::ring_indices),
        ("kicks during reset", registers::kicks_during_reset),
        ("loops", chains::loops),
        ("addresses outside of RAM", chains::addresses),
        ("malformed requests", chains::requests),
        ("indirect tables", chains::indirect),
        ("chains of 65535 descriptors", chains::longest),
    ];
    for (name, attack) in groups {
        attack(&rogue);
        rogue.reset();
        let now = checksum(regs);
        check!(now == content, "after {name} the disk reads as {now:#x}");
        println!("PASS {name}: the device survives and works after a reset");
    }
    finish::pass()
}

fn start(regs: Mmio) -> Disk {
    match Disk::start(regs, &SHARED) {
        Ok(disk) => disk,
        Err(e) => panic!("the disk does not start: {e:?}"),
    }
}

/// Reads the beginning of the disk as an honest driver does.
fn checksum(regs: Mmio) -> u64 {
    let mut disk = start(regs);
    disk.set_interrupts(false);
    disk.submit(RequestType::IN, 0, SECTORS_PER_PAGE);
    let mut patience = 100_000_000_u32;
    while !disk.is_done() {
        patience -= 1;
        check!(patience > 0, "the device does not answer an honest request");
        core::hint::spin_loop();
    }
    if let Err(e) = disk.answer() {
        panic!("an honest request fails: {e:?}");
    }
    let bytes = SECTORS_PER_PAGE * SECTOR_SIZE;
    fnv1a(FNV_START, disk.data(), bytes as usize)
}
