//! Integer instructions that are too rare, or too long, for the hot loop.

use crate::isa::Op;

/// Whether [`rare`] knows the instruction.
#[inline(always)]
pub(super) const fn is_rare(op: Op) -> bool {
    use Op::{
        Bclr, Bext, Binv, Bset, Clmul, Clmulh, Clmulr, Clz, Clzw, Cpop, Cpopw, Ctz, Ctzw, Div,
        Divu, Divuw, Divw, Mulh, Mulhsu, Mulhu, OrcB, Rem, Remu, Remuw, Remw, Rev8, Rol, Rolw, Ror,
        Roriw, Rorw,
    };
    matches!(
        op,
        Mulh | Mulhsu
            | Mulhu
            | Div
            | Divu
            | Rem
            | Remu
            | Divw
            | Divuw
            | Remw
            | Remuw
            | Clmul
            | Clmulh
            | Clmulr
            | Clz
            | Ctz
            | Cpop
            | Clzw
            | Ctzw
            | Cpopw
            | Rol
            | Rolw
            | Ror
            | Rorw
            | Roriw
            | OrcB
            | Rev8
            | Bclr
            | Bext
            | Binv
            | Bset
    )
}

/// The result; division by zero and overflow as the M extension defines them (§13.2), no trap.
#[expect(
    clippy::cast_possible_truncation,
    reason = "W instructions and high halves are narrowings"
)]
pub(super) fn rare(op: Op, a: u64, b: u64, imm: i32) -> u64 {
    let (sa, sb) = (a.cast_signed(), b.cast_signed());
    let (wa, wb) = (a as u32, b as u32);
    match op {
        Op::Mulh => ((i128::from(sa) * i128::from(sb)) >> 64) as u64,
        Op::Mulhsu => ((i128::from(sa) * i128::from(b)) >> 64) as u64,
        Op::Mulhu => ((u128::from(a) * u128::from(b)) >> 64) as u64,
        Op::Div if b == 0 => u64::MAX,
        Op::Div => sa.wrapping_div(sb).cast_unsigned(),
        Op::Divu => a.checked_div(b).unwrap_or(u64::MAX),
        Op::Rem if b == 0 => a,
        Op::Rem => sa.wrapping_rem(sb).cast_unsigned(),
        Op::Remu => a.checked_rem(b).unwrap_or(a),
        Op::Divw if wb == 0 => u64::MAX,
        Op::Divw => word(
            wa.cast_signed()
                .wrapping_div(wb.cast_signed())
                .cast_unsigned(),
        ),
        Op::Divuw => word(wa.checked_div(wb).unwrap_or(u32::MAX)),
        Op::Remw if wb == 0 => word(wa),
        Op::Remw => word(
            wa.cast_signed()
                .wrapping_rem(wb.cast_signed())
                .cast_unsigned(),
        ),
        Op::Remuw => word(wa.checked_rem(wb).unwrap_or(wa)),
        Op::Clmul => carry_less_product(a, b) as u64,
        Op::Clmulh => (carry_less_product(a, b) >> 64) as u64,
        Op::Clmulr => (carry_less_product(a, b) >> 63) as u64,
        Op::Clz => a.leading_zeros().into(),
        Op::Ctz => a.trailing_zeros().into(),
        Op::Cpop => a.count_ones().into(),
        Op::Clzw => wa.leading_zeros().into(),
        Op::Ctzw => wa.trailing_zeros().into(),
        Op::Cpopw => wa.count_ones().into(),
        Op::Rol => a.rotate_left(wb & 63),
        Op::Ror => a.rotate_right(wb & 63),
        Op::Rolw => word(wa.rotate_left(wb & 31)),
        Op::Rorw => word(wa.rotate_right(wb & 31)),
        Op::Roriw => word(wa.rotate_right((imm & 31).cast_unsigned())),
        Op::OrcB => u64::from_le_bytes(a.to_le_bytes().map(|b| if b == 0 { 0 } else { 0xff })),
        Op::Rev8 => a.swap_bytes(),
        Op::Bclr => a & !(1 << (b & 63)),
        Op::Bext => a >> (b & 63) & 1,
        Op::Binv => a ^ 1 << (b & 63),
        Op::Bset => a | 1 << (b & 63),
        _ => 0,
    }
}

/// The product of two polynomials over GF(2).
fn carry_less_product(a: u64, b: u64) -> u128 {
    (0..64)
        .filter(|i| b >> i & 1 == 1)
        .fold(0, |sum, i| sum ^ u128::from(a) << i)
}

/// Sign extension of a 32-bit result.
const fn word(v: u32) -> u64 {
    (v.cast_signed() as i64).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_by_zero_and_overflow_follow_the_specification() {
        let min = i64::MIN.cast_unsigned();
        assert_eq!(rare(Op::Div, 7, 0, 0), u64::MAX);
        assert_eq!(rare(Op::Rem, 7, 0, 0), 7);
        assert_eq!(rare(Op::Div, min, u64::MAX, 0), min);
        assert_eq!(rare(Op::Rem, min, u64::MAX, 0), 0);
        assert_eq!(
            rare(Op::Divw, 0x8000_0000, 0xffff_ffff, 0),
            0xffff_ffff_8000_0000
        );
        assert_eq!(rare(Op::Remuw, 0xffff_ffff, 0, 0), u64::MAX);
        assert_eq!(rare(Op::Divuw, 1, 0, 0), u64::MAX);
    }

    #[test]
    fn carry_less_products_are_those_of_the_polynomials() {
        // (x + 1)(x² + x + 1) = x³ + 1; (x⁶³ + 1)² = x¹²⁶ + 1.
        assert_eq!(rare(Op::Clmul, 0b11, 0b111, 0), 0b1001);
        let a = 1 << 63 | 1;
        assert_eq!(rare(Op::Clmul, a, a, 0), 1);
        assert_eq!(rare(Op::Clmulh, a, a, 0), 1 << 62);
        assert_eq!(rare(Op::Clmulr, a, a, 0), 1 << 63);
    }

    #[test]
    fn high_products_agree_with_wide_arithmetic() {
        assert_eq!(rare(Op::Mulh, u64::MAX, u64::MAX, 0), 0);
        assert_eq!(rare(Op::Mulhu, u64::MAX, u64::MAX, 0), u64::MAX - 1);
        assert_eq!(rare(Op::Mulhsu, u64::MAX, u64::MAX, 0), u64::MAX);
    }
}
