//! Attacks by descriptor chains and by what is in them.

use maquette_virtio_protocol::Features;
use maquette_virtio_protocol::blk::RequestType;

use crate::registers::{HONEST, WRONG_ADDRESSES};
use crate::rogue::Place::{At, Data, Header, Indirect, Status, Table, Used};
use crate::rogue::{LONGEST, Raw, Rogue, SIZE, Setup, write_header, write_indirect};

const NEXT: u16 = 1;
const WRITE: u16 = 2;
const INDIRECT: u16 = 4;

fn each(rogue: &Rogue, chains: &[&[Raw]]) {
    for chain in chains {
        rogue.start(Setup::honest());
        rogue.submit(chain);
    }
}

/// Chains that come back to where they were, or leave the table.
pub fn loops(rogue: &Rogue) {
    write_header(RequestType::IN, 0);
    let outside = [SIZE, SIZE + 1, 0x8000, u16::MAX];
    each(
        rogue,
        &[
            &[(Header, 16, NEXT, 0)],
            &[(Data, 512, NEXT | WRITE, 0)],
            &[(Header, 16, NEXT, 1), (Data, 512, NEXT | WRITE, 0)],
            &[(Header, 16, NEXT, 1), (Data, 512, NEXT | WRITE, 1)],
            &[
                (Header, 16, NEXT, 1),
                (Data, 512, NEXT | WRITE, 2),
                (Status, 1, NEXT | WRITE, 1),
            ],
        ],
    );
    for next in outside {
        each(
            rogue,
            &[
                &[(Header, 16, NEXT, next)],
                &[(Header, 16, NEXT, 1), (Data, 512, NEXT | WRITE, next)],
            ],
        );
    }
}

/// Each buffer in turn where there is no RAM, where RAM ends, where addresses end.
pub fn addresses(rogue: &Rogue) {
    write_header(RequestType::IN, 0);
    for address in WRONG_ADDRESSES {
        for len in [1, 16, 512, 4096, 0x7fff_ffff, u32::MAX] {
            each(
                rogue,
                &[
                    &[(At(address), len, NEXT, 1), HONEST[1], HONEST[2]],
                    &[HONEST[0], (At(address), len, NEXT | WRITE, 2), HONEST[2]],
                    &[HONEST[0], HONEST[1], (At(address), len, WRITE, 0)],
                ],
            );
        }
    }
    // More than RAM holds, from an address that is good.
    each(rogue, &[&[HONEST[0], (Data, u32::MAX, NEXT, 2), HONEST[2]]]);
    // Data that lands on the table and on the used ring.
    each(
        rogue,
        &[
            &[HONEST[0], (Table, 512, NEXT | WRITE, 2), HONEST[2]],
            &[HONEST[0], (Used, 512, NEXT | WRITE, 2), HONEST[2]],
            &[HONEST[0], HONEST[1], (Table, 1, WRITE, 0)],
        ],
    );
}

/// Requests without a header, without a status, of no length, the wrong way round, for sectors that
/// are not there, of kinds that nobody knows.
pub fn requests(rogue: &Rogue) {
    write_header(RequestType::IN, 0);
    each(
        rogue,
        &[
            &[(Header, 16, 0, 0)],
            &[(Status, 1, WRITE, 0)],
            &[(Header, 0, 0, 0)],
            &[(Header, 15, NEXT, 1), HONEST[1], HONEST[2]],
            &[(Header, 1, NEXT, 1), HONEST[1], HONEST[2]],
            &[(Header, 16, NEXT | WRITE, 1), HONEST[1], HONEST[2]],
            &[HONEST[0], (Data, 512, NEXT, 2), HONEST[2]],
            &[HONEST[0], HONEST[1], (Status, 1, 0, 0)],
            &[HONEST[0], HONEST[1], (Status, 0, WRITE, 0)],
            &[HONEST[0], (Data, 0, NEXT | WRITE, 2), HONEST[2]],
            &[HONEST[0], (Data, 511, NEXT | WRITE, 2), HONEST[2]],
            &[HONEST[0], (Data, 513, NEXT | WRITE, 2), HONEST[2]],
            &[(Header, 16, NEXT, 2), HONEST[1], (Status, 1, WRITE, 0)],
            &[
                (Status, 1, NEXT | WRITE, 1),
                (Header, 16, NEXT, 2),
                (Data, 512, 0, 0),
            ],
            &[(Header, 16, 0xfff8 | NEXT, 1), HONEST[1], HONEST[2]],
        ],
    );
    let kinds = [2, 3, 5, 7, 9, 12, 15, 100, u32::MAX].map(RequestType);
    let known = [
        RequestType::IN,
        RequestType::FLUSH,
        RequestType::GET_ID,
        RequestType::GET_LIFETIME,
    ];
    for kind in kinds.into_iter().chain(known) {
        for sector in [0, 1 << 40, u64::MAX / 512, u64::MAX - 1, u64::MAX] {
            write_header(kind, sector);
            each(rogue, &[&HONEST]);
        }
    }
    // Writes only where there is nothing to write to.
    for sector in [1 << 40, u64::MAX / 512, u64::MAX] {
        for kind in [RequestType::OUT, RequestType::DISCARD] {
            write_header(kind, sector);
            each(rogue, &[&[HONEST[0], (Data, 512, NEXT, 2), HONEST[2]]]);
        }
    }
}

