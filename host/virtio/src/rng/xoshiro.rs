//! The generator xoshiro256++ of Blackman and Vigna, seeded by splitmix64: fast, small, and equal
//! everywhere. It is no cryptographic generator, and a guest's keys are as secret as the seed.

/// The generator's state; never all zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Xoshiro(pub(super) [u64; 4]);

impl Xoshiro {
    pub(super) fn new(mut seed: u64) -> Self {
        Self([(); 4].map(|()| {
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }))
    }

    pub(super) const fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.0;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.0 = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    pub(super) fn fill(&mut self, buf: &mut [u8]) {
        for part in buf.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            for (to, from) in part.iter_mut().zip(bytes) {
                *to = from;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xoshiro_gives_the_published_sequence() {
        // The state {1, 2, 3, 4} of the reference implementation.
        let mut x = Xoshiro([1, 2, 3, 4]);
        let got: Vec<u64> = (0..4).map(|_| x.next()).collect();
        assert_eq!(
            got,
            [
                41_943_041,
                58_720_359,
                3_588_806_011_781_223,
                3_591_011_842_654_386
            ]
        );
    }

    #[test]
    fn xoshiro_streams_differ_by_seed() {
        assert_ne!(Xoshiro::new(0).next(), Xoshiro::new(1).next());
        assert_ne!(Xoshiro::new(0).0, [0; 4]);
    }
}
