//! How soon one component can affect another: shortest paths over link latencies.

use crate::heap::Heap;
use maquette_model::SimTime;

/// A component that can affect another, and the least time that takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Reach {
    pub(crate) from: u32,
    pub(crate) distance: SimTime,
}

/// All components that `neighbours` connects to `me` at less than `bound`, without `me`.
///
/// Links work in both directions with one latency, so the way to `me` is as long as the way from it.
pub(crate) fn reach(
    me: u32,
    count: usize,
    bound: SimTime,
    neighbours: impl Fn(u32, &mut dyn FnMut(u32, SimTime)),
) -> Vec<Reach> {
    let mut done = vec![false; count];
    let mut open: Heap<SimTime> = Heap::new();
    let mut found = Vec::new();
    open.set(me, SimTime::ZERO);
    while let Some((distance, at)) = open.first() {
        open.remove(at);
        if let Some(d) = done.get_mut(at as usize) {
            *d = true;
        }
        if at != me {
            found.push(Reach { from: at, distance });
        }
        neighbours(at, &mut |next, latency| {
            let total = distance.saturating_add(latency);
            let nearer = open.key(next).is_none_or(|known| total < known);
            if total < bound && nearer && done.get(next as usize) == Some(&false) {
                open.set(next, total);
            }
        });
    }
    found
}
