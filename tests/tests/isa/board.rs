//! What guests need of the `virt` board, and the two machines that have it.

use maquette_rv64::isa::Op;
use maquette_tests::qemu::Qemu;
use maquette_tests::{Finished, Limit};

use super::asm::{Asm, Image, Label, reg};

/// RAM and devices of the board.
pub const RAM: u64 = 0x8000_0000;
pub const RAM_SIZE: u64 = 64 << 20;
pub const UART: u64 = 0x1000_0000;
pub const FINISHER: u64 = 0x0010_0000;
pub const MTIMECMP: u64 = 0x0200_4000;
pub const MTIME: u64 = 0x0200_bff8;

/// CSR addresses.
pub mod csr {
    pub const FCSR: u16 = 0x003;
    pub const SENVCFG: u16 = 0x10a;
    pub const MSTATUS: u16 = 0x300;
    pub const MIE: u16 = 0x304;
    pub const MTVEC: u16 = 0x305;
    pub const MCOUNTEREN: u16 = 0x306;
    pub const SCOUNTEREN: u16 = 0x106;
    pub const MENVCFG: u16 = 0x30a;
    pub const MIDELEG: u16 = 0x303;
    pub const MSCRATCH: u16 = 0x340;
    pub const MEPC: u16 = 0x341;
    pub const MCAUSE: u16 = 0x342;
    pub const MTVAL: u16 = 0x343;
    pub const PMPCFG0: u16 = 0x3a0;
    pub const PMPADDR0: u16 = 0x3b0;
}

/// Privilege.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    User = 0,
    Supervisor = 1,
    Machine = 3,
}

/// QEMU's CPU with exactly the extensions of `maquette-rv64`.
pub const QEMU_CPU: &str = "rv64i,m=on,a=on,f=on,d=on,c=on,s=on,u=on,mmu=on,pmp=on,\
    num-pmp-regions=16,zicsr=on,zifencei=on,zicntr=on,zihpm=on,pmu-mask=0xfffffff8,zba=on,zbb=on,\
    zbs=on,zicbom=on,zicboz=on,zihintpause=on,sstc=on,svade=on,svadu=on,sv39=on,sv48=on,sv57=on,\
    zbc=on,zicond=on,zicbop=on,zawrs=on,svinval=on";

/// Runs a bare program in QEMU; it must end through the finisher.
pub fn run_in_qemu(qemu: &Qemu, program: &Image, more: &[&str]) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    let elf = folder.path().join("program.elf");
    std::fs::write(&elf, program.elf()).unwrap();
    let run = qemu
        .virt()
        .bare(&elf)
        .size((RAM_SIZE >> 20) as u32, 1)
        .cpu(QEMU_CPU);
    run.args(more).limit(Limit::seconds(300)).finish()
}

/// Emits a routine that prints the character in a0 and clobbers t0 and t1.
pub fn emit_putchar(asm: &mut Asm, putchar: Label) {
    asm.bind(putchar);
    asm.li(reg::T0, UART);
    let wait = asm.mark();
    asm.i(Op::Lbu, reg::T1, reg::T0, 5);
    asm.i(Op::Andi, reg::T1, reg::T1, 0x20);
    asm.branch(Op::Beq, reg::T1, reg::ZERO, wait);
    asm.store(Op::Sb, reg::A0, 0, reg::T0);
    asm.ret();
}

/// Emits the end of the program: power off with success.
pub fn emit_power_off(asm: &mut Asm) {
    asm.li(reg::T0, FINISHER);
    asm.li(reg::T1, 0x5555);
    asm.store(Op::Sw, reg::T1, 0, reg::T0);
    let stay = asm.mark();
    asm.jump(stay);
}
