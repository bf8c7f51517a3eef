use super::*;
use proptest::prelude::*;

const BASE: PhysAddr = PhysAddr(0x8000_0000);

fn ram() -> Ram {
    Ram::new(BASE, 4 * PAGE as u64).unwrap()
}

#[test]
fn ram_refuses_odd_sizes_and_wrapping_ranges() {
    assert!(matches!(Ram::new(BASE, 0), Err(RamError::Size { .. })));
    assert!(matches!(Ram::new(BASE, 100), Err(RamError::Size { .. })));
    assert!(matches!(
        Ram::new(PhysAddr(!0xfff), 0x2000),
        Err(RamError::Wraps { .. })
    ));
}

#[test]
fn ram_range_over_its_end_changes_nothing() {
    let ram = ram();
    let last = BASE.wrapping_add(ram.size() - 4);
    assert!(!ram.write(last, &[1; 8]));
    assert_eq!(ram.read_u32(last), Some(0));
    assert_eq!(ram.read_u64(last), None);
    assert!(!ram.write(PhysAddr(BASE.0 - 1), &[1]));
    assert!(!ram.write(PhysAddr(u64::MAX), &[1, 2]));
}

#[test]
fn ram_write_beside_code_keeps_it_and_write_onto_code_logs_it() {
    let ram = ram();
    let c = ram.code_cursor();
    ram.mark_code(BASE.wrapping_add(0x100), 8);
    assert!(ram.fast_write_page(BASE).is_none());
    assert!(ram.write(BASE.wrapping_add(0x800), &[1]));
    let Missed::Events(e) = ram.code_events_since(c) else {
        panic!()
    };
    assert_eq!(e, [CodeEvent::BecameCode(0)]);
    assert!(ram.write(BASE.wrapping_add(0x107), &[1]));
    let Missed::Events(e) = ram.code_events_since(c + 1) else {
        panic!()
    };
    assert_eq!(e, [CodeEvent::Overwritten(0)]);
    assert!(ram.fast_write_page(BASE).is_some());
}

#[test]
fn ram_slow_reader_of_the_code_log_is_told_everything_changed() {
    let ram = ram();
    for _ in 0..5000 {
        ram.mark_code(BASE, 4);
        assert!(ram.write(BASE, &[0]));
    }
    assert!(matches!(ram.code_events_since(0), Missed::Everything));
    assert!(matches!(ram.code_events_since(ram.code_cursor()), Missed::Events(e) if e.is_empty()));
}

#[test]
fn ram_fill_zero_over_page_ends_leaves_the_rest() {
    let ram = ram();
    assert!(ram.write(BASE, &[7; 3 * PAGE]));
    assert!(ram.fill_zero(BASE.wrapping_add(100), 2 * PAGE as u64));
    let mut all = [0; 3 * PAGE];
    assert!(ram.read(BASE, &mut all));
    assert!(
        all[..100]
            .iter()
            .chain(&all[100 + 2 * PAGE..])
            .all(|&b| b == 7)
    );
    assert!(all[100..100 + 2 * PAGE].iter().all(|&b| b == 0));
    assert!(!ram.fill_zero(BASE, ram.size() + 1));
}

proptest! {
    #[test]
    fn ram_behaves_like_a_byte_array(
        ops in proptest::collection::vec((0u64..0x4100, proptest::collection::vec(any::<u8>(), 0..40)), 1..40),
    ) {
        let ram = ram();
        let mut model = vec![0u8; 4 * PAGE];
        for (off, data) in ops {
            let at = usize::try_from(off).unwrap();
            let fits = at + data.len() <= model.len();
            prop_assert_eq!(ram.write(BASE.wrapping_add(off), &data), fits);
            if fits {
                model[at..at + data.len()].copy_from_slice(&data);
            }
        }
        let mut all = vec![0; model.len()];
        prop_assert!(ram.read(BASE, &mut all));
        prop_assert_eq!(&all, &model);
        let mut rebuilt = vec![0u8; model.len()];
        ram.for_each_used_page(|i, p| rebuilt[i * PAGE..(i + 1) * PAGE].copy_from_slice(p));
        prop_assert_eq!(&rebuilt, &model);
    }
}

mod saved {
    use super::*;
    use crate::{LoadError, Reader, Snapshot, Writer};
    use std::rc::Rc;

    const BASE: PhysAddr = PhysAddr(0x8000_0000);
    const PAGES: u64 = 6;

    fn ram(bytes: &[(u64, u8)]) -> Rc<Ram> {
        let ram = Rc::new(Ram::new(BASE, PAGES * PAGE as u64).unwrap());
        for (at, byte) in bytes {
            assert!(ram.write(BASE.wrapping_add(*at), &[*byte]));
        }
        ram
    }

    fn bytes(ram: &Rc<Ram>) -> Vec<u8> {
        let mut w = Writer::default();
        ram.save(&mut w);
        w.into_bytes()
    }

    fn content(ram: &Rc<Ram>) -> Vec<u8> {
        let mut all = vec![0; usize::try_from(ram.size()).unwrap()];
        assert!(ram.read(BASE, &mut all));
        all
    }

    proptest! {
        #[test]
        fn saved_ram_replaces_all_that_was_there(
            from in prop::collection::vec((0..PAGES * PAGE as u64, any::<u8>()), 0..20),
            to in prop::collection::vec((0..PAGES * PAGE as u64, any::<u8>()), 0..20),
        ) {
            let (from, mut to) = (ram(&from), ram(&to));
            let saved = bytes(&from);
            let mut r = Reader::new(&saved);
            prop_assert_eq!(to.load(&mut r), Ok(()));
            prop_assert_eq!(r.finish(), Ok(()));
            prop_assert_eq!(content(&to), content(&from));
            prop_assert_eq!(bytes(&to), saved);
        }
    }

    #[test]
    fn saved_ram_in_a_wrong_order_or_place_is_refused() {
        let head = |w: &mut Writer| {
            w.u64(BASE.0);
            w.u64(PAGES * PAGE as u64);
        };
        for pages in [&[2, 1][..], &[1, 1], &[PAGES], &[u64::MAX - 1]] {
            let mut w = Writer::default();
            head(&mut w);
            for page in pages {
                w.u64(*page);
                w.raw(&[7; PAGE]);
            }
            w.u64(u64::MAX);
            let bytes = w.into_bytes();
            let wrong = ram(&[]).load(&mut Reader::new(&bytes)).unwrap_err();
            let field = "RAM page";
            let value = *pages.last().unwrap();
            assert_eq!(wrong, LoadError::Value { field, value });
        }
        let saved = bytes(&ram(&[(9, 1)]));
        let mut other = Rc::new(Ram::new(BASE, PAGE as u64).unwrap());
        assert!(other.load(&mut Reader::new(&saved)).is_err());
        for cut in [0, 15, 16, 24, saved.len() - 1] {
            assert!(ram(&[]).load(&mut Reader::new(&saved[..cut])).is_err());
        }
    }

    #[test]
    fn restored_code_is_seen_by_who_caches_it() {
        let mut ram = ram(&[(0, 1)]);
        let saved = bytes(&ram);
        ram.mark_code(BASE, 64);
        let cursor = ram.code_cursor();
        ram.load(&mut Reader::new(&saved)).unwrap();
        assert_ne!(ram.code_cursor(), cursor);
    }
}
