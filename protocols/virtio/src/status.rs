//! Device status and interrupt status.

use bitflags::bitflags;

bitflags! {
    /// The device status field (virtio 1.3 §2.1). Writing 0 resets the device.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct DeviceStatus: u32 {
        /// The guest has noticed the device.
        const ACKNOWLEDGE = 1;
        /// The guest knows how to drive the device.
        const DRIVER = 2;
        /// The driver is set up; queues are live.
        const DRIVER_OK = 4;
        /// Feature negotiation is complete; reads back 0 where the device refuses the selection.
        const FEATURES_OK = 8;
        /// The device met an error it cannot recover from (virtio 1.3 §2.1.2).
        const DEVICE_NEEDS_RESET = 64;
        /// The guest has given up on the device.
        const FAILED = 128;
        // A guest may write any value.
        const _ = !0;
    }
}

bitflags! {
    /// Why the device asserts its interrupt (virtio 1.3 §4.2.2, `InterruptStatus`).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct InterruptStatus: u32 {
        /// The device has used a buffer in at least one queue.
        const USED_BUFFER = 1;
        /// The configuration of the device has changed.
        const CONFIG_CHANGE = 2;
        // A guest may acknowledge any value.
        const _ = !0;
    }
}
