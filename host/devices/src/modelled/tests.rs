use super::*;
use maquette_model::testing::{Seen, TestHost};
use maquette_model::{Access, Device, Message, PortId, Region, SimTime};
use maquette_virtio_sst_protocol::models::{PeerMessage, calculator, echo, engine, peer_kind};

fn make_echo() -> Echo {
    Echo::new(Cycles::at_1_ghz(echo::LATENCY))
}

fn make_calculator() -> Calculator {
    Calculator::new(Cycles::at_1_ghz(calculator::LATENCY))
}

fn make_engine() -> Engine {
    Engine::new(Frequency::from_hz(1_000_000_000), 100)
}

maquette_model::conformance!(echo_device, make_echo, Echo::SIZE);
maquette_model::conformance!(calculator_device, make_calculator, Calculator::SIZE);
maquette_model::conformance!(engine_device, make_engine, Engine::SIZE);

struct Rig<D> {
    device: D,
    host: TestHost,
}

impl<D: Device> Rig<D> {
    fn new(device: D) -> Self {
        Self {
            device,
            host: TestHost::new(),
        }
    }

    fn read(&mut self, off: u64, w: Width) -> Access<u64> {
        let cx = &mut Cx::new(&mut self.host);
        self.device.read(cx, Region(0), off, w)
    }

    fn write(&mut self, off: u64, w: Width, value: u64) -> Access<()> {
        let cx = &mut Cx::new(&mut self.host);
        self.device.write(cx, Region(0), off, w, value)
    }

    fn get(&mut self, off: u64) -> u32 {
        match self.read(off, Width::B4) {
            Access::Done(value) => u32::try_from(value).unwrap(),
            other => panic!("{off:#x}: {other:?}"),
        }
    }

    fn set(&mut self, off: u64, value: u32) {
        assert_eq!(self.write(off, Width::B4, value.into()), Access::Done(()));
    }

    /// Lets so many cycles of 1 GHz pass.
    fn cycles(&mut self, count: u64) {
        let to = self.host.now.saturating_add(SimTime::from_ns(count));
        self.host.run_until(&mut self.device, to);
    }
}

#[test]
fn sst_m01_echo_takes_ten_cycles() {
    let mut rig = Rig::new(make_echo());
    rig.set(echo::DATA_IN, 0xDEAD_BEEF);
    assert_eq!(rig.get(echo::STATUS), echo::BUSY);
    rig.cycles(9);
    assert_eq!(rig.get(echo::STATUS), echo::BUSY);
    // A value that comes while one is on its way replaces it and changes no time.
    rig.set(echo::DATA_IN, 0xCAFE_BABE);
    assert_eq!(rig.get(echo::DATA_OUT), 0);
    rig.cycles(1);
    assert_eq!(rig.get(echo::STATUS), echo::DATA_READY);
    assert_eq!(rig.get(echo::DATA_OUT), 0xCAFE_BABE);
    rig.set(echo::DATA_IN, 1);
    rig.set(echo::CONTROL, echo::RESET);
    rig.cycles(100);
    assert_eq!((rig.get(echo::STATUS), rig.get(echo::DATA_OUT)), (0, 0));
}

/// Result and status after the operation's time, which is checked too.
fn calculate(rig: &mut Rig<Calculator>, a: u32, operation: u32, b: u32) -> (u32, u32) {
    rig.set(calculator::OPERAND_A, a);
    rig.set(calculator::OPERAND_B, b);
    rig.set(calculator::OPERATION, operation);
    rig.set(calculator::CONTROL, calculator::TRIGGER);
    rig.cycles(99);
    assert_eq!(rig.get(calculator::STATUS), calculator::BUSY);
    rig.cycles(1);
    (rig.get(calculator::RESULT), rig.get(calculator::STATUS))
}

#[test]
fn sst_m02_calculator_calculates_in_a_hundred_cycles() {
    let mut rig = Rig::new(make_calculator());
    for (a, operation, b, result) in [
        (42, calculator::ADD, 58, 100),
        (12, calculator::MUL, 5, 60),
        (100, calculator::DIV, 4, 25),
        (100, calculator::SUB, 58, 42),
        (0, calculator::SUB, 1, u32::MAX),
    ] {
        let found = calculate(&mut rig, a, operation, b);
        assert_eq!(found, (result, calculator::READY), "{a} {operation} {b}");
    }
}

#[test]
fn sst_m03_division_by_zero_and_unknown_operations_are_errors_until_a_reset() {
    let mut rig = Rig::new(make_calculator());
    let wrong = calculator::READY | calculator::ERROR;
    assert_eq!(calculate(&mut rig, 7, calculator::DIV, 0), (0, wrong));
    assert_eq!(calculate(&mut rig, 7, 9, 1), (0, wrong));
    rig.set(calculator::CONTROL, calculator::RESET);
    assert_eq!(rig.get(calculator::STATUS), 0);
    assert_eq!(rig.get(calculator::OPERAND_A), 0);
}

