//! The rings beside the crate `virtio-queue`: same driver, same bytes, same notifications.

use super::*;
use proptest::prelude::*;
use virtio_queue::{Queue as PeerQueue, QueueT};
use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};

const SIZE: u16 = 8;

/// Both queues over equal memories, and the driver's side of them.
struct Pair {
    ours: Queue,
    h: TestHost,
    theirs: PeerQueue,
    m: GuestMemoryMmap,
    /// Heads that the devices took and have not returned.
    taken: Vec<u16>,
    offered: u16,
    returned: u16,
}

/// One step of driver or device.
#[derive(Clone, Debug)]
enum Step {
    Offer(u16),
    UsedEvent(u16),
    Pop,
    Push(u32),
    Interrupt,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..SIZE).prop_map(Step::Offer),
        1 => (0..12_u16).prop_map(Step::UsedEvent),
        4 => Just(Step::Pop),
        3 => any::<u32>().prop_map(Step::Push),
        2 => Just(Step::Interrupt),
    ]
}

impl Pair {
    fn new() -> Self {
        let mut theirs = PeerQueue::new(16).unwrap();
        theirs.set_size(SIZE);
        theirs.set_desc_table_address(Some(0x1000), Some(0));
        theirs.set_avail_ring_address(Some(0x2000), Some(0));
        theirs.set_used_ring_address(Some(0x3000), Some(0));
        theirs.set_event_idx(true);
        theirs.set_ready(true);
        let mut pair = Self {
            ours: queue(SIZE, Features::EVENT_IDX),
            h: memory(),
            theirs,
            m: GuestMemoryMmap::from_ranges(&[(GuestAddress(0), RAM_BYTES)]).unwrap(),
            taken: Vec::new(),
            offered: 0,
            returned: 0,
        };
        for i in 0..SIZE {
            let desc = Desc::new(0x5000, u32::from(i) + 1, WRITE, 0);
            pair.put(AREAS.desc.0 + 16 * u64::from(i), desc.as_bytes());
        }
        pair
    }

    fn put(&mut self, at: u64, bytes: &[u8]) {
        assert!(self.h.poke(at, bytes));
        self.m.write_slice(bytes, GuestAddress(at)).unwrap();
    }

    fn offer(&mut self, head: u16) {
        if self.offered.wrapping_sub(self.returned) >= SIZE {
            return;
        }
        self.put(
            AREAS.avail.0 + layout::avail_entry(SIZE, self.offered),
            &head.to_le_bytes(),
        );
        self.offered = self.offered.wrapping_add(1);
        let idx = self.offered.to_le_bytes();
        self.put(AREAS.avail.0 + layout::RING_IDX, &idx);
    }

    fn pop(&mut self) {
        let ours = pop(&mut self.ours, &mut self.h).unwrap().map(|c| c.head());
        let theirs = self.theirs.pop_descriptor_chain(&self.m);
        let theirs = theirs.map(|c| c.head_index());
        assert_eq!(ours, theirs);
        match ours {
            Some(head) => self.taken.push(head),
            // An empty queue asks for the next notification.
            None => assert!(!self.theirs.enable_notification(&self.m).unwrap()),
        }
    }

    fn push(&mut self, len: u32) {
        let Some(head) = self.taken.pop() else {
            return;
        };
        self.ours
            .push(&mut Cx::new(&mut self.h), head, len)
            .unwrap();
        self.theirs.add_used(&self.m, head, len).unwrap();
        self.returned = self.returned.wrapping_add(1);
    }

    fn interrupt(&mut self) -> bool {
        let ours = self.ours.take_interrupt(&mut Cx::new(&mut self.h)).unwrap();
        assert_eq!(ours, self.theirs.needs_notification(&self.m).unwrap());
        ours
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Offer(head) => self.offer(head),
            Step::UsedEvent(ahead) => {
                let event = self.returned.wrapping_add(ahead).wrapping_sub(2);
                self.put(
                    AREAS.avail.0 + layout::avail_used_event(SIZE),
                    &event.to_le_bytes(),
                );
            }
            Step::Pop => self.pop(),
            Step::Push(len) => self.push(len),
            Step::Interrupt => {
                self.interrupt();
            }
        }
        let len = usize::try_from(layout::used_bytes(SIZE)).unwrap();
        let mut theirs = vec![0; len];
        self.m
            .read_slice(&mut theirs, GuestAddress(AREAS.used.0))
            .unwrap();
        assert_eq!(self.h.peek(AREAS.used.0, len).unwrap(), theirs);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn rings_agree_with_virtio_queue(steps in prop::collection::vec(step(), 1..150)) {
        let mut pair = Pair::new();
        for step in &steps {
            pair.apply(step);
        }
    }
}

#[test]
fn rings_agree_with_virtio_queue_across_the_wrap_of_the_index() {
    let mut pair = Pair::new();
    let mut interrupts = 0;
    for i in 0..70_000_u32 {
        let head = u16::try_from(i % u32::from(SIZE)).unwrap();
        pair.offer(head);
        pair.pop();
        pair.push(i);
        if i % 3 == 0 {
            interrupts += u32::from(pair.interrupt());
            pair.apply(&Step::UsedEvent(4));
        }
        if i % 5 == 0 {
            pair.pop();
        }
    }
    pair.apply(&Step::Pop);
    assert!(interrupts > 1000, "{interrupts}");
}

#[test]
fn saved_queue_goes_on_where_it_was() {
    let mut pair = Pair::new();
    for head in [3, 1, 2] {
        pair.offer(head);
    }
    pair.pop();
    pair.pop();
    pair.push(7);
    let mut w = Writer::default();
    pair.ours.save(&mut w);
    let bytes = w.into_bytes();
    let mut loaded = Queue::new(16);
    let mut r = Reader::new(&bytes);
    assert_eq!(loaded.load(&mut r).and_then(|()| r.finish()), Ok(()));
    assert_eq!(loaded, pair.ours);
    pair.ours = loaded;
    pair.pop();
    pair.push(8);
    pair.interrupt();
}
