//! ELF64 executables for RISC-V (ELF gABI; RISC-V ELF psABI), parsed by the crate `object`.

use super::bytes::{range_in, u16_at};
use super::image::{Base, Image, ImageKind, Segment};
use super::{ImageError, recognise};
use crate::board::AddrRange;
use maquette_model::PhysAddr;
use object::LittleEndian as Le;
use object::elf::{
    ELFCLASS64, ELFDATA2LSB, EM_RISCV, ET_DYN, ET_EXEC, FileHeader64, PT_INTERP, PT_LOAD,
    ProgramHeader64,
};
use object::read::elf::{FileHeader, ProgramHeader};
use std::borrow::Cow;

/// Bytes in the file header.
const HEADER: usize = 64;
/// No file is this long: 256 TiB.
const FARTHEST: u64 = 1 << 48;
/// The upper half of the address space, where kernels are linked.
const HIGH_HALF: u64 = 1 << 63;

/// Whether the file says that it is ELF.
pub(super) fn is_elf(file: &[u8]) -> bool {
    file.starts_with(b"\x7fELF")
}

/// The first bytes of an ELF file, and no more.
pub(super) fn is_beginning(file: &[u8]) -> bool {
    !file.is_empty() && b"\x7fELF".starts_with(file)
}

/// Takes an ELF executable apart.
pub(super) fn load(file: &[u8]) -> Result<Image<'_>, ImageError> {
    let header = header(file)?;
    let table = program_headers(file, header)?;
    refuse_dynamic(file, table)?;
    let mut segments = Vec::new();
    for (number, ph) in table.iter().enumerate() {
        if ph.p_type(Le) == PT_LOAD && ph.p_memsz(Le) != 0 {
            segments.push((number, segment(file, number, ph)?));
        }
    }
    segments.sort_by_key(|(_, s)| s.addr);
    refuse_overlap(&segments)?;
    let segments: Vec<Segment> = segments.into_iter().map(|(_, s)| s).collect();
    let lowest = segments.first().ok_or(ImageError::NoSegments)?.addr;
    let entry = entry(header, table, &segments)?;
    // Linked at physical 0 and able to run anywhere: position-independent firmware, or a kernel in the
    // upper half that maps itself (Linux' `vmlinux`).
    let movable = header.e_type(Le) == ET_DYN || header.e_entry(Le) >= HIGH_HALF;
    let base = if lowest == 0 && movable {
        Base::Ram { offset: None }
    } else {
        Base::Absolute
    };
    Ok(Image {
        bytes: Cow::Borrowed(file),
        kind: ImageKind::Elf,
        base,
        segments,
        entry,
    })
}

/// Checks what the file is for.
fn header(file: &[u8]) -> Result<&FileHeader64<Le>, ImageError> {
    let truncated = || ImageError::Truncated {
        part: "the ELF header".to_owned(),
        needed: HEADER as u64,
        len: file.len() as u64,
    };
    let &[_, _, _, _, class, data, ..] = file else {
        return Err(truncated());
    };
    if !(1..=2).contains(&class) {
        return Err(damaged("EI_CLASS", class.into(), "neither 1 nor 2"));
    }
    if !(1..=2).contains(&data) {
        return Err(damaged("EI_DATA", data.into(), "neither 1 nor 2"));
    }
    let machine = u16_at(file, 18).ok_or_else(truncated)?;
    if data != ELFDATA2LSB.0 {
        let name = recognise::machine(machine.swap_bytes());
        return Err(recognise::foreign_elf(format!(
            "a big-endian ELF file for {name}"
        )));
    }
    if machine != EM_RISCV.0 {
        let name = recognise::machine(machine);
        return Err(recognise::foreign_elf(format!("an ELF file for {name}")));
    }
    if class != ELFCLASS64.0 {
        return Err(recognise::foreign_elf(
            "an ELF file for 32-bit RISC-V".to_owned(),
        ));
    }
    if file.len() < HEADER {
        return Err(truncated());
    }
    let header = FileHeader64::<Le>::parse(file).map_err(|_| {
        let version = file.get(6).copied().unwrap_or(0);
        damaged("EI_VERSION", version.into(), "not 1")
    })?;
    match header.e_type(Le) {
        ET_EXEC | ET_DYN => Ok(header),
        object::elf::ET_REL => Err(ImageError::NotAKernel {
            what: "an object file (not linked yet)".to_owned(),
            remedy: "link it first",
        }),
        object::elf::ET_CORE => Err(ImageError::NotAKernel {
            what: "a core dump".to_owned(),
            remedy: "name the program itself",
        }),
        other => Err(damaged(
            "e_type",
            other.0.into(),
            "no type of an executable",
        )),
    }
}

fn damaged(field: &str, value: u64, why: &'static str) -> ImageError {
    ImageError::Damaged {
        field: format!("{field} of the ELF file"),
        value,
        why,
    }
}

/// Where something ends in a file; an offset that lies past the end of any file is damage and no
/// truncation.
fn end_in_file(field: &str, offset: u64, len: u64) -> Result<u64, ImageError> {
    match offset.checked_add(len) {
        Some(end) if offset < FARTHEST => Ok(end),
        _ => Err(damaged(field, offset, "past the end of any file")),
    }
}

