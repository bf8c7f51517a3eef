//! Every function with good and bad arguments, over a host that writes down what it is asked to do.

use super::*;
use maquette_model::{Answer, HypercallArgs, PhysAddr};
use maquette_tests::{effort, rounds};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sbi_spec::{base, dbcn, hsm, legacy, rfnc, spi, srst, time};

const RAM: u64 = 0x8000_0000;
const RAM_LEN: u64 = 0x1_0000;
const HARTS: u8 = 4;
const ME: HartId = HartId(1);

/// An effect.
#[derive(Clone, PartialEq, Debug)]
enum Did {
    Timer(HartId, u64),
    Ipi(Vec<u8>),
    ClearIpi(HartId),
    Fence(Vec<u8>, Fence),
    Start(HartId, Start),
    Stop(HartId),
    Suspend(HartId, SuspendKind),
    Reset(Reset, ResetReason),
}

struct Fake {
    did: Vec<Did>,
    ram: Vec<u8>,
    states: [HartState; HARTS as usize],
    written: Vec<u8>,
    input: Vec<u8>,
    ipi: bool,
    virt: Option<u64>,
}

impl Fake {
    fn new() -> Self {
        let mut states = [HartState::Stopped; HARTS as usize];
        states[1] = HartState::Started;
        Self {
            did: Vec::new(),
            ram: (0..RAM_LEN).map(|i| i.to_le_bytes()[0]).collect(),
            states,
            written: Vec::new(),
            input: Vec::new(),
            ipi: false,
            virt: Some(0b101),
        }
    }

    fn range(addr: PhysAddr, len: usize) -> std::ops::Range<usize> {
        let start = usize::try_from(addr.0 - RAM).unwrap();
        start..start + len
    }

    fn known(hart: HartId) -> HartId {
        assert!(hart.0 < HARTS, "asked about {hart}, which does not exist");
        hart
    }

    fn ids_of(set: HartSet) -> Vec<u8> {
        assert!(!set.is_empty());
        set.iter().map(|h| Self::known(h).0).collect()
    }
}

impl SbiHost for Fake {
    fn harts(&self) -> u8 {
        HARTS
    }
    fn ids(&self) -> MachineIds {
        MachineIds {
            vendor: 7,
            architecture: 8,
            implementation: 9,
        }
    }
    fn is_ram(&self, addr: PhysAddr, len: u64) -> bool {
        let end = u128::from(addr.0) + u128::from(len);
        addr.0 >= RAM && end <= u128::from(RAM + RAM_LEN)
    }
    fn read_ram(&mut self, addr: PhysAddr, buf: &mut [u8]) -> bool {
        buf.copy_from_slice(&self.ram[Self::range(addr, buf.len())]);
        true
    }
    fn write_ram(&mut self, addr: PhysAddr, buf: &[u8]) -> bool {
        self.ram[Self::range(addr, buf.len())].copy_from_slice(buf);
        true
    }
    fn read_virt(&mut self, hart: HartId, _addr: u64) -> Option<u64> {
        assert_eq!(hart, ME);
        self.virt
    }
    fn set_timer(&mut self, hart: HartId, deadline: u64) {
        self.did.push(Did::Timer(hart, deadline));
    }
    fn send_ipi(&mut self, harts: HartSet) {
        self.did.push(Did::Ipi(Self::ids_of(harts)));
    }
    fn clear_ipi(&mut self, hart: HartId) -> bool {
        self.did.push(Did::ClearIpi(hart));
        self.ipi
    }
    fn fence(&mut self, harts: HartSet, fence: Fence) {
        self.did.push(Did::Fence(Self::ids_of(harts), fence));
    }
    fn hart_state(&self, hart: HartId) -> HartState {
        self.states[usize::from(Self::known(hart).0)]
    }
    fn hart_start(&mut self, hart: HartId, start: Start) {
        self.did.push(Did::Start(Self::known(hart), start));
    }
    fn hart_stop(&mut self, hart: HartId) {
        self.did.push(Did::Stop(hart));
    }
    fn hart_suspend(&mut self, hart: HartId, kind: SuspendKind) {
        self.did.push(Did::Suspend(hart, kind));
    }
    fn system_reset(&mut self, reset: Reset, reason: ResetReason) {
        self.did.push(Did::Reset(reset, reason));
    }
    fn console_write(&mut self, bytes: &[u8]) {
        self.written.extend_from_slice(bytes);
    }
    fn console_read(&mut self) -> Option<u8> {
        self.input.pop()
    }
}

