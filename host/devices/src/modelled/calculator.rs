//! The calculator (docs/virtio-sst.md §7.2).

use super::{Cycles, decode, load_timer, read, save_timer, write};
use maquette_model::registers::{Register, find};
use maquette_model::{
    Access, Cx, Device, Event, Inspect, LoadError, Message, PortId, Reader, Region, RegisterInfo,
    ResetKind, Snapshot, TimerId, Tree, Width, Writer,
};
use maquette_virtio_sst_protocol::models::{PeerMessage, calculator as bits, peer_kind};

/// The link to the peer: each [`PeerMessage`] is one [`Message::Bytes`].
const PEER: PortId = PortId(0);

#[derive(Clone, Copy)]
enum Reg {
    OperandA,
    OperandB,
    Operation,
    Result,
    Status,
    Control,
    PeerDataOut,
    PeerDataIn,
}

impl Reg {
    const fn name(self) -> &'static str {
        match self {
            Self::OperandA => "OPERAND_A",
            Self::OperandB => "OPERAND_B",
            Self::Operation => "OPERATION",
            Self::Result => "RESULT",
            Self::Status => "STATUS",
            Self::Control => "CONTROL",
            Self::PeerDataOut => "PEER_DATA_OUT",
            Self::PeerDataIn => "PEER_DATA_IN",
        }
    }
}

const REGISTERS: [Register<Reg>; 8] = [
    Register::one(bits::OPERAND_A, Width::B4, Reg::OperandA),
    Register::one(bits::OPERAND_B, Width::B4, Reg::OperandB),
    Register::one(bits::OPERATION, Width::B4, Reg::Operation),
    Register::one(bits::RESULT, Width::B4, Reg::Result),
    Register::one(bits::STATUS, Width::B4, Reg::Status),
    Register::one(bits::CONTROL, Width::B4, Reg::Control),
    Register::one(bits::PEER_DATA_OUT, Width::B4, Reg::PeerDataOut),
    Register::one(bits::PEER_DATA_IN, Width::B4, Reg::PeerDataIn),
];

/// What a guest can change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    a: u32,
    b: u32,
    operation: u32,
    result: u32,
    /// READY, ERROR and PEER_READY.
    status: u32,
    peer_in: u32,
    /// Runs while it calculates.
    timer: Option<TimerId>,
}

/// Calculates with two numbers.
#[derive(Clone, Debug)]
pub struct Calculator {
    latency: Cycles,
    state: State,
}

impl Calculator {
    /// Size of the register region.
    pub const SIZE: u64 = 0x1000;

    /// A calculator whose operations take this long.
    #[must_use]
    pub fn new(latency: Cycles) -> Self {
        Self {
            latency,
            state: State::default(),
        }
    }

    fn load_register(&mut self, cx: &mut Cx<'_>, reg: Reg) -> u32 {
        let s = &mut self.state;
        match reg {
            Reg::OperandA => s.a,
            Reg::OperandB => s.b,
            Reg::Operation => s.operation,
            Reg::Result => s.result,
            Reg::Status => s.status | if s.timer.is_some() { bits::BUSY } else { 0 },
            Reg::PeerDataIn => {
                s.status &= !bits::PEER_READY;
                s.peer_in
            }
            Reg::Control | Reg::PeerDataOut => {
                cx.guest_error("calculator: read of a register that is only written", 0);
                0
            }
        }
    }

    fn store_register(&mut self, cx: &mut Cx<'_>, reg: Reg, value: u32) {
        match reg {
            Reg::OperandA => self.state.a = value,
            Reg::OperandB => self.state.b = value,
            Reg::Operation => self.state.operation = value,
            Reg::Control => self.control(cx, value),
            Reg::PeerDataOut => tell(cx, peer_kind::DATA_REQUEST, value),
            Reg::Result | Reg::Status | Reg::PeerDataIn => cx.guest_error(
                "calculator: write to a register that is only read",
                value.into(),
            ),
        }
    }

    fn control(&mut self, cx: &mut Cx<'_>, value: u32) {
        if value & bits::RESET != 0 {
            self.forget(cx);
        }
        if value & bits::TRIGGER == 0 {
            return;
        }
        if self.state.timer.is_some() {
            return cx.guest_error("calculator: trigger while busy", value.into());
        }
        self.state.status &= !(bits::READY | bits::ERROR);
        self.state.timer = Some(self.latency.start(cx));
    }