#[test]
fn sst_m04_wrong_sizes_and_places_are_refused() {
    let mut rig = Rig::new(make_echo());
    assert_eq!(rig.read(0, Width::B8), Access::Fault(BusError::Width));
    assert_eq!(rig.read(1, Width::B1), Access::Fault(BusError::Width));
    assert_eq!(rig.write(2, Width::B4, 0), Access::Fault(BusError::Width));
    // Parts of a register at its offset are the register cut to them.
    assert_eq!(
        rig.write(echo::DATA_IN, Width::B2, 0x1234_5678),
        Access::Done(())
    );
    rig.cycles(10);
    assert_eq!(rig.get(echo::DATA_OUT), 0x5678);
    assert_eq!(rig.read(echo::DATA_OUT, Width::B1), Access::Done(0x78));
}

#[test]
fn sst_m05_accesses_outside_the_window_are_refused() {
    for off in [0x1000, 0x1001, u64::MAX] {
        let refused = Access::Fault(BusError::Unmapped);
        assert_eq!(Rig::new(make_echo()).read(off, Width::B4), refused);
        assert_eq!(Rig::new(make_calculator()).read(off, Width::B4), refused);
        assert_eq!(Rig::new(make_engine()).read(off, Width::B4), refused);
    }
}

fn hear(rig: &mut Rig<Calculator>, kind: u32, data: u32) {
    let message = PeerMessage {
        kind,
        data,
        parameter: 0,
    };
    let (port, msg) = (PortId(0), Message::Bytes(message.encode().to_vec()));
    let cx = &mut Cx::new(&mut rig.host);
    rig.device.event(cx, Event::Message { port, msg });
}

fn told(rig: &mut Rig<Calculator>) -> Vec<(u32, u32)> {
    let sent = rig
        .host
        .take_log()
        .into_iter()
        .filter_map(|seen| match seen {
            Seen::Sent(PortId(0), Message::Bytes(bytes)) => Some(PeerMessage::decode(&bytes)),
            _ => None,
        });
    sent.map(|message| (message.kind, message.data)).collect()
}

#[test]
fn sst_m08_peers_hand_each_other_a_word() {
    let mut rig = Rig::new(make_calculator());
    rig.set(calculator::PEER_DATA_OUT, 0xDEAD_1337);
    assert_eq!(told(&mut rig), [(peer_kind::DATA_REQUEST, 0xDEAD_1337)]);
    hear(&mut rig, peer_kind::DATA_REQUEST, 0xDEAD_1337);
    assert_eq!(rig.get(calculator::STATUS), calculator::PEER_READY);
    assert_eq!(rig.get(calculator::PEER_DATA_IN), 0xDEAD_1337);
    assert_eq!(rig.get(calculator::STATUS), 0);
    hear(&mut rig, peer_kind::COMPUTE_REQUEST, 21);
    assert_eq!(told(&mut rig), [(peer_kind::COMPUTE_RESPONSE, 42)]);
    hear(&mut rig, 77, 1);
    assert_eq!(rig.get(calculator::STATUS), 0);
    assert_eq!(rig.host.guest_errors().len(), 1);
}

#[test]
fn sst_m09_interrupt_follows_status_and_mask() {
    let mut rig = Rig::new(make_engine());
    rig.set(engine::LATENCY, 250);
    rig.set(engine::INT_ENABLE, engine::COMPLETE);
    rig.set(engine::CTRL, engine::START | engine::INT_EN);
    assert_eq!(rig.get(engine::CTRL), engine::INT_EN);
    rig.cycles(249);
    assert_eq!(rig.get(engine::STATUS), engine::BUSY);
    assert!(!rig.host.level(0));
    rig.cycles(1);
    assert_eq!(rig.get(engine::STATUS), engine::DONE);
    assert_eq!(rig.get(engine::CYCLE_COUNT), 250);
    assert!(rig.host.level(0));
    rig.set(engine::INT_ENABLE, 0);
    assert!(!rig.host.level(0));
    rig.set(engine::INT_ENABLE, engine::COMPLETE);
    assert!(rig.host.level(0));
    rig.set(engine::CTRL, 0);
    assert!(!rig.host.level(0));
    rig.set(engine::CTRL, engine::INT_EN);
    rig.set(engine::INT_STATUS, engine::COMPLETE);
    assert!(!rig.host.level(0));
    assert_eq!(rig.get(engine::INT_STATUS), 0);
    rig.set(engine::DATA_IN, 5);
    assert_eq!(rig.get(engine::DATA_OUT), 5);
    // A reset by the guest leaves the latency.
    rig.set(engine::CTRL, engine::RESET);
    assert_eq!(rig.get(engine::LATENCY), 250);
    assert_eq!((rig.get(engine::STATUS), rig.get(engine::DATA_OUT)), (0, 0));
}

#[test]
fn sst_m10_start_while_busy_is_ignored_and_told() {
    let mut rig = Rig::new(make_engine());
    rig.set(engine::CTRL, engine::START);
    rig.cycles(60);
    rig.set(engine::LATENCY, 1000);
    rig.set(engine::CTRL, engine::START);
    assert_eq!(rig.host.guest_errors(), ["engine: start while busy"]);
    rig.cycles(40);
    assert_eq!(rig.get(engine::STATUS), engine::DONE);
    assert_eq!(rig.get(engine::CYCLE_COUNT), 100);
    let mut calculator = Rig::new(make_calculator());
    calculator.set(calculator::CONTROL, calculator::TRIGGER);
    calculator.set(calculator::CONTROL, calculator::TRIGGER);
    assert_eq!(calculator.host.guest_errors().len(), 1);
}
