//! Debian's kernel, from the command to the shell's prompt.

use anyhow::Result;
use maquette_tests::child::{Dialogue, Limit};
use maquette_tests::parts::by_name;
use maquette_tests::qemu::Qemu;

use super::Bench;
use super::figure::{Figure, median};

const FILE: &str = "systems/linux.toml";
const PROMPT: &str = "linux# ";
const REPEATS: usize = 3;
const LIMIT: Limit = Limit::seconds(300);

pub fn measure(bench: &Bench) -> Result<Vec<Figure>> {
    let linux = match by_name::linux_riscv() {
        Ok(linux) => linux,
        Err(absent) => {
            eprintln!("bench: linux: {absent}");
            return Ok(Vec::new());
        }
    };
    let ours = seconds(|| Dialogue::start(bench.run(FILE), LIMIT));
    let figure = Figure::new("linux.boot.vs_qemu", ours, "s");
    let Some(qemu) = &bench.qemu else {
        return Ok(vec![figure]);
    };
    let theirs = seconds(|| boot(qemu, &linux.file("vmlinuz"), &linux.file("initramfs.cpio")));
    Ok(vec![figure.against("qemu", theirs)])
}

fn boot(qemu: &Qemu, kernel: &std::path::Path, initrd: &std::path::Path) -> Dialogue {
    qemu.virt()
        .size(512, 1)
        .kernel(kernel, initrd, "console=ttyS0")
        .limit(LIMIT)
        .talk()
}

/// Seconds until the prompt; the machine is stopped there.
fn seconds(start: impl Fn() -> Dialogue) -> f64 {
    median(
        (0..REPEATS)
            .map(|_| start().wait_for(PROMPT).as_secs_f64())
            .collect(),
    )
}
