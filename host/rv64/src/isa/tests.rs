//! Tests of the table and of everything generated from it.

use proptest::prelude::*;

use super::*;

/// Any legal 32-bit instruction: a random word with the fixed bits of a random line forced in.
pub(super) fn any_insn() -> impl Strategy<Value = Insn> {
    (0..Op::COUNT, any::<u32>()).prop_filter_map("has no spelling of its own", |(op, random)| {
        let entry = &TABLE[op];
        let insn = decode32(entry.matches | random & !entry.mask)?;
        // A `fence` with the sets of `pause` exists only with its ignored fields set.
        (insn.op != Op::Fence || insn.imm != 0x10).then_some(insn)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn encode_then_decode_gives_the_same_instruction(insn in any_insn()) {
        let word = encode(&insn).unwrap();
        prop_assert_eq!(decode(word), Some(insn));
    }

    #[test]
    fn decoded_word_encodes_to_itself_but_for_ignored_fields(insn in any_insn(), noise: u32) {
        let ignored = insn.op.format().operands().iter().fold(0, |mask, operand| match operand {
            Operand::AnyRd | Operand::AnyRs1 | Operand::AnyImm => mask | operand.mask(),
            _ => mask,
        });
        let word = encode(&insn).unwrap() | noise & ignored;
        // Only `pause` is a `fence` whose ignored fields matter.
        if insn.op != Op::Fence {
            prop_assert_eq!(decode(word), Some(insn));
        }
        prop_assert_eq!(encode(&decode(word).unwrap()).unwrap() & !ignored, word & !ignored);
    }

    #[test]
    fn compress_finds_only_spellings_that_decode_back(insn in any_insn()) {
        if let Some(word) = compress(&insn) {
            prop_assert_eq!(decode16(word), Some(Insn { len: 2, ..insn }));
        }
    }
}

/// A naive decoder: the first line that matches, operands read by the line's format.
fn by_linear_scan(word: u32) -> Option<Insn> {
    let entry = TABLE
        .iter()
        .find(|entry| (word ^ entry.matches) & entry.mask == 0)?;
    let mut insn = Insn::new(entry.op);
    entry
        .format
        .operands()
        .iter()
        .all(|operand| operand.extract(word, &mut insn))
        .then_some(insn)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200_000))]

    #[test]
    fn two_level_lookup_equals_linear_scan(word: u32) {
        let word = word | 3;
        prop_assert_eq!(decode(word), by_linear_scan(word));
        // Most random words are illegal: also flip one bit of a word that is nearly legal.
        let entry = &TABLE[word as usize % Op::COUNT];
        let near = (entry.matches | word & !entry.mask) ^ (4 << (word >> 27) & !3);
        prop_assert_eq!(decode(near), by_linear_scan(near));
    }
}

#[test]
fn every_halfword_decodes_without_panic_and_respells() {
    let mut legal = 0;
    for word in 0..=u16::MAX {
        let Some(insn) = decode16(word) else { continue };
        legal += 1;
        assert_ne!(word & 3, 3);
        assert_eq!(insn.len, 2);
        assert_eq!(
            decode(u32::from(word) | 0xffff_0000),
            Some(insn),
            "upper half ignored"
        );
        let again = compress(&insn).expect("has a 16-bit spelling");
        assert_eq!(decode16(again), Some(insn));
        assert!(encode(&insn).is_ok(), "has a 32-bit spelling");
        assert!(!disassemble(&insn, 0).is_empty());
    }
    assert_eq!(legal, 46_743);
}

#[test]
fn lines_overlap_only_where_a_hint_has_its_own_name() {
    for (i, a) in TABLE.iter().enumerate() {
        assert_eq!(a.matches & !a.mask, 0, "{}", a.mnemonic);
        assert_eq!(a.matches & 3, 3, "{}", a.mnemonic);
        assert_eq!(a.op as usize, i);
        for b in &TABLE[i + 1..] {
            let overlap = (a.matches ^ b.matches) & a.mask & b.mask == 0;
            assert_eq!(
                overlap,
                matches!(
                    (a.op, b.op),
                    (Op::Pause, Op::Fence)
                        | (Op::PrefetchI | Op::PrefetchR | Op::PrefetchW, Op::Ori)
                ),
                "{a:?} {b:?}"
            );
        }
    }
}

#[test]
fn insn_stays_small() {
    assert_eq!(size_of::<Insn>(), 12);
}

