//! Accessed and dirty bits of page-table entries (privileged §10.3.1): with `menvcfg.ADUE` off a clear
//! bit is a page fault (Svade), with it on the hart sets the bit (Svadu).
#![no_std]
#![no_main]

use core::sync::atomic::Ordering;

use maquette_demos::probing::{self, Fault};
use maquette_guest_rt::arch::{self, Access, Mode, csr, probe_in};
use maquette_guest_rt::board::RAM_BASE;
use maquette_guest_rt::paging::{Page, Scheme, Space, pte};
use maquette_guest_rt::{Boot, check, entry, finish, println};

entry!(main);

const TEST: usize = 0x10_0000_0000;
const GIGA: usize = 1 << 30;
/// `ret`, twice, so that the page can also be called.
const CODE: u64 = 0x0000_8067_0000_8067;

static TABLES: [[Page; 9]; 3] = [const { [Page::ZERO; 9] }; 3];
static SPACES: [Space; 3] = [
    Space::new(&TABLES[0], Scheme::Sv39),
    Space::new(&TABLES[1], Scheme::Sv48),
    Space::new(&TABLES[2], Scheme::Sv57),
];

/// A page, or what looks like one: 2 MiB that begin with the page.
#[repr(C, align(0x20_0000))]
struct Large(Page);
static TARGET: Large = Large(Page::ZERO);

const ACCESSES: [(Access, Fault); 6] = [
    (Access::Load(8), Fault::Load),
    (Access::Store(8), Fault::Store),
    (Access::Fetch, Fault::Fetch),
    (Access::LoadReserved, Fault::Load),
    (Access::StoreConditional, Fault::Store),
    (Access::Amo, Fault::Store),
];

fn main(_: Boot) -> ! {
    probing::open_pmp();
    for space in &SPACES {
        // The program itself, by one large page whose bits are set.
        space.map(RAM_BASE, RAM_BASE, 2, pte::RWX);
    }
    for (space, name) in SPACES.iter().zip(["Sv39", "Sv48", "Sv57"]) {
        csr::SATP.write(space.satp());
        for (level, size) in [(0, "4 KiB"), (1, "2 MiB")] {
            svade(space, level);
            println!("PASS Svade: {name}, {size}: a clear bit is a page fault and stays clear");
            svadu(space, level);
            println!("PASS Svadu: {name}, {size}: the hart sets the bits it needs and no others");
        }
    }
    refused(&SPACES[0]);
    println!("PASS Svadu: an access that is not permitted sets no bit");
    finish::pass()
}

/// Does the access with these bits of A and D; returns what came of it and the bits afterwards.
fn attempt(space: &Space, level: usize, access: Access, bits: u64) -> (Result<usize, Fault>, u64) {
    TARGET.0.0[0].store(CODE, Ordering::Relaxed);
    arch::fence_i();
    let entry = space.entry(TEST, level);
    // Levels above 0 may still be in use from the last round.
    let flags = (pte::RWX & !(pte::A | pte::D)) | bits;
    space.map(TEST, TARGET.0.address(), level, flags);
    arch::sfence_vma();
    let outcome = probe_in(Mode::Supervisor, access, TEST, CODE as usize);
    let after = entry.load(Ordering::Relaxed) & (pte::A | pte::D);
    (probing::page_fault(outcome, TEST), after)
}

fn needed(access: Access) -> u64 {
    match access {
        Access::Load(_) | Access::LoadReserved | Access::Fetch => pte::A,
        _ => pte::A | pte::D,
    }
}

fn svade(space: &Space, level: usize) {
    csr::MENVCFG.clear(csr::MENVCFG_ADUE);
    for (access, fault) in ACCESSES {
        for bits in [0, pte::A, pte::D, pte::A | pte::D] {
            let (result, after) = attempt(space, level, access, bits);
            let mut expected = needed(access) & !bits == 0;
            // The load-reserved in front is itself a load.
            let by_load = access == Access::StoreConditional && bits & pte::A == 0;
            expected &= !by_load;
            let fault = if by_load { Fault::Load } else { fault };
            check!(
                after == bits,
                "{access:?}: bits {bits:#x} became {after:#x}"
            );
            check!(
                result.is_ok() == expected && result.err().is_none_or(|f| f == fault),
                "{access:?} with bits {bits:#x}: {result:?}"
            );
        }
    }
}

fn svadu(space: &Space, level: usize) {
    csr::MENVCFG.set(csr::MENVCFG_ADUE);
    check!(
        csr::MENVCFG.read() & csr::MENVCFG_ADUE != 0,
        "menvcfg.ADUE stays 0: no Svadu"
    );
    for (access, _) in ACCESSES {
        for bits in [0, pte::A, pte::D, pte::A | pte::D] {
            let (result, after) = attempt(space, level, access, bits);
            let expected = bits | needed(access);
            check!(result.is_ok(), "{access:?} with bits {bits:#x}: {result:?}");
            check!(
                after == expected,
                "{access:?}: bits {bits:#x} became {after:#x}, not {expected:#x}"
            );
        }
    }
}

/// With Svadu on, permissions are looked at before bits are set.
fn refused(space: &Space) {
    let entry = space.entry(TEST + GIGA, 0);
    let cases = [
        (Access::Store(8), pte::V | pte::R, Fault::Store),
        (Access::Fetch, pte::V | pte::R, Fault::Fetch),
        (Access::Load(8), pte::V | pte::X, Fault::Load),
        (Access::Load(8), pte::V | pte::R | pte::U, Fault::Load),
    ];
    csr::SATP.write(space.satp());
    for (access, flags, fault) in cases {
        space.map(TEST + GIGA, TARGET.0.address(), 0, flags);
        arch::sfence_vma();
        let outcome = probe_in(Mode::Supervisor, access, TEST + GIGA, 0);
        let result = probing::page_fault(outcome, TEST + GIGA);
        check!(result == Err(fault), "{access:?}: {result:?}");
        let after = entry.load(Ordering::Relaxed) & (pte::A | pte::D);
        check!(after == 0, "{access:?}: bits became {after:#x}");
    }
}