    fn forget(&mut self, cx: &mut Cx<'_>) {
        if let Some(timer) = self.state.timer {
            cx.cancel(timer);
        }
        self.state = State::default();
    }

    /// The operands count as they are when the time is over.
    fn calculate(&mut self) {
        let s = &mut self.state;
        let result = match s.operation {
            bits::ADD => Some(s.a.wrapping_add(s.b)),
            bits::SUB => Some(s.a.wrapping_sub(s.b)),
            bits::MUL => Some(s.a.wrapping_mul(s.b)),
            bits::DIV => s.a.checked_div(s.b),
            _ => None,
        };
        s.result = result.unwrap_or(0);
        s.status |= bits::READY;
        if result.is_none() {
            s.status |= bits::ERROR;
        }
    }

    fn heard(&mut self, cx: &mut Cx<'_>, message: &Message) {
        let message = match message {
            Message::Bytes(bytes) if bytes.len() == PeerMessage::SIZE => PeerMessage::decode(bytes),
            _ => return cx.guest_error("calculator: no message of a peer", 0),
        };
        match message.kind {
            peer_kind::COMPUTE_REQUEST => {
                tell(
                    cx,
                    peer_kind::COMPUTE_RESPONSE,
                    message.data.wrapping_mul(2),
                );
            }
            peer_kind::DATA_REQUEST | peer_kind::DATA_RESPONSE | peer_kind::COMPUTE_RESPONSE => {
                self.state.peer_in = message.data;
                self.state.status |= bits::PEER_READY;
            }
            kind => cx.guest_error("calculator: unknown message of a peer", kind.into()),
        }
    }
}

fn tell(cx: &mut Cx<'_>, kind: u32, data: u32) {
    let message = PeerMessage {
        kind,
        data,
        parameter: 0,
    };
    cx.send(PEER, Message::Bytes(message.encode().to_vec()));
}

impl Device for Calculator {
    fn read(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, w: Width) -> Access<u64> {
        let register = decode(&REGISTERS, Self::SIZE, off, w);
        read(cx, register, (off, w), |cx, reg| {
            self.load_register(cx, reg)
        })
    }

    fn write(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, w: Width, v: u64) -> Access<()> {
        let register = decode(&REGISTERS, Self::SIZE, off, w);
        write(cx, register, (off, w, v), |cx, reg, value| {
            self.store_register(cx, reg, value);
        })
    }

    fn event(&mut self, cx: &mut Cx<'_>, ev: Event) {
        match ev {
            Event::Timer { .. } => {
                if self.state.timer.take().is_some() {
                    self.calculate();
                }
            }
            Event::Message { msg, .. } => self.heard(cx, &msg),
        }
    }

    fn reset(&mut self, cx: &mut Cx<'_>, _: ResetKind) {
        self.forget(cx);
    }

    fn register(&self, _: Region, off: u64) -> Option<RegisterInfo> {
        find(&REGISTERS, off).map(|hit| RegisterInfo::plain(hit.id.name()))
    }
}

impl Inspect for Calculator {
    fn inspect(&self, tree: &mut Tree) {
        let s = &self.state;
        tree.hex("operand_a", s.a);
        tree.hex("operand_b", s.b);
        tree.number("operation", s.operation);
        tree.hex("result", s.result);
        tree.hex("status", s.status);
        tree.flag("busy", s.timer.is_some());
        tree.hex("peer_data_in", s.peer_in);
    }
}

impl Snapshot for Calculator {
    fn kind(&self) -> &'static str {
        "calculator"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        let s = &self.state;
        for word in [s.a, s.b, s.operation, s.result, s.status, s.peer_in] {
            w.u32(word);
        }
        save_timer(s.timer, w);
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.state = State {
            a: r.u32()?,
            b: r.u32()?,
            operation: r.u32()?,
            result: r.u32()?,
            status: r.u32()?,
            peer_in: r.u32()?,
            timer: load_timer(r)?,
        };
        Ok(())
    }
}
