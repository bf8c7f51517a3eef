//! The registers of a hart by GDB's numbers and names.
//!
//! GDB numbers RISC-V registers 0 to 31 for x0 to x31, 32 for pc, from 33 on f0 to f31, from 65 on CSRs by
//! their addresses, and after those the privilege level ("RISC-V Features" of its manual names the
//! features).

use crate::csr::number as n;
use std::fmt::Write as _;

/// General registers: x0 to x31 and pc.
pub const GENERAL: usize = 33;
/// The number of pc.
pub const PC: usize = 32;
/// The number of f0.
pub const FIRST_FLOAT: usize = 33;
/// The number of the CSR with address 0.
pub const FIRST_CSR: usize = 65;
/// The number of the privilege level.
pub const PRIVILEGE: usize = FIRST_CSR + 4096;

/// What a number names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Register {
    /// An integer register.
    Integer(u8),
    /// The program counter.
    Pc,
    /// A floating-point register.
    Float(u8),
    /// A control and status register, by its address.
    Csr(u16),
    /// The privilege level.
    Privilege,
}

impl Register {
    /// The register with this number, which need not exist among CSRs.
    #[must_use]
    pub fn from_number(number: usize) -> Option<Self> {
        let small = |first: usize| u8::try_from(number - first).ok();
        match number {
            0..PC => small(0).map(Self::Integer),
            PC => Some(Self::Pc),
            FIRST_FLOAT..FIRST_CSR => small(FIRST_FLOAT).map(Self::Float),
            FIRST_CSR..PRIVILEGE => u16::try_from(number - FIRST_CSR).ok().map(Self::Csr),
            PRIVILEGE => Some(Self::Privilege),
            _ => None,
        }
    }
}

const INTEGERS: [&str; 32] = [
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "fp", "s1", "a0", "a1", "a2", "a3", "a4",
    "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4",
    "t5", "t6",
];
const FLOATS: [&str; 32] = [
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1", "fa2",
    "fa3", "fa4", "fa5", "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9",
    "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
];
/// The ones that GDB wants beside the floating-point registers.
const FLOAT_CSRS: [(u16, &str); 3] = [(n::FFLAGS, "fflags"), (n::FRM, "frm"), (n::FCSR, "fcsr")];
const CSRS: [(u16, &str); 54] = [
    (n::SSTATUS, "sstatus"),
    (n::SIE, "sie"),
    (n::STVEC, "stvec"),
    (n::SCOUNTEREN, "scounteren"),
    (n::SENVCFG, "senvcfg"),
    (n::SSCRATCH, "sscratch"),
    (n::SEPC, "sepc"),
    (n::SCAUSE, "scause"),
    (n::STVAL, "stval"),
    (n::SIP, "sip"),
    (n::STIMECMP, "stimecmp"),
    (n::SATP, "satp"),
    (n::MSTATUS, "mstatus"),
    (n::MISA, "misa"),
    (n::MEDELEG, "medeleg"),
    (n::MIDELEG, "mideleg"),
    (n::MIE, "mie"),
    (n::MTVEC, "mtvec"),
    (n::MCOUNTEREN, "mcounteren"),
    (n::MENVCFG, "menvcfg"),
    (n::MCOUNTINHIBIT, "mcountinhibit"),
    (n::MSCRATCH, "mscratch"),
    (n::MEPC, "mepc"),
    (n::MCAUSE, "mcause"),
    (n::MTVAL, "mtval"),
    (n::MIP, "mip"),
    (n::PMPCFG0, "pmpcfg0"),
    (n::PMPCFG2, "pmpcfg2"),
    (n::PMPADDR0, "pmpaddr0"),
    (n::PMPADDR0 + 1, "pmpaddr1"),
    (n::PMPADDR0 + 2, "pmpaddr2"),
    (n::PMPADDR0 + 3, "pmpaddr3"),
    (n::PMPADDR0 + 4, "pmpaddr4"),
    (n::PMPADDR0 + 5, "pmpaddr5"),
    (n::PMPADDR0 + 6, "pmpaddr6"),
    (n::PMPADDR0 + 7, "pmpaddr7"),
    (n::PMPADDR0 + 8, "pmpaddr8"),
    (n::PMPADDR0 + 9, "pmpaddr9"),
    (n::PMPADDR0 + 10, "pmpaddr10"),
    (n::PMPADDR0 + 11, "pmpaddr11"),
    (n::PMPADDR0 + 12, "pmpaddr12"),
    (n::PMPADDR0 + 13, "pmpaddr13"),
    (n::PMPADDR0 + 14, "pmpaddr14"),
    (n::PMPADDR0 + 15, "pmpaddr15"),
    (n::MCYCLE, "mcycle"),
    (n::MINSTRET, "minstret"),
    (n::CYCLE, "cycle"),
    (n::TIME, "time"),
    (n::INSTRET, "instret"),
    (n::MVENDORID, "mvendorid"),
    (n::MARCHID, "marchid"),
    (n::MIMPID, "mimpid"),
    (n::MHARTID, "mhartid"),
    (n::MCONFIGPTR, "mconfigptr"),
];

/// The description of all of them for GDB.
#[must_use]
pub fn description() -> String {
    let mut xml = String::from(
        "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">\
         <target version=\"1.0\"><architecture>riscv:rv64</architecture>",
    );
    let mut feature = |name: &str, registers: &mut dyn Iterator<Item = (usize, &str, &str)>| {
        // Writing to a string cannot fail.
        let _ = write!(xml, "<feature name=\"org.gnu.gdb.riscv.{name}\">");
        for (number, name, kind) in registers {
            let _ = write!(
                xml,
                "<reg name=\"{name}\" bitsize=\"64\" regnum=\"{number}\" type=\"{kind}\"/>"
            );
        }
        xml.push_str("</feature>");
    };
    let integers = INTEGERS.iter().enumerate().map(|(i, name)| {
        let kind = match *name {
            "ra" => "code_ptr",
            "sp" | "gp" | "tp" | "fp" => "data_ptr",
            _ => "int",
        };
        (i, *name, kind)
    });
    feature("cpu", &mut integers.chain([(PC, "pc", "code_ptr")]));
    let floats = (FIRST_FLOAT..)
        .zip(FLOATS)
        .map(|(i, name)| (i, name, "ieee_double"));
    feature("fpu", &mut floats.chain(FLOAT_CSRS.iter().map(csr)));
    feature("csr", &mut CSRS.iter().map(csr));
    feature("virtual", &mut [(PRIVILEGE, "priv", "int")].into_iter());
    xml.push_str("</target>");
    xml
}

fn csr(&(address, name): &(u16, &'static str)) -> (usize, &'static str, &'static str) {
    (FIRST_CSR + usize::from(address), name, "int")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HartState;
    use crate::csr::{counters::HartClock, peek};
    use maquette_model::Frequency;

    #[test]
    fn registers_described_all_exist_once() {
        let hz = Frequency::from_hz(1_000_000_000);
        let hart = HartState::new(0, HartClock::new(hz, (1, 1), hz));
        for (address, name) in FLOAT_CSRS.iter().chain(&CSRS) {
            assert!(peek(&hart, *address, 0).is_ok(), "{name}");
        }
        let text = description();
        let mut numbers: Vec<usize> = text
            .split("regnum=\"")
            .skip(1)
            .map(|rest| {
                rest.split('"')
                    .next()
                    .expect("a number")
                    .parse()
                    .expect("a number")
            })
            .collect();
        assert!(numbers.iter().all(|n| Register::from_number(*n).is_some()));
        let described = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), described, "a number twice");
    }
}
