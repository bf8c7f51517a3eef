//! Configuration space as bytes, each with the bits that a driver may change.

use crate::{Bar, Layout, LayoutError, VendorCapability};
use maquette_model::{LoadError, Reader, Width, Writer};
use maquette_pci_protocol::capability::{self, CapabilityId};
use maquette_pci_protocol::express::{self, DeviceCapabilities, DeviceControl};
use maquette_pci_protocol::{Command, Status, bar, header, msix};

const BYTES: usize = header::CONVENTIONAL_BYTES as usize;
/// Bytes of a vendor's capability before its body: number, link, length.
const VENDOR_HEAD: usize = 3;

/// The content and the writable bits. What lies past the conventional bytes is empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Space {
    bytes: [u8; BYTES],
    writable: [u8; BYTES],
}

/// Where capabilities lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Places {
    pub(crate) express: Option<u16>,
    pub(crate) msix: Option<u16>,
    /// The window onto the device's memory.
    pub(crate) window: Option<u16>,
}

impl Space {
    /// The configuration space of a function that was just reset.
    pub(crate) fn new(layout: &Layout) -> Result<(Self, Places), LayoutError> {
        let mut space = Self {
            bytes: [0; BYTES],
            writable: [0; BYTES],
        };
        space.header(layout);
        for bar in layout.all_bars()?.into_iter().flatten() {
            space.bar(bar);
        }
        let mut list = List {
            space: &mut space,
            link: header::CAPABILITIES,
            end: header::END,
        };
        let mut places = Places::default();
        if layout.express {
            places.express = Some(list.express()?);
        }
        if layout.vectors.0 > 0 {
            places.msix = Some(list.msix(layout.vectors)?);
        }
        for own in &layout.vendor {
            let at = list.vendor(own)?;
            if own.window {
                places.window = Some(at);
            }
        }
        let status = match list.end {
            header::END => Status::empty(),
            _ => Status::CAPABILITIES,
        };
        space.put(header::STATUS, &status.bits().to_le_bytes());
        Ok((space, places))
    }

    fn header(&mut self, layout: &Layout) {
        let id = &layout.identity;
        self.put(header::VENDOR_ID, &id.vendor.to_le_bytes());
        self.put(header::DEVICE_ID, &id.device.to_le_bytes());
        self.put(header::REVISION_ID, &[id.revision]);
        let class = [id.class.interface, id.class.sub, id.class.base];
        self.put(header::CLASS_CODE, &class);
        let subsystem = id.subsystem_vendor.to_le_bytes();
        self.put(header::SUBSYSTEM_VENDOR_ID, &subsystem);
        self.put(header::SUBSYSTEM_ID, &id.subsystem.to_le_bytes());
        self.put(header::INTERRUPT_PIN, &[u8::from(layout.pin)]);
        let mut command = Command::BUS_MASTER | Command::PARITY_ERROR | Command::SERR;
        command.set(Command::MEMORY, !layout.bars.is_empty());
        command.set(Command::INTX_DISABLE, layout.pin);
        self.allow(header::COMMAND, &command.bits().to_le_bytes());
        self.allow(header::CACHE_LINE_SIZE, &[0xff]);
        self.allow(header::INTERRUPT_LINE, &[0xff]);
    }

    fn bar(&mut self, own: Bar) {
        let at = bar::offset(own.index);
        let mut flags = 0;
        if own.wide {
            flags |= bar::WIDE;
        }
        if own.prefetchable {
            flags |= bar::PREFETCHABLE;
        }
        self.put(at, &flags.to_le_bytes());
        // The bits below the size are 0 for ever: that is how a driver finds the size.
        let mask = !(own.bytes - 1);
        let [a, b, c, d, high @ ..] = mask.to_le_bytes();
        self.allow(at, &[a, b, c, d]);
        if own.wide {
            self.allow(at + 4, &high);
        }
    }

    fn put(&mut self, at: u16, bytes: &[u8]) {
        copy(&mut self.bytes, at, bytes);
    }

    fn allow(&mut self, at: u16, mask: &[u8]) {
        copy(&mut self.writable, at, mask);
    }

    /// The byte at an offset, without bits that are not stored.
    fn byte(&self, at: u64) -> u8 {
        let index = usize::try_from(at).unwrap_or(usize::MAX);
        match self.bytes.get(index) {
            Some(byte) => *byte,
            // No extended capability; nothing at all behind configuration space.
            None if at < u64::from(header::EXPRESS_BYTES) => 0,
            None => 0xff,
        }
    }

    pub(crate) fn read(&self, at: u64, width: Width) -> u64 {
        let mut bytes = [0; 8];
        for (byte, i) in bytes.iter_mut().zip(0..width.bytes()) {
            *byte = self.byte(at.saturating_add(i));
        }
        u64::from_le_bytes(bytes)
    }

    /// Writes the bits that a driver may change.
    pub(crate) fn write(&mut self, at: u64, width: Width, value: u64) {
        for (new, i) in value.to_le_bytes().into_iter().zip(0..width.bytes()) {
            let index = usize::try_from(at.saturating_add(i)).unwrap_or(usize::MAX);
            let mask = self.writable.get(index).copied().unwrap_or(0);
            if let Some(byte) = self.bytes.get_mut(index) {
                *byte = *byte & !mask | new & mask;
            }
        }
    }

