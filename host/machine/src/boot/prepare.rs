//! All steps of a boot in one.

use super::ImageError;
use super::firmware::{self, FirmwareError};
use super::image::{Image, load};
use super::placement::{PlaceError, Placement, Rest, place};
use crate::board::{AddrRange, Board, FdtError, TreeOptions, device_tree};
use maquette_model::{PhysAddr, Ram};
use thiserror::Error;

/// Why a machine cannot boot.
#[derive(Debug, Error)]
pub enum BootError {
    /// The kernel file is no image that can be booted.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The firmware cannot be started.
    #[error(transparent)]
    Firmware(#[from] FirmwareError),
    /// The pieces do not fit into RAM.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// There is no device tree.
    #[error(transparent)]
    Tree(#[from] FdtError),
    /// RAM is not the one that the boot was prepared for.
    #[error("{what} at {range} does not lie in the machine's RAM")]
    Ram {
        /// What does not fit.
        what: &'static str,
        /// Where it was to go.
        range: AddrRange,
    },
}

/// The files of a boot.
#[derive(Clone, Copy, Debug)]
pub struct BootFiles<'a> {
    /// What harts start in, in machine mode, and what starts the kernel.
    pub firmware: Option<&'a [u8]>,
    /// The kernel or bare-metal program.
    pub kernel: &'a [u8],
    /// The initial RAM disk.
    pub initrd: Option<&'a [u8]>,
}

/// Everything that a boot puts into RAM, and where.
#[derive(Clone, Debug)]
pub struct Prepared<'a> {
    firmware: Option<Image<'a>>,
    image: Image<'a>,
    initrd: Option<&'a [u8]>,
    dtb: Vec<u8>,
    placement: Placement,
}

/// Where harts begin, and what they find there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The first instruction.
    pub pc: PhysAddr,
    /// The device tree; goes to `a1`. The hart's number goes to `a0`.
    pub dtb: PhysAddr,
    /// What firmware is told; goes to `a2`.
    pub info: Option<PhysAddr>,
}

/// Takes the kernel apart, finds a place for everything and writes the device tree; what
/// `options` says of the initial RAM disk is replaced by its place.
///
/// # Errors
/// When the kernel cannot be booted or something does not fit.
pub fn prepare<'a>(
    board: &Board,
    files: BootFiles<'a>,
    options: &TreeOptions<'_>,
) -> Result<Prepared<'a>, BootError> {
    let firmware = files.firmware.map(firmware::load).transpose()?;
    let image = load(files.kernel)?;
    let initrd_len = files.initrd.map(|i| i.len() as u64);
    // The tree's length does not depend on the address, so any address gives it.
    let somewhere = initrd_len.and_then(|len| AddrRange::new(PhysAddr(0), len));
    let tree = |initrd| device_tree(board, &TreeOptions { initrd, ..*options });
    let dtb_len = tree(somewhere)?.len() as u64;
    let placement = match &firmware {
        None => place(&image, options.view, initrd_len, dtb_len, board.ram())?,
        Some(firmware) => {
            let rest = Rest {
                dtb: dtb_len,
                initrd: initrd_len,
            };
            firmware::place(firmware, &image, rest, board.ram())?
        }
    };
    let dtb = tree(placement.initrd)?;
    Ok(Prepared {
        firmware,
        image,
        initrd: files.initrd,
        dtb,
        placement,
    })
}

impl Prepared<'_> {
    /// Where everything goes.
    #[must_use]
    pub const fn placement(&self) -> &Placement {
        &self.placement
    }

    /// The kernel.
    #[must_use]
    pub const fn image(&self) -> &Image<'_> {
        &self.image
    }

    /// The device tree.
    #[must_use]
    pub fn dtb(&self) -> &[u8] {
        &self.dtb
    }

    /// Writes everything to RAM, zeros where a segment wants them. The rest of RAM stays as it is,
    /// as over a restart of a real machine.
    ///
    /// # Errors
    /// When `ram` is smaller than the board's.
    pub fn write(&self, ram: &Ram) -> Result<Entry, BootError> {
        put_image(ram, "the kernel", &self.image, &self.placement.segments)?;
        if let (Some(range), Some(bytes)) = (self.placement.initrd, self.initrd) {
            put(ram, "the initrd", range, bytes)?;
        }
        put(ram, "the device tree", self.placement.dtb, &self.dtb)?;
        let mut entry = Entry {
            pc: self.placement.entry,
            dtb: self.placement.dtb.start(),
            info: None,
        };
        if let (Some(image), Some(place)) = (&self.firmware, &self.placement.firmware) {
            put_image(ram, "the firmware", image, &place.segments)?;
            if let Some(range) = place.jump {
                let code = firmware::jump_to(entry.pc);
                put(ram, "the jump to the kernel", range, &code)?;
            }
            let info = firmware::info(entry.pc);
            let range = AddrRange::new(place.info, info.len() as u64);
            put(
                ram,
                "the firmware's information",
                range.unwrap_or(self.placement.dtb),
                &info,
            )?;
            entry.pc = place.entry;
            entry.info = Some(place.info);
        }
        Ok(entry)
    }
}

/// Writes the start of a range that must lie in RAM as a whole.
fn put(ram: &Ram, what: &'static str, range: AddrRange, bytes: &[u8]) -> Result<(), BootError> {
    if ram.offset(range.start(), range.len()).is_some() && ram.write(range.start(), bytes) {
        Ok(())
    } else {
        Err(BootError::Ram { what, range })
    }
}

/// Writes the segments of an image, and zeros behind them.
fn put_image(
    ram: &Ram,
    what: &'static str,
    image: &Image<'_>,
    places: &[AddrRange],
) -> Result<(), BootError> {
    for (segment, &range) in image.segments().iter().zip(places) {
        let data = image.data(segment);
        put(ram, what, range, data)?;
        let rest = range.len().saturating_sub(data.len() as u64);
        if !ram.fill_zero(range.start().wrapping_add(data.len() as u64), rest) {
            return Err(BootError::Ram { what, range });
        }
    }
    Ok(())
}
