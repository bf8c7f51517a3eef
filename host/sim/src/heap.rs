//! A binary heap of small numbered slots that can be found again: the base of the event queue and of
//! the scheduler's list of components.

/// Where a slot is when it is not in the heap.
const ABSENT: u32 = u32::MAX;

/// A minimum heap over slots, each with one key. A slot's key can be changed or removed wherever it
/// stands, in logarithmic time.
#[derive(Clone, Debug)]
pub(crate) struct Heap<K> {
    /// The heap proper: parents before children.
    entries: Vec<(K, u32)>,
    /// For each slot its index in `entries`, or [`ABSENT`].
    places: Vec<u32>,
}

impl<K: Ord + Copy> Heap<K> {
    pub(crate) const fn new() -> Self {
        Self {
            entries: Vec::new(),
            places: Vec::new(),
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// The smallest key and its slot.
    #[inline]
    pub(crate) fn first(&self) -> Option<(K, u32)> {
        self.entries.first().copied()
    }

    /// The smallest key of any slot but `slot`.
    pub(crate) fn first_besides(&self, slot: u32) -> Option<K> {
        match self.first() {
            Some((key, first)) if first != slot => Some(key),
            // The second smallest is a child of the root.
            Some(_) => self.entries.iter().skip(1).take(2).map(|e| e.0).min(),
            None => None,
        }
    }

    /// The key of `slot`.
    pub(crate) fn key(&self, slot: u32) -> Option<K> {
        self.entries.get(self.place(slot)?).map(|e| e.0)
    }

    /// Keys and slots in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, u32)> + '_ {
        self.entries.iter().copied()
    }

    /// Gives `slot` a key, whether or not it had one.
    pub(crate) fn set(&mut self, slot: u32, key: K) {
        let index = match self.place(slot) {
            Some(index) => index,
            None => {
                if self.places.len() <= slot as usize {
                    self.places.resize(slot as usize + 1, ABSENT);
                }
                self.entries.push((key, slot));
                self.entries.len() - 1
            }
        };
        self.settle(index, (key, slot));
    }

    /// Takes `slot` out and returns its key.
    pub(crate) fn remove(&mut self, slot: u32) -> Option<K> {
        let index = self.place(slot)?;
        let key = self.entries.get(index)?.0;
        self.put_away(slot);
        let last = self.entries.pop()?;
        if index < self.entries.len() {
            self.settle(index, last);
        }
        Some(key)
    }

    fn place(&self, slot: u32) -> Option<usize> {
        match self.places.get(slot as usize) {
            None | Some(&ABSENT) => None,
            Some(&place) => Some(place as usize),
        }
    }

    fn put_away(&mut self, slot: u32) {
        if let Some(place) = self.places.get_mut(slot as usize) {
            *place = ABSENT;
        }
    }

    /// Moves `entry`, which belongs at or around `index`, up or down until order holds.
    fn settle(&mut self, index: usize, entry: (K, u32)) {
        let index = self.rise(index, entry);
        let index = self.sink(index, entry);
        self.write(index, entry);
    }

    /// Walks from `index` to the root, pulling larger parents down; returns where `entry` belongs.
    fn rise(&mut self, mut index: usize, entry: (K, u32)) -> usize {
        while index > 0 {
            let parent = (index - 1) / 2;
            match self.entries.get(parent).copied() {
                Some(above) if entry < above => self.write(index, above),
                _ => break,
            }
            index = parent;
        }
        index
    }

    /// Walks from `index` to the leaves, pulling smaller children up; returns where `entry` belongs.
    fn sink(&mut self, mut index: usize, entry: (K, u32)) -> usize {
        loop {
            let left = 2 * index + 1;
            let Some(&first) = self.entries.get(left) else {
                return index;
            };
            let (child, below) = match self.entries.get(left + 1) {
                Some(&second) if second < first => (left + 1, second),
                _ => (left, first),
            };
            if entry <= below {
                return index;
            }
            self.write(index, below);
            index = child;
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a heap index is below the number of slots, which are u32"
    )]
    fn write(&mut self, index: usize, entry: (K, u32)) {
        if let Some(e) = self.entries.get_mut(index) {
            *e = entry;
        }
        if let Some(place) = self.places.get_mut(entry.1 as usize) {
            *place = index as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn heap_any_history_equals_a_map(
            steps in prop::collection::vec((0u32..12, prop::option::weighted(0.7, 0u8..9)), 0..300),
        ) {
            let mut heap = Heap::new();
            let mut model = BTreeMap::new();
            for (slot, key) in steps {
                match key {
                    Some(key) => {
                        heap.set(slot, key);
                        model.insert(slot, key);
                    }
                    None => prop_assert_eq!(heap.remove(slot), model.remove(&slot)),
                }
                prop_assert_eq!(heap.len(), model.len());
                let least = model.iter().map(|(slot, key)| (*key, *slot)).min();
                prop_assert_eq!(heap.first().map(|f| f.0), least.map(|l| l.0));
                prop_assert_eq!(heap.iter().collect::<Vec<_>>().len(), model.len());
                for probe in 0..12 {
                    prop_assert_eq!(heap.key(probe), model.get(&probe).copied());
                    let others = model.iter().filter(|(slot, _)| **slot != probe);
                    let least = others.map(|(_, key)| *key).min();
                    prop_assert_eq!(heap.first_besides(probe), least);
                }
            }
        }
    }
}
