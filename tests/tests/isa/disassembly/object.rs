//! An object file for objdump.

/// A relocatable object with a `.text` of `words` and the attribute that names the architecture.
pub fn object(words: &[u32], arch: &str) -> Vec<u8> {
    let text: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let names = b"\0.text\0.riscv.attributes\0.shstrtab\0";
    let tag = [&[5][..], arch.as_bytes(), &[0]].concat();
    let file = [&[1][..], &(tag.len() as u32 + 5).to_le_bytes(), &tag].concat();
    let vendor = [b"riscv\0", &file[..]].concat();
    let attributes = [&b"A"[..], &(vendor.len() as u32 + 4).to_le_bytes(), &vendor].concat();

    let mut image = vec![0; 64];
    let mut sections = vec![[0u64; 10]];
    // (name, type, flags, content): SHT_PROGBITS, SHT_RISCV_ATTRIBUTES, SHT_STRTAB.
    let parts = [
        (1, 1, 6, &text[..]),
        (7, 0x7000_0003, 0, &attributes[..]),
        (25, 3, 0, &names[..]),
    ];
    for (name, kind, flags, content) in parts {
        let offset = image.len() as u64;
        sections.push([
            name,
            kind,
            flags,
            0,
            offset,
            content.len() as u64,
            0,
            0,
            4,
            0,
        ]);
        image.extend(content);
    }
    let table = image.len() as u64;
    for [
        name,
        kind,
        flags,
        address,
        offset,
        size,
        link,
        info,
        align,
        entry,
    ] in sections
    {
        image.extend((name as u32).to_le_bytes());
        image.extend((kind as u32).to_le_bytes());
        image.extend(
            [flags, address, offset, size]
                .iter()
                .flat_map(|field| field.to_le_bytes()),
        );
        image.extend((link as u32).to_le_bytes());
        image.extend((info as u32).to_le_bytes());
        image.extend([align, entry].iter().flat_map(|field| field.to_le_bytes()));
    }
    image[..16].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    image[16..20].copy_from_slice(&[1, 0, 243, 0]); // ET_REL, EM_RISCV
    image[20] = 1;
    image[40..48].copy_from_slice(&table.to_le_bytes());
    image[48] = 5; // RVC, double-float ABI
    image[52] = 64;
    image[58] = 64;
    image[60] = 4;
    image[62] = 3;
    image
}
