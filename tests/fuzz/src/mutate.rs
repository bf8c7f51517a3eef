//! Inputs without a fuzzer: random ones, and good ones with damage.

use maquette_model::testing::conformance::Random;

/// Any bytes, at most `longest`.
#[must_use]
pub fn noise(random: &mut Random, longest: u64) -> Vec<u8> {
    let length = random.below(longest + 1) as usize;
    let words = std::iter::repeat_with(|| random.next());
    words.flat_map(u64::to_le_bytes).take(length).collect()
}

/// A sample with a few changes: bytes set, removed, repeated, or the end cut off.
#[must_use]
pub fn damaged(random: &mut Random, sample: &[u8]) -> Vec<u8> {
    let mut data = sample.to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(data.len() as u64) as usize;
        let end = (at + 1 + random.below(24) as usize).min(data.len());
        match random.below(8) {
            _ if data.is_empty() => data.push(b'['),
            0 => data.truncate(at),
            1 => drop(data.drain(at..end)),
            2 => {
                let piece = data[at..end].to_vec();
                let to = random.below(data.len() as u64) as usize;
                data.splice(to..to, piece);
            }
            3 => data[at] ^= 1 << random.below(8),
            4 => data[at..end].fill(0xff),
            _ => data[at] = random.next() as u8,
        }
    }
    data
}