#[test]
fn encode_operand_out_of_range_is_an_error() {
    let wide = Insn {
        rd: 1,
        imm: 2048,
        ..Insn::new(Op::Addi)
    };
    assert_eq!(encode(&wide), Err(EncodeError(wide)));
    let odd = Insn {
        imm: 3,
        ..Insn::new(Op::Beq)
    };
    assert_eq!(encode(&odd), Err(EncodeError(odd)));
    let foreign = Insn {
        rs2: 1,
        ..Insn::new(Op::Addi)
    };
    assert!(
        encode(&foreign)
            .unwrap_err()
            .to_string()
            .starts_with("`addi` cannot hold")
    );
}

/// Words and texts taken from the specification's listings by hand.
#[test]
fn known_words_have_their_text() {
    let known = [
        (0x0000_0013, "addi zero, zero, 0"),
        (0xfff5_0513, "addi a0, a0, -1"),
        (0x8000_0537, "lui a0, 0x80000"),
        (0x0085_b283, "ld t0, 8(a1)"),
        (0xfe55_3c23, "sd t0, -8(a0)"),
        (0xfe00_0ee3, "beq zero, zero, 0xffc"),
        (0x0080_00ef, "jal ra, 0x1008"),
        (0x0000_8067, "jalr zero, 0(ra)"),
        (0x3002_9073, "csrrw zero, 0x300, t0"),
        (0x3004_6073, "csrrsi zero, 0x300, 8"),
        (0x0ff0_000f, "fence iorw, iorw"),
        (0x8330_000f, "fence rw, rw, fm=8"),
        (0x0100_000f, "pause"),
        (0x0000_100f, "fence.i"),
        (0x1005_252f, "lr.w a0, (a0)"),
        (0x1eb5_352f, "sc.d.aqrl a0, a1, (a0)"),
        (0x02c5_f543, "fmadd.d fa0, fa1, fa2, ft0"),
        (0xc015_9553, "fcvt.wu.s a0, fa1, rtz"),
        (0x0045_200f, "cbo.zero (a0)"),
        (0xfe35_6013, "prefetch.w -32(a0)"),
        (0x0025_6013, "ori zero, a0, 2"),
        (0x00d0_0073, "wrs.nto"),
        (0x0ec5_d533, "czero.eqz a0, a1, a2"),
        (0x0ac5_9533, "clmul a0, a1, a2"),
        (0x16b5_0073, "sinval.vma a0, a1"),
        (0x12b5_0073, "sfence.vma a0, a1"),
        (0x6b85_5513, "rev8 a0, a0"),
        (0x0000_4501, "addi a0, zero, 0"),
        (0x0000_8082, "jalr zero, 0(ra)"),
        (0x0000_715d, "addi sp, sp, -80"),
        (0x0000_bfed, "jal zero, 0xffa"),
    ];
    for (word, text) in known {
        let insn = decode(word).unwrap_or_else(|| panic!("{word:#010x} is illegal, not {text}"));
        assert_eq!(disassemble(&insn, 0x1000), text, "{word:#010x}");
    }
}

#[test]
fn reserved_words_are_illegal() {
    let reserved = [
        (0x0000_0000, "the all-zero halfword"),
        (0xffff_ffff, "all ones"),
        (0x0000_2001, "c.addiw to x0"),
        (0x0000_6101, "c.addi16sp of 0"),
        (0x0000_6081, "c.lui of 0"),
        (0x0000_4002, "c.lwsp to x0"),
        (0x0000_8002, "c.jr x0"),
        (0x0000_9c41, "reserved arithmetic"),
        (0x0000_8000, "reserved quadrant 0"),
        (0x1015_252f, "lr.w with rs2"),
        (0x0000_5053, "fadd.s with rounding mode 5"),
        (0x0400_0053, "half precision"),
        (0x0600_0053, "quad precision"),
        (0x0000_208f, "cbo with rd"),
        (0x0000_0173, "ecall with rd"),
        (0x0000_4073, "funct3 4 of SYSTEM"),
        (0x0000_7003, "load of width 7"),
    ];
    for (word, what) in reserved {
        assert_eq!(decode(word), None, "{what}: {word:#010x}");
    }
}

#[test]
fn coverage_counts_both_spellings_and_names_the_missing() {
    let mut coverage = Coverage::new();
    coverage.record(0x4501);
    coverage.record(0x0000_0013);
    coverage.record(0xffff_ffff);
    assert_eq!(coverage.count(Op::Addi), 2);
    let mut twice = coverage.clone();
    twice.merge(&coverage);
    let row = |name: &str| twice.rows().find(|row| row.0 == name).unwrap().2;
    assert_eq!((row("addi"), row("c.li"), row("c.addi")), (4, 2, 0));
    assert!(!twice.missing().contains("c.li") && twice.missing().contains("fadd.d"));
    assert!(
        twice
            .to_string()
            .contains(&format!("2 of {} executed", Op::COUNT + COMPRESSED.len()))
    );
}
