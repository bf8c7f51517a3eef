use super::*;
use crate::VirtioMmio;
use crate::conformance::virtio_conformance;
use crate::testing::{Buffer, DATA, Driver};
use maquette_model::testing::Seen;
use maquette_virtio_protocol::blk::{Range, RequestHeader, RequestType};
use maquette_virtio_protocol::mmio;

const SECTORS: usize = 64;
/// Where a request's parts lie in the driver's memory.
const HEADER: u64 = DATA;
const STATUS: u64 = DATA + 0x100;
const BODY: u64 = DATA + 0x1000;

fn content() -> Vec<u8> {
    (0..SECTORS * 512).map(|i| (i / 512 + i) as u8).collect()
}

fn disk(backend: impl BlockBackend + 'static, latency: SimTime) -> Driver<Block> {
    Driver::ready(Block::new(Box::new(backend), "maquette-disk", latency))
}

fn memory() -> Driver<Block> {
    disk(MemoryDisk::new(content()), SimTime::ZERO)
}

/// The chain of a request with one data buffer.
fn chain(
    d: &mut Driver<Block>,
    kind: RequestType,
    sector: u64,
    data: Option<Buffer>,
) -> Vec<Buffer> {
    let header = RequestHeader::new(kind, sector);
    assert!(d.host.poke(HEADER, header.as_bytes()));
    assert!(d.host.poke(STATUS, &[0xee]));
    let mut buffers = vec![(HEADER, 16, false)];
    buffers.extend(data);
    buffers.push((STATUS, 1, true));
    buffers
}

/// Does a request; gives its status and the used length.
fn request(
    d: &mut Driver<Block>,
    kind: RequestType,
    sector: u64,
    data: Option<Buffer>,
) -> (u8, u32) {
    let buffers = chain(d, kind, sector, data);
    let used = d.exchange(0, &buffers);
    assert_eq!(used.len(), 1, "{kind:?}");
    (d.bytes(STATUS, 1)[0], used[0].1)
}

fn disk_bytes(d: &mut Driver<Block>, at: u64, len: usize) -> Vec<u8> {
    let mut buf = vec![0; len];
    d.mmio
        .device_mut()
        .backend_mut()
        .read_at(at, &mut buf)
        .unwrap();
    buf
}

fn overlay() -> Box<dyn BlockBackend> {
    Box::new(Overlay::new(MemoryDisk::new(content())))
}

virtio_conformance!(
    block,
    Block::new(overlay(), "d", SimTime::from_us(5)),
    rules::READ_SECTOR
);

#[test]
fn configuration_shows_the_disk() {
    let mut d = memory();
    assert_eq!(d.read(mmio::DEVICE_ID), 2);
    assert_eq!(d.read(mmio::CONFIG), SECTORS as u32);
    assert_eq!(d.read(mmio::CONFIG + 4), 0);
    assert_eq!(d.read(mmio::CONFIG + 12), u32::from(QUEUE_SIZE) - 2);
    assert_eq!(d.read(mmio::CONFIG + 20), 512);
    assert_eq!(d.read(mmio::CONFIG + 96), 0, "past the end");
}

#[test]
fn segments_of_a_request_fit_the_queue_that_is_asked_for() {
    for (max, segments) in [(1, 1), (2, 1), (4, 2), (256, 254), (32_768, 32_766)] {
        let disk = Box::new(MemoryDisk::new(content()));
        let mut d = memory();
        d.mmio = VirtioMmio::new(Block::new(disk, "d", SimTime::ZERO)).with_queue_size(max);
        let offset = core::mem::offset_of!(Config, seg_max) as u64;
        assert_eq!(d.read(mmio::CONFIG + offset), segments, "{max}");
    }
}

#[test]
fn read_gives_the_sectors() {
    let mut d = memory();
    let r = request(&mut d, RequestType::IN, 3, Some((BODY, 1024, true)));
    assert_eq!(r, (0, 1025));
    assert_eq!(d.bytes(BODY, 1024), content()[3 * 512..5 * 512]);
}