fn args(extension: usize, function: usize, given: &[u64]) -> HypercallArgs {
    let mut args = [0xdead_beef; 6];
    args[..given.len()].copy_from_slice(given);
    HypercallArgs {
        extension: extension as u64,
        function: function as u64,
        args,
    }
}

/// Calls on a host of its own; returns the reply and what was done.
fn done(extension: usize, function: usize, given: &[u64]) -> (Reply, Vec<Did>) {
    let mut host = Fake::new();
    let reply = call(&mut host, ME, &args(extension, function, given));
    (reply, host.did)
}

const fn ok(value: u64) -> Reply {
    Reply::Return(Ok(value))
}

/// An error, and nothing done.
const fn refused(error: SbiError) -> (Reply, Vec<Did>) {
    (Reply::Return(Err(error)), Vec::new())
}

#[test]
fn base_answers_versions_and_identities() {
    let value = |f| done(base::EID_BASE, f, &[0]).0;
    assert_eq!(value(base::GET_SBI_SPEC_VERSION), ok(0x0200_0000));
    assert_eq!(value(base::GET_SBI_IMPL_ID), ok(IMPLEMENTATION_ID));
    assert_eq!(value(base::GET_SBI_IMPL_VERSION), ok(1));
    assert_eq!(value(base::GET_MVENDORID), ok(7));
    assert_eq!(value(base::GET_MARCHID), ok(8));
    assert_eq!(value(base::GET_MIMPID), ok(9));
    assert_eq!(value(7), Reply::Return(Err(SbiError::NotSupported)));
}

#[test]
fn base_probes_one_for_what_is_there_and_zero_for_the_rest() {
    let probe = |e: u64| done(base::EID_BASE, base::PROBE_EXTENSION, &[e]).0;
    let present = [
        base::EID_BASE,
        time::EID_TIME,
        spi::EID_SPI,
        rfnc::EID_RFNC,
        hsm::EID_HSM,
        srst::EID_SRST,
        dbcn::EID_DBCN,
    ];
    for e in present.into_iter().chain(0..=8) {
        assert_eq!(probe(e as u64), ok(1), "{e:#x}");
    }
    let absent = [
        sbi_spec::pmu::EID_PMU,
        sbi_spec::susp::EID_SUSP,
        sbi_spec::cppc::EID_CPPC,
        sbi_spec::nacl::EID_NACL,
        sbi_spec::sta::EID_STA,
        sbi_spec::fwft::EID_FWFT,
    ];
    for e in absent
        .into_iter()
        .map(|e| e as u64)
        .chain([9, 15, 17, u64::MAX, 1 << 32])
    {
        assert_eq!(probe(e), ok(0), "{e:#x}");
    }
}

#[test]
fn unknown_extensions_and_functions_are_not_supported() {
    for (e, f) in [
        (9, 0),
        (usize::MAX, 0),
        (sbi_spec::pmu::EID_PMU, 0),
        (time::EID_TIME, 1),
        (spi::EID_SPI, 1),
        (rfnc::EID_RFNC, 3),
        (rfnc::EID_RFNC, 6),
        (hsm::EID_HSM, 4),
        (srst::EID_SRST, 1),
        (dbcn::EID_DBCN, 3),
        (base::EID_BASE, usize::MAX),
    ] {
        assert_eq!(done(e, f, &[1, 0, 0, 0]), refused(SbiError::NotSupported));
    }
}

#[test]
fn time_sets_the_callers_timer() {
    for deadline in [0, 1000, u64::MAX] {
        assert_eq!(
            done(time::EID_TIME, time::SET_TIMER, &[deadline]),
            (ok(0), vec![Did::Timer(ME, deadline)])
        );
    }
}

#[test]
fn ipi_goes_to_the_harts_of_the_mask() {
    let send = |bits, base| done(spi::EID_SPI, spi::SEND_IPI, &[bits, base]);
    assert_eq!(send(0b1011, 0), (ok(0), vec![Did::Ipi(vec![0, 1, 3])]));
    assert_eq!(send(0b11, 2), (ok(0), vec![Did::Ipi(vec![2, 3])]));
    assert_eq!(send(0, u64::MAX), (ok(0), vec![Did::Ipi(vec![0, 1, 2, 3])]));
    assert_eq!(send(0, 77), (ok(0), vec![]));
}

