//! The serial port 16550A as QEMU's `virt` board has it: byte registers, one after the other.
//!
//! National Semiconductor PC16550D data sheet, chapter 8. Two things are simpler than the chip:
//!
//! - Transmission takes no time: a byte leaves when it is written, so the transmitter is always empty.
//! - Reception runs at the line's rate, and the peer honours flow control: bytes wait on the wire while
//!   the FIFO is full. An overrun happens when the wire is full too, or in loop-back.

mod bits;
mod inspect;
mod receive;

use bits::{fcr, ier, iir, lcr, lsr, mcr, msr};
use maquette_model::registers::{Register, find};
use maquette_model::{
    Access, BusError, Cx, Device, Event, Frequency, LoadError, Message, PortId, Reader, Region,
    RegisterInfo, ResetKind, SimTime, Snapshot, Width, Writer,
};
use receive::Receiver;

/// Where the line goes: sent and received bytes are [`Message::Byte`].
pub const LINE: PortId = PortId(0);

#[derive(Clone, Copy)]
enum Reg {
    /// RBR, THR; DLL with DLAB.
    Data,
    /// IER; DLM with DLAB.
    Ier,
    /// IIR to read, FCR to write.
    Iir,
    Lcr,
    Mcr,
    Lsr,
    Msr,
    Scratch,
}

impl Reg {
    const fn name(self) -> &'static str {
        match self {
            Self::Data => "RBR/THR",
            Self::Ier => "IER",
            Self::Iir => "IIR/FCR",
            Self::Lcr => "LCR",
            Self::Mcr => "MCR",
            Self::Lsr => "LSR",
            Self::Msr => "MSR",
            Self::Scratch => "SCR",
        }
    }
}

/// PC16550D, table 2.
const REGISTERS: [Register<Reg>; 8] = [
    Register::one(0, Width::B1, Reg::Data),
    Register::one(1, Width::B1, Reg::Ier),
    Register::one(2, Width::B1, Reg::Iir),
    Register::one(3, Width::B1, Reg::Lcr),
    Register::one(4, Width::B1, Reg::Mcr),
    Register::one(5, Width::B1, Reg::Lsr),
    Register::one(6, Width::B1, Reg::Msr),
    Register::one(7, Width::B1, Reg::Scratch),
];

/// The divisor that firmware is taken to have left: 115,200 baud at 3.6864 MHz.
const FIRST_DIVISOR: u16 = 2;

/// The registers that survive as they are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct State {
    ier: u8,
    fcr: u8,
    lcr: u8,
    mcr: u8,
    scratch: u8,
    divisor: u16,
    /// Deltas of the modem inputs, bits 3..0 of MSR.
    deltas: u8,
    /// "Transmitter holding register empty" waits to be reported.
    thr_empty: bool,
    /// Level of the interrupt line.
    raised: bool,
}

/// PC16550D, table 1 (reset), with the divisor set.
const FRESH: State = State {
    ier: 0,
    fcr: 0,
    lcr: 0,
    mcr: 0,
    scratch: 0,
    divisor: FIRST_DIVISOR,
    deltas: 0,
    thr_empty: true,
    raised: false,
};

/// The serial port. Line 0 is its interrupt, port 0 its line.
#[derive(Clone, Debug)]
pub struct Uart16550 {
    clock: Frequency,
    state: State,
    rx: Receiver,
}

impl Uart16550 {
    /// Size of the register region on the `virt` board; only the first eight bytes answer.
    pub const SIZE: u64 = 0x100;
    /// The input clock of the `virt` board, as its device tree says.
    pub const VIRT_CLOCK: Frequency = Frequency::from_hz(3_686_400);

    /// A serial port whose baud rate is `clock / (16 * divisor)`.
    #[must_use]
    pub fn new(clock: Frequency) -> Self {
        Self {
            clock,
            state: FRESH,
            rx: Receiver::default(),
        }
    }

    /// How long one character takes on the line.
    const fn character(&self) -> SimTime {
        let s = &self.state;
        let mut bits = 1 + 5 + (s.lcr & lcr::WORD_LENGTH) as u64 + 1;
        if s.lcr & lcr::PARITY != 0 {
            bits += 1;
        }
        if s.lcr & lcr::TWO_STOP_BITS != 0 {
            bits += 1;
        }
        // The data sheet gives a divisor of 0 no meaning.
        let divisor = if s.divisor == 0 { 1 } else { s.divisor as u64 };
        self.clock.time_of(16 * divisor * bits)
    }