#[test]
fn write_changes_the_sectors() {
    let mut d = memory();
    assert!(d.host.poke(BODY, &[0x5a; 512]));
    let r = request(&mut d, RequestType::OUT, 7, Some((BODY, 512, false)));
    assert_eq!(r, (0, 1));
    assert_eq!(disk_bytes(&mut d, 7 * 512, 512), [0x5a; 512]);
    assert_eq!(
        disk_bytes(&mut d, 6 * 512, 512),
        content()[6 * 512..7 * 512]
    );
}

#[test]
fn data_and_status_may_be_cut_anywhere() {
    // Virtio 1.3 §2.7.4.1: framing is the driver's affair.
    let mut d = memory();
    let header = RequestHeader::new(RequestType::IN, 1);
    assert!(d.host.poke(HEADER, header.as_bytes()));
    let buffers = [
        (HEADER, 5, false),
        (HEADER + 5, 11, false),
        (BODY, 500, true),
        (BODY + 0x1000, 11, true),
        (BODY + 0x2000, 2, true),
    ];
    assert_eq!(d.exchange(0, &buffers), [(0, 513)]);
    let want = &content()[512..1024];
    assert_eq!(d.bytes(BODY, 500), want[..500]);
    assert_eq!(d.bytes(BODY + 0x1000, 11), want[500..511]);
    assert_eq!(d.bytes(BODY + 0x2000, 2), [want[511], 0]);
}

#[test]
fn transfers_past_the_end_or_of_odd_length_fail() {
    let mut d = memory();
    let last = SECTORS as u64 - 1;
    let ioerr = (1, 0);
    for (sector, len) in [
        (last, 1024),
        (last + 1, 512),
        (u64::MAX, 512),
        (0, 511),
        (1 << 60, 512),
    ] {
        assert_eq!(
            request(&mut d, RequestType::IN, sector, Some((BODY, len, true))),
            ioerr
        );
        let out = request(&mut d, RequestType::OUT, sector, Some((BODY, len, false)));
        assert_eq!(out, (1, 1), "only the status is writable");
    }
    assert_eq!(disk_bytes(&mut d, 0, content().len()), content());
    assert!(!d.broken());
    let host = |s: &Seen| matches!(s, Seen::HostError(_));
    assert!(
        !d.host.log.iter().any(host),
        "the guest's mistake, not the host's"
    );
    assert_eq!(
        request(&mut d, RequestType::IN, last, Some((BODY, 512, true))).0,
        0
    );
}

#[test]
fn flush_id_and_unknown_requests_are_answered() {
    let mut d = memory();
    assert_eq!(request(&mut d, RequestType::FLUSH, 0, None), (0, 1));
    let id = request(&mut d, RequestType::GET_ID, 0, Some((BODY, 20, true)));
    assert_eq!(id, (0, 21));
    assert_eq!(d.bytes(BODY, 20), *b"maquette-disk\0\0\0\0\0\0\0");
    for kind in [2, 3, 10, 14, 99, u32::MAX] {
        assert_eq!(
            request(&mut d, RequestType(kind), 0, None),
            (2, 1),
            "{kind}"
        );
    }
}

#[test]
fn read_only_disk_says_so_and_refuses_writes() {
    let mut d = disk(MemoryDisk::read_only(content()), SimTime::ZERO);
    assert!(d.offered().contains(feature::RO));
    assert!(
        !d.offered()
            .intersects(feature::DISCARD | feature::WRITE_ZEROES)
    );
    let out = request(&mut d, RequestType::OUT, 0, Some((BODY, 512, false)));
    assert_eq!(out.0, 1);
    assert_eq!(disk_bytes(&mut d, 0, content().len()), content());
    let zero = request(
        &mut d,
        RequestType::WRITE_ZEROES,
        0,
        Some((BODY, 16, false)),
    );
    assert_eq!(zero.0, 2);
}

fn range(d: &mut Driver<Block>, kind: RequestType, sector: u64, sectors: u32, flags: u32) -> u8 {
    let range = Range {
        sector: U64::new(sector),
        num_sectors: U32::new(sectors),
        flags: U32::new(flags),
    };
    assert!(d.host.poke(BODY, range.as_bytes()));
    request(d, kind, 0, Some((BODY, 16, false))).0
}

