//! One guest program a row: each checks itself against a plain model and says what it has seen; here
//! that is compared word for word, with what QEMU's guest says, and across lengths of blocks.

use maquette_tests::guests::guest;
use maquette_tests::qemu::Virt;
use maquette_tests::{Limit, need};

use crate::disks::fnv1a;
use crate::ran::{plain, system, system_with};

/// QEMU's CPU with the extensions that matter to the programs.
pub const CPU: &str = "rv64i,m=on,a=on,f=on,d=on,c=on,s=on,u=on,mmu=on,pmp=on,num-pmp-regions=16,\
    zicsr=on,zifencei=on,zicntr=on,zihpm=on,pmu-mask=0xfffffff8,zba=on,zbb=on,zbs=on,zicbom=on,\
    zicboz=on,zihintpause=on,sstc=on,svade=on,svadu=on,sv39=on,sv48=on,sv57=on,\
    zbc=on,zicond=on,zicbop=on,zawrs=on,svinval=on";

/// What the demonstration prints on a disk of 2,048 sectors that count up.
const DEMO: &str = "
  Maquette: an S-mode kernel on a RISC-V machine
  ----------------------------------------------
  harts     2
  memory    64 MiB at 0x80000000
  time      10000000 ticks per second
  timer     Sstc

PASS device tree: read
PASS firmware: SBI with TIME, IPI, RFENCE, HSM, SRST, DBCN
PASS paging: Sv39 is on, code is read-only, data is not executable
PASS page fault: a store to 0x2000000000 faulted, got a page, and went on
PASS protection: a store to a constant was refused
PASS second hart: started by HSM, runs with paging on
PASS interrupts between harts: 100 there, 100 back
PASS remote fence: the second hart sees a page exchanged
PASS timer: 10 ticks on each of two harts, none early
PASS second hart: stopped by HSM
PASS disk: 2048 sectors
PASS disk by polling: 128 sectors, checksum CHECKSUM
PASS disk by interrupt: 128 sectors, checksum CHECKSUM
PASS disk write: the last sector reads back as written
demo: all passed
";

/// The demonstration's text, with the checksum that the host computes.
pub fn demo_text(first_sectors: &[u8]) -> String {
    DEMO.replace("CHECKSUM", &format!("{:#018x}", fnv1a(first_sectors)))
}

/// The first 128 sectors of a disk with `fill = "counter"`.
fn counting() -> Vec<u8> {
    (0..128 * 512 / 8).flat_map(u64::to_le_bytes).collect()
}

/// Runs a program that ends well, and compares what it prints with `lines`.
#[track_caller]
fn says(name: &str, lines: &[&str]) {
    let ran = system(name).clean();
    assert_eq!(ran.console().lines().collect::<Vec<_>>(), lines);
}

/// Runs the same program with two other limits of block length: nothing may change.
#[track_caller]
fn same_with_any_blocks(name: &str) {
    let usual = system(name).clean();
    for limit in ["machine.block_limit=1", "machine.block_limit=3"] {
        let other = system_with(name, &[limit]).clean();
        assert_eq!(other.console(), usual.console(), "{limit}");
        assert_eq!(other.hash(), usual.hash(), "{limit}");
    }
}

/// Compares what a bare program prints here and in a QEMU that is set up as given.
#[track_caller]
fn same_in_qemu(name: &str, harts: u32, set_up: impl FnOnce(Virt) -> Virt, qemu: Virt) {
    let there = set_up(qemu.bare(&guest(name)).size(64, harts)).limit(Limit::seconds(300));
    let there = there.finish();
    there.expect_code(0);
    let here = system(name).clean();
    assert_eq!(plain(&there.stdout), here.console());
}

#[test]
fn rv_01_hello_prints_its_line_and_ends_cleanly() {
    let ran = system("hello").clean();
    assert_eq!(ran.run.stdout, "Hello from M-mode on hart 0\n");
    assert_eq!(ran.stats["guest_status"], 0);
    assert_eq!(ran.stats["verdict"], "clean");
    assert_eq!(ran.stats["level"], "deterministic");
    ran.hash();
}

