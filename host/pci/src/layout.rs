//! What a device's configuration space holds.

use maquette_model::Device;
use maquette_pci_protocol::{Identity, bar, msix};
use thiserror::Error;

/// A register-level device that is made for a function: its regions 0 to 5 are the memory behind its base
/// address registers, its line 0 is INTA#, and its message interrupts are numbered as the MSI-X table is.
///
/// It always drives the line and sends messages too, where it has both: the function passes on what the
/// driver has chosen. A function can be reset alone, and then nobody has cancelled the device's
/// timers: [`Device::reset`] does that itself.
pub trait PciDevice: Device {
    /// What its configuration space holds; the same at every call.
    fn layout(&self) -> Layout;
}

/// What a configuration space holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// By what the driver knows the device.
    pub identity: Identity,
    /// The memory that it decodes.
    pub bars: Vec<Bar>,
    /// It has an interrupt pin, INTA#.
    pub pin: bool,
    /// Message interrupts, and the base address register for their table; 0 for none.
    pub vectors: (u16, u8),
    /// It has the capability of PCI Express functions, with a reset of its own.
    pub express: bool,
    /// The vendor's own capabilities.
    pub vendor: Vec<VendorCapability>,
}

/// Memory behind a base address register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bar {
    /// Which register, 0 to 5; a wide one has the next one too.
    pub index: u8,
    /// How many bytes, a power of two.
    pub bytes: u64,
    /// Whether it takes addresses of 64 bits.
    pub wide: bool,
    /// Whether reads are without side effects.
    pub prefetchable: bool,
}

/// A capability of the vendor's own (PCI 3.0 §6.7, appendix H).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VendorCapability {
    /// What follows its number, link and length.
    pub body: Vec<u8>,
    /// It is the window onto the device's memory that virtio functions have (virtio 1.3 §4.1.4.9).
    pub window: bool,
}

/// Why there can be no such configuration space.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum LayoutError {
    /// A base address register cannot describe that.
    #[error("base address register {index} cannot describe {bytes:#x} bytes")]
    Bar {
        /// Which.
        index: u8,
        /// How many bytes.
        bytes: u64,
    },
    /// Two things want one base address register.
    #[error("base address register {index} is wanted twice")]
    BarTaken {
        /// Which.
        index: u8,
    },
    /// A table has no room for so many vectors.
    #[error("{vectors} message interrupts are more than {}", msix::MAX_VECTORS)]
    Vectors {
        /// How many.
        vectors: u16,
    },
    /// The capabilities are too long.
    #[error("there is no room for a capability of {bytes} bytes")]
    Room {
        /// How many it has.
        bytes: usize,
    },
}

impl Layout {
    /// All base address registers by their number, that of the MSI-X table among them.
    pub(crate) fn all_bars(&self) -> Result<[Option<Bar>; 6], LayoutError> {
        let mut all = [None; bar::COUNT as usize];
        // The upper halves of wide registers.
        let mut taken = [false; bar::COUNT as usize];
        for own in self.bars.iter().copied().chain(self.table_bar()?) {
            let Bar {
                index, bytes, wide, ..
            } = own;
            let fits =
                bytes.is_power_of_two() && bytes >= bar::LEAST_BYTES && (wide || bytes <= 1 << 31);
            if !fits {
                return Err(LayoutError::Bar { index, bytes });
            }
            for half in index..=index.saturating_add(u8::from(wide)) {
                match taken.get_mut(usize::from(half)) {
                    Some(free) if !*free => *free = true,
                    Some(_) => return Err(LayoutError::BarTaken { index: half }),
                    None => return Err(LayoutError::Bar { index, bytes }),
                }
            }
            if let Some(place) = all.get_mut(usize::from(index)) {
                *place = Some(own);
            }
        }
        Ok(all)
    }

    fn table_bar(&self) -> Result<Option<Bar>, LayoutError> {
        let (vectors, index) = self.vectors;
        if vectors > msix::MAX_VECTORS {
            return Err(LayoutError::Vectors { vectors });
        }
        Ok((vectors > 0).then_some(Bar {
            index,
            bytes: 2 * crate::msix::half(vectors),
            wide: false,
            prefetchable: false,
        }))
    }
}
