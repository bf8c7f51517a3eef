//! Where everything goes in RAM.
//!
//! * An image with absolute addresses goes there. Others go to the start of RAM plus the distance that
//!   their header asks for, or, if it asks for none, 2 MiB above a built-in SBI's place and 0 otherwise.
//! * The device tree goes as high as it can, on a 2 MiB boundary as QEMU does, so that a bare-metal
//!   program may put its stack at the top of RAM; where RAM is too small, on a page boundary.
//! * The initial RAM disk goes below it, likewise. Linux wants both above itself.

use super::firmware::FirmwarePlacement;
use super::image::{Base, Image};
use crate::board::{AddrRange, MAX_RAM, View};
use maquette_model::PhysAddr;
use thiserror::Error;

pub(super) const PAGE: u64 = 4096;
/// Linux maps itself by megapages (boot.rst: "PMD-aligned").
const MEGAPAGE: u64 = 2 << 20;
/// Where firmware ends and the kernel begins when the kernel does not say.
const FIRMWARE_GAP: u64 = MEGAPAGE;

/// Why the pieces do not fit.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum PlaceError {
    /// The kernel asks for addresses that are not RAM.
    #[error(
        "the kernel's segment at {segment} lies outside RAM at {ram}; link it at {}",
        ram.start()
    )]
    OutsideRam {
        /// The segment.
        segment: AddrRange,
        /// RAM.
        ram: AddrRange,
    },
    /// RAM ends before the kernel does.
    #[error(
        "the kernel needs RAM up to {needed_end:#x} ({kernel} bytes), but RAM is {ram}; {}",
        more_memory(*.needed_end, *.ram)
    )]
    KernelTooLarge {
        /// Bytes that the kernel takes.
        kernel: u64,
        /// The end of the kernel.
        needed_end: u64,
        /// RAM.
        ram: AddrRange,
    },
    /// There is no room beside the kernel.
    #[error(
        "{what} of {len} bytes does not fit into RAM at {ram} beside the kernel at {kernel}; {}",
        more_memory(.ram.end().0.saturating_add(*.len), *.ram)
    )]
    NoRoom {
        /// What does not fit.
        what: &'static str,
        /// How long it is.
        len: u64,
        /// The kernel.
        kernel: AddrRange,
        /// RAM.
        ram: AddrRange,
    },
    /// The kernel asks for the firmware's memory.
    #[error(
        "the kernel's segment at {segment} and the firmware's memory at {firmware} overlap; link the kernel at {}",
        firmware.end()
    )]
    OnFirmware {
        /// The segment.
        segment: AddrRange,
        /// What the firmware has for itself.
        firmware: AddrRange,
    },
    /// An initial RAM disk without a byte.
    #[error("the initrd is empty; leave it out or name another file")]
    EmptyInitrd,
}

/// What to do about a RAM that does not reach `end`: how much it must be, with some air, in MiB.
fn more_memory(end: u64, ram: AddrRange) -> String {
    let bytes = end
        .saturating_sub(ram.start().0)
        .saturating_add(2 * MEGAPAGE);
    if bytes > MAX_RAM {
        let most = MAX_RAM >> 30;
        return format!(
            "no machine has more than {most} GiB: name another file, or correct the linker script of this one"
        );
    }
    format!("give the machine at least {} MiB", bytes.div_ceil(1 << 20))
}

impl PlaceError {
    /// Whether a machine with more memory would do.
    #[must_use]
    pub fn wants_memory(&self) -> bool {
        match self {
            Self::KernelTooLarge {
                needed_end, ram, ..
            } => needed_end.saturating_sub(ram.start().0) <= MAX_RAM - 2 * MEGAPAGE,
            Self::NoRoom { .. } => true,
            Self::OutsideRam { .. } | Self::OnFirmware { .. } | Self::EmptyInitrd => false,
        }
    }
}

/// Where everything goes. No two of the ranges overlap, and all lie in RAM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placement {
    /// Each of the image's segments, in the image's order.
    pub segments: Vec<AddrRange>,
    /// From the first byte of the image to its last.
    pub kernel: AddrRange,
    /// The initial RAM disk.
    pub initrd: Option<AddrRange>,
    /// The device tree.
    pub dtb: AddrRange,
    /// Where the image begins to run.
    pub entry: PhysAddr,
    /// What is special about a boot through firmware.
    pub firmware: Option<FirmwarePlacement>,
}

/// Lengths of what has no place of its own.
#[derive(Clone, Copy)]
pub(super) struct Rest {
    pub(super) dtb: u64,
    pub(super) initrd: Option<u64>,
}

/// An image in RAM.
pub(super) struct Put {
    pub(super) segments: Vec<AddrRange>,
    pub(super) entry: PhysAddr,
}

