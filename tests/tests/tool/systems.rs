//! Every system of `systems/` is a test: what a good run looks like is part of its file.

use maquette_tests::child::{Finished, Limit};
use maquette_tests::need;
use maquette_tests::tool::Tool;

/// Runs a system to its expected end.
#[track_caller]
fn good(name: &str) -> Finished {
    let done = Tool::run(format!("systems/{name}.toml"))
        .limit(Limit::seconds(300))
        .finish();
    done.expect_code(0);
    done
}

#[track_caller]
fn shows(done: &Finished, words: &[&str]) {
    for word in words {
        let there = done.stdout.contains(word) || done.stderr.contains(word);
        assert!(there, "no {word:?} in {}", done.describe());
    }
}

#[test]
fn rv_01_hello_in_machine_mode_from_rust() {
    assert_eq!(
        good("hello").stdout.trim_end(),
        "Hello from M-mode on hart 0"
    );
}

#[test]
fn rv_02_supervisor_demo_pages_ticks_and_traps_on_two_harts() {
    shows(
        &good("demo"),
        &[
            "PASS paging",
            "PASS page fault",
            "PASS timer: 10 ticks on each of two harts",
            "demo: all passed",
        ],
    );
}

#[test]
fn rv_03_disk_is_read_by_polling_and_by_interrupt_and_written() {
    shows(
        &good("demo"),
        &[
            "PASS disk by polling",
            "PASS disk by interrupt",
            "PASS disk write",
        ],
    );
}

#[test]
fn rv_08_guest_restarts_and_switches_off_by_sbi() {
    let done = good("reboot");
    shows(
        &done,
        &["PASS first boot", "PASS second boot", "guest status: 0"],
    );
}

#[test]
fn rv_10_two_harts_never_see_time_run_backwards() {
    shows(&good("rdtime"), &["1000000 exchanges, never negative"]);
}

#[test]
fn rv_12_self_modifying_code_runs_as_written() {
    shows(
        &good("smc"),
        &["PASS written by another hart, with fence.i"],
    );
}

#[test]
fn rv_13_atomics_lose_nothing_under_four_harts() {
    shows(
        &good("atomics"),
        &["PASS lr/sc: 80000 additions by 4 harts"],
    );
}

#[test]
fn rv_14_protection_matrix_holds() {
    shows(&good("pmp"), &["5760 combinations"]);
}

#[test]
fn rv_15_accessed_and_dirty_bits_both_ways() {
    shows(&good("adbits"), &["PASS Svade: Sv48", "PASS Svadu: Sv48"]);
}

#[test]
fn rv_16_misaligned_accesses_over_every_edge() {
    shows(
        &good("misaligned"),
        &["PASS over a page end", "PASS end of RAM"],
    );
}

#[test]
fn rv_17_counters_count_stop_and_are_guarded() {
    shows(
        &good("counters"),
        &[
            "PASS mcountinhibit",
            "PASS mcounteren, scounteren: 90 combinations",
        ],
    );
}

#[test]
fn rv_18_interrupt_priority_and_delegation_matrix() {
    shows(&good("interrupts"), &["49152 combinations"]);
}

#[test]
fn rv_20_deadlock_exit_names_hart_and_pc() {
    shows(
        &good("deadlock"),
        &[
            "deadlock: ",
            "hart0 waits for an interrupt at pc 0x8",
            "hart1 waits",
        ],
    );
}

#[test]
fn rv_21_trap_loop_with_unmapped_vector_is_named() {
    shows(&good("traploop"), &["hart0 cannot go on", "trap loop"]);
}

#[test]
fn hostile_driver_does_no_harm() {
    let done = good("virtio-abuse");
    shows(&done, &["guest errors: ", "PASS chains of 65535"]);
}

#[test]
fn guest_status_is_part_of_the_report() {
    shows(&good("status"), &["guest status: 42"]);
}

#[test]
fn rv_04_debian_kernel_reaches_a_scripted_shell_on_one_hart() {
    let _linux = need!(linux_riscv);
    let done = good("linux");
    shows(
        &done,
        &[
            "with 1 hart(s)",
            "linux# 1",
            "/dev/vda",
            "level: deterministic",
        ],
    );
    for kind in [
        "mmio",
        "interrupt",
        "sbi",
        "dma",
        "console",
        "link",
        "digest",
    ] {
        assert!(
            !done.stderr.contains(&format!("{kind} 0")),
            "no {kind} in {}",
            done.describe()
        );
    }
}

#[test]
fn rv_05_debian_kernel_reaches_the_same_shell_on_four_harts() {
    let _linux = need!(linux_riscv);
    shows(&good("linux-smp"), &["with 4 hart(s)", "linux# 4"]);
}