#[test]
fn rv_02_demo_transcript_on_two_harts_is_exact() {
    let ran = system("demo").clean();
    assert_eq!(ran.console(), demo_text(&counting()));
    for hart in 0..2 {
        let instructions = ran.number(&format!("/machine/harts/{hart}/instructions"));
        assert!(instructions > 10_000, "hart{hart} only ran {instructions}");
        let traps = ran.number(&format!("/machine/harts/{hart}/traps"));
        assert!(traps >= 100, "hart{hart} only took {traps} traps");
    }
}

#[test]
fn rv_02_demo_prints_the_same_in_qemu() {
    let qemu = need!(qemu);
    let folder = crate::ran::folder();
    let mut disk = counting();
    disk.resize(1 << 20, 0);
    let disk = crate::ran::write(&folder, "disk.img", disk);
    let kernel = guest("smode");
    let there = qemu.virt().args(["-kernel"]).args([kernel]).size(64, 2);
    let there = there
        .cpu(CPU)
        .disk(&disk)
        .limit(Limit::seconds(300))
        .finish();
    there.expect_code(0);
    // Before that, its firmware speaks.
    let text = plain(&there.stdout);
    let from = text.find("\n  Maquette:").expect("the demo speaks");
    assert_eq!(text[from..], demo_text(&counting()));
}

#[test]
fn rv_10_time_passed_between_harts_a_million_times_never_runs_back() {
    says(
        "rdtime",
        &["PASS rdtime: 1000000 exchanges, never negative"],
    );
}

/// `quantum` decides how far apart the harts' own times may be.
#[test]
fn rv_10_time_between_harts_is_in_order_for_other_quanta_and_cpi() {
    for set in [
        &["machine.quantum=7"][..],
        &["machine.quantum=1000000"],
        &["machine.cpi=7/3", "machine.clock=3GHz"],
    ] {
        let ran = system_with("rdtime", set).clean();
        let line = "PASS rdtime: 1000000 exchanges, never negative\n";
        assert_eq!(ran.console(), line, "{set:?}");
    }
}

#[test]
fn rv_12_rewritten_code_takes_effect_and_is_the_same_each_time() {
    let once = system("smc").clean();
    // Without the fence either code is permitted; this is what this machine does, always.
    let lines = [
        "PASS replaced function, with fence.i: new code 1000 times",
        "PASS replaced function, without fence.i: new code each time",
        "PASS many functions, with fence.i: only the written one changes",
        "PASS next instruction, with fence.i: new code 1000 times",
        "PASS next instruction, without fence.i: new code each time",
        "PASS written by another hart, with fence.i: new code 1000 times",
        "PASS written by another hart, without fence.i: new code each time",
    ];
    assert_eq!(once.console().lines().collect::<Vec<_>>(), lines);
    let again = system("smc").clean();
    assert_eq!(once.hash(), again.hash());
}

#[test]
fn rv_12_rewritten_code_does_not_depend_on_blocks() {
    same_with_any_blocks("smc");
}

const ATOMICS: [&str; 5] = [
    "PASS amoadd: 80000 additions by 4 harts",
    "PASS lr/sc: 80000 additions by 4 harts",
    "PASS amoxor, amoor, amoand, amomax, amomin, amomaxu",
    "PASS amoswap: nothing lost, nothing doubled",
    "PASS spin lock: 10000 rounds inside, one hart at a time",
];

#[test]
fn rv_13_counters_and_locks_lose_nothing_under_four_harts() {
    says("atomics", &ATOMICS);
    same_with_any_blocks("atomics");
}

/// Turns of a few instructions end inside every LR/SC pair and critical section sooner or later.
#[test]
fn rv_13_counters_and_locks_lose_nothing_at_any_interleaving() {
    for quantum in [1, 2, 3, 5, 17, 101] {
        let set = format!("machine.quantum={quantum}");
        // Some interleaving that makes no progress would last very long otherwise.
        let limit = "limits.instructions=100000000";
        let ran = system_with("atomics", &[&set, limit]).clean();
        assert_eq!(ran.console().lines().collect::<Vec<_>>(), ATOMICS, "{set}");
    }
}

#[test]
fn rv_13_atomics_print_the_same_in_qemu() {
    let qemu = need!(qemu);
    same_in_qemu("atomics", 4, |virt| virt.cpu(CPU), qemu.virt());
}

