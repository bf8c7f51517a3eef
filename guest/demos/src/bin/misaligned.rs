//! Misaligned loads and stores: inside a page, over the end of a page, at devices, at the end of RAM.
//! They work in RAM; where a part of one faults, the trap names the address of that part (privileged
//! §3.1.16). Atomics and devices may refuse.
#![no_std]
#![no_main]

use core::sync::atomic::Ordering;

use maquette_demos::probing;
use maquette_guest_rt::arch::{self, Access, Cause, Mode, Outcome, csr, probe, probe_in};
use maquette_guest_rt::board::{self, RAM_BASE};
use maquette_guest_rt::devtree::Machine;
use maquette_guest_rt::paging::{PAGE, Page, Scheme, Space, pte};
use maquette_guest_rt::{Boot, check, entry, finish, println};

entry!(main);

const TEST: usize = 0x10_0000_0000;
static TABLES: [Page; 8] = [Page::ZERO; 8];
static SPACE: Space = Space::new(&TABLES, Scheme::Sv39);
/// Mapped one behind the other in the order 0, 2: in RAM something else lies in between.
static PAGES: [Page; 3] = [Page::ZERO; 3];
const VALUE: usize = 0x8192_a3b4_c5d6_e7f8;

fn main(boot: Boot) -> ! {
    probing::open_pmp();
    inside_page();
    println!("PASS inside a page: loads and stores of 2, 4, 8 bytes at every offset");
    over_page_end();
    println!("PASS over a page end: both pages are used, nothing in between");
    second_page_faults();
    println!("PASS over a page end: the fault names the part that is not mapped");
    let how = atomics();
    println!("PASS atomics: {how}");
    devices_refuse();
    println!("PASS devices: refused by an exception");
    ram_end(boot);
    println!("PASS end of RAM: the last word works, one byte further faults");
    finish::pass()
}

fn byte(address: usize) -> u8 {
    board_ram(address).read8(0)
}

fn board_ram(address: usize) -> arch::Mmio {
    arch::Mmio::at(address)
}

/// The signed number that a load of `width` bytes makes of these.
fn expected_load(width: usize, bytes: impl Iterator<Item = u8>) -> usize {
    let raw = bytes
        .take(width)
        .enumerate()
        .fold(0_u64, |v, (i, b)| v | u64::from(b) << (8 * i));
    let unused = 64 - 8 * width as u32;
    (((raw << unused) as i64) >> unused) as usize
}

fn fill() {
    for (n, page) in PAGES.iter().enumerate() {
        for (i, word) in page.0.iter().enumerate() {
            let mix = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 + 2 * n as u64);
            word.store(mix, Ordering::Relaxed);
        }
    }
}

/// `physical(i)` is where byte `i` of the access must land.
fn load_and_store(mode: Mode, address: usize, width: usize, physical: impl Fn(usize) -> usize) {
    fill();
    let expected = expected_load(width, (0..width).map(|i| byte(physical(i))));
    let got = probe_in(mode, Access::Load(width), address, 0).result();
    check!(
        got == Ok(expected),
        "load of {width} at {address:#x}: {got:x?}, not {expected:#x}"
    );
    let before = byte(physical(0) - 1);
    let behind = byte(physical(width - 1) + 1);
    let outcome = probe_in(mode, Access::Store(width), address, VALUE);
    check!(
        outcome.returned,
        "store of {width} at {address:#x}: {outcome:x?}"
    );
    for (i, wanted) in VALUE.to_le_bytes().iter().take(width).enumerate() {
        let got = byte(physical(i));
        check!(
            got == *wanted,
            "store of {width} at {address:#x}: byte {i} is {got:#x}"
        );
    }
    let spared = byte(physical(0) - 1) == before && byte(physical(width - 1) + 1) == behind;
    check!(
        spared,
        "store of {width} at {address:#x} changed its neighbours"
    );
}

fn inside_page() {
    let base = PAGES[1].address();
    for width in [1, 2, 4, 8] {
        for offset in 64..64 + 2 * 8 {
            let address = base + offset;
            load_and_store(Mode::Machine, address, width, |i| address + i);
        }
    }
}

fn over_page_end() {
    SPACE.map(RAM_BASE, RAM_BASE, 2, pte::RWX);
    SPACE.map(TEST, PAGES[0].address(), 0, pte::RW);
    SPACE.map(TEST + PAGE, PAGES[2].address(), 0, pte::RW);
    csr::SATP.write(SPACE.satp());
    arch::sfence_vma();
    let place = |va: usize| {
        let page = if va < TEST + PAGE {
            &PAGES[0]
        } else {
            &PAGES[2]
        };
        page.address() + va % PAGE
    };
    for width in [2, 4, 8] {
        for offset in PAGE - width..=PAGE {
            // The neighbours of the bytes are looked at too: stay off the pages' own borders.
            let address = TEST + offset;
            load_and_store(Mode::Supervisor, address, width, |i| place(address + i));
        }
    }
    let between = PAGES[1].0.iter().enumerate().all(|(i, word)| {
        let mix = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 + 2);
        word.load(Ordering::Relaxed) == mix
    });
    check!(between, "the page in between has changed");
}

