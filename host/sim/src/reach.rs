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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NODES: u32 = 7;

    /// All distances by the method that needs no thought: relax every link until nothing changes.
    fn distances(me: u32, links: &[(u32, u32, u64)]) -> Vec<u64> {
        let mut best = vec![u64::MAX; NODES as usize];
        best[me as usize] = 0;
        for _ in 0..NODES {
            for &(a, b, latency) in links {
                let (a, b) = (a as usize, b as usize);
                best[b] = best[b].min(best[a].saturating_add(latency));
                best[a] = best[a].min(best[b].saturating_add(latency));
            }
        }
        best
    }

    proptest! {
        #[test]
        fn reach_equals_relaxing_every_link(
            links in prop::collection::vec((0..NODES, 0..NODES, 1u64..50), 0..14),
            me in 0..NODES,
            bound in 1u64..150,
        ) {
            let found = reach(me, NODES as usize, SimTime::from_ps(bound), |at, visit| {
                for &(a, b, latency) in &links {
                    let latency = SimTime::from_ps(latency);
                    if a == at {
                        visit(b, latency);
                    }
                    if b == at {
                        visit(a, latency);
                    }
                }
            });
            let mut found: Vec<(u32, u64)> =
                found.iter().map(|r| (r.from, r.distance.as_ps())).collect();
            found.sort_unstable();
            let expected: Vec<(u32, u64)> = (0..)
                .zip(distances(me, &links))
                .filter(|(node, distance)| *node != me && *distance < bound)
                .collect();
            prop_assert_eq!(found, expected);
        }
    }
}
