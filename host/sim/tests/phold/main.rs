//! The engine under PHOLD: every event arrives, where a simulation that needs no engine says.

mod model;

use maquette_model::SimTime;
use maquette_sim::{NoRim, Outcome, Serial};
use maquette_tests::allocation::{self, Counting};
use model::{DEFAULT, Phold, Random, STEP};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Until and with the last of so many steps.
fn end(steps: u64) -> SimTime {
    SimTime::from_ps(STEP.as_ps() * steps + 1)
}

fn run(phold: Phold, steps: u64) -> Serial {
    let mut serial = phold.build().unwrap();
    assert_eq!(serial.run(end(steps), &mut NoRim), Outcome::Limit);
    serial
}

/// PHOLD without an engine: events travel one step, so that steps can be taken for all nodes at once.
fn stepped(phold: Phold, steps: u64) -> Vec<u64> {
    let nodes = 0..phold.nodes();
    let links: Vec<Vec<u32>> = nodes
        .clone()
        .map(|node| phold.neighbours(node).map(|(_, other)| other).collect())
        .collect();
    let mut random: Vec<Random> = nodes.clone().map(|node| Random(node.into())).collect();
    let mut arriving: Vec<u64> = nodes.map(|node| phold.begins(node).into()).collect();
    let mut received = vec![0; arriving.len()];
    for step in 0..=steps {
        let mut next = vec![0; arriving.len()];
        for (node, &count) in arriving.iter().enumerate() {
            // What a node begins with was sent and not received.
            received[node] += if step == 0 { 0 } else { count };
            for _ in 0..count {
                let link = random[node].choose(links[node].len());
                next[links[node][link] as usize] += 1;
            }
        }
        arriving = next;
    }
    received
}

#[test]
fn phold_default_receives_ten_thousand_events_where_they_belong() {
    let serial = run(DEFAULT, 1000);
    let received = model::received(&serial);
    assert_eq!(received.iter().sum::<u64>(), 10_000);
    assert_eq!(serial.statistics().events, 10_000);
    assert_eq!(received, stepped(DEFAULT, 1000));
}

#[test]
fn phold_of_any_shape_receives_what_steps_say() {
    for (side, ring, sparse) in [(1, 1, 1), (2, 2, 1), (7, 2, 3), (12, 1, 1)] {
        let phold = Phold { side, ring, sparse };
        let received = model::received(&run(phold, 200));
        assert_eq!(received, stepped(phold, 200), "{phold:?}");
    }
}

#[test]
fn phold_counts_and_hash_are_equal_in_every_run_and_in_pieces() {
    let mut whole = run(DEFAULT, 1000);
    let expected = (model::received(&whole), whole.finish());
    let mut again = run(DEFAULT, 1000);
    assert_eq!((model::received(&again), again.finish()), expected);
    let mut pieces = DEFAULT.build().unwrap();
    for piece in 1..=40 {
        pieces.run(SimTime::from_ps(25_000 * piece), &mut NoRim);
    }
    pieces.run(end(1000), &mut NoRim);
    assert_eq!((model::received(&pieces), pieces.finish()), expected);
}

#[test]
fn phold_steady_state_allocates_nothing_per_event() {
    // Queues have grown once as many events have met at a node as ever will.
    let mut serial = run(DEFAULT, 20_000);
    let before = (serial.statistics().events, allocation::allocations());
    serial.run(end(40_000), &mut NoRim);
    let allocated = allocation::allocations() - before.1;
    assert_eq!(serial.statistics().events - before.0, 200_000);
    assert_eq!(allocated, 0);
}

#[test]
fn phold_statistics_count_what_was_received() {
    let serial = run(DEFAULT, 1000);
    let table = serial.statistics_table();
    assert_eq!(table.rows().len(), 100);
    for ((_, path), received) in serial.paths().zip(model::received(&serial)) {
        let between = table.find(path, "between").unwrap().all();
        assert_eq!(between.count(), received, "{path}");
        assert!(between.sum() <= 1_000_000, "{path}");
    }
}
