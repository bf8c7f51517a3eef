//! Paging: the kernel's own map, a page that appears when it is touched, a store that is refused.

use core::sync::atomic::Ordering;

use maquette_guest_rt::arch::{self, Mmio, csr};
use maquette_guest_rt::devtree::Machine;
use maquette_guest_rt::paging::{PAGE, Page, Scheme, Space, pte};
use maquette_guest_rt::{check, println};

use crate::state::{DEMAND_FAULTS, REFUSED_STORES};

/// Root, the gigabytes of devices, RAM and window with their second levels, and third levels where
/// something does not begin on 2 MiB.
static TABLES: [Page; 24] = [Page::ZERO; 24];
static KERNEL: Space = Space::new(&TABLES, Scheme::Sv39);

/// Where nothing is mapped until it is touched.
pub const WINDOW: usize = 0x20_0000_0000;
/// Where the two harts watch a page being exchanged.
pub const EXCHANGE: usize = WINDOW + PAGE;

static DEMAND_PAGE: Page = Page::ZERO;
/// The pages that [`EXCHANGE`] shows, one after the other.
pub static EXCHANGED: [Page; 2] = [Page::ZERO; 2];
static CONSTANT: u64 = 0x636f_6e73_7461_6e74;

/// Registers of the PLIC; the largest part is contexts of harts that are not there.
const PLIC_BYTES: usize = 0x60_0000;

/// Fills the tables and puts them in force on this hart.
pub fn enable_paging(machine: &Machine) {
    let image = arch::image();
    let ram_end = machine.memory_base + machine.memory_size;
    KERNEL.map_identity(image.text, image.text_end, pte::RX | pte::G);
    // Dirty, or else it is the clear bit that refuses a store where Svade is in force.
    let constants = pte::RO | pte::D | pte::G;
    KERNEL.map_identity(image.text_end, image.rodata_end, constants);
    KERNEL.map_identity(image.rodata_end, ram_end, pte::RW | pte::G);
    for transport in machine.transports() {
        let base = transport.mmio.base();
        KERNEL.map_identity(base, base + PAGE, pte::RW | pte::G);
    }
    if let Some(context) = machine.harts().iter().find_map(|h| machine.context(*h)) {
        let base = context.plic.base();
        KERNEL.map_identity(base, base + PLIC_BYTES, pte::RW | pte::G);
    }
    enter();
}

/// Puts the tables in force on this hart.
pub fn enter() {
    csr::SATP.write(KERNEL.satp());
    arch::sfence_vma();
}

/// Touches a page that is not there; the trap handler provides it and the store is repeated.
pub fn show_demand_paging() {
    let window = Mmio::at(WINDOW);
    window.write64(8, 0x1234_5678_9abc_def0);
    let faults = DEMAND_FAULTS.load(Ordering::Relaxed);
    let through_ram = DEMAND_PAGE.0[1].load(Ordering::Relaxed);
    check!(faults == 1, "{faults} page faults, not 1");
    check!(
        window.read64(8) == through_ram && through_ram == 0x1234_5678_9abc_def0,
        "the page holds {through_ram:#x}"
    );
    println!("PASS page fault: a store to {WINDOW:#x} faulted, got a page, and went on");
}

/// Called on a page fault in the window.
pub fn provide_page() {
    DEMAND_FAULTS.fetch_add(1, Ordering::Relaxed);
    KERNEL.map(WINDOW, DEMAND_PAGE.address(), 0, pte::RW);
    arch::sfence_vma();
}

/// Stores to a constant; the trap handler counts it and skips the store.
pub fn show_protection() {
    let address = core::ptr::from_ref(&CONSTANT).addr();
    let constant = Mmio::at(address);
    let before = constant.read64(0);
    constant.write64(0, 0);
    let refused = REFUSED_STORES.load(Ordering::Relaxed);
    check!(refused == 1, "{refused} stores refused, not 1");
    check!(constant.read64(0) == before, "the constant has changed");
    println!("PASS protection: a store to a constant was refused");
}

/// Whether a store fault at `address` is the one that [`show_protection`] provokes.
pub fn is_constant(address: usize) -> bool {
    address == core::ptr::from_ref(&CONSTANT).addr()
}

/// Makes [`EXCHANGE`] show another page. Harts that have used it must be told.
pub fn exchange(page: &Page) {
    KERNEL.map(EXCHANGE, page.address(), 0, pte::RW);
    arch::sfence_vma();
}
