//! Files that machines boot: ELF, Image, EFI zboot, PE.

use maquette_machine::board::{Board, TreeOptions, View};
use maquette_machine::boot::{BootFiles, Image, load, prepare};
use maquette_model::{PhysAddr, Ram};

const RAM: u64 = 0x8000_0000;
const RAM_BYTES: u64 = 8 << 20;

/// A kernel. It is refused, or what it promises of itself is true and it can be put into RAM.
pub fn boot(data: &[u8]) {
    match load(data) {
        Ok(image) => assert_sound(&image),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    prepare_for(data, None, View::Machine);
    prepare_for(data, None, View::Supervisor);
    // The same bytes as firmware.
    prepare_for(data, Some(data), View::Machine);
}

fn assert_sound(image: &Image<'_>) {
    let mut end = 0;
    let mut entered = false;
    for segment in image.segments() {
        assert!(segment.addr >= end, "segments overlap or are out of order");
        end = segment
            .addr
            .checked_add(segment.mem_len)
            .expect("a segment ends");
        assert_eq!(image.data(segment).len(), segment.file.len());
        assert!(image.data(segment).len() as u64 <= segment.mem_len);
        entered |= (segment.addr..end).contains(&image.entry());
    }
    assert!(entered, "the entry lies in no segment");
}

fn prepare_for(kernel: &[u8], firmware: Option<&[u8]>, view: View) {
    let Ok(board) = Board::virt(2, RAM_BYTES) else {
        unreachable!("two harts and 8 MiB are a board")
    };
    let options = TreeOptions {
        view,
        isa_extensions: &["i"],
        cmdline: "",
        initrd: None,
        seed: 0,
    };
    let files = BootFiles {
        firmware,
        kernel,
        initrd: Some(b"initrd"),
    };
    let Ok(prepared) = prepare(&board, files, &options) else {
        return;
    };
    // What the kernel is told has the magic number of a tree (Devicetree Specification 0.4 §5.2).
    assert_eq!(
        prepared.dtb().first_chunk(),
        Some(&[0xd0, 0x0d, 0xfe, 0xed])
    );
    let Ok(ram) = Ram::new(PhysAddr(RAM), RAM_BYTES) else {
        return;
    };
    prepared.write(&ram).expect("what was placed fits");
}
