//! The Linux `Image`.

use super::build::image;
use crate::boot::{Base, ImageError, ImageKind, load};

#[test]
fn linux_image_is_one_segment_with_room_for_its_bss() {
    let file = image(0x20_0000, 0x3000, 500, true);
    let image = load(&file).unwrap();
    assert_eq!(image.kind(), ImageKind::Linux);
    assert_eq!(
        image.base(),
        Base::Ram {
            offset: Some(0x20_0000)
        }
    );
    assert_eq!(image.entry(), 0);
    let segment = &image.segments()[0];
    assert_eq!(segment.mem_len, file.len() as u64 + 0x3000);
    assert_eq!(image.data(segment), file);
}

#[test]
fn linux_image_without_size_takes_its_file_length() {
    let mut file = image(0, 0, 100, false);
    file[16..24].fill(0);
    assert_eq!(load(&file).unwrap().segments()[0].mem_len, 164);
}

#[test]
fn linux_image_by_either_magic_number_is_known() {
    for at in [48, 56] {
        let mut file = image(0, 0, 100, false);
        file[at..at + 4].fill(0);
        assert!(load(&file).is_ok());
    }
}

#[test]
fn linux_image_cut_off_in_its_header_is_truncated() {
    let file = image(0, 0, 0, false);
    let error = load(&file[..60]).map(|_| ()).unwrap_err();
    assert!(matches!(
        error,
        ImageError::Truncated {
            needed: 64,
            len: 60,
            ..
        }
    ));
}

#[test]
fn linux_image_with_absurd_fields_names_them() {
    let with = |at: usize, v: u64| {
        let mut file = image(0x20_0000, 0, 100, false);
        file[at..at + 8].copy_from_slice(&v.to_le_bytes());
        load(&file).map(|_| ()).unwrap_err().to_string()
    };
    assert!(with(24, 1).contains("flags of the Linux Image"));
    assert!(with(8, 0x20_0001).contains("text_offset of the Linux Image"));
    assert!(with(16, u64::MAX).contains("image_size of the Linux Image"));
}