impl Put {
    /// The image with its base at an address.
    pub(super) fn new(image: &Image<'_>, base: u64, ram: AddrRange) -> Result<Self, PlaceError> {
        let ends = image.segments().iter();
        let ends = ends.map(|s| base.saturating_add(s.addr).saturating_add(s.mem_len));
        let end = ends.max().unwrap_or(base);
        let segments = image
            .segments()
            .iter()
            .map(|s| segment(end, base.saturating_add(s.addr), s.mem_len, ram))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            segments,
            entry: PhysAddr(base.saturating_add(image.entry())),
        })
    }
}

/// What the addresses of an image are added to, `gap` above the start of RAM if it does not say.
pub(super) const fn base(image: &Image<'_>, gap: u64, ram: AddrRange) -> u64 {
    match image.base() {
        Base::Absolute => 0,
        Base::Ram { offset: Some(o) } => ram.start().0.saturating_add(o),
        Base::Ram { offset: None } => ram.start().0.saturating_add(gap),
    }
}

/// Finds a place for an image, an initial RAM disk and a device tree of these lengths.
///
/// # Errors
/// When they do not fit into `ram`; the error names the sizes.
pub fn place(
    image: &Image<'_>,
    view: View,
    initrd_len: Option<u64>,
    dtb_len: u64,
    ram: AddrRange,
) -> Result<Placement, PlaceError> {
    let gap = match view {
        View::Machine => 0,
        View::Supervisor => FIRMWARE_GAP,
    };
    let put = Put::new(image, base(image, gap, ram), ram)?;
    let rest = Rest {
        dtb: dtb_len,
        initrd: initrd_len,
    };
    complete(image, put, &[], rest, ram)
}

/// Finds a place for the rest beside an image, where nothing is reserved.
pub(super) fn complete(
    image: &Image<'_>,
    put: Put,
    reserved: &[AddrRange],
    rest: Rest,
    ram: AddrRange,
) -> Result<Placement, PlaceError> {
    let Put { segments, entry } = put;
    let kernel = hull(&segments, ram);
    // What an image with no fixed address is, wants the memory above itself.
    let floor = match image.base() {
        Base::Absolute => ram.start().0,
        Base::Ram { .. } => kernel.end().0,
    };
    let mut taken = [&segments, reserved].concat();
    let mut room = |what, len| {
        let range = highest_gap(&taken, floor, len, ram).ok_or(PlaceError::NoRoom {
            what,
            len,
            kernel,
            ram,
        })?;
        taken.push(range);
        Ok(range)
    };
    let dtb = room("the device tree", rest.dtb)?;
    let initrd = match rest.initrd {
        None => None,
        Some(0) => return Err(PlaceError::EmptyInitrd),
        Some(len) => Some(room("the initrd", len)?),
    };
    Ok(Placement {
        segments,
        kernel,
        initrd,
        dtb,
        entry,
        firmware: None,
    })
}

/// A segment of an image that ends at `end`.
fn segment(end: u64, start: u64, len: u64, ram: AddrRange) -> Result<AddrRange, PlaceError> {
    let range = AddrRange::new(PhysAddr(start), len);
    let could_be_ram = start
        .checked_sub(ram.start().0)
        .is_some_and(|d| d < MAX_RAM);
    match range {
        Some(range) if ram.covers(range) => Ok(range),
        Some(range) if !could_be_ram => Err(PlaceError::OutsideRam {
            segment: range,
            ram,
        }),
        _ => Err(PlaceError::KernelTooLarge {
            kernel: len,
            needed_end: end,
            ram,
        }),
    }
}

/// The range from the first of the sorted segments to the last.
pub(super) fn hull(segments: &[AddrRange], ram: AddrRange) -> AddrRange {
    let start = segments.first().map_or(ram.start(), |s| s.start());
    let end = segments.last().map_or(start, |s| s.end());
    AddrRange::new(start, end.0.saturating_sub(start.0)).unwrap_or(ram)
}

/// The highest place at or above `floor` for `len` bytes that touches nothing that is taken.
fn highest_gap(taken: &[AddrRange], floor: u64, len: u64, ram: AddrRange) -> Option<AddrRange> {
    [MEGAPAGE, PAGE].into_iter().find_map(|align| {
        let mut top = ram.end().0;
        loop {
            let start = top.checked_sub(len)? / align * align;
            if start < floor || start < ram.start().0 {
                return None;
            }
            let range = AddrRange::new(PhysAddr(start), len)?;
            // Each turn moves `top` to the start of another taken range, so this ends.
            match taken.iter().find(|t| t.overlaps(range)) {
                None => return Some(range),
                Some(t) => top = t.start().0,
            }
        }
    })
}
