//! The shape of a block is a function of the bytes and the limit, and of nothing else.

use super::{BlockCache, End, MicroOp, build};
use crate::isa;
use maquette_model::{PhysAddr, Ram};
use proptest::prelude::*;

const BASE: u64 = 0x8000_0000;

/// RAM of two pages with `code` at the end of the first, spilling into the second.
fn ram(code: &[u8]) -> Ram {
    let ram = Ram::new(PhysAddr(BASE), 8192).unwrap();
    assert!(ram.write(PhysAddr(BASE + 4096 - 200), code));
    ram
}

fn same(a: &MicroOp, b: &MicroOp) -> bool {
    let key = |o: &MicroOp| (o.op, o.rd, o.rs1, o.rs2, o.aux, o.len, o.imm);
    key(a) == key(b)
}

/// Words that decode, halves that decode, and noise.
fn any_code() -> impl Strategy<Value = Vec<u8>> {
    let word = any::<u32>().prop_filter("decodes", |w| isa::decode32(*w | 3).is_some());
    let half = any::<u16>().prop_filter("decodes", |w| isa::decode16(*w).is_some());
    let piece = prop_oneof![
        8 => word.prop_map(|w| (w | 3).to_le_bytes().to_vec()),
        8 => half.prop_map(|w| w.to_le_bytes().to_vec()),
        1 => any::<u16>().prop_map(|w| w.to_le_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 1..120).prop_map(|v| v.concat())
}

proptest! {
    #[test]
    fn block_of_any_limit_is_the_beginning_of_the_longest(
        code in any_code(), at in 0u64..100, limit in 1u16..80,
    ) {
        let ram = ram(&code);
        let pa = BASE + 4096 - 200 + at * 2;
        let (mut long, mut short) = (Vec::new(), Vec::new());
        let longest = build(&ram, pa, u16::MAX, &mut long);
        let built = build(&ram, pa, limit, &mut short);
        prop_assert_eq!(longest.is_some(), built.is_some());
        let (Some(longest), Some(built)) = (longest, built) else {
            // Only an instruction over the page end belongs to no block.
            prop_assert_eq!(pa, BASE + 4094);
            return Ok(());
        };
        prop_assert_eq!(short.len(), long.len().min(limit.into()));
        prop_assert!(short.iter().zip(&long).all(|(a, b)| same(a, b) && a.off == b.off));
        prop_assert!(pa + longest.bytes <= BASE + 4096 || longest.end != End::Fall);
        prop_assert!(built.bytes <= longest.bytes);
        // Each instruction is what stands at its place.
        for o in &long {
            let word = ram.read_u32(PhysAddr(pa + u64::from(o.off))).unwrap();
            let insn = isa::decode(word).unwrap();
            prop_assert_eq!((o.op, o.imm, o.len), (insn.op, insn.imm, insn.len));
        }
        match longest.end {
            End::Fall => prop_assert!(!long.is_empty()),
            End::Illegal(_) => prop_assert!(long.is_empty()),
        }
    }

    #[test]
    fn cache_finds_what_was_inserted_until_its_page_is_dropped(
        places in prop::collection::vec(0u64..4096, 1..60), drop in 0u64..2,
    ) {
        let ram = Ram::new(PhysAddr(BASE), 8192).unwrap();
        assert!(ram.write(PhysAddr(BASE), &[0x13, 0, 0, 0].repeat(2048)));
        let mut cache = BlockCache::new(8);
        let places: Vec<u64> = places.iter().map(|p| (BASE + p * 2) & !3).collect();
        for &pa in &places {
            if cache.find(pa).is_none() {
                prop_assert!(cache.insert(&ram, pa).is_some());
            }
            prop_assert!(cache.find_front(pa).is_some());
        }
        cache.drop_page(BASE + drop * 4096 + 0x123);
        for &pa in &places {
            let dropped = (pa - BASE) / 4096 == drop;
            prop_assert_eq!(cache.find_front(pa).is_some() && dropped, false);
            prop_assert_eq!(cache.find(pa).is_none(), dropped);
            if let Some(id) = cache.find(pa) {
                prop_assert!(!cache.get(id).1.is_empty());
            }
        }
    }
}
