//! The memory map that M-mode guests rely on: the one of QEMU's `virt` board.
//!
//! S-mode guests read the device tree instead; bare ones are too small to be worth it.

use crate::arch::Mmio;

/// First byte of RAM.
pub const RAM_BASE: usize = 0x8000_0000;
/// The 16550 UART.
pub const UART: Mmio = Mmio::at(0x1000_0000);
/// The test finisher (`sifive,test1`): ends or resets the machine.
pub const FINISHER: Mmio = Mmio::at(0x0010_0000);
/// Core-local interruptor: software interrupts, timers.
pub const CLINT: Mmio = Mmio::at(0x0200_0000);
/// Platform-level interrupt controller.
pub const PLIC: Mmio = Mmio::at(0x0c00_0000);
/// Interrupt number of the UART at the PLIC.
pub const UART_IRQ: u32 = 10;
/// Number of virtio-mmio slots.
pub const VIRTIO_SLOTS: usize = 8;

/// The `n`-th virtio-mmio slot.
#[must_use]
pub const fn virtio_slot(n: usize) -> Mmio {
    Mmio::at(0x1000_1000 + n * 0x1000)
}

/// Interrupt number of the `n`-th virtio-mmio slot at the PLIC.
#[must_use]
pub const fn virtio_irq(n: usize) -> usize {
    1 + n
}

/// Offset of hart `n`'s software-interrupt word in the [`CLINT`].
#[must_use]
pub const fn msip(n: usize) -> usize {
    4 * n
}

/// Offset of hart `n`'s timer comparand in the [`CLINT`].
#[must_use]
pub const fn mtimecmp(n: usize) -> usize {
    0x4000 + 8 * n
}

/// Offset of the machine's time in the [`CLINT`].
pub const MTIME: usize = 0xbff8;