fn second_page_faults() {
    let end = TEST + PAGE;
    // Nothing behind; then nothing in front; then a page behind that may not be written.
    SPACE.map(end, 0, 0, 0);
    arch::sfence_vma();
    for width in [2, 4, 8] {
        for part in 1..width {
            let at = end - part;
            expect_fault(Access::Load(width), at, Cause::LOAD_PAGE, end);
            expect_fault(Access::Store(width), at, Cause::STORE_PAGE, end);
        }
    }
    SPACE.map(end, PAGES[2].address(), 0, pte::RW);
    SPACE.map(TEST, 0, 0, 0);
    arch::sfence_vma();
    for width in [2, 4, 8] {
        for part in 1..width {
            let at = end - part;
            expect_fault(Access::Load(width), at, Cause::LOAD_PAGE, at);
            expect_fault(Access::Store(width), at, Cause::STORE_PAGE, at);
        }
    }
    SPACE.map(TEST, PAGES[0].address(), 0, pte::RW);
    SPACE.map(end, PAGES[2].address(), 0, pte::RO);
    arch::sfence_vma();
    expect_fault(Access::Store(8), end - 3, Cause::STORE_PAGE, end);
    expect_fault(Access::StoreFloat, end - 3, Cause::STORE_PAGE, end);
    let outcome = probe_in(Mode::Supervisor, Access::LoadFloat, end - 3, 0);
    check!(outcome.returned, "fld over the page end: {outcome:x?}");
    probing::stop_paging();
}

fn expect_fault(access: Access, address: usize, cause: Cause, value: usize) {
    let got = probe_in(Mode::Supervisor, access, address, 0).result();
    check!(
        got == Err((cause, value)),
        "{access:?} at {address:#x}: {got:x?}, not cause {} at {value:#x}",
        cause.0
    );
}

/// One of two exceptions at this address.
fn refused(outcome: Outcome, address: usize, causes: [Cause; 2]) -> bool {
    matches!(outcome.result(), Err((cause, value)) if causes.contains(&cause) && value == address)
}

const LOAD_REFUSED: [Cause; 2] = [Cause::LOAD_MISALIGNED, Cause::LOAD_ACCESS];
const STORE_REFUSED: [Cause; 2] = [Cause::STORE_MISALIGNED, Cause::STORE_ACCESS];

/// Misaligned atomics are refused, unless the hart has Zama16b and similar extensions.
fn atomics() -> &'static str {
    let base = PAGES[1].address();
    let mut done = 0;
    for offset in [1, 2, 4] {
        let at = base + offset;
        let reserved = probe(Access::LoadReserved, at, 0);
        let amo = probe(Access::Amo, at, 0);
        check!(
            reserved.returned || refused(reserved, at, LOAD_REFUSED),
            "lr.d: {reserved:x?}"
        );
        check!(
            amo.returned || refused(amo, at, STORE_REFUSED),
            "amoadd.d: {amo:x?}"
        );
        done += usize::from(reserved.returned) + usize::from(amo.returned);
    }
    if done == 0 {
        "refused by an exception of theirs"
    } else {
        "some are done, some refused"
    }
}

fn devices_refuse() {
    let time = board::CLINT.base() + board::MTIME;
    let comparand = board::CLINT.base() + board::mtimecmp(0);
    for (offset, width) in [(1, 2), (1, 4), (2, 4), (1, 8), (3, 8)] {
        let load = probe(Access::Load(width), time + offset, 0);
        check!(
            refused(load, time + offset, LOAD_REFUSED),
            "load of {width} at offset {offset} of a device: {load:x?}"
        );
        let store = probe(Access::Store(width), comparand + offset, 0);
        check!(
            refused(store, comparand + offset, STORE_REFUSED),
            "store of {width} at offset {offset} of a device: {store:x?}"
        );
    }
}

/// Below RAM a board may have devices, so only the upper end is looked at.
fn ram_end(boot: Boot) {
    let tree = arch::device_tree(boot.dtb).expect("a device tree");
    let machine = Machine::read(tree).expect("a complete device tree");
    let end = machine.memory_base + machine.memory_size;
    for width in [1, 2, 4, 8] {
        let load = probe(Access::Load(width), end - width, 0);
        check!(
            load.returned,
            "load of {width} at the end of RAM: {load:x?}"
        );
        expect_access_fault(width, end, end);
        for part in 1..width {
            expect_access_fault(width, end - part, end);
        }
    }
}

fn expect_access_fault(width: usize, address: usize, value: usize) {
    let load = probe(Access::Load(width), address, 0).result();
    check!(
        load == Err((Cause::LOAD_ACCESS, value)),
        "load of {width} at {address:#x}: {load:x?}, not at {value:#x}"
    );
    let store = probe(Access::Store(width), address, 0).result();
    check!(
        store == Err((Cause::STORE_ACCESS, value)),
        "store of {width} at {address:#x}: {store:x?}, not at {value:#x}"
    );
}
