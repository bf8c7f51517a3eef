//! The enhanced configuration access mechanism: configuration space in memory (PCIe 5.0 §7.2.2).

use core::fmt;

/// Which function: bus, device and function number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// 0 to 255.
    pub bus: u8,
    /// 0 to 31.
    pub device: u8,
    /// 0 to 7.
    pub function: u8,
}

/// Devices of a bus.
pub const DEVICES: u8 = 32;
/// Bytes of a bus.
pub const BUS_BYTES: u64 = 1 << 20;

/// `00.01.0`: bus and device in hexadecimal, with dots, so that it can be part of a path.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bus,
            device,
            function,
        } = self;
        write!(f, "{bus:02x}.{device:02x}.{function}")
    }
}

impl Address {
    /// Function 0 of a device of bus 0.
    #[must_use]
    pub const fn root(device: u8) -> Self {
        Self {
            bus: 0,
            device,
            function: 0,
        }
    }

    /// Where the configuration space of the function begins.
    #[must_use]
    pub const fn offset(self) -> u64 {
        let Self {
            bus,
            device,
            function,
        } = self;
        (bus as u64) << 20 | (device as u64 & 0x1f) << 15 | (function as u64 & 7) << 12
    }

    /// The function whose configuration space holds `offset`, and the distance from its start; `None`
    /// past the last bus.
    #[must_use]
    pub const fn decode(offset: u64) -> Option<(Self, u64)> {
        if offset >> 28 != 0 {
            return None;
        }
        let [_, low, middle, high, ..] = offset.to_le_bytes();
        let function = Self {
            bus: high << 4 | middle >> 4,
            device: (middle & 0xf) << 1 | low >> 7,
            function: low >> 4 & 7,
        };
        Some((function, offset & 0xfff))
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn decode_undoes_offset_for_every_function() {
        for bus in 0..=255 {
            for device in 0..32 {
                for function in 0..8 {
                    let address = Address {
                        bus,
                        device,
                        function,
                    };
                    let at = address.offset();
                    assert_eq!(Address::decode(at), Some((address, 0)));
                    assert_eq!(Address::decode(at + 0xfff), Some((address, 0xfff)));
                }
            }
        }
    }

    #[test]
    fn decode_ends_behind_the_last_bus() {
        assert!(Address::decode((1 << 28) - 1).is_some());
        assert_eq!(Address::decode(1 << 28), None);
        assert_eq!(Address::decode(u64::MAX), None);
    }
}
