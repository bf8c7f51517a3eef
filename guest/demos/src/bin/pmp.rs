//! Every combination of privilege, `mstatus.MPRV`, `SUM` and `MXR`, the permissions of a page, and those
//! of the PMP entry behind it, for a load, a store and a fetch. What must happen is computed here, in
//! the order of the specification: first the page table (privileged §10.3.2), then the PMP (§3.7.1).
#![no_std]
#![no_main]

use core::sync::atomic::Ordering;

use maquette_demos::probing::{pmp, stop_paging};
use maquette_guest_rt::arch::csr::{
    self, MSTATUS_MXR, MSTATUS_SUM, PMPADDR0, PMPADDR1, PMPADDR2, PMPADDR3, PMPCFG0,
};
use maquette_guest_rt::arch::{self, Access, Cause, Mode, Outcome, probe_in, probe_mprv};
use maquette_guest_rt::board::RAM_BASE;
use maquette_guest_rt::paging::{PAGE, Page, Scheme, Space, pte};
use maquette_guest_rt::{Boot, check, entry, finish, println};

entry!(main);

const TEST: usize = 0x10_0000_0000;
/// `ret`, twice.
const CODE: u64 = 0x0000_8067_0000_8067;

static TABLES: [Page; 8] = [Page::ZERO; 8];
static SPACE: Space = Space::new(&TABLES, Scheme::Sv39);
static TARGET: Page = Page::ZERO;
/// Behind locked entries, which stay until reset.
static LOCKED: [Page; 3] = [const { Page::ZERO }; 3];

/// Who accesses, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Code running at this privilege.
    Runs(Mode),
    /// M-mode code that loads and stores as if it ran at this privilege.
    Borrows(Mode),
}

const WHO: [Who; 6] = [
    Who::Runs(Mode::User),
    Who::Runs(Mode::Supervisor),
    Who::Runs(Mode::Machine),
    Who::Borrows(Mode::User),
    Who::Borrows(Mode::Supervisor),
    Who::Borrows(Mode::Machine),
];
const ACCESSES: [Access; 3] = [Access::Load(8), Access::Store(8), Access::Fetch];
/// Writable without readable is reserved in a PMP entry (privileged §3.7.1).
const PMP_RIGHTS: [usize; 6] = [
    0,
    pmp::R,
    pmp::X,
    pmp::R | pmp::W,
    pmp::R | pmp::X,
    pmp::R | pmp::W | pmp::X,
];

/// One row of the table.
#[derive(Clone, Copy, Debug)]
struct Case {
    who: Who,
    access: Access,
    /// `mstatus` bits SUM and MXR.
    status: usize,
    /// Page-table entry bits, or none with translation off.
    page: Option<u64>,
    rights: usize,
}

fn main(_: Boot) -> ! {
    PMPADDR0.write(napot(TARGET.address(), PAGE));
    PMPADDR1.write(usize::MAX >> 10);
    SPACE.map(RAM_BASE, RAM_BASE, 2, pte::RWX);

    let bare = for_each_case(None);
    println!("PASS no translation: {bare} combinations of privilege, MPRV, SUM, MXR, PMP");
    let mut paged = 0;
    for bits in 0..16 {
        // Bits 1 to 4 are R, W, X, U.
        let page = pte::V | pte::A | pte::D | (bits << 1);
        paged += for_each_case(Some(page));
    }
    println!("PASS Sv39: {paged} combinations of privilege, MPRV, SUM, MXR, R, W, X, U, PMP");
    stop_paging();
    borders();
    println!("PASS PMP borders: an access that is only partly inside fails");
    locked();
    println!("PASS PMP locked entries bind M-mode and cannot be changed");
    finish::pass()
}

fn napot(base: usize, size: usize) -> usize {
    (base >> 2) | ((size >> 3) - 1)
}