fn program_headers<'a>(
    file: &'a [u8],
    header: &FileHeader64<Le>,
) -> Result<&'a [ProgramHeader64<Le>], ImageError> {
    let truncated = |part: &str, needed| ImageError::Truncated {
        part: part.to_owned(),
        needed,
        len: file.len() as u64,
    };
    // Sections are not loaded, but a table that is cut off shows that the copy went wrong.
    let (shoff, shnum) = (header.e_shoff(Le), header.e_shnum(Le));
    let sh_len = u64::from(shnum) * u64::from(header.e_shentsize(Le));
    if shoff != 0 && range_in(file, shoff, sh_len).is_none() {
        let needed = end_in_file("e_shoff", shoff, sh_len)?;
        return Err(truncated(
            "the section header table of the ELF file",
            needed,
        ));
    }
    let (phoff, phnum) = (header.e_phoff(Le), header.e_phnum(Le));
    if phoff == 0 || phnum == 0 {
        return Err(ImageError::NoSegments);
    }
    let entry = header.e_phentsize(Le);
    if usize::from(entry) != size_of::<ProgramHeader64<Le>>() {
        return Err(damaged("e_phentsize", entry.into(), "not 56"));
    }
    let needed = end_in_file("e_phoff", phoff, u64::from(phnum) * u64::from(entry))?;
    let table = header.program_headers(Le, file);
    table.map_err(|_| truncated("the program header table of the ELF file", needed))
}

fn refuse_dynamic(file: &[u8], table: &[ProgramHeader64<Le>]) -> Result<(), ImageError> {
    let Some(interp) = table.iter().find(|ph| ph.p_type(Le) == PT_INTERP) else {
        return Ok(());
    };
    let name = range_in(file, interp.p_offset(Le), interp.p_filesz(Le))
        .and_then(|r| file.get(r))
        .unwrap_or(b"(unreadable)");
    let name = name.split(|&b| b == 0).next().unwrap_or(&[]);
    let name = name.get(..256).unwrap_or(name);
    Err(ImageError::Dynamic {
        interpreter: name.escape_ascii().to_string(),
    })
}

fn segment(file: &[u8], number: usize, ph: &ProgramHeader64<Le>) -> Result<Segment, ImageError> {
    let (addr, mem_len, file_len) = (ph.p_paddr(Le), ph.p_memsz(Le), ph.p_filesz(Le));
    if file_len > mem_len {
        let field = format!("p_filesz of segment {number}");
        return Err(damaged(&field, file_len, "larger than its p_memsz"));
    }
    if addr.checked_add(mem_len).is_none() {
        let field = format!("p_memsz of segment {number}");
        return Err(damaged(
            &field,
            mem_len,
            "past the end of the address space",
        ));
    }
    let offset = ph.p_offset(Le);
    let Some(range) = range_in(file, offset, file_len) else {
        return Err(ImageError::Truncated {
            part: format!("segment {number} of the ELF file"),
            needed: end_in_file(&format!("p_offset of segment {number}"), offset, file_len)?,
            len: file.len() as u64,
        });
    };
    Ok(Segment {
        addr,
        mem_len,
        file: range,
    })
}

/// `segments` are sorted by address, so an overlap shows between neighbours.
fn refuse_overlap(segments: &[(usize, Segment)]) -> Result<(), ImageError> {
    for ((first, a), (second, b)) in segments.iter().zip(segments.iter().skip(1)) {
        let ranges = (
            AddrRange::new(PhysAddr(a.addr), a.mem_len),
            AddrRange::new(PhysAddr(b.addr), b.mem_len),
        );
        if let (Some(first_range), Some(second_range)) = ranges
            && first_range.overlaps(second_range)
        {
            return Err(ImageError::Overlap {
                first: *first,
                first_range,
                second: *second,
                second_range,
            });
        }
    }
    Ok(())
}

/// The physical address of the entry point. ELF gives a virtual one; the two differ in kernels that are
/// linked in the upper half.
fn entry(
    header: &FileHeader64<Le>,
    table: &[ProgramHeader64<Le>],
    segments: &[Segment],
) -> Result<u64, ImageError> {
    let entry = header.e_entry(Le);
    let by_virtual = table
        .iter()
        .filter(|ph| ph.p_type(Le) == PT_LOAD)
        .find_map(|ph| {
            let off = entry.checked_sub(ph.p_vaddr(Le))?;
            (off < ph.p_memsz(Le)).then(|| ph.p_paddr(Le).wrapping_add(off))
        });
    let physical = by_virtual.unwrap_or(entry);
    let loaded = segments
        .iter()
        .any(|s| physical.checked_sub(s.addr).is_some_and(|o| o < s.mem_len));
    if !loaded {
        return Err(ImageError::Entry { entry });
    }
    if !physical.is_multiple_of(2) {
        return Err(damaged("e_entry", entry, "odd"));
    }
    Ok(physical)
}
