//! Taking an input apart.

/// Bytes that end in endless zeroes.
pub struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// Whether only zeroes follow.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn u8(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((&first, rest)) => {
                self.rest = rest;
                first
            }
            None => 0,
        }
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.u8(), self.u8()])
    }

    pub fn u32(&mut self) -> u32 {
        u32::from(self.u16()) | u32::from(self.u16()) << 16
    }

    pub fn u64(&mut self) -> u64 {
        u64::from(self.u32()) | u64::from(self.u32()) << 32
    }

    /// At most so many bytes.
    pub fn take(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(most.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// A number that registers and fields react to, in one to nine bytes: small, a power of two, one
    /// less than that, or any.
    pub fn number(&mut self) -> u64 {
        let kind = self.u8();
        let low = u32::from(kind >> 2);
        match kind & 3 {
            0 => u64::from(low),
            1 => 1 << low,
            2 => (1_u64 << low).wrapping_sub(1),
            _ => self.u64(),
        }
    }
}
