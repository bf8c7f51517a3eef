//! The text protocol: register accesses as lines over a guest's serial port (docs/virtio-sst.md §6).
//!
//! Guest to simulator: `SST:WRITE:AAAAAAAA:DDDDDDDD` and `SST:READ:AAAAAAAA:00000000`, eight hexadecimal
//! digits each. Simulator to guest: `SST:OK:XXXXXXXX`, or `SST:ERR:` and a number. A line that does not begin
//! with `SST:` is console text.

use core::fmt;
use core::str;

/// What every line of the protocol begins with.
pub const PREFIX: &str = "SST:";

/// A line of the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A register is read.
    Read {
        /// Its address.
        address: u32,
    },
    /// A register is written.
    Write {
        /// Its address.
        address: u32,
        /// The value.
        data: u32,
    },
    /// Text for the console, as it came.
    Console(&'a [u8]),
    /// Not understood; the answer to it.
    Bad(Answer),
}

/// A line to the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// What was read; what was written.
    Ok(u32),
    /// The device refuses.
    DeviceFailure,
    /// The line is malformed.
    ParseError,
    /// The verb is unknown.
    UnknownOperation,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok(data) => write!(f, "SST:OK:{data:08X}"),
            Self::DeviceFailure => f.write_str("SST:ERR:0001"),
            Self::ParseError => f.write_str("SST:ERR:0002"),
            Self::UnknownOperation => f.write_str("SST:ERR:0003"),
        }
    }
}

impl<'a> Line<'a> {
    /// Reads a line that came without its end (`\n` or `\r\n`).
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Self {
        let text = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(rest) = text.strip_prefix(PREFIX.as_bytes()) else {
            return Self::Console(line);
        };
        let mut parts = rest.split(|&byte| byte == b':');
        let (verb, address, data) = (parts.next(), parts.next(), parts.next());
        if !matches!(verb, Some(b"READ" | b"WRITE")) {
            return Self::Bad(Answer::UnknownOperation);
        }
        let (Some(address), Some(data), None) =
            (address.and_then(hex), data.and_then(hex), parts.next())
        else {
            return Self::Bad(Answer::ParseError);
        };
        match verb {
            Some(b"READ") => Self::Read { address },
            _ => Self::Write { address, data },
        }
    }
}

/// Exactly eight hexadecimal digits.
fn hex(digits: &[u8]) -> Option<u32> {
    if digits.len() != 8 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}