fn for_each_case(page: Option<u64>) -> usize {
    let mut count = 0;
    for rights in PMP_RIGHTS {
        PMPCFG0.write(rights | pmp::NAPOT | ((pmp::R | pmp::W | pmp::X | pmp::NAPOT) << 8));
        for status in [0, MSTATUS_SUM, MSTATUS_MXR, MSTATUS_SUM | MSTATUS_MXR] {
            csr::MSTATUS.clear(MSTATUS_SUM | MSTATUS_MXR);
            csr::MSTATUS.set(status);
            for who in WHO {
                prepare(who, page);
                for access in ACCESSES {
                    let case = Case {
                        who,
                        access,
                        status,
                        page,
                        rights,
                    };
                    count += usize::from(try_case(case));
                }
            }
        }
    }
    count
}

/// The program's own code must be fetchable by whoever runs.
fn prepare(who: Who, page: Option<u64>) {
    let Some(bits) = page else {
        stop_paging();
        return;
    };
    let own = if who == Who::Runs(Mode::User) {
        pte::RWX | pte::U
    } else {
        pte::RWX
    };
    SPACE.map(RAM_BASE, RAM_BASE, 2, own);
    SPACE.map(TEST, TARGET.address(), 0, bits);
    csr::SATP.write(SPACE.satp());
    arch::sfence_vma();
}

/// Whether there is such a case: MPRV does not touch fetches, so they are left to those who run.
fn try_case(case: Case) -> bool {
    let translated = case.page.is_some() && case.who != Who::Runs(Mode::Machine);
    // MPRV with M-mode in MPP is no translation either.
    let translated = translated && case.who != Who::Borrows(Mode::Machine);
    let address = if translated { TEST } else { TARGET.address() };
    TARGET.0[0].store(CODE, Ordering::Relaxed);
    arch::fence_i();
    let outcome = match (case.who, case.access) {
        (Who::Runs(mode), access) => probe_in(mode, access, address, CODE as usize),
        (Who::Borrows(mode), Access::Load(_)) => probe_mprv(mode, None, address),
        (Who::Borrows(mode), Access::Store(_)) => probe_mprv(mode, Some(CODE as usize), address),
        _ => return false,
    };
    compare(case, address, translated, outcome);
    true
}

fn compare(case: Case, address: usize, translated: bool, outcome: Outcome) {
    let expected = expect(case, translated);
    match (outcome.result(), expected) {
        (Ok(_), None) => {}
        (Err((cause, value)), Some(wanted)) if cause == wanted && value == address => {}
        (got, wanted) => panic!("{case:?}: {got:x?}, expected {wanted:?} at {address:#x}"),
    }
}

/// The exception that must come, if any.
fn expect(case: Case, translated: bool) -> Option<Cause> {
    let mode = match case.who {
        Who::Runs(mode) | Who::Borrows(mode) => mode,
    };
    let (page_fault, access_fault, pmp_right) = match case.access {
        Access::Load(_) => (Cause::LOAD_PAGE, Cause::LOAD_ACCESS, pmp::R),
        Access::Store(_) => (Cause::STORE_PAGE, Cause::STORE_ACCESS, pmp::W),
        _ => (Cause::FETCH_PAGE, Cause::FETCH_ACCESS, pmp::X),
    };
    if translated && !page_allows(case, mode) {
        return Some(page_fault);
    }
    // An entry that is not locked does not bind M-mode. MXR does not reach the PMP.
    let bound = mode != Mode::Machine;
    (bound && case.rights & pmp_right == 0).then_some(access_fault)
}

fn page_allows(case: Case, mode: Mode) -> bool {
    let bits = case.page.unwrap_or(0);
    let has = |bit| bits & bit != 0;
    // Neither readable nor executable points to a next level, of which there is none; writable but
    // not readable is reserved.
    if !has(pte::R) && (has(pte::W) || !has(pte::X)) {
        return false;
    }
    let is_fetch = case.access == Access::Fetch;
    let reaches = match (mode, has(pte::U)) {
        (Mode::User, user_page) => user_page,
        (_, true) => !is_fetch && case.status & MSTATUS_SUM != 0,
        (_, false) => true,
    };
    let readable = has(pte::R) || (case.status & MSTATUS_MXR != 0 && has(pte::X));
    reaches
        && match case.access {
            Access::Load(_) => readable,
            Access::Store(_) => has(pte::W),
            _ => has(pte::X),
        }
}

