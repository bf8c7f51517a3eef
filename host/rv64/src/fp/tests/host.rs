//! Values against the host's floating-point unit, to nearest.

use proptest::prelude::*;

use super::{Op, config, operands, ours};
use crate::fp::{self, F32, F64, Flags, Format, Rounding};

macro_rules! host_checks {
    ($check:ident, $convert:ident, $format:ty, $float:ty) => {
        fn $check([a, b, c]: [<$format as Format>::Bits; 3]) -> Result<(), TestCaseError> {
            let [x, y, z] = [a, b, c].map(<$float>::from_bits);
            let results = [
                (Op::Add, x + y),
                (Op::Sub, x - y),
                (Op::Mul, x * y),
                (Op::Div, x / y),
                (Op::Sqrt, x.sqrt()),
                (Op::Fma, x.mul_add(y, z)),
            ];
            for (op, host) in results {
                let ours = ours::<$format>(op, [a, b, c], Rounding::Rne).bits;
                let host = if host.is_nan() {
                    <$format>::narrow(<$format>::CANONICAL_NAN)
                } else {
                    host.to_bits()
                };
                prop_assert_eq!(ours, host, "{:?} {:?} {:?} {:?}", op, x, y, z);
            }
            Ok(())
        }

        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the casts of the language are the reference here"
        )]
        fn $convert(bits: <$format as Format>::Bits, integer: u64) -> Result<(), TestCaseError> {
            let rne = Rounding::Rne;
            let rtz = Rounding::Rtz;
            let flags = &mut Flags::default();
            let signed = integer.cast_signed();
            let word = signed as i32;
            let from = [
                (
                    fp::from_u64::<$format>(integer, rne, flags),
                    integer as $float,
                ),
                (
                    fp::from_i64::<$format>(signed, rne, flags),
                    signed as $float,
                ),
                (fp::from_i32::<$format>(word, rne, flags), word as $float),
                (
                    fp::from_u32::<$format>(word.cast_unsigned(), rne, flags),
                    word.cast_unsigned() as $float,
                ),
            ];
            for (ours, host) in from {
                prop_assert_eq!(ours, host.to_bits());
            }
            let x = <$float>::from_bits(bits);
            if !x.is_nan() {
                prop_assert_eq!(fp::to_i32::<$format>(bits, rtz, flags), x as i32);
                prop_assert_eq!(fp::to_u32::<$format>(bits, rtz, flags), x as u32);
                prop_assert_eq!(fp::to_i64::<$format>(bits, rtz, flags), x as i64);
                prop_assert_eq!(fp::to_u64::<$format>(bits, rtz, flags), x as u64);
            }
            Ok(())
        }
    };
}

host_checks!(f32_agrees, f32_conversions_agree, F32, f32);
host_checks!(f64_agrees, f64_conversions_agree, F64, f64);

proptest! {
    #![proptest_config(config(100_000))]

    #[test]
    fn f32_to_nearest_agrees_with_host(operands in operands::triple::<F32>()) {
        f32_agrees(operands)?;
    }

    #[test]
    fn f64_to_nearest_agrees_with_host(operands in operands::triple::<F64>()) {
        f64_agrees(operands)?;
    }

    #[test]
    fn f32_conversions_agree_with_host(bits in operands::operand::<F32>(), integer in any::<u64>()) {
        f32_conversions_agree(bits, integer)?;
    }

    #[test]
    fn f64_conversions_agree_with_host(bits in operands::operand::<F64>(), integer in any::<u64>()) {
        f64_conversions_agree(bits, integer)?;
    }
}
