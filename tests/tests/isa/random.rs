//! Random numbers that are the same on every machine.

/// xorshift64*: small, and good enough to pick test cases.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Any seed will do; neighbours give unrelated sequences.
    pub fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        random.long();
        random
    }

    pub fn long(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn word(&mut self) -> u32 {
        (self.long() >> 32) as u32
    }

    /// Less than `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        ((u64::from(self.word()) * limit as u64) >> 32) as usize
    }

    /// A number of `from..to`.
    pub fn range(&mut self, from: i32, to: i32) -> i32 {
        from + self.below((to - from) as usize) as i32
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}
