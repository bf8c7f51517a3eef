//! Entropy device (virtio 1.3 §5.4). It has no feature bits and no configuration space: the driver
//! offers writable buffers, the device fills them, at least one byte each (§5.4.6).

/// The only queue: `requestq` (virtio 1.3 §5.4.2).
pub const REQUEST_QUEUE: u16 = 0;
/// Number of queues.
pub const QUEUES: u16 = 1;
