//! The register protocol: a device model behind a socket, one register access a message (docs/virtio-sst.md §5).
//!
//! The simulator binds the socket, the guest's side connects; each request is answered before the next.

use crate::layout::layout;

/// What an access does.
pub mod access {
    /// Reads a register.
    pub const READ: u8 = 0;
    /// Writes a register. Any other number is refused.
    pub const WRITE: u8 = 1;
}

layout! {
    /// An access.
    RegisterRequest, 20 {
        /// One of [`access`].
        0 kind: u8,
        /// Bytes: 1, 2, 4 or 8.
        1 size: u8,
        /// 0.
        2 reserved: u16,
        /// Absolute address.
        4 address: u64,
        /// What to write.
        12 data: u64,
    }
}

layout! {
    /// Its answer.
    RegisterResponse, 16 {
        /// 1 if the access was carried out.
        0 success: u8,
        /// 0.
        1 reserved_low: u8,
        /// 0.
        2 reserved_middle: u16,
        /// 0.
        4 reserved_high: u32,
        /// What was read; what was written.
        8 data: u64,
    }
}

impl RegisterResponse {
    /// The access was carried out.
    #[must_use]
    pub fn done(data: u64) -> Self {
        Self {
            success: 1,
            data,
            ..Self::default()
        }
    }

    /// The access was refused.
    #[must_use]
    pub fn refused() -> Self {
        Self::default()
    }
}