#[test]
fn ipi_to_unknown_harts_is_refused_as_a_whole() {
    for (bits, base) in [
        (0b1_0001, 0),
        (1, 4),
        (3, 3),
        (1 << 63, 1),
        (1, 64),
        (1, u64::MAX - 1),
        (u64::MAX, 0),
        (1, 1 << 32),
    ] {
        assert_eq!(
            done(spi::EID_SPI, spi::SEND_IPI, &[bits, base]),
            refused(SbiError::InvalidParam),
            "{bits:#x} {base:#x}"
        );
    }
}

fn translations(range: FenceRange, asid: Option<u16>) -> Fence {
    Fence::Translations { range, asid }
}

#[test]
fn fence_i_goes_to_the_harts_of_the_mask() {
    assert_eq!(
        done(rfnc::EID_RFNC, rfnc::REMOTE_FENCE_I, &[0b110, 0]),
        (ok(0), vec![Did::Fence(vec![1, 2], Fence::Instructions)])
    );
    assert_eq!(
        done(rfnc::EID_RFNC, rfnc::REMOTE_FENCE_I, &[1, 9]),
        refused(SbiError::InvalidParam)
    );
}

#[test]
fn sfence_ranges_are_all_some_or_nothing() {
    let send = |start, size| {
        done(
            rfnc::EID_RFNC,
            rfnc::REMOTE_SFENCE_VMA,
            &[1, 0, start, size],
        )
    };
    let did = |range| (ok(0), vec![Did::Fence(vec![0], translations(range, None))]);
    assert_eq!(send(0, 0), did(FenceRange::All));
    assert_eq!(send(0x1000, u64::MAX), did(FenceRange::All));
    let (start, size) = (0x1000, 0x2000);
    assert_eq!(send(start, size), did(FenceRange::Bytes { start, size }));
    // The last page of the address space.
    let start = 0u64.wrapping_sub(0x1000);
    let size = 0x1000;
    assert_eq!(send(start, size), did(FenceRange::Bytes { start, size }));
    assert_eq!(send(0x1000, 0), (ok(0), vec![]));
}

#[test]
fn sfence_wrapped_range_is_refused() {
    for (start, size) in [(u64::MAX, 2), (3, u64::MAX - 1), (1 << 63, (1 << 63) + 1)] {
        assert_eq!(
            done(
                rfnc::EID_RFNC,
                rfnc::REMOTE_SFENCE_VMA,
                &[1, 0, start, size]
            ),
            refused(SbiError::InvalidAddress)
        );
    }
}

#[test]
fn sfence_of_an_address_space_checks_its_number() {
    let send = |asid| {
        let given = [1, 0, 0, 0, asid];
        done(rfnc::EID_RFNC, rfnc::REMOTE_SFENCE_VMA_ASID, &given)
    };
    let fence = translations(FenceRange::All, Some(0xffff));
    assert_eq!(send(0xffff), (ok(0), vec![Did::Fence(vec![0], fence)]));
    assert_eq!(send(0x1_0000), refused(SbiError::InvalidParam));
}

#[test]
fn hart_start_starts_a_stopped_hart() {
    let start = Start {
        addr: PhysAddr(RAM + 0x200),
        opaque: 42,
    };
    assert_eq!(
        done(hsm::EID_HSM, hsm::HART_START, &[3, start.addr.0, 42]),
        (ok(0), vec![Did::Start(HartId(3), start)])
    );
}

#[test]
fn hart_start_of_unknown_running_or_nowhere_is_refused() {
    let start = |hart, addr| done(hsm::EID_HSM, hsm::HART_START, &[hart, addr, 0]);
    for hart in [4, 255, 256, 1 << 32, u64::MAX] {
        assert_eq!(start(hart, RAM), refused(SbiError::InvalidParam));
    }
    assert_eq!(start(1, RAM), refused(SbiError::AlreadyAvailable));
    for addr in [
        0,
        RAM - 2,
        RAM + RAM_LEN,
        RAM + RAM_LEN - 1,
        RAM + 1,
        u64::MAX,
        u64::MAX - 1,
    ] {
        assert_eq!(
            start(3, addr),
            refused(SbiError::InvalidAddress),
            "{addr:#x}"
        );
    }
}

