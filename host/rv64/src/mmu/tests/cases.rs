//! What the walks are tried on: tables that are mostly sound, damaged in every way that counts.

use super::{BASE, Case, Context, INDICES, Kind, PAGES, TABLES, Try};
use crate::trap::Privilege;
use maquette_model::Width;
use proptest::prelude::*;

/// The page number of a table, of data, of nothing.
fn any_page() -> impl Strategy<Value = u64> {
    let ram = BASE >> 12;
    prop_oneof![
        2 => (0..TABLES).prop_map(move |p| ram + p),
        9 => (TABLES..PAGES).prop_map(move |p| ram + p),
        4 => Just(ram),
        1 => Just(0u64),
        1 => 0..1u64 << 44,
    ]
}

/// An entry of a table that is meant for `level`: mostly what belongs there.
fn any_entry(level: u64) -> impl Strategy<Value = u64> {
    let table = |t: u64| ((BASE >> 12) + t) << 10 | 1;
    // Tables 0 and 1 are for level 4, 8 and 9 for level 0.
    let next = (0..2u64).prop_map(move |i| table((10 - 2 * level + i) % TABLES));
    let any_table = (0..TABLES).prop_map(table);
    let leaf = (any_page(), 0u64..256).prop_map(|(ppn, flags)| ppn << 10 | flags | 1);
    let flags = prop::sample::select(vec![0xcfu64, 0xcf, 0xdf, 0xdf, 0x0f, 0x57, 0xcb, 0xd9]);
    let aligned = prop_oneof![4 => Just(BASE >> 12), 1 => Just(0)];
    let page = if level == 0 {
        any_page().boxed()
    } else {
        aligned.boxed()
    };
    let good = (page, flags).prop_map(|(ppn, flags)| ppn << 10 | flags);
    let reserved = (any_entry_bits(), 54u32..64).prop_map(|(e, bit)| e | 1 << bit);
    let (pointers, leaves) = if level == 0 { (1, 36) } else { (30, 6) };
    prop_oneof![
        pointers => next.clone(),
        leaves => good,
        2 => leaf,
        1 => any_table,
        1 => (next, 4u32..8).prop_map(|(e, bit)| e | 1 << bit),
        1 => reserved,
        1 => any_entry_bits(),
        1 => any::<u64>(),
    ]
}

fn any_entries() -> impl Strategy<Value = Vec<u64>> {
    let of = |level| prop::collection::vec(any_entry(level), 2 * INDICES.len());
    (of(4), of(3), of(2), of(1), of(0)).prop_map(|(a, b, c, d, e)| [a, b, c, d, e].concat())
}

fn any_entry_bits() -> impl Strategy<Value = u64> {
    (any_page(), 0u64..1024).prop_map(|(ppn, low)| ppn << 10 | low)
}

fn any_pmp() -> impl Strategy<Value = Vec<(u8, u64)>> {
    let perms = prop::sample::select(vec![0u8, 1, 3, 4, 5, 7, 7, 7]);
    let place = prop_oneof![
        4 => (0..PAGES).prop_map(|p| (BASE + p * 4096) >> 2),
        4 => (0..PAGES, 0u64..1024).prop_map(|(p, w)| (BASE + p * 4096) >> 2 | w),
        1 => Just(0u64),
        1 => 0..1u64 << 54,
    ];
    let ones = (0u32..16).prop_map(|n| (1u64 << n) - 1);
    let entry = (perms, 0u8..4, any::<bool>(), place, ones).prop_map(|(p, a, lock, at, ones)| {
        let at = if a == 3 { at | ones } else { at };
        (p | a << 3 | u8::from(lock) << 7, at)
    });
    let all = prop_oneof![30 => Just((0x1fu8, (1u64 << 54) - 1)), 1 => Just((0, 0))];
    (
        prop_oneof![5 => Just(0usize), 1 => Just(1), 1 => 2..4usize],
        all,
    )
        .prop_flat_map(move |(n, all)| {
            prop::collection::vec(entry.clone(), n).prop_map(move |mut v| {
                v.push(all);
                v
            })
        })
}

