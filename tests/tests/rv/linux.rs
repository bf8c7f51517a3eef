//! Debian's riscv64 kernel, unchanged, to a scripted shell.

use std::path::PathBuf;
use std::sync::LazyLock;

use maquette_tests::need;
use tempfile::TempDir;

use crate::ran::{Ran, folder, run, system, write};

/// The sha256 of 4 MiB of counting 64-bit numbers, which the disk of both systems holds.
fn counting_disk() -> String {
    let bytes: Vec<u8> = (0..(4u64 << 20) / 8).flat_map(u64::to_le_bytes).collect();
    sha256(&bytes)
}

/// SHA-256 in hex, by the host.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The run of `systems/linux.toml`, which several tests look at.
pub static ONE_HART: LazyLock<Ran> = LazyLock::new(|| system("linux"));

/// Prompts with what follows them: the answers to scripted commands.
pub fn answers(console: &str) -> Vec<&str> {
    console.split("linux# ").skip(1).map(str::trim).collect()
}

/// A system that boots Linux with what is added, and types `commands`, one at each prompt; the last
/// should end the machine.
pub struct Linux {
    text: String,
    folder: TempDir,
}

impl Linux {
    pub fn new(harts: u32) -> Self {
        let text = format!(
            r#"
                [machine]
                harts = {harts}
                memory = "512MiB"
                [boot]
                mode = "sbi"
                kernel = "part:linux-riscv/vmlinuz"
                initrd = "part:linux-riscv/initramfs.cpio"
                cmdline = "console=ttyS0 -- plain"
                [limits]
                time = "120s"
                [expect]
                forbid = ["Kernel panic", "Oops", "BUG:", "Call Trace"]
            "#
        );
        let folder = folder();
        Self { text, folder }
    }

    /// Adds a section.
    pub fn with(mut self, section: &str) -> Self {
        self.text.push('\n');
        self.text.push_str(section);
        self
    }

    pub fn type_in(self, commands: &[&str]) -> Self {
        commands.iter().fold(self, |linux, command| {
            let line = format!("{command}\n");
            linux.with(&format!(
                "[[console.script]]\nexpect = \"linux# \"\nsend = {line:?}"
            ))
        })
    }

    /// Its system file.
    pub fn file(&self) -> PathBuf {
        write(&self.folder, "linux.toml", &self.text)
    }

    /// Runs it; it must end cleanly.
    #[track_caller]
    pub fn run(&self) -> Ran {
        run(self.file(), &[]).clean()
    }
}

#[track_caller]
fn answers_are_right(ran: &Ran, harts: u32) {
    ran.run.expect_code(0);
    let console = ran.console();
    assert!(
        console.contains(&format!("with {harts} hart(s)")),
        "{console}"
    );
    let answers = answers(&console);
    assert_eq!(answers[0], harts.to_string(), "nproc");
    assert!(
        answers[1].starts_with("brw") && answers[1].ends_with("/dev/vda"),
        "{}",
        answers[1]
    );
    assert_eq!(answers[2], format!("{}  /dev/vda", counting_disk()));
    assert!(answers[3].ends_with("reboot: Power down"), "{}", answers[3]);
    assert_eq!(answers.len(), 4);
    for bad in ["WARNING:", "BUG:", "Oops", "rcu_sched", "soft lockup"] {
        assert!(!console.contains(bad), "{bad} in {console}");
    }
}

/// What the diagnostics say of a kernel whose drivers are right.
#[track_caller]
fn nothing_is_found(ran: &Ran) {
    let found = &ran.stats["machine"]["diagnostics"];
    for list in ["unimplemented", "spins", "storms", "lost"] {
        assert_eq!(found[list].as_array().map(Vec::len), Some(0), "{found:#}");
    }
}

#[test]
fn rv_51_linux_gives_the_diagnostics_nothing_to_say() {
    let _linux = need!(linux_riscv);
    nothing_is_found(&ONE_HART);
}

#[test]
fn rv_04_linux_on_one_hart_answers_in_its_shell() {
    let _linux = need!(linux_riscv);
    answers_are_right(&ONE_HART, 1);
}

#[test]
fn rv_05_linux_on_four_harts_answers_in_its_shell() {
    let _linux = need!(linux_riscv);
    let ran = system("linux-smp");
    answers_are_right(&ran, 4);
    nothing_is_found(&ran);
    let console = ran.console();
    assert!(
        console.contains("smp: Brought up 1 node, 4 CPUs"),
        "{console}"
    );
    for hart in 0..4 {
        let instructions = ran.number(&format!("/machine/harts/{hart}/instructions"));
        assert!(instructions > 1_000_000, "hart{hart} ran {instructions}");
    }
}

#[test]
fn rv_08_linux_reboots_boots_again_and_powers_off() {
    let _linux = need!(linux_riscv);
    let ran = Linux::new(1)
        .type_in(&["echo first", "reboot -f", "echo second", "poweroff -f"])
        .run();
    let console = ran.console();
    assert_eq!(
        console.matches("Run /init as init process").count(),
        2,
        "{console}"
    );
    let answers = answers(&console);
    assert_eq!(answers[0], "first");
    assert!(
        answers[1].contains("reboot: Restarting system"),
        "{}",
        answers[1]
    );
    assert_eq!(answers[2], "second");
    assert!(answers[3].ends_with("reboot: Power down"), "{}", answers[3]);
    assert_eq!(ran.number("/machine/restarts"), 1);
}
