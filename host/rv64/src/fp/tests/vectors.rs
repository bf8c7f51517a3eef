//! Results written down by hand.

use crate::fp::{
    self, F32, F64, Flags, Rounding, add, box_f32, div, fma, max, min, mul, sqrt, to_i32, to_u32,
    unbox_f32,
};

const NAN: u32 = 0x7fc0_0000;
const SIGNALLING: u32 = 0x7f80_0001;
const INFINITY: u32 = 0x7f80_0000;
const ONE: u32 = 0x3f80_0000;

/// Runs an operation from clear flags.
fn run<T>(operation: impl FnOnce(&mut Flags) -> T) -> (T, Flags) {
    let mut flags = Flags::NONE;
    let result = operation(&mut flags);
    (result, flags)
}

#[test]
fn rounding_from_bits_knows_five_modes() {
    for (bits, rm) in (0..).zip(Rounding::ALL) {
        assert_eq!(Rounding::from_bits(bits), Some(rm));
    }
    for bits in 5..=255 {
        assert_eq!(Rounding::from_bits(bits), None);
    }
}

#[test]
fn flags_are_in_fflags_order() {
    let flags = [Flags::NX, Flags::UF, Flags::OF, Flags::DZ, Flags::NV];
    assert_eq!(flags.map(Flags::bits), [1, 2, 4, 8, 16]);
    assert_eq!((Flags::NX | Flags::NV).bits(), 17);
    assert_eq!(Flags::from_bits_truncate(0xff).bits(), 0x1f);
}

#[test]
fn operation_keeps_flags_already_raised() {
    let mut flags = Flags::DZ;
    let sum = add::<F32>(ONE, 1, Rounding::Rne, &mut flags);
    assert_eq!((sum, flags), (ONE, Flags::DZ | Flags::NX));
}

#[test]
fn add_one_and_half_ulp_rounds_by_mode() {
    let half_ulp = 0x3380_0000; // 2^-24
    let sums = Rounding::ALL.map(|rm| run(|flags| add::<F32>(ONE, half_ulp, rm, flags)));
    let expected = [ONE, ONE, ONE, ONE + 1, ONE + 1].map(|bits| (bits, Flags::NX));
    assert_eq!(sums, expected);
}

#[test]
fn add_opposites_gives_negative_zero_only_when_rounding_down() {
    let sums = Rounding::ALL.map(|rm| run(|flags| add::<F64>(1 << 63 | 7, 7, rm, flags)));
    let expected = [0, 0, 1 << 63, 0, 0].map(|bits| (bits, Flags::NONE));
    assert_eq!(sums, expected);
}

#[test]
fn mul_largest_by_two_overflows_by_mode() {
    let largest = INFINITY - 1;
    let two = 0x4000_0000;
    let products = Rounding::ALL.map(|rm| run(|flags| mul::<F32>(largest, two, rm, flags)));
    let expected =
        [INFINITY, largest, largest, INFINITY, INFINITY].map(|bits| (bits, Flags::OF | Flags::NX));
    assert_eq!(products, expected);
}

/// (1 − 2^-24) × 2^-126 lies between two numbers of the format and rounds to 2^-126. With an
/// unbounded exponent it needs no rounding and stays below 2^-126: tiny. (1 − 2^-46) × 2^-126
/// rounds to 2^-126 even then: not tiny.
#[test]
fn mul_just_below_smallest_normal_underflows_after_rounding() {
    let below_one = 0x3f7f_ffff; // 1 - 2^-24
    let smallest_normal = 0x0080_0000;
    let tie = run(|flags| mul::<F32>(below_one, smallest_normal, Rounding::Rne, flags));
    assert_eq!(tie, (smallest_normal, Flags::UF | Flags::NX));

    // (1 + 2^-23) × (1 − 2^-23) × 2^-126
    let above_one = ONE + 1;
    let below_smallest_twice = 0x00ff_fffe;
    let product = run(|flags| {
        let half = mul::<F32>(below_smallest_twice, 0x3f00_0000, Rounding::Rne, flags);
        assert_eq!(half, 0x007f_ffff);
        mul::<F32>(half, above_one, Rounding::Rne, flags)
    });
    assert_eq!(product, (smallest_normal, Flags::NX));
}