    pub(crate) fn word(&self, at: u16) -> u16 {
        u16::from_le_bytes([self.byte(at.into()), self.byte(u64::from(at) + 1)])
    }

    pub(crate) fn long(&self, at: u16) -> u32 {
        let byte = |i| self.byte(u64::from(at) + i);
        u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
    }

    /// Changes bits whatever a driver may do to them.
    pub(crate) fn set_long(&mut self, at: u16, value: u32) {
        self.put(at, &value.to_le_bytes());
    }

    /// Clears bits of a 16-bit register.
    pub(crate) fn clear(&mut self, at: u16, bits: u16) {
        let left = self.word(at) & !bits;
        self.put(at, &left.to_le_bytes());
    }

    pub(crate) fn save(&self, w: &mut Writer) {
        w.raw(&self.bytes);
    }

    /// Replaces the content, if the bits that nobody can change are the same.
    pub(crate) fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        for (at, (byte, mask)) in self.bytes.iter_mut().zip(&self.writable).enumerate() {
            let loaded = r.u8()?;
            if (loaded ^ *byte) & !mask != 0 {
                let (field, value) = ("byte of configuration space", at as u64);
                return Err(LoadError::Value { field, value });
            }
            *byte = loaded;
        }
        Ok(())
    }
}

fn copy(to: &mut [u8; BYTES], at: u16, from: &[u8]) {
    for (to, from) in to.iter_mut().skip(at.into()).zip(from) {
        *to = *from;
    }
}

/// The list of capabilities while it grows.
struct List<'a> {
    space: &'a mut Space,
    /// The link that the next one hangs from.
    link: u16,
    /// The first free byte.
    end: u16,
}

impl List<'_> {
    /// Appends a capability of a length and gives its place.
    fn append(&mut self, id: CapabilityId, bytes: usize) -> Result<u16, LayoutError> {
        let at = self.end;
        let room = LayoutError::Room { bytes };
        let place = u8::try_from(at).map_err(|_| room)?;
        let length = u16::try_from(bytes.next_multiple_of(4)).map_err(|_| room)?;
        let end = at.checked_add(length).ok_or(room)?;
        if end > header::CONVENTIONAL_BYTES {
            return Err(room);
        }
        self.space.put(self.link, &[place]);
        self.space.put(at + capability::ID, &[id.0]);
        self.link = at + capability::NEXT;
        self.end = end;
        Ok(at)
    }

    fn express(&mut self) -> Result<u16, LayoutError> {
        let at = self.append(CapabilityId::EXPRESS, express::BYTES.into())?;
        let kind = express::INTEGRATED_ENDPOINT.to_le_bytes();
        self.space.put(at + express::CAPABILITIES, &kind);
        let able = DeviceCapabilities::ROLE_BASED_ERRORS | DeviceCapabilities::FUNCTION_LEVEL_RESET;
        let able = able.bits().to_le_bytes();
        self.space.put(at + express::DEVICE_CAPABILITIES, &able);
        let control = at + express::DEVICE_CONTROL;
        let reset = DeviceControl::RESET.bits().to_le_bytes();
        self.space.put(control, &reset);
        let settable = DeviceControl::CORRECTABLE
            | DeviceControl::NON_FATAL
            | DeviceControl::FATAL
            | DeviceControl::UNSUPPORTED
            | DeviceControl::RELAXED_ORDERING
            | DeviceControl::NO_SNOOP
            | DeviceControl::MAX_READ_REQUEST
            | DeviceControl::FUNCTION_LEVEL_RESET;
        self.space.allow(control, &settable.bits().to_le_bytes());
        Ok(at)
    }

    fn msix(&mut self, (vectors, bar): (u16, u8)) -> Result<u16, LayoutError> {
        let at = self.append(CapabilityId::MSIX, msix::BYTES.into())?;
        let last = vectors.saturating_sub(1);
        self.space.put(at + msix::CONTROL, &last.to_le_bytes());
        let settable = msix::Control::ENABLE | msix::Control::MASK_ALL;
        let settable = settable.bits().to_le_bytes();
        self.space.allow(at + msix::CONTROL, &settable);
        let pending = u32::try_from(crate::msix::half(vectors)).unwrap_or(0);
        self.space.set_long(at + msix::TABLE, bar.into());
        self.space
            .set_long(at + msix::PENDING, pending | u32::from(bar));
        Ok(at)
    }

    fn vendor(&mut self, own: &VendorCapability) -> Result<u16, LayoutError> {
        let bytes = VENDOR_HEAD + own.body.len();
        let at = self.append(CapabilityId::VENDOR, bytes)?;
        let length = u8::try_from(bytes).map_err(|_| LayoutError::Room { bytes })?;
        self.space.put(at + 2, &[length]);
        self.space.put(at + 3, &own.body);
        if own.window {
            crate::function::window::allow(at, |at, mask| self.space.allow(at, mask));
        }
        Ok(at)
    }
}