#[test]
fn hart_status_tells_each_state() {
    let status = |hart: u64, state| {
        let mut host = Fake::new();
        host.states[2] = state;
        let given = args(hsm::EID_HSM, hsm::HART_GET_STATUS, &[hart]);
        call(&mut host, ME, &given)
    };
    for (state, number) in [
        (HartState::Started, 0),
        (HartState::Stopped, 1),
        (HartState::StartPending, 2),
        (HartState::Suspended, 4),
    ] {
        assert_eq!(status(2, state), ok(number));
    }
    assert_eq!(
        status(4, HartState::Started),
        Reply::Return(Err(SbiError::InvalidParam))
    );
}

#[test]
fn hart_stop_does_not_return() {
    assert_eq!(
        done(hsm::EID_HSM, hsm::HART_STOP, &[]),
        (Reply::NoReturn, vec![Did::Stop(ME)])
    );
}

#[test]
fn hart_suspend_retentive_returns_and_looks_at_no_address() {
    // The upper half of the register does not belong to a 32-bit argument.
    for kind in [0, 0xffff_ffff_0000_0000] {
        assert_eq!(
            done(hsm::EID_HSM, hsm::HART_SUSPEND, &[kind, 1, 2]),
            (ok(0), vec![Did::Suspend(ME, SuspendKind::Retentive)])
        );
    }
}

#[test]
fn hart_suspend_non_retentive_goes_on_at_its_address() {
    let start = Start {
        addr: PhysAddr(RAM),
        opaque: 5,
    };
    assert_eq!(
        done(hsm::EID_HSM, hsm::HART_SUSPEND, &[0x8000_0000, RAM, 5]),
        (
            Reply::NoReturn,
            vec![Did::Suspend(ME, SuspendKind::NonRetentive(start))]
        )
    );
    assert_eq!(
        done(hsm::EID_HSM, hsm::HART_SUSPEND, &[0x8000_0000, 0x1000, 5]),
        refused(SbiError::InvalidAddress)
    );
}

#[test]
fn hart_suspend_of_reserved_and_foreign_kinds_is_refused() {
    for kind in [
        1,
        0x0fff_ffff,
        0x1000_0000,
        0x7fff_ffff,
        0x8000_0001,
        0x9000_0000,
        0xffff_ffff,
    ] {
        assert_eq!(
            done(hsm::EID_HSM, hsm::HART_SUSPEND, &[kind, RAM, 0]),
            refused(SbiError::InvalidParam)
        );
    }
}

#[test]
fn system_reset_knows_three_kinds_and_two_reasons() {
    let reset = |kind, reason| done(srst::EID_SRST, srst::SYSTEM_RESET, &[kind, reason]);
    let did = |kind, reason| (Reply::NoReturn, vec![Did::Reset(kind, reason)]);
    assert_eq!(reset(0, 0), did(Reset::Shutdown, ResetReason::None));
    assert_eq!(
        reset(0, 1),
        did(Reset::Shutdown, ResetReason::SystemFailure)
    );
    assert_eq!(reset(1, 0), did(Reset::ColdReboot, ResetReason::None));
    assert_eq!(reset(2, 0), did(Reset::WarmReboot, ResetReason::None));
    for (kind, reason) in [
        (3, 0),
        (0xf000_0000, 0),
        (0xffff_ffff, 0),
        (0, 2),
        (0, 0xe000_0000),
    ] {
        assert_eq!(reset(kind, reason), refused(SbiError::InvalidParam));
    }
}

fn console_write(len: u64, low: u64, high: u64) -> (Reply, Vec<u8>) {
    let mut host = Fake::new();
    let given = args(dbcn::EID_DBCN, dbcn::CONSOLE_WRITE, &[len, low, high]);
    let reply = call(&mut host, ME, &given);
    assert!(host.did.is_empty());
    (reply, host.written)
}

#[test]
fn console_write_takes_bytes_from_ram() {
    for len in [1u64, 255, 256, 257, 1000, CONSOLE_LIMIT] {
        let (reply, written) = console_write(len, RAM + 3, 0);
        assert_eq!(reply, ok(len));
        let expected: Vec<u8> = (3..3 + len).map(|i| i.to_le_bytes()[0]).collect();
        assert_eq!(written, expected);
    }
    assert_eq!(console_write(0, 0, 0), (ok(0), vec![]));
}

#[test]
fn console_write_of_much_is_partial() {
    let (reply, written) = console_write(CONSOLE_LIMIT + 1, RAM, 0);
    assert_eq!(reply, ok(CONSOLE_LIMIT));
    assert_eq!(written.len() as u64, CONSOLE_LIMIT);
}