/// A load that begins inside an entry and ends outside fails, whatever either side permits
/// (privileged §3.7.1.1); the halves may instead be done one by one.
fn borders() {
    let base = TARGET.address();
    PMPADDR0.write(napot(base + 64, 64));
    let rest = (pmp::R | pmp::W | pmp::X | pmp::NAPOT) << 8;
    for rights in [0, pmp::R] {
        PMPCFG0.write(rights | pmp::NAPOT | rest);
        arch::sfence_vma();
        for (offset, width, inside) in [
            (56, 8, false),
            (64, 8, true),
            (120, 8, true),
            (128, 8, false),
            (63, 1, false),
            (127, 1, true),
        ] {
            let outcome = probe_in(Mode::Supervisor, Access::Load(width), base + offset, 0);
            let refused = inside && rights == 0;
            check!(
                outcome.returned != refused,
                "PMP region with rights {rights}: load of {width} at offset {offset}: {outcome:x?}"
            );
        }
    }
    // Top of range: entry 0 is only the bottom, entry 1 ends at the fourth byte, entry 2 is the rest.
    PMPADDR0.write(base >> 2);
    PMPADDR1.write((base + 4) >> 2);
    PMPADDR2.write(usize::MAX >> 10);
    PMPCFG0.write((1 << 11) | (rest << 8));
    arch::sfence_vma();
    for (offset, width, allowed) in [(4, 4, true), (0, 4, false), (0, 8, false), (8, 8, true)] {
        let outcome = probe_in(Mode::Supervisor, Access::Load(width), base + offset, 0);
        let below = outcome.result() == Err((Cause::LOAD_ACCESS, base + offset));
        check!(
            outcome.returned == allowed && below != allowed,
            "PMP top of range: load of {width} at offset {offset}: {outcome:x?}"
        );
    }
}

/// Locked entries 0, 1 and 3, one page each; entry 2 still lets at everything else.
fn locked() {
    const ALL: usize = pmp::R | pmp::W | pmp::X;
    let rights = [pmp::R, pmp::R | pmp::X, 0];
    let open = (ALL | pmp::NAPOT) << 16;
    for page in &LOCKED {
        page.0[0].store(CODE, Ordering::Relaxed);
    }
    arch::fence_i();
    PMPCFG0.write(open);
    let address = |n: usize| napot(LOCKED[n].address(), PAGE);
    PMPADDR0.write(address(0));
    PMPADDR1.write(address(1));
    // Behind the entry for everything, this one is never reached.
    PMPADDR3.write(address(2));
    let lock = |n: usize, entry: usize| (pmp::L | pmp::NAPOT | rights[n]) << (8 * entry);
    PMPCFG0.write(open | lock(0, 0) | lock(1, 1) | lock(2, 3));
    let check_all = || {
        check_locked(LOCKED[0].address(), rights[0]);
        check_locked(LOCKED[1].address(), rights[1]);
        check_locked(LOCKED[2].address(), ALL);
    };
    check_all();
    // What is locked does not move; what is not, does.
    let before = (PMPADDR0.read(), PMPADDR1.read(), PMPADDR3.read());
    let config = PMPCFG0.read();
    PMPADDR0.write(0);
    PMPADDR1.write(0);
    PMPADDR3.write(0);
    PMPCFG0.write(open);
    let after = (PMPADDR0.read(), PMPADDR1.read(), PMPADDR3.read());
    check!(
        after == before && PMPCFG0.read() == config,
        "a locked entry changed: {after:x?}, configuration {:#x}",
        PMPCFG0.read()
    );
    check_all();
}

fn check_locked(base: usize, rights: usize) {
    arch::sfence_vma();
    for (access, right, fault) in [
        (Access::Load(8), pmp::R, Cause::LOAD_ACCESS),
        (Access::Store(8), pmp::W, Cause::STORE_ACCESS),
        (Access::Fetch, pmp::X, Cause::FETCH_ACCESS),
    ] {
        let outcome = probe_in(Mode::Machine, access, base, CODE as usize);
        let allowed = rights & right != 0;
        let refused = outcome.result() == Err((fault, base));
        check!(
            outcome.returned == allowed && refused != allowed,
            "locked PMP entry with rights {rights}: {access:?}: {outcome:x?}"
        );
    }
}
