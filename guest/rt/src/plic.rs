//! Platform-level interrupt controller (RISC-V PLIC specification 1.0, memory map).

use crate::arch::Mmio;

const ENABLE: usize = 0x2000;
const ENABLE_STRIDE: usize = 0x80;
const CONTEXT: usize = 0x20_0000;
const CONTEXT_STRIDE: usize = 0x1000;
const CLAIM: usize = 4;

/// One interrupt target: a hart at one privilege.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The controller.
    pub plic: Mmio,
    /// Number of the context.
    pub number: usize,
}

impl Context {
    /// Lets interrupt `irq` reach this context.
    pub fn enable(self, irq: usize) {
        self.plic.write32(4 * irq, 1);
        let word = ENABLE + ENABLE_STRIDE * self.number + 4 * (irq / 32);
        let bits = self.plic.read32(word) | 1 << (irq % 32);
        self.plic.write32(word, bits);
        self.plic.write32(CONTEXT + CONTEXT_STRIDE * self.number, 0);
    }

    /// Takes the most urgent pending interrupt; 0 means none.
    #[must_use]
    pub fn claim(self) -> usize {
        let at = CONTEXT + CONTEXT_STRIDE * self.number + CLAIM;
        self.plic.read32(at) as usize
    }

    /// Says that `irq` has been served.
    pub fn complete(self, irq: usize) {
        let at = CONTEXT + CONTEXT_STRIDE * self.number + CLAIM;
        self.plic.write32(at, irq as u32);
    }
}
