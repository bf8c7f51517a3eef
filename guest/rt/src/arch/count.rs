//! Counted code: sequences of known length between two reads of `minstret`.

use core::arch::asm;

/// A counter that lower privileges may be let at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// `cycle`.
    Cycle,
    /// `time`.
    Time,
    /// `instret`.
    Instret,
    /// `hpmcounter3`.
    Hpm3,
    /// `hpmcounter18`.
    Hpm18,
}

impl Counter {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Cycle,
        Self::Time,
        Self::Instret,
        Self::Hpm3,
        Self::Hpm18,
    ];

    /// Its bit in `mcounteren` and `scounteren`.
    #[must_use]
    pub const fn bit(self) -> usize {
        match self {
            Self::Cycle => 0,
            Self::Time => 1,
            Self::Instret => 2,
            Self::Hpm3 => 3,
            Self::Hpm18 => 18,
        }
    }
}

macro_rules! functions {
    ($($name:ident: $($line:literal),+;)*) => {
        $(#[unsafe(naked)]
        unsafe extern "C" fn $name() {
            core::arch::naked_asm!($($line,)+ "ret")
        })*
    };
}

functions! {
    read_cycle: "csrr a0, cycle";
    read_time: "csrr a0, time";
    read_instret: "csrr a0, instret";
    read_hpm3: "csrr a0, hpmcounter3";
    read_hpm18: "csrr a0, hpmcounter18";
    // By number, for assemblers that do not know it.
    set_stimecmp: "csrw 0x14d, a0";
}

/// Address of code that reads `counter` into `a0` and returns.
#[must_use]
pub fn read_counter(counter: Counter) -> usize {
    let code: unsafe extern "C" fn() = match counter {
        Counter::Cycle => read_cycle,
        Counter::Time => read_time,
        Counter::Instret => read_instret,
        Counter::Hpm3 => read_hpm3,
        Counter::Hpm18 => read_hpm18,
    };
    code as *const () as usize
}

/// Address of code that writes its argument to `stimecmp` and returns.
#[must_use]
pub fn write_stimecmp() -> usize {
    set_stimecmp as *const () as usize
}

macro_rules! counted {
    ($($(#[$doc:meta])* $name:ident: $($line:literal),*;)*) => {
        $($(#[$doc])*
        #[must_use]
        #[inline(never)]
        pub fn $name() -> usize {
            let (before, after): (usize, usize);
            // SAFETY: changes only the registers named.
            unsafe {
                asm!(
                    "csrr {before}, minstret",
                    $($line,)*
                    "csrr {after}, minstret",
                    before = out(reg) before,
                    after = out(reg) after,
                    out("a0") _, out("a1") _, out("ra") _,
                    options(nostack),
                );
            }
            after.wrapping_sub(before)
        })*
    };
}

counted! {
    /// No instruction between the two reads.
    nothing: ;
    /// Ten instructions of four bytes.
    ten:
        ".option push", ".option norvc",
        "li a0, 1", "add a0, a0, a0", "add a0, a0, a0", "add a0, a0, a0", "add a0, a0, a0",
        "add a0, a0, a0", "add a0, a0, a0", "add a0, a0, a0", "add a0, a0, a0", "add a0, a0, a0",
        ".option pop";
    /// Eight instructions of two bytes.
    compressed:
        "c.li a0, 1", "c.addi a0, 1", "c.addi a0, 1", "c.addi a0, 1", "c.addi a0, 1",
        "c.addi a0, 1", "c.mv a1, a0", "c.add a1, a0";
    /// A jump and link, the return behind it, and the jump over that.
    call: "jal ra, 2f", "j 3f", "2: ret", "3:";
}

/// One instruction, then `n` times a subtraction and a branch.
#[inline(never)]
pub fn loop_of(n: usize) -> usize {
    let (before, after): (usize, usize);
    // SAFETY: changes only the registers named.
    unsafe {
        asm!(
            "csrr {before}, minstret",
            "mv a0, {n}",
            "2: addi a0, a0, -1",
            "bnez a0, 2b",
            "csrr {after}, minstret",
            n = in(reg) n,
            before = out(reg) before,
            after = out(reg) after,
            out("a0") _,
            options(nostack),
        );
    }
    after.wrapping_sub(before)
}

/// Writes `value` to `minstret` and reads it by the next two instructions.
#[must_use]
#[inline(never)]
pub fn after_write(value: usize) -> (usize, usize) {
    let (first, second): (usize, usize);
    // SAFETY: changes only the registers named.
    unsafe {
        asm!(
            "csrw minstret, {value}",
            "csrr {first}, minstret",
            "csrr {second}, minstret",
            value = in(reg) value,
            first = out(reg) first,
            second = out(reg) second,
            options(nostack),
        );
    }
    (first, second)
}