    const fn fifo_enabled(&self) -> bool {
        self.state.fcr & fcr::ENABLE != 0
    }

    /// The interrupt that is reported now (PC16550D, table 5).
    fn interrupt(&self) -> u8 {
        let s = &self.state;
        if s.ier & ier::LINE_STATUS != 0 && self.rx.overrun {
            iir::LINE_STATUS
        } else if s.ier & ier::RECEIVED != 0 && self.rx.fifo.len() >= self.trigger() {
            iir::RECEIVED
        } else if s.ier & ier::RECEIVED != 0 && self.rx.timed_out {
            iir::TIMEOUT
        } else if s.ier & ier::THR_EMPTY != 0 && s.thr_empty {
            iir::THR_EMPTY
        } else if s.ier & ier::MODEM != 0 && s.deltas != 0 {
            iir::MODEM
        } else {
            iir::NONE
        }
    }

    /// How many bytes in the FIFO are worth an interrupt.
    const fn trigger(&self) -> usize {
        if !self.fifo_enabled() {
            return 1;
        }
        match self.state.fcr >> fcr::TRIGGER_SHIFT {
            0 => 1,
            1 => 4,
            2 => 8,
            _ => 14,
        }
    }

    fn update(&mut self, cx: &mut Cx<'_>) {
        let raised = self.interrupt() != iir::NONE;
        if self.state.raised != raised {
            self.state.raised = raised;
            cx.line(0, raised);
        }
    }

    /// The modem inputs, bits 7..4 of MSR. A peer is always there; in loop-back they are the outputs
    /// (PC16550D §8.6.6).
    const fn modem_inputs(&self) -> u8 {
        let mcr = self.state.mcr;
        if mcr & mcr::LOOP == 0 {
            return msr::CTS | msr::DSR | msr::DCD;
        }
        let mut v = 0;
        if mcr & mcr::RTS != 0 {
            v |= msr::CTS;
        }
        if mcr & mcr::DTR != 0 {
            v |= msr::DSR;
        }
        if mcr & mcr::OUT1 != 0 {
            v |= msr::RI;
        }
        if mcr & mcr::OUT2 != 0 {
            v |= msr::DCD;
        }
        v
    }

    fn write_mcr(&mut self, v: u8) {
        let before = self.modem_inputs();
        self.state.mcr = v & mcr::MASK;
        let now = self.modem_inputs();
        // "Trailing edge of RI" counts only its fall; the others count both ways.
        let changed = ((before ^ now) & !msr::RI) | (before & !now & msr::RI);
        self.state.deltas |= changed >> msr::DELTA_SHIFT;
    }

    fn write_fcr(&mut self, v: u8) {
        let toggled = (self.state.fcr ^ v) & fcr::ENABLE != 0;
        if toggled || v & fcr::CLEAR_RX != 0 {
            self.rx.clear_fifo();
        }
        // Without ENABLE in the same write the other bits do not take effect.
        self.state.fcr = if v & fcr::ENABLE == 0 {
            0
        } else {
            v & fcr::KEPT
        };
    }

    fn transmit(&mut self, cx: &mut Cx<'_>, byte: u8) {
        if self.state.mcr & mcr::LOOP == 0 {
            cx.send(LINE, Message::Byte(byte));
        } else {
            self.rx.push(byte, self.fifo_enabled());
        }
        self.state.thr_empty = true;
    }

    fn load_register(&mut self, reg: Reg) -> u8 {
        let s = &mut self.state;
        let [low, high] = s.divisor.to_le_bytes();
        let dlab = s.lcr & lcr::DLAB != 0;
        match reg {
            Reg::Data if dlab => low,
            Reg::Ier if dlab => high,
            Reg::Data => self.rx.pop(),
            Reg::Ier => s.ier,
            Reg::Iir => {
                let cause = self.interrupt();
                if cause == iir::THR_EMPTY {
                    self.state.thr_empty = false;
                }
                cause | if self.fifo_enabled() { iir::FIFOS } else { 0 }
            }
            Reg::Lcr => s.lcr,
            Reg::Mcr => s.mcr,
            Reg::Lsr => {
                let overrun = std::mem::take(&mut self.rx.overrun);
                lsr::THR_EMPTY
                    | lsr::IDLE
                    | if overrun { lsr::OVERRUN } else { 0 }
                    | if self.rx.fifo.is_empty() {
                        0
                    } else {
                        lsr::READY
                    }
            }
            Reg::Msr => {
                let deltas = std::mem::take(&mut s.deltas);
                self.modem_inputs() | deltas
            }
            Reg::Scratch => s.scratch,
        }
    }

