//! Firmware of the user's, such as OpenSBI: what it is loaded from, where it goes, and what it finds.
//!
//! OpenSBI comes in two kinds, which cannot be told apart from outside, so both find what they need:
//!
//! * `fw_dynamic` is told in `a2` where the kernel is (OpenSBI, docs/firmware/fw_dynamic.md);
//! * `fw_jump` goes to the address 2 MiB above its own, and copies the device tree to 34 MiB above
//!   (docs/firmware/fw_jump.md). A kernel that would reach there goes above the tree's place. Where the
//!   kernel is not at 2 MiB, a jump to it is.

use super::image::{Base, Image, ImageKind, Segment};
use super::placement::{PAGE, PlaceError, Placement, Put, Rest, base, complete, hull};
use super::{ImageError, elf, linux_image, recognise};
use crate::board::AddrRange;
use maquette_model::PhysAddr;
use std::borrow::Cow;
use thiserror::Error;

/// From the start of `fw_jump` to where it goes on (`FW_JUMP_OFFSET`).
const JUMP_OFFSET: u64 = 0x20_0000;
/// From the start of `fw_jump` to where it copies the tree (`FW_JUMP_FDT_OFFSET`).
const TREE_OFFSET: u64 = 0x220_0000;
/// What is kept free there.
const TREE_ROOM: u64 = 0x20_0000;
/// What firmware may add to the tree in place: reserved memory, its own nodes.
const TREE_GROWTH: u64 = 16 * PAGE;

/// `struct fw_dynamic_info`: "OSBI", the version with a preferred boot hart, and S-mode.
const INFO_MAGIC: u64 = 0x4942_534f;
const INFO_VERSION: u64 = 2;
const INFO_SUPERVISOR: u64 = 1;
/// Bytes in it, and what its address is a multiple of.
const INFO: (u64, u64) = (48, 8);

/// Why firmware cannot be started.
#[derive(Debug, Error)]
pub enum FirmwareError {
    /// No byte.
    #[error("the file is empty; name a firmware such as part:opensbi/fw_dynamic.bin")]
    Empty,
    /// Some other kind of file.
    #[error("this is {what}, not a RISC-V firmware; name one such as part:opensbi/fw_dynamic.bin")]
    NotFirmware {
        /// What it is.
        what: String,
    },
    /// An ELF file that cannot be loaded.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// It does not lie in RAM.
    #[error(
        "the firmware needs {len} bytes at {start:#x}, but RAM is {ram}; use one for the board `virt`, or give the machine more memory"
    )]
    OutsideRam {
        /// Where it would begin.
        start: u64,
        /// Bytes that it takes.
        len: u64,
        /// RAM.
        ram: AddrRange,
    },
}

/// Where the parts of a boot through firmware go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FirmwarePlacement {
    /// Each of the firmware's segments, in the image's order.
    pub segments: Vec<AddrRange>,
    /// Where harts begin.
    pub entry: PhysAddr,
    /// `struct fw_dynamic_info`.
    pub info: PhysAddr,
    /// A jump to the kernel, where `fw_jump` expects the kernel and it is elsewhere.
    pub jump: Option<AddrRange>,
}

/// Takes a firmware file apart: ELF, or a raw binary that begins to run at its first byte.
pub(super) fn load(file: &[u8]) -> Result<Image<'_>, FirmwareError> {
    if file.is_empty() {
        return Err(FirmwareError::Empty);
    }
    if elf::is_elf(file) {
        return Ok(elf::load(file)?);
    }
    let what = if linux_image::is_image(file) {
        Some("a Linux kernel".to_owned())
    } else {
        recognise::known(file).map(|(what, _)| what)
    };
    if let Some(what) = what {
        return Err(FirmwareError::NotFirmware { what });
    }
    Ok(Image {
        bytes: Cow::Borrowed(file),
        kind: ImageKind::Raw,
        base: Base::Ram { offset: Some(0) },
        segments: vec![Segment {
            addr: 0,
            mem_len: file.len() as u64,
            file: 0..file.len(),
        }],
        entry: 0,
    })
}

