//! The disk: read by polling, read by interrupt, written and read back.

use core::sync::atomic::{AtomicUsize, Ordering};

use maquette_demos::blk::{self, Disk, FNV_START, SECTORS_PER_PAGE, Shared, fnv1a};
use maquette_guest_rt::arch::{Mmio, csr};
use maquette_guest_rt::devtree::{Machine, Transport};
use maquette_guest_rt::plic::Context;
use maquette_guest_rt::{check, println};
use maquette_virtio_protocol::blk::{RequestType, SECTOR_SIZE};

use crate::state::DISK_INTERRUPTS;
use crate::wait_until;

/// How much is read: the first 64 KiB, or all of a smaller disk.
const MOST_SECTORS: u64 = 128;
/// What is written to the last sector, over and over.
const MARK: [u8; 16] = *b"Maquette demo.\r\n";

static SHARED: Shared = Shared::ZERO;

/// For the trap handler: the disk's registers, and the PLIC with the number of the context.
static REGS: AtomicUsize = AtomicUsize::new(0);
static PLIC: AtomicUsize = AtomicUsize::new(0);
static CONTEXT: AtomicUsize = AtomicUsize::new(0);

/// How to wait for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Polling,
    Interrupt,
}

/// All steps, on the first disk of the machine.
pub fn show(machine: &Machine, hart: usize) {
    let Some(transport) = machine.transports().find(|t| blk::is_disk(t.mmio)) else {
        println!("SKIP disk: the machine has none");
        return;
    };
    let mut disk = match Disk::start(transport.mmio, &SHARED) {
        Ok(disk) => disk,
        Err(e) => panic!("the disk does not start: {e:?}"),
    };
    let sectors = disk.capacity().min(MOST_SECTORS);
    println!("PASS disk: {} sectors", disk.capacity());

    let polled = checksum(&mut disk, sectors, Wait::Polling);
    println!("PASS disk by polling: {sectors} sectors, checksum {polled:#018x}");

    route_interrupt(machine, hart, transport);
    let interrupted = checksum(&mut disk, sectors, Wait::Interrupt);
    check!(
        interrupted == polled,
        "by interrupt the checksum is {interrupted:#x}"
    );
    println!("PASS disk by interrupt: {sectors} sectors, checksum {interrupted:#018x}");

    if disk.is_read_only() {
        println!("SKIP disk write: the disk is read-only");
    } else if disk.capacity() > 0 {
        write_and_read_back(&mut disk);
        println!("PASS disk write: the last sector reads back as written");
    }
}

/// The disk's interrupt, from the trap handler.
pub fn interrupt() {
    let context = Context {
        plic: Mmio::at(PLIC.load(Ordering::Relaxed)),
        number: CONTEXT.load(Ordering::Relaxed),
    };
    let irq = context.claim();
    if irq != 0 {
        if Disk::acknowledge(Mmio::at(REGS.load(Ordering::Relaxed))) {
            DISK_INTERRUPTS.fetch_add(1, Ordering::AcqRel);
        }
        context.complete(irq);
    }
}

fn route_interrupt(machine: &Machine, hart: usize, transport: Transport) {
    let context = machine
        .context(hart)
        .expect("the device tree connects the boot hart to the PLIC");
    REGS.store(transport.mmio.base(), Ordering::Relaxed);
    PLIC.store(context.plic.base(), Ordering::Relaxed);
    CONTEXT.store(context.number, Ordering::Relaxed);
    context.enable(transport.irq);
    csr::SIE.set(csr::SEI);
}

fn checksum(disk: &mut Disk, sectors: u64, wait: Wait) -> u64 {
    let mut hash = FNV_START;
    let mut sector = 0;
    while sector < sectors {
        let count = SECTORS_PER_PAGE.min(sectors - sector);
        request(disk, RequestType::IN, sector, count, wait);
        hash = fnv1a(hash, disk.data(), (count * SECTOR_SIZE) as usize);
        sector += count;
    }
    hash
}

fn write_and_read_back(disk: &mut Disk) {
    let last = disk.capacity() - 1;
    let data = disk.data();
    let words = || data.0.iter().take(SECTOR_SIZE as usize / 8);
    let mark: [u64; 2] = [0, 8].map(|at| {
        let bytes = MARK.get(at..at + 8).and_then(<[u8]>::first_chunk);
        u64::from_le_bytes(*bytes.expect("the mark has 16 bytes"))
    });
    words()
        .zip(mark.iter().cycle())
        .for_each(|(w, m)| w.store(*m, Ordering::Relaxed));
    request(disk, RequestType::OUT, last, 1, Wait::Interrupt);
    words().for_each(|w| w.store(0, Ordering::Relaxed));
    request(disk, RequestType::IN, last, 1, Wait::Interrupt);
    let same = words()
        .zip(mark.iter().cycle())
        .all(|(w, m)| w.load(Ordering::Relaxed) == *m);
    check!(same, "the last sector does not read back as written");
}

fn request(disk: &mut Disk, kind: RequestType, sector: u64, sectors: u64, wait: Wait) {
    let before = DISK_INTERRUPTS.load(Ordering::Acquire);
    disk.set_interrupts(wait == Wait::Interrupt);
    disk.submit(kind, sector, sectors);
    match wait {
        Wait::Polling => {
            while !disk.is_done() {
                core::hint::spin_loop();
            }
        }
        Wait::Interrupt => wait_until(|| DISK_INTERRUPTS.load(Ordering::Acquire) > before),
    }
    check!(disk.is_done(), "an interrupt came without an answer");
    if let Err(e) = disk.answer() {
        panic!("request for sector {sector}: {e:?}");
    }
}