/// Indirect tables: not negotiated, nested, looping, of odd or no length, outside of RAM.
pub fn indirect(rogue: &Rogue) {
    write_header(RequestType::IN, 0);
    for (index, raw) in HONEST.into_iter().enumerate() {
        write_indirect(index, raw);
    }
    let table: [(Raw, bool); 9] = [
        ((Indirect, 48, INDIRECT, 0), true),
        ((Indirect, 0, INDIRECT, 0), true),
        ((Indirect, 15, INDIRECT, 0), true),
        ((Indirect, 47, INDIRECT, 0), true),
        ((Indirect, u32::MAX, INDIRECT, 0), true),
        ((Indirect, 48, INDIRECT | NEXT, 1), true),
        ((Indirect, 48, INDIRECT | WRITE, 0), true),
        ((At(u64::MAX - 31), 48, INDIRECT, 0), true),
        ((At(8), 48, INDIRECT, 0), false),
    ];
    for (raw, negotiated) in table {
        offer_indirect(rogue, raw, negotiated);
        offer_indirect(rogue, raw, false);
    }
    for bad in [
        (Indirect, 48, INDIRECT, 0),
        (Data, 512, NEXT | WRITE, 0),
        (Data, 512, NEXT | WRITE, 1),
        (Data, 512, NEXT | WRITE, u16::MAX),
    ] {
        write_indirect(1, bad);
        offer_indirect(rogue, (Indirect, 48, INDIRECT, 0), true);
    }
}

fn offer_indirect(rogue: &Rogue, raw: Raw, negotiated: bool) {
    let features = if negotiated {
        Features::VERSION_1 | Features::INDIRECT_DESC
    } else {
        Features::VERSION_1
    };
    rogue.start(Setup {
        features,
        ..Setup::honest()
    });
    rogue.submit(&[raw, HONEST[1], HONEST[2]]);
}

/// As many descriptors as an index can count: in a table of their own, and over the whole ring.
pub fn longest(rogue: &Rogue) {
    write_header(RequestType::IN, 0);
    for len in [0, 1, 512, u32::MAX] {
        write_indirect(0, HONEST[0]);
        for index in 1..LONGEST - 1 {
            write_indirect(index, (Data, len, NEXT | WRITE, index as u16 + 1));
        }
        write_indirect(LONGEST - 1, HONEST[2]);
        let bytes = 16 * LONGEST as u32;
        offer_indirect(rogue, (Indirect, bytes, INDIRECT, 0), true);
        offer_indirect(rogue, (Indirect, bytes, INDIRECT, 0), false);
        // The last one back to the second.
        write_indirect(LONGEST - 1, (Data, len, NEXT | WRITE, 1));
        offer_indirect(rogue, (Indirect, bytes, INDIRECT, 0), true);
    }
    // The whole ring in one chain, offered as often as it has entries.
    let mut ring = [(Data, 8, NEXT | WRITE, 0); SIZE as usize];
    for (index, raw) in ring.iter_mut().enumerate() {
        raw.3 = index as u16 + 1;
    }
    ring[0] = HONEST[0];
    ring[SIZE as usize - 1] = HONEST[2];
    rogue.start(Setup::honest());
    rogue.submit(&ring);
    rogue.offer(0, SIZE);
}