#[test]
fn write_zeroes_and_discard_check_range_and_flags() {
    let mut d = memory();
    let (zero, discard) = (RequestType::WRITE_ZEROES, RequestType::DISCARD);
    assert_eq!(range(&mut d, zero, 2, 3, 0), 0);
    assert_eq!(range(&mut d, zero, 10, 1, 1), 0, "unmap is allowed");
    assert_eq!(range(&mut d, discard, 20, 3, 0), 0);
    assert_eq!(range(&mut d, zero, 0, 1, 2), 2);
    assert_eq!(range(&mut d, discard, 0, 1, 1), 2);
    assert_eq!(range(&mut d, zero, 63, 2, 0), 1);
    assert_eq!(range(&mut d, zero, u64::MAX, 1, 0), 1);
    assert_eq!(range(&mut d, zero, 0, u32::MAX, 0), 1);
    let two = request(&mut d, zero, 0, Some((BODY, 32, false)));
    assert_eq!(two.0, 1, "one range at a time");
    let mut want = content();
    want[2 * 512..5 * 512].fill(0);
    want[10 * 512..11 * 512].fill(0);
    assert_eq!(disk_bytes(&mut d, 0, want.len()), want);
}

#[test]
fn chain_without_header_or_status_breaks_the_device() {
    for buffers in [
        vec![(HEADER, 16, false)],
        vec![(HEADER, 15, false), (STATUS, 1, true)],
        vec![(STATUS, 1, true)],
    ] {
        let mut d = memory();
        assert_eq!(d.exchange(0, &buffers), []);
        assert!(d.broken(), "{buffers:?}");
    }
}

#[test]
fn latency_delays_the_completion() {
    let mut d = disk(MemoryDisk::new(content()), SimTime::from_us(100));
    let first = chain(&mut d, RequestType::IN, 1, Some((BODY, 512, true)));
    d.add(0, &first);
    d.kick(0);
    assert_eq!(d.used(0), []);
    d.run_for(SimTime::from_us(99));
    assert!(d.used(0).is_empty() && !d.host.level(0));
    d.run_for(SimTime::from_us(1));
    assert_eq!(d.used(0), [(0, 513)]);
    assert!(d.host.level(0));
    assert_eq!(d.bytes(STATUS, 1), [0]);
}

#[test]
fn reset_in_the_middle_of_a_request_forgets_it() {
    let mut d = disk(MemoryDisk::new(content()), SimTime::from_us(100));
    let buffers = chain(&mut d, RequestType::IN, 1, Some((BODY, 512, true)));
    d.add(0, &buffers);
    d.kick(0);
    assert!(d.host.next_timer().is_some());
    d.write(mmio::STATUS, 0);
    assert_eq!(d.host.next_timer(), None);
    d.run_for(SimTime::from_ms(1));
    assert!(!d.host.level(0));
    assert_eq!(d.bytes(STATUS, 1), [0xee], "no late status");
}

/// A disk that fails like a file that became shorter.
struct Failing;

impl Snapshot for Failing {
    fn kind(&self) -> &'static str {
        "failing"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, _: &mut Writer) {}
    fn load(&mut self, _: &mut Reader<'_>) -> Result<(), LoadError> {
        Ok(())
    }
}

impl BlockBackend for Failing {
    fn size(&self) -> u64 {
        1 << 20
    }
    fn read_only(&self) -> bool {
        false
    }
    fn read_at(&mut self, _: u64, _: &mut [u8]) -> Result<(), BlockError> {
        Err(BlockError::Host("gone".into()))
    }
    fn write_at(&mut self, _: u64, _: &[u8]) -> Result<(), BlockError> {
        Err(BlockError::Host("gone".into()))
    }
    fn flush(&mut self) -> Result<(), BlockError> {
        Err(BlockError::Host("gone".into()))
    }
}

#[test]
fn host_failure_is_an_io_error_and_told_once() {
    let mut d = disk(Failing, SimTime::ZERO);
    assert_eq!(
        request(&mut d, RequestType::IN, 0, Some((BODY, 512, true))),
        (1, 0)
    );
    assert_eq!(
        request(&mut d, RequestType::OUT, 0, Some((BODY, 512, false))).0,
        1
    );
    assert_eq!(request(&mut d, RequestType::FLUSH, 0, None).0, 1);
    let told = |s: &&Seen| **s == Seen::HostError("gone".into());
    assert_eq!(d.host.log.iter().filter(told).count(), 1);
    assert!(!d.broken());
}
