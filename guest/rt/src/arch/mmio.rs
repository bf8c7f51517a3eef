//! Device registers.

/// A block of device registers at a fixed address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mmio(usize);

macro_rules! access {
    ($read:ident, $write:ident, $t:ty) => {
        /// Reads the register at `offset`.
        #[must_use]
        #[inline]
        pub fn $read(self, offset: usize) -> $t {
            let p = core::ptr::with_exposed_provenance::<$t>(self.0 + offset);
            // SAFETY: the address belongs to a device (see `at`), which holds no Rust object.
            unsafe { p.read_volatile() }
        }

        /// Writes the register at `offset`.
        #[inline]
        pub fn $write(self, offset: usize, value: $t) {
            let p = core::ptr::with_exposed_provenance_mut::<$t>(self.0 + offset);
            // SAFETY: the address belongs to a device (see `at`), which holds no Rust object.
            unsafe { p.write_volatile(value) }
        }
    };
}

impl Mmio {
    /// The registers from `base` on. The caller names a device, not memory: the board's map and the
    /// device tree are the only places that addresses come from.
    #[must_use]
    pub const fn at(base: usize) -> Self {
        Self(base)
    }

    /// Address of the first register.
    #[must_use]
    pub const fn base(self) -> usize {
        self.0
    }

    access!(read8, write8, u8);
    access!(read16, write16, u16);
    access!(read32, write32, u32);
    access!(read64, write64, u64);
}
