//! What the trace hash depends on, and what it does not.

use maquette_tests::{effort, need};

use crate::linux::ONE_HART;
use crate::ran::{folder, noise, run, system, system_with, write};

const KINDS: [&str; 7] = [
    "mmio",
    "interrupt",
    "sbi",
    "dma",
    "console",
    "link",
    "digest",
];

#[test]
fn rv_09_ten_runs_of_the_demo_give_one_hash() {
    let first = system("demo").clean();
    for _ in 1..10 {
        assert_eq!(system("demo").hash(), first.hash());
    }
}

#[test]
fn rv_09_demo_hash_is_the_same_for_every_block_limit() {
    let usual = system("demo").clean();
    for limit in [1, 2, 7, 31, 1024] {
        let set = format!("machine.block_limit={limit}");
        let other = system_with("demo", &[&set]).clean();
        assert_eq!(other.hash(), usual.hash(), "{set}");
        assert_eq!(other.run.stdout, usual.run.stdout, "{set}");
    }
}

/// Two runs, and two more for each round of the long test.
#[test]
fn rv_09_runs_of_linux_give_one_hash() {
    let _linux = need!(linux_riscv);
    for _ in 0..effort() {
        let again = system("linux");
        assert_eq!(again.hash(), ONE_HART.hash());
        assert_eq!(again.run.stdout, ONE_HART.run.stdout);
    }
}

#[test]
fn rv_09_linux_with_another_block_limit_gives_the_same_hash() {
    let _linux = need!(linux_riscv);
    let other = system_with("linux", &["machine.block_limit=11"]);
    assert_eq!(other.hash(), ONE_HART.hash());
    assert_eq!(
        other.number("/instructions"),
        ONE_HART.number("/instructions")
    );
}

#[test]
fn rv_09_linux_run_counts_each_kind_of_event() {
    let _linux = need!(linux_riscv);
    let mut shown = Vec::new();
    for kind in KINDS {
        let count = ONE_HART.number(&format!("/events/{kind}"));
        assert!(count > 0, "no {kind} in {:#}", ONE_HART.stats["events"]);
        shown.push(format!("{kind} {count}"));
    }
    let line = format!("events hashed: {}\n", shown.join(", "));
    assert!(
        ONE_HART.run.stderr.contains(&line),
        "{line} {}",
        ONE_HART.run.describe()
    );
}

/// One more byte typed, a space at the end of a command, which changes nothing that Linux prints.
#[test]
fn rv_09_linux_typed_one_byte_more_gives_another_hash() {
    let _linux = need!(linux_riscv);
    let other = system_with("linux", &["console.script.0.send=\"nproc \\n\""]).clean();
    assert_ne!(other.hash(), ONE_HART.hash());
    let link = |ran: &crate::ran::Ran| ran.number("/console/typed_bytes");
    assert_eq!(link(&other), link(&ONE_HART) + 1);
}

/// The demonstration on a disk that holds `content`.
fn demo_with_disk(content: &[u8]) -> String {
    let folder = folder();
    let image = write(&folder, "disk.img", content);
    let text = format!(
        "[machine]\nharts = 2\nmemory = \"64MiB\"\n\
         [boot]\nmode = \"sbi\"\nkernel = \"{}\"\n\
         [[device]]\ntype = \"virtio-blk\"\nmode = \"copy-on-write\"\nfile = \"{}\"\n\
         [limits]\ntime = \"20s\"\n",
        maquette_tests::guests::guest("smode").display(),
        image.display()
    );
    run(write(&folder, "demo.toml", text), &[]).clean().hash()
}

#[test]
fn rv_09_disk_bit_that_is_read_changes_the_hash_and_one_that_is_not_does_not() {
    let mut disk = noise(9, 1 << 20);
    let usual = demo_with_disk(&disk);
    assert_eq!(demo_with_disk(&disk), usual);
    // Behind the 128 sectors that the demonstration reads.
    disk[128 * 512] ^= 0x10;
    assert_eq!(demo_with_disk(&disk), usual);
    disk[128 * 512 - 1] ^= 0x10;
    assert_ne!(demo_with_disk(&disk), usual);
}

/// Also, `quantum` decides the order in which harts act.
#[test]
fn rv_09_other_seed_harts_or_memory_give_other_hashes() {
    let usual = system("demo").clean().hash();
    for set in [
        "machine.seed=2",
        "machine.harts=3",
        "machine.memory=65MiB",
        "machine.clock=999MHz",
    ] {
        assert_ne!(system_with("demo", &[set]).hash(), usual, "{set}");
    }
}