#[test]
fn rv_14_each_combination_of_pmp_and_page_permissions_is_as_specified() {
    says(
        "pmp",
        &[
            "PASS no translation: 360 combinations of privilege, MPRV, SUM, MXR, PMP",
            "PASS Sv39: 5760 combinations of privilege, MPRV, SUM, MXR, R, W, X, U, PMP",
            "PASS PMP borders: an access that is only partly inside fails",
            "PASS PMP locked entries bind M-mode and cannot be changed",
        ],
    );
    same_with_any_blocks("pmp");
}

#[test]
fn rv_14_permissions_print_the_same_in_qemu() {
    let qemu = need!(qemu);
    same_in_qemu("pmp", 1, |virt| virt.cpu(CPU), qemu.virt());
}

#[test]
fn rv_15_accessed_and_dirty_bits_follow_svade_and_svadu() {
    let mut lines = Vec::new();
    for scheme in ["Sv39", "Sv48", "Sv57"] {
        for size in ["4 KiB", "2 MiB"] {
            lines.push(format!(
                "PASS Svade: {scheme}, {size}: a clear bit is a page fault and stays clear"
            ));
            lines.push(format!(
                "PASS Svadu: {scheme}, {size}: the hart sets the bits it needs and no others"
            ));
        }
    }
    lines.push("PASS Svadu: an access that is not permitted sets no bit".to_owned());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    says("adbits", &lines);
    same_with_any_blocks("adbits");
}

#[test]
fn rv_15_accessed_and_dirty_bits_print_the_same_in_qemu() {
    let qemu = need!(qemu);
    same_in_qemu("adbits", 1, |virt| virt.cpu(CPU), qemu.virt());
}

#[test]
fn rv_16_misaligned_accesses_work_and_fault_at_every_edge() {
    says(
        "misaligned",
        &[
            "PASS inside a page: loads and stores of 2, 4, 8 bytes at every offset",
            "PASS over a page end: both pages are used, nothing in between",
            "PASS over a page end: the fault names the part that is not mapped",
            "PASS atomics: refused by an exception of theirs",
            "PASS devices: refused by an exception",
            "PASS end of RAM: the last word works, one byte further faults",
        ],
    );
    same_with_any_blocks("misaligned");
}

#[test]
fn rv_16_misaligned_accesses_print_the_same_in_qemu() {
    let qemu = need!(qemu);
    same_in_qemu("misaligned", 1, |virt| virt.cpu(CPU), qemu.virt());
}

const COUNTERS: [&str; 5] = [
    "PASS minstret: exact over straight lines, loops and branches",
    "PASS minstret: the next instruction reads what was written",
    "PASS mcountinhibit: stops each counter and only that one",
    "PASS mcounteren, scounteren: 90 combinations",
    "PASS stimecmp: open to S-mode by menvcfg.STCE and mcounteren.TM only",
];

#[test]
fn rv_17_counters_are_exact_stop_and_are_hidden_as_they_must() {
    says("counters", &COUNTERS);
    same_with_any_blocks("counters");
}

/// QEMU counts the write of `minstret` itself, which the specification forbids (privileged ISA
/// §3.1.11); all other lines are the same.
#[test]
fn rv_17_counters_print_the_same_in_qemu() {
    let qemu = need!(qemu);
    let virt = qemu.virt().bare(&guest("counters")).size(64, 1).cpu(CPU);
    let there = virt.args(["-icount", "shift=0"]).finish();
    there.expect_code(0);
    let text = plain(&there.stdout);
    let lines = text.lines().map(|line| match line {
        "NOTE minstret: the write itself is counted, which it must not be" => COUNTERS[1],
        line => line,
    });
    assert_eq!(lines.collect::<Vec<_>>(), COUNTERS);
}

#[test]
fn rv_18_interrupts_are_taken_in_the_order_and_mode_of_the_specification() {
    says(
        "interrupts",
        &[
            "PASS mideleg: supervisor interrupts can be delegated, machine interrupts cannot",
            "PASS interrupt matrix: 49152 combinations of pending, enabled, delegated, privilege",
            // Privileged ISA §3.1.9.
            "PASS order: MEI, MSI, MTI, SEI, SSI, STI",
        ],
    );
    same_with_any_blocks("interrupts");
}

/// QEMU keeps the specification's order only with the advanced interrupt architecture.
#[test]
fn rv_18_interrupts_print_the_same_in_qemu() {
    let qemu = need!(qemu);
    let cpu = format!("{CPU},smaia=on,ssaia=on");
    same_in_qemu("interrupts", 1, |virt| virt.cpu(&cpu), qemu.virt());
}