/// Finds a place for firmware, kernel, initial RAM disk and device tree.
pub(super) fn place(
    firmware: &Image<'_>,
    kernel: &Image<'_>,
    rest: Rest,
    ram: AddrRange,
) -> Result<Placement, super::BootError> {
    let own = put_firmware(firmware, ram)?;
    let area = area(&own, ram);
    let tree = clipped(area.start().0.saturating_add(TREE_OFFSET), TREE_ROOM, ram);
    let put = put_kernel(kernel, area, tree, ram)?;
    let jump = jump_place(&put, area, ram);
    let reserved: Vec<AddrRange> = [Some(area), tree, jump].into_iter().flatten().collect();
    let room = Rest {
        dtb: rest.dtb.saturating_add(TREE_GROWTH),
        ..rest
    };
    let mut placement = complete(kernel, put, &reserved, room, ram)?;
    let (info, align) = INFO;
    let info = placement.dtb.end().0.saturating_sub(info) / align * align;
    let dtb = placement.dtb.start();
    placement.dtb = AddrRange::new(dtb, rest.dtb).unwrap_or(placement.dtb);
    placement.firmware = Some(FirmwarePlacement {
        segments: own.segments,
        entry: own.entry,
        info: PhysAddr(info),
        jump,
    });
    Ok(placement)
}

fn put_firmware(firmware: &Image<'_>, ram: AddrRange) -> Result<Put, FirmwareError> {
    let base = base(firmware, 0, ram);
    Put::new(firmware, base, ram).map_err(|_| {
        let first = firmware.segments().first().map_or(0, |s| s.addr);
        let end = firmware.segments().last();
        let end = end.map_or(0, |s| s.addr.saturating_add(s.mem_len));
        FirmwareError::OutsideRam {
            start: base.saturating_add(first),
            len: end.saturating_sub(first),
            ram,
        }
    })
}

/// What the firmware has for itself: a raw binary does not say how much it needs above its bytes, and
/// the kernel begins 2 MiB above its start.
fn area(own: &Put, ram: AddrRange) -> AddrRange {
    let image = hull(&own.segments, ram);
    let len = image.len().max(JUMP_OFFSET);
    clipped(image.start().0, len, ram).unwrap_or(image)
}

/// As much of a range as lies in RAM.
fn clipped(start: u64, len: u64, ram: AddrRange) -> Option<AddrRange> {
    ram.offset(PhysAddr(start))?;
    AddrRange::new(PhysAddr(start), len.min(ram.end().0.saturating_sub(start)))
}

fn put_kernel(
    kernel: &Image<'_>,
    area: AddrRange,
    tree: Option<AddrRange>,
    ram: AddrRange,
) -> Result<Put, PlaceError> {
    let usual = Put::new(kernel, base(kernel, JUMP_OFFSET, ram), ram)?;
    let meets = |range: AddrRange| usual.segments.iter().find(|s| s.overlaps(range));
    let movable = matches!(kernel.base(), Base::Ram { .. });
    if movable && let Some(tree) = tree.filter(|tree| meets(*tree).is_some()) {
        return Put::new(kernel, tree.end().0, ram);
    }
    if let Some(segment) = meets(area) {
        return Err(PlaceError::OnFirmware {
            segment: *segment,
            firmware: area,
        });
    }
    Ok(usual)
}

fn jump_place(put: &Put, area: AddrRange, ram: AddrRange) -> Option<AddrRange> {
    let at = area.start().checked_add(JUMP_OFFSET)?;
    let jump = AddrRange::new(at, jump_to(PhysAddr(0)).len() as u64)?;
    let free = !area.overlaps(jump) && !put.segments.iter().any(|s| s.overlaps(jump));
    (free && ram.covers(jump)).then_some(jump)
}

/// Code that goes to `target` from anywhere and changes nothing but `t0`.
pub(super) fn jump_to(target: PhysAddr) -> [u8; 24] {
    const AUIPC_T0: u64 = 0x0000_0297;
    const LD_T0_16_T0: u64 = 0x0102_b283;
    const JR_T0: u64 = 0x0002_8067;
    const NOP: u64 = 0x0000_0013;
    words([AUIPC_T0 | LD_T0_16_T0 << 32, JR_T0 | NOP << 32, target.0])
}

/// `struct fw_dynamic_info` for a kernel that begins at `next`; hart 0 boots.
pub(super) fn info(next: PhysAddr) -> [u8; 48] {
    words([INFO_MAGIC, INFO_VERSION, next.0, INFO_SUPERVISOR, 0, 0])
}

/// Words as they lie in memory; `B` is eight times `W`.
fn words<const W: usize, const B: usize>(words: [u64; W]) -> [u8; B] {
    let mut bytes = [0; B];
    for (to, word) in bytes.chunks_exact_mut(8).zip(words) {
        to.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}