#[test]
fn console_buffer_outside_ram_is_refused() {
    for (len, low, high) in [
        (1, RAM - 1, 0),
        (2, RAM + RAM_LEN - 1, 0),
        (1, RAM, 1),
        (u64::MAX, RAM, 0),
        (2, u64::MAX, 0),
        (1, 0, 0),
        (1, RAM, u64::MAX),
    ] {
        let refused = Reply::Return(Err(SbiError::InvalidParam));
        assert_eq!(console_write(len, low, high), (refused, vec![]));
        let mut host = Fake::new();
        host.input = b"x".to_vec();
        let given = args(dbcn::EID_DBCN, dbcn::CONSOLE_READ, &[len, low, high]);
        assert_eq!(call(&mut host, ME, &given), refused);
        assert_eq!(host.input, b"x");
    }
}

#[test]
fn console_read_gives_what_has_arrived_and_does_not_wait() {
    let mut host = Fake::new();
    host.input = b"cba".to_vec();
    let read = |host: &mut Fake, len| {
        let given = args(dbcn::EID_DBCN, dbcn::CONSOLE_READ, &[len, RAM, 0]);
        call(host, ME, &given)
    };
    assert_eq!(read(&mut host, 2), ok(2));
    assert_eq!(host.ram[..3], [b'a', b'b', 2]);
    assert_eq!(read(&mut host, 10), ok(1));
    assert_eq!(host.ram[..2], [b'c', b'b']);
    assert_eq!(read(&mut host, 10), ok(0));
}

#[test]
fn console_write_byte_takes_the_low_byte() {
    let mut host = Fake::new();
    let given = args(dbcn::EID_DBCN, dbcn::CONSOLE_WRITE_BYTE, &[0xffff_ff41]);
    assert_eq!(call(&mut host, ME, &given), ok(0));
    assert_eq!(host.written, b"A");
}

#[test]
fn legacy_console_and_timer() {
    let mut host = Fake::new();
    host.input = b"z".to_vec();
    let mut legacy = |e, v| call(&mut host, ME, &args(e, 99, &[v]));
    assert_eq!(
        legacy(legacy::LEGACY_CONSOLE_PUTCHAR, 0x141),
        Reply::Legacy(0)
    );
    assert_eq!(
        legacy(legacy::LEGACY_CONSOLE_GETCHAR, 0),
        Reply::Legacy(u64::from(b'z'))
    );
    assert_eq!(
        legacy(legacy::LEGACY_CONSOLE_GETCHAR, 0),
        Reply::Legacy(u64::MAX)
    );
    assert_eq!(legacy(legacy::LEGACY_SET_TIMER, 500), Reply::Legacy(0));
    assert_eq!(host.written, b"A");
    assert_eq!(host.did, [Did::Timer(ME, 500)]);
}

#[test]
fn legacy_clear_ipi_tells_whether_one_was_pending() {
    for ipi in [false, true] {
        let mut host = Fake::new();
        host.ipi = ipi;
        let reply = call(&mut host, ME, &args(legacy::LEGACY_CLEAR_IPI, 0, &[]));
        assert_eq!(reply, Reply::Legacy(u64::from(ipi)));
        assert_eq!(host.did, [Did::ClearIpi(ME)]);
    }
}

#[test]
fn legacy_masks_lie_in_the_callers_memory() {
    // The fake's memory holds 0b101 everywhere.
    let all = vec![0, 1, 2, 3];
    let two = vec![0, 2];
    for (mask, harts) in [(0, &all), (0x4000, &two)] {
        assert_eq!(
            done(legacy::LEGACY_SEND_IPI, 0, &[mask]),
            (Reply::Legacy(0), vec![Did::Ipi(harts.clone())])
        );
        assert_eq!(
            done(legacy::LEGACY_REMOTE_FENCE_I, 0, &[mask]),
            (
                Reply::Legacy(0),
                vec![Did::Fence(harts.clone(), Fence::Instructions)]
            )
        );
    }
    let bytes = FenceRange::Bytes {
        start: 16,
        size: 32,
    };
    assert_eq!(
        done(legacy::LEGACY_REMOTE_SFENCE_VMA, 0, &[8, 16, 32, 5]),
        (
            Reply::Legacy(0),
            vec![Did::Fence(two.clone(), translations(bytes, None))]
        )
    );
    assert_eq!(
        done(legacy::LEGACY_REMOTE_SFENCE_VMA_ASID, 0, &[8, 16, 32, 5]),
        (
            Reply::Legacy(0),
            vec![Did::Fence(two, translations(bytes, Some(5)))]
        )
    );
}

