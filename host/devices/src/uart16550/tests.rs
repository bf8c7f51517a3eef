use super::*;
use maquette_model::testing::{Seen, TestHost};

/// A serial port and its host.
struct Bench {
    uart: Uart16550,
    host: TestHost,
}

impl Bench {
    fn new() -> Self {
        Self {
            uart: Uart16550::new(Uart16550::VIRT_CLOCK),
            host: TestHost::new(),
        }
    }
    fn write(&mut self, off: u64, v: u8) {
        let cx = &mut Cx::new(&mut self.host);
        let answer = self.uart.write(cx, Region(0), off, Width::B1, v.into());
        assert_eq!(answer, Access::Done(()));
    }
    fn read(&mut self, off: u64) -> u8 {
        let cx = &mut Cx::new(&mut self.host);
        match self.uart.read(cx, Region(0), off, Width::B1) {
            Access::Done(v) => u8::try_from(v).unwrap(),
            other => panic!("{off}: {other:?}"),
        }
    }
    fn message(&mut self, bytes: &[u8]) {
        for &b in bytes {
            let msg = Message::Byte(b);
            let cx = &mut Cx::new(&mut self.host);
            self.uart.event(cx, Event::Message { port: LINE, msg });
        }
    }
    fn characters(&mut self, n: u64) {
        let step = SimTime::from_ps(self.uart.character().as_ps() * n);
        let t = self.host.now.saturating_add(step);
        self.host.run_until(&mut self.uart, t);
    }
    fn irq(&self) -> bool {
        self.host.level(0)
    }
}

maquette_model::conformance!(
    uart16550,
    || Uart16550::new(Uart16550::VIRT_CLOCK),
    Uart16550::SIZE,
    drives lines
);

#[test]
fn registers_after_reset_are_those_of_the_data_sheet() {
    let mut b = Bench::new();
    let got: Vec<u8> = (0..8).map(|off| b.read(off)).collect();
    assert_eq!(got, [0, 0, 0x01, 0, 0, 0x60, 0xb0, 0]);
}

#[test]
fn character_time_follows_divisor_and_frame() {
    let mut b = Bench::new();
    b.write(3, 0x83); // DLAB, 8n1
    assert_eq!((b.read(0), b.read(1)), (2, 0));
    assert_eq!(
        b.uart.character().as_ps(),
        86_805_556,
        "10 bits at 115,200 baud"
    );
    b.write(0, 0x80);
    b.write(1, 0x01);
    assert_eq!((b.read(0), b.read(1)), (0x80, 1));
    b.write(3, 0x1f); // 8e2
    let bits = 12 * 16 * 0x180;
    assert_eq!(b.uart.character(), Uart16550::VIRT_CLOCK.time_of(bits));
    b.write(3, 0x80);
    b.write(0, 0);
    b.write(1, 0);
    assert_ne!(
        b.uart.character(),
        SimTime::ZERO,
        "a divisor of 0 does not stop time"
    );
}

#[test]
fn written_byte_leaves_at_once_whatever_the_width() {
    let mut b = Bench::new();
    b.write(0, b'a');
    let cx = &mut Cx::new(&mut b.host);
    let wide = b.uart.write(cx, Region(0), 0, Width::B4, 0x1234_5662);
    assert_eq!(wide, Access::Done(()));
    assert_eq!(b.host.sent_bytes(LINE), b"ab");
    assert_eq!(b.read(5) & 0x60, 0x60);
}

#[test]
fn offsets_past_the_eight_registers_are_unmapped() {
    let mut b = Bench::new();
    let answer = b
        .uart
        .read(&mut Cx::new(&mut b.host), Region(0), 8, Width::B1);
    assert_eq!(answer, Access::Fault(BusError::Unmapped));
}

#[test]
fn received_bytes_arrive_at_the_line_rate() {
    let mut b = Bench::new();
    b.write(2, 0x01);
    b.message(b"xyz");
    assert_eq!(b.read(5) & 1, 0, "still on the wire");
    b.characters(1);
    assert_eq!(b.read(5) & 1, 1);
    assert_eq!(b.read(0), b'x');
    assert_eq!(b.read(5) & 1, 0);
    b.characters(2);
    assert_eq!((b.read(0), b.read(0)), (b'y', b'z'));
    assert_eq!(b.read(0), 0, "empty reads 0");
}

