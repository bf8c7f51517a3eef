//! Operands that are likely to matter.

use crate::random::Random;

/// An integer: extreme, small, one bit, 32 bits wide, or anything.
pub fn integer(random: &mut Random) -> u64 {
    const EXTREME: [i64; 10] = [
        0,
        1,
        -1,
        i64::MIN,
        i64::MAX,
        i32::MIN as i64,
        i32::MAX as i64,
        u32::MAX as i64,
        0x8000_0000,
        2,
    ];
    match random.below(6) {
        0 => random.pick(&EXTREME).cast_unsigned(),
        1 => i64::from(random.range(-64, 64)).cast_unsigned(),
        2 => 1 << random.below(64),
        3 => i64::from(random.word().cast_signed()).cast_unsigned(),
        _ => random.long(),
    }
}

/// The bits of floating-point register `register`: those with even numbers hold singles and the
/// others doubles, nearly always, so that results stay interesting for a while.
pub fn float(random: &mut Random, register: u8) -> u64 {
    match random.below(40) {
        0 => random.long(),
        1 => u64::from(single(random)) | 0xffff_fffe << 32,
        2 => double(random),
        _ if register.is_multiple_of(2) => u64::from(single(random)) | 0xffff_ffff << 32,
        _ => double(random),
    }
}

fn single(random: &mut Random) -> u32 {
    let sign = random.word() & 1 << 31;
    sign | match random.below(32) {
        0 => 0,
        1 => 0x7f80_0000,
        2 => random.pick(&[0x7fc0_0000, 0x7f80_0001, 0x7fa0_1234, 0x7fff_ffff]),
        3 => random.word() >> 9 >> random.below(23),
        4 => random.pick(&[0x0080_0000, 0x7f7f_ffff, 0x007f_ffff, 1]),
        // The bounds of integer types, and halves.
        5 => random.pick(&[
            0x4f00_0000,
            0x4f80_0000,
            0x5f00_0000,
            0x5f80_0000,
            0x4eff_ffff,
        ]),
        6 => random.pick(&[
            0x3f00_0000,
            0x3fc0_0000,
            0x3f80_0000,
            0x4b00_0001,
            0x4020_0000,
        ]),
        // Magnitudes around one, so that sums and products meet.
        7 => random.word() >> 1,
        8..=12 => (127 - 13 + random.word() % 27) << 23 | random.word() >> 9,
        _ => (127 - 2 + random.word() % 5) << 23 | random.word() >> 9,
    }
}

fn double(random: &mut Random) -> u64 {
    let sign = random.long() & 1 << 63;
    sign | match random.below(32) {
        0 => 0,
        1 => 0x7ff0 << 48,
        2 => random.pick(&[0x7ff8 << 48, 0x7ff0_0000_0000_0001, 0x7ff4_0000_1234_0000]),
        3 => random.long() >> 12 >> random.below(52),
        4 => random.pick(&[
            0x0010 << 48,
            0x7fef_ffff_ffff_ffff,
            0x000f_ffff_ffff_ffff,
            1,
        ]),
        5 => random.pick(&[
            0x41e0_0000_0000_0000,
            0x41df_ffff_ffc0_0000,
            0x41ef_ffff_ffe0_0000,
            0x43e0_0000_0000_0000,
            0x43f0_0000_0000_0000,
            0x43df_ffff_ffff_ffff,
        ]),
        6 => random.pick(&[
            0x3fe0 << 48,
            0x3ff8 << 48,
            0x3ff0 << 48,
            0x4330_0000_0000_0001,
        ]),
        // What rounds to the edges of single precision.
        7 => random.pick(&[
            0x47ef_ffff_e000_0000,
            0x47ef_ffff_f000_0000,
            0x3810_0000_0000_0000,
            0x380f_ffff_f000_0000,
            0x36a0_0000_0000_0000,
            0x3690_0000_0000_0001,
        ]),
        8 => random.long() >> 1,
        9..=13 => (1023 - 28 + random.long() % 57) << 52 | random.long() >> 12,
        _ => (1023 - 2 + random.long() % 5) << 52 | random.long() >> 12,
    }
}