#[test]
fn legacy_bad_masks_and_ranges_return_an_error_in_a0() {
    let with = |virt, e, given: &[u64]| {
        let mut host = Fake::new();
        host.virt = virt;
        let reply = call(&mut host, ME, &args(e, 0, given));
        assert!(host.did.is_empty());
        reply
    };
    let code = |e: SbiError| Reply::Legacy(e.code());
    assert_eq!(
        with(None, legacy::LEGACY_SEND_IPI, &[8]),
        code(SbiError::InvalidAddress)
    );
    assert_eq!(
        with(Some(1 << 4), legacy::LEGACY_SEND_IPI, &[8]),
        code(SbiError::InvalidParam)
    );
    assert_eq!(
        with(Some(1), legacy::LEGACY_REMOTE_SFENCE_VMA, &[8, u64::MAX, 2]),
        code(SbiError::InvalidAddress)
    );
}

#[test]
fn legacy_shutdown_does_not_return() {
    assert_eq!(
        done(legacy::LEGACY_SHUTDOWN, 0, &[]),
        (
            Reply::NoReturn,
            vec![Did::Reset(Reset::Shutdown, ResetReason::None)]
        )
    );
}

#[test]
fn reply_becomes_registers() {
    assert_eq!(Answer::from(ok(5)), Answer::Sbi { a0: 0, a1: Some(5) });
    for (error, code) in [
        (SbiError::Failed, -1i64),
        (SbiError::NotSupported, -2),
        (SbiError::InvalidParam, -3),
        (SbiError::Denied, -4),
        (SbiError::InvalidAddress, -5),
        (SbiError::AlreadyAvailable, -6),
    ] {
        assert_eq!(
            Answer::from(Reply::Return(Err(error))),
            Answer::Sbi {
                a0: code.cast_unsigned(),
                a1: Some(0)
            }
        );
    }
    assert_eq!(
        Answer::from(Reply::Legacy(3)),
        Answer::Sbi { a0: 3, a1: None }
    );
    assert_eq!(Answer::from(Reply::NoReturn), Answer::Nothing);
}

/// Numbers that arithmetic stumbles over, and any others.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        0u64..10,
        (0u64..10).prop_map(|n| u64::MAX - n),
        (0u64..64).prop_map(|n| 1 << n),
        (0u64..0x1_0010).prop_map(|n| RAM - 8 + n),
        any::<u64>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4096 * effort(),
        rng_seed: RngSeed::Fixed(0x7362_6920 + rounds().start),
        ..ProptestConfig::default()
    })]

    /// The fake panics when it is asked about a hart that does not exist or memory that is not RAM.
    #[test]
    fn any_call_is_answered_and_an_error_has_no_effect(
        known in prop::sample::select(vec![
            0, 1, 2, 3, 4, 5, 6, 7, 8, base::EID_BASE, time::EID_TIME, spi::EID_SPI, rfnc::EID_RFNC,
            hsm::EID_HSM, srst::EID_SRST, dbcn::EID_DBCN,
        ]),
        other in prop::option::weighted(0.1, number()),
        function in prop_oneof![0u64..8, number()],
        args in prop::array::uniform6(number()),
        virt in prop::option::of(number()),
    ) {
        let mut host = Fake::new();
        host.virt = virt;
        host.input = b"input".to_vec();
        let args = HypercallArgs { extension: other.unwrap_or(known as u64), function, args };
        if let Reply::Return(Err(_)) = call(&mut host, ME, &args) {
            prop_assert!(host.did.is_empty());
            prop_assert!(host.written.is_empty());
            prop_assert_eq!(host.input, b"input");
        }
    }

    #[test]
    fn hart_mask_resolves_like_a_plain_set(bits in number(), base in number(), harts in 1u8..=64) {
        let mask = HartMask { bits, base };
        let meant: Vec<u128> = if base == u64::MAX {
            (0..u128::from(harts)).collect()
        } else {
            (0..64).filter(|n| bits >> n & 1 == 1).map(|n| u128::from(base) + n).collect()
        };
        let expected = meant.iter().all(|&h| h < u128::from(harts)).then_some(meant);
        let got = mask.resolve(harts).ok().map(|set| set.iter().map(|h| u128::from(h.0)).collect());
        prop_assert_eq!(got, expected);
    }
}