#[test]
fn full_fifo_holds_the_wire_without_loss() {
    let mut b = Bench::new();
    b.write(2, 0x01);
    let sent: Vec<u8> = (0..100).collect();
    b.message(&sent);
    b.characters(50);
    let mut got = Vec::new();
    for _ in 0..2000 {
        if b.read(5) & 1 != 0 {
            got.push(b.read(0));
        } else {
            b.characters(1);
        }
        assert_eq!(b.read(5) & 2, 0, "no overrun");
    }
    assert_eq!(got, sent);
}

#[test]
fn full_wire_loses_bytes_and_reports_an_overrun() {
    let mut b = Bench::new();
    b.write(1, 0x04);
    b.message(&vec![b'-'; receive::WIRE]);
    assert!(!b.irq());
    b.message(b"!");
    assert!(b.irq());
    assert_eq!(b.read(2), 0x06);
    assert_eq!(b.read(5) & 2, 2);
    assert!(!b.irq(), "reading LSR clears it");
    assert_eq!(b.read(5) & 2, 0);
}

#[test]
fn receive_interrupt_waits_for_the_trigger_or_the_timeout() {
    let mut b = Bench::new();
    b.write(2, 0x81); // trigger 8
    b.write(1, 0x01);
    b.message(b"1234567");
    b.characters(7);
    assert!(!b.irq());
    b.characters(4);
    assert!(b.irq());
    assert_eq!(b.read(2), 0xcc);
    assert_eq!(b.read(0), b'1');
    assert!(!b.irq(), "a read ends the timeout");
    b.message(b"890");
    b.characters(2);
    assert_eq!(b.read(2), 0xc4);
    while b.read(5) & 1 != 0 {
        b.read(0);
    }
    assert!(!b.irq());
    assert_eq!(b.read(2), 0xc1);
}

#[test]
fn transmit_interrupt_comes_on_enable_and_after_each_write() {
    let mut b = Bench::new();
    b.write(1, 0x02);
    assert!(b.irq());
    assert_eq!(b.read(2), 0x02);
    assert!(!b.irq(), "reading IIR takes it");
    b.write(0, b'a');
    assert!(b.irq());
    b.write(1, 0);
    assert!(!b.irq());
    b.write(1, 0x02);
    assert!(b.irq(), "enabling again reports again");
}

#[test]
fn loopback_returns_bytes_and_modem_outputs() {
    let mut b = Bench::new();
    b.write(4, 0x1a);
    assert_eq!(b.read(6) & 0xf0, 0x90, "what Linux probes for");
    b.write(0, b'q');
    assert_eq!(b.read(0), b'q');
    assert_eq!(b.host.sent_bytes(LINE), b"");
    b.write(0, b'1');
    b.write(0, b'2');
    assert_eq!(b.read(5) & 2, 2, "one byte deep without FIFO");
    assert_eq!(b.read(0), b'2', "the newer byte stays");
}

#[test]
fn modem_interrupt_reports_changes_until_msr_is_read() {
    let mut b = Bench::new();
    b.write(1, 0x08);
    b.write(4, 0x14); // loop, OUT1
    assert!(b.irq());
    assert_eq!(b.read(2), 0x00);
    assert_eq!(b.read(6), 0x40 | 0x0b, "RI rose: no trailing edge");
    assert!(!b.irq());
    b.write(4, 0x10);
    assert_eq!(b.read(6), 0x04, "RI fell");
}

#[test]
fn scratch_and_ier_keep_the_bits_that_exist() {
    let mut b = Bench::new();
    b.write(7, 0xa5);
    b.write(1, 0xf0);
    b.write(4, 0xff);
    assert_eq!((b.read(7), b.read(1), b.read(4)), (0xa5, 0, 0x1f));
    b.write(5, 0xff);
    b.write(6, 0xff);
    assert_eq!(b.host.guest_errors().len(), 2);
}

#[test]
fn toggling_the_fifo_empties_it() {
    let mut b = Bench::new();
    b.write(2, 0x01);
    b.message(b"ab");
    b.characters(2);
    b.write(2, 0x00);
    assert_eq!(b.read(5) & 1, 0);
    assert_eq!(b.read(2) & 0xc0, 0);
    b.write(2, 0xc7);
    assert_eq!(b.read(2) & 0xc0, 0xc0);
}

#[test]
fn interrupt_line_is_driven_only_on_change() {
    let mut b = Bench::new();
    for _ in 0..5 {
        b.write(1, 0x02);
        b.write(0, b'x');
    }
    let lines = b.host.log.iter().filter(|s| matches!(s, Seen::Line(..)));
    assert_eq!(lines.count(), 1);
}
