//! The main demonstration: a small S-mode kernel that shows what the machine can do.
//!
//! It reads the device tree, turns paging on, takes and handles page faults, starts the second hart,
//! exchanges interrupts with it, lets both harts' timers tick, and reads and writes a virtio disk, by
//! polling and by interrupt. Each step prints one `PASS` line; the last line is `demo: all passed`.
//! With one hart or no disk the steps that need them print `SKIP`.
#![no_std]
#![no_main]

mod disk;
mod memory;
mod state;
mod team;
mod traps;

use maquette_guest_rt::arch::{self, csr};
use maquette_guest_rt::devtree::Machine;
use maquette_guest_rt::{Boot, check, entry, finish, println, sbi};

entry!(main);

fn main(boot: Boot) -> ! {
    println!();
    println!("  Maquette: an S-mode kernel on a RISC-V machine");
    println!("  ----------------------------------------------");
    let machine = read_tree(boot);
    check_firmware();

    memory::enable_paging(&machine);
    println!("PASS paging: Sv39 is on, code is read-only, data is not executable");
    traps::install();
    memory::show_demand_paging();
    memory::show_protection();

    if let Some(partner) = team::start_partner(&machine, boot.hart) {
        partner.show_interrupts();
        partner.show_shootdown();
        partner.show_timers(&machine);
        partner.stop();
    } else {
        println!("SKIP second hart: the machine has one");
        team::show_own_timer(&machine);
    }

    disk::show(&machine, boot.hart);
    println!("demo: all passed");
    finish::pass()
}

fn read_tree(boot: Boot) -> Machine {
    let tree = arch::device_tree(boot.dtb).expect("the firmware hands over a device tree");
    let machine = match Machine::read(tree) {
        Ok(machine) => machine,
        Err(missing) => panic!("device tree: {missing}"),
    };
    println!("  harts     {}", machine.harts().len());
    println!(
        "  memory    {} MiB at {:#x}",
        machine.memory_size >> 20,
        machine.memory_base
    );
    println!("  time      {} ticks per second", machine.timebase);
    println!("  timer     {}", if machine.sstc { "Sstc" } else { "SBI" });
    println!();
    check!(
        machine.harts().contains(&boot.hart),
        "hart {} runs, but the device tree does not list it",
        boot.hart
    );
    println!("PASS device tree: read");
    machine
}

fn check_firmware() {
    for (name, eid) in sbi::NEEDED {
        check!(sbi::probe(eid), "the firmware has no {name} extension");
    }
    println!("PASS firmware: SBI with TIME, IPI, RFENCE, HSM, SRST, DBCN");
}

/// Waits until `done`, asleep in between. The condition is looked at with interrupts off and `wfi`
/// wakes up nevertheless, so that an interrupt between the two is not slept through.
fn wait_until(done: impl Fn() -> bool) {
    loop {
        csr::SSTATUS.clear(csr::SSTATUS_SIE);
        let now = done();
        if !now {
            arch::wfi();
        }
        csr::SSTATUS.set(csr::SSTATUS_SIE);
        if now {
            return;
        }
    }
}
