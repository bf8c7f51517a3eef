//! Register bits (PC16550D, table 2).

/// Interrupt enable register.
pub(super) mod ier {
    pub const RECEIVED: u8 = 1;
    pub const THR_EMPTY: u8 = 1 << 1;
    pub const LINE_STATUS: u8 = 1 << 2;
    pub const MODEM: u8 = 1 << 3;
    /// The bits that exist.
    pub const MASK: u8 = 0x0f;
}

/// Interrupt identification register.
pub(super) mod iir {
    pub const MODEM: u8 = 0x00;
    pub const NONE: u8 = 0x01;
    pub const THR_EMPTY: u8 = 0x02;
    pub const RECEIVED: u8 = 0x04;
    pub const LINE_STATUS: u8 = 0x06;
    pub const TIMEOUT: u8 = 0x0c;
    /// The FIFOs are in use.
    pub const FIFOS: u8 = 0xc0;
}

/// FIFO control register.
pub(super) mod fcr {
    pub const ENABLE: u8 = 1;
    pub const CLEAR_RX: u8 = 1 << 1;
    /// Bits 7..6 select the trigger level.
    pub const TRIGGER_SHIFT: u8 = 6;
    /// The bits that stay: enable, DMA mode, trigger.
    pub const KEPT: u8 = 0xc9;
}

/// Line control register.
pub(super) mod lcr {
    pub const WORD_LENGTH: u8 = 3;
    pub const TWO_STOP_BITS: u8 = 1 << 2;
    pub const PARITY: u8 = 1 << 3;
    pub const DLAB: u8 = 1 << 7;
}

/// Modem control register.
pub(super) mod mcr {
    pub const DTR: u8 = 1;
    pub const RTS: u8 = 1 << 1;
    pub const OUT1: u8 = 1 << 2;
    pub const OUT2: u8 = 1 << 3;
    pub const LOOP: u8 = 1 << 4;
    /// The bits that exist.
    pub const MASK: u8 = 0x1f;
}

/// Line status register.
pub(super) mod lsr {
    pub const READY: u8 = 1;
    pub const OVERRUN: u8 = 1 << 1;
    pub const THR_EMPTY: u8 = 1 << 5;
    pub const IDLE: u8 = 1 << 6;
}

/// Modem status register.
pub(super) mod msr {
    pub const CTS: u8 = 1 << 4;
    pub const DSR: u8 = 1 << 5;
    pub const RI: u8 = 1 << 6;
    pub const DCD: u8 = 1 << 7;
    /// Each input's delta lies so many bits lower.
    pub const DELTA_SHIFT: u8 = 4;
}