fn any_va(levels: u32) -> impl Strategy<Value = u64> {
    let index = || prop::sample::select(INDICES.to_vec());
    let offset =
        prop_oneof![2 => 0u64..4096, 2 => 4088u64..4096, 1 => (0u64..512).prop_map(|o| o * 8)];
    let damage = prop_oneof![40 => Just(0u64), 1 => (38u32..64).prop_map(|b| 1u64 << b)];
    (prop::array::uniform5(index()), offset, damage).prop_map(move |(path, offset, damage)| {
        let va = path.iter().fold(0, |va, i| va << 9 | i) << 12 | offset;
        if levels == 0 {
            // Bare: an address in RAM, or beyond.
            return BASE + va % ((PAGES + 1) * 4096);
        }
        let unused = 64 - (12 + 9 * levels);
        ((va << unused).cast_signed() >> unused).cast_unsigned() ^ damage
    })
}

fn any_context() -> impl Strategy<Value = Context> {
    use Privilege::{Machine, Supervisor, User};
    let prv = prop::sample::select(vec![User, User, Supervisor, Supervisor, Machine]);
    let mpp = prop::sample::select(vec![User, Supervisor, Machine]);
    (prv, any::<bool>(), mpp, any::<bool>(), any::<bool>()).prop_map(
        |(prv, mprv, mpp, sum, mxr)| {
            // Only M-mode can have MPRV set: returns to other modes clear it.
            let mprv = mprv && prv == Machine;
            Context {
                prv,
                mprv,
                mpp,
                sum,
                mxr,
            }
        },
    )
}

/// An access that the instruction set has.
fn try_of(va: u64, width: Width, kind: Kind, context: Context) -> Try {
    let (va, width) = match (kind, width) {
        (Kind::Fetch, _) => (va & !1, Width::B2),
        (Kind::Reserve | Kind::Swap, Width::B1 | Width::B2) => (va & !3, Width::B4),
        _ => (va, width),
    };
    Try {
        va,
        width,
        kind,
        context,
    }
}

/// The mode field of `satp`, and how many levels that means.
type Mode = (u64, u32);

pub(super) const SV57: Mode = (10, 5);

/// Sv39, Sv48, or no translation.
pub(super) fn any_mode() -> impl Strategy<Value = Mode> {
    prop_oneof![6 => Just((8u64, 3u32)), 6 => Just((9, 4)), 1 => Just((0, 0))]
}

/// Tables, protection and accesses.
pub(super) fn any_case(mode: impl Strategy<Value = Mode>) -> impl Strategy<Value = Case> {
    mode.prop_flat_map(|(mode, levels)| {
        let kind = prop::sample::select(vec![
            Kind::Fetch,
            Kind::Load,
            Kind::Load,
            Kind::Store,
            Kind::Store,
            Kind::Reserve,
            Kind::Swap,
        ]);
        let width = prop::sample::select(Width::ALL.to_vec());
        // A few addresses, each tried in several contexts: that is what the TLB has to tell apart.
        let pool = prop::collection::vec(any_va(levels), 1..4);
        // And now and then elsewhere in the same page.
        let moved = prop_oneof![3 => Just(0), 2 => (0u64..512).prop_map(|w| w * 8)];
        let address = (any::<prop::sample::Index>(), moved);
        let access = (address, width, kind, any_context());
        let accesses = prop::collection::vec(access, 1..12);
        let tries = (pool, accesses).prop_map(|(pool, all)| {
            all.into_iter()
                .map(|((at, moved), width, kind, context)| {
                    let va = at.get(&pool);
                    try_of(
                        va & !0xfff | va.wrapping_add(moved) & 0xfff,
                        width,
                        kind,
                        context,
                    )
                })
                .collect::<Vec<_>>()
        });
        let root = prop_oneof![
            24 => (0..2u64).prop_map(move |p| (BASE >> 12) + u64::from(5 - levels.min(5)) * 2 + p),
            1 => Just((BASE >> 12) + PAGES),
            1 => 0..1u64 << 44,
        ];
        (
            root,
            0u64..4,
            any::<bool>(),
            any_pmp(),
            any_entries(),
            tries,
        )
            .prop_map(move |(root, asid, svadu, pmp, entries, tries)| Case {
                satp: mode << 60 | asid << 44 | root,
                svadu,
                pmp,
                entries,
                tries,
            })
    })
}