    fn store_register(&mut self, cx: &mut Cx<'_>, reg: Reg, v: u8) {
        let s = &mut self.state;
        let [low, high] = s.divisor.to_le_bytes();
        let dlab = s.lcr & lcr::DLAB != 0;
        match reg {
            Reg::Data if dlab => s.divisor = u16::from_le_bytes([v, high]),
            Reg::Ier if dlab => s.divisor = u16::from_le_bytes([low, v]),
            Reg::Data => self.transmit(cx, v),
            Reg::Ier => {
                // Enabling the interrupt while the transmitter is empty reports that at once.
                if !s.ier & v & ier::THR_EMPTY != 0 {
                    s.thr_empty = true;
                }
                s.ier = v & ier::MASK;
            }
            Reg::Iir => self.write_fcr(v),
            Reg::Lcr => s.lcr = v,
            Reg::Mcr => self.write_mcr(v),
            Reg::Lsr | Reg::Msr => cx.guest_error("uart: write to a status register", v.into()),
            Reg::Scratch => s.scratch = v,
        }
    }

    /// Brings timers and the interrupt line in step with the registers.
    fn settle(&mut self, cx: &mut Cx<'_>) {
        let (character, fifo) = (self.character(), self.fifo_enabled());
        self.rx.settle(cx, character, fifo);
        self.update(cx);
    }
}

/// The register at `off`. A wider access reaches only the register it starts at, as on the `virt`
/// board of QEMU: its upper bytes read 0 and are ignored.
fn access(off: u64) -> Result<Reg, BusError> {
    find(&REGISTERS, off)
        .map(|h| h.id)
        .ok_or(BusError::Unmapped)
}

impl Device for Uart16550 {
    fn read(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, _: Width) -> Access<u64> {
        let reg = match access(off) {
            Ok(reg) => reg,
            Err(e) => return Access::Fault(e),
        };
        let v = self.load_register(reg);
        self.settle(cx);
        Access::Done(v.into())
    }

    fn write(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, _: Width, v: u64) -> Access<()> {
        let reg = match access(off) {
            Ok(reg) => reg,
            Err(e) => return Access::Fault(e),
        };
        let [low, ..] = v.to_le_bytes();
        self.store_register(cx, reg, low);
        self.settle(cx);
        Access::Done(())
    }

    fn event(&mut self, cx: &mut Cx<'_>, ev: Event) {
        let fifo = self.fifo_enabled();
        match ev {
            Event::Timer { tag, .. } => self.rx.timer(tag, fifo),
            Event::Message { port: LINE, msg } => match msg {
                Message::Byte(b) => self.rx.arrive(&[b]),
                Message::Bytes(bytes) => self.rx.arrive(&bytes),
                Message::Word(_) => {}
            },
            Event::Message { .. } => {}
        }
        self.settle(cx);
    }

    fn reset(&mut self, _: &mut Cx<'_>, _: ResetKind) {
        self.state = FRESH;
        self.rx.reset();
    }

    fn register(&self, _: Region, off: u64) -> Option<RegisterInfo> {
        access(off).ok().map(|reg| RegisterInfo::plain(reg.name()))
    }
}

impl Snapshot for Uart16550 {
    fn kind(&self) -> &'static str {
        "uart16550"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        let s = &self.state;
        for v in [s.ier, s.fcr, s.lcr, s.mcr, s.scratch, s.deltas] {
            w.u8(v);
        }
        w.u16(s.divisor);
        w.bool(s.thr_empty);
        w.bool(s.raised);
        self.rx.save(w);
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.state = State {
            ier: r.u8()?,
            fcr: r.u8()?,
            lcr: r.u8()?,
            mcr: r.u8()?,
            scratch: r.u8()?,
            deltas: r.u8()?,
            divisor: r.u16()?,
            thr_empty: r.bool("thr_empty")?,
            raised: r.bool("raised")?,
        };
        self.rx.load(r)
    }
}

#[cfg(test)]
mod tests;
