//! Feature bits that are not specific to one device type.

use bitflags::bitflags;

bitflags! {
    /// The 128-bit feature space as far as it is in use: bits 0 to 63 (virtio 1.3 §2.2, §6).
    ///
    /// Bits 0 to 23 and 50 to 63 belong to the device type (see [`crate::blk::feature`] and its
    /// siblings); those named here belong to queues and transports.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct Features: u64 {
        /// A descriptor may point to a table of descriptors (virtio 1.3 §2.7.5.3).
        const INDIRECT_DESC = 1 << 28;
        /// `used_event` and `avail_event` are in use (virtio 1.3 §2.7.7, §2.7.10).
        const EVENT_IDX = 1 << 29;
        /// The device complies with the modern specification (virtio 1.3 §6).
        const VERSION_1 = 1 << 32;
        /// The device's addresses are translated by the platform (virtio 1.3 §6).
        const ACCESS_PLATFORM = 1 << 33;
        /// Packed virtqueues (virtio 1.3 §2.8).
        const RING_PACKED = 1 << 34;
        /// Buffers are used in the order in which they were made available (virtio 1.3 §6).
        const IN_ORDER = 1 << 35;
        /// Memory accesses are ordered as the platform orders those of real devices (virtio 1.3 §6).
        const ORDER_PLATFORM = 1 << 36;
        /// Single Root I/O Virtualization (virtio 1.3 §6).
        const SR_IOV = 1 << 37;
        /// Notifications carry extra data (virtio 1.3 §2.9).
        const NOTIFICATION_DATA = 1 << 38;
        /// The driver uses data that the device gave as queue identifier in notifications
        /// (virtio 1.3 §6).
        const NOTIF_CONFIG_DATA = 1 << 39;
        /// A single queue can be reset (virtio 1.3 §2.6.1).
        const RING_RESET = 1 << 40;
        /// The device has administration virtqueues (virtio 1.3 §2.13).
        const ADMIN_VQ = 1 << 41;
        // Device-specific bits are legal although they have no name here.
        const _ = !0;
    }
}

impl Features {
    /// The 32 bits that a selector register value of `select` shows (virtio 1.3 §4.2.2,
    /// `DeviceFeaturesSel`): 0 is the low word, 1 the high word, all others are empty.
    #[must_use]
    pub const fn word(self, select: u32) -> u32 {
        let [a, b, c, d, e, f, g, h] = self.bits().to_le_bytes();
        match select {
            0 => u32::from_le_bytes([a, b, c, d]),
            1 => u32::from_le_bytes([e, f, g, h]),
            _ => 0,
        }
    }

    /// These features with the word that `select` names replaced; words past the second are not
    /// representable and are dropped.
    #[must_use]
    pub const fn with_word(self, select: u32, value: u32) -> Self {
        let wide = value as u64;
        let bits = match select {
            0 => (self.bits() & !0xffff_ffff) | wide,
            1 => (self.bits() & 0xffff_ffff) | (wide << 32),
            _ => self.bits(),
        };
        Self::from_bits_retain(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::Features;

    #[test]
    fn word_selects_halves_and_nothing_else() {
        let f = Features::VERSION_1 | Features::EVENT_IDX | Features::from_bits_retain(1 << 9);
        assert_eq!(f.word(0), (1 << 29) | (1 << 9));
        assert_eq!(f.word(1), 1);
        assert_eq!(f.word(2), 0);
    }

    #[test]
    fn with_word_replaces_only_the_selected_half() {
        let f = Features::from_bits_retain(0x1111_1111_2222_2222);
        assert_eq!(f.with_word(0, 0xdead_beef).bits(), 0x1111_1111_dead_beef);
        assert_eq!(f.with_word(1, 0xdead_beef).bits(), 0xdead_beef_2222_2222);
        assert_eq!(f.with_word(7, 0xdead_beef), f);
    }
}