#[test]
fn div_by_zero_raises_dz_and_zero_by_zero_nv() {
    let quotient = run(|flags| div::<F32>(ONE, 1 << 31, Rounding::Rne, flags));
    assert_eq!(quotient, (INFINITY | 1 << 31, Flags::DZ));
    let quotient = run(|flags| div::<F32>(0, 0, Rounding::Rne, flags));
    assert_eq!(quotient, (NAN, Flags::NV));
}

#[test]
fn sqrt_of_two_and_of_negatives() {
    let root = run(|flags| sqrt::<F64>(0x4000_0000_0000_0000, Rounding::Rne, flags));
    assert_eq!(root, (0x3ff6_a09e_667f_3bcd, Flags::NX));
    let root = run(|flags| sqrt::<F64>(1 << 63, Rounding::Rne, flags));
    assert_eq!(root, (1 << 63, Flags::NONE));
    let root = run(|flags| sqrt::<F64>(1 << 63 | 1, Rounding::Rne, flags));
    assert_eq!(root, (0x7ff8_0000_0000_0000, Flags::NV));
}

#[test]
fn fma_infinity_times_zero_plus_quiet_nan_is_invalid() {
    let sum = run(|flags| fma::<F32>(INFINITY, 0, NAN, Rounding::Rne, flags));
    assert_eq!(sum, (NAN, Flags::NV));
    let sum = run(|flags| fma::<F32>(ONE, 0, NAN, Rounding::Rne, flags));
    assert_eq!(sum, (NAN, Flags::NONE));
}

#[test]
fn fma_keeps_the_bits_that_two_roundings_lose() {
    // (1 + 2^-52) × (1 − 2^-52) − 1 = −2^-104
    let a = 0x3ff0_0000_0000_0001;
    let b = 0x3fef_ffff_ffff_fffe;
    let minus_one = 0xbff0_0000_0000_0000;
    let sum = run(|flags| fma::<F64>(a, b, minus_one, Rounding::Rne, flags));
    assert_eq!(sum, ((1 << 63) | ((1023 - 104) << 52), Flags::NONE));
}

#[test]
fn min_and_max_order_zeros_and_skip_nans() {
    let minus_zero = 1 << 31;
    assert_eq!(
        run(|f| min::<F32>(0, minus_zero, f)),
        (minus_zero, Flags::NONE)
    );
    assert_eq!(run(|f| max::<F32>(minus_zero, 0, f)), (0, Flags::NONE));
    assert_eq!(run(|f| min::<F32>(NAN, ONE, f)), (ONE, Flags::NONE));
    assert_eq!(run(|f| max::<F32>(ONE, SIGNALLING, f)), (ONE, Flags::NV));
    assert_eq!(
        run(|f| max::<F32>(NAN | 1 << 31, NAN | 5, f)),
        (NAN, Flags::NONE)
    );
}

#[test]
fn to_integer_saturates_without_nx() {
    let rne = Rounding::Rne;
    assert_eq!(
        run(|f| to_i32::<F32>(NAN | 1 << 31, rne, f)),
        (i32::MAX, Flags::NV)
    );
    assert_eq!(
        run(|f| to_i32::<F32>(0xff80_0000, rne, f)),
        (i32::MIN, Flags::NV)
    );
    assert_eq!(
        run(|f| to_u32::<F32>(ONE | 1 << 31, rne, f)),
        (0, Flags::NV)
    );
    let minus_half = 0xbf00_0000;
    assert_eq!(run(|f| to_u32::<F32>(minus_half, rne, f)), (0, Flags::NX));
    assert_eq!(
        run(|f| to_u32::<F32>(minus_half, Rounding::Rdn, f)),
        (0, Flags::NV)
    );
}

#[test]
fn unbox_without_box_gives_canonical_nan() {
    assert_eq!(unbox_f32(box_f32(ONE)), ONE);
    assert_eq!(unbox_f32(u64::from(ONE)), NAN);
    assert_eq!(unbox_f32(0xffff_fffe_0000_0000), NAN);
}

#[test]
fn classify_gives_one_bit_of_ten() {
    let numbers = [
        0xff80_0000,
        0xff7f_ffff,
        0x8000_0001,
        0x8000_0000,
        0,
        1,
        ONE,
        INFINITY,
        SIGNALLING,
        NAN,
    ];
    for (position, bits) in numbers.into_iter().enumerate() {
        assert_eq!(fp::classify::<F32>(bits), 1 << position);
    }
}
