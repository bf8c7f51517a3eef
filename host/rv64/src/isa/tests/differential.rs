//! The disassembler against GNU objdump (Debian: `binutils-riscv64-linux-gnu`), if there is one.

use std::fs;
use std::process::Command;

use proptest::strategy::ValueTree;

use super::*;

const OBJDUMP: &str = "riscv64-linux-gnu-objdump";
const ARCH: &str = "rv64i2p1_m2p0_a2p1_f2p2_d2p2_c2p0_zicsr2p0_zifencei2p0_zihintpause2p0_\
                    zicbom1p0_zicboz1p0_zba1p0_zbb1p0_zbs1p0";

/// The texts of `words`, each at its index times 4, or `None` where there is no objdump.
fn objdump(words: &[u32], options: &[&str]) -> Option<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("words.elf");
    fs::write(&path, elf(words)).unwrap();
    let output = match Command::new(OBJDUMP)
        .arg("-dz")
        .args(options)
        .arg(&path)
        .output()
    {
        Ok(output) => String::from_utf8(output.stdout).unwrap(),
        Err(error) => {
            println!("skipped: {OBJDUMP}: {error}");
            return None;
        }
    };
    let mut texts = vec![String::new(); words.len()];
    for line in output.lines() {
        let Some((address, rest)) = line.split_once(":\t") else {
            continue;
        };
        let address = usize::from_str_radix(address.trim(), 16).unwrap();
        let text = rest.split_once('\t').map_or("", |(_, text)| text);
        if address % 4 == 0 {
            texts[address / 4] = text.to_string();
        }
    }
    Some(texts)
}

/// A relocatable object with a `.text` of `words` and the attribute that names the architecture.
fn elf(words: &[u32]) -> Vec<u8> {
    let text: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let names = b"\0.text\0.riscv.attributes\0.shstrtab\0";
    let tag = [&[5][..], ARCH.as_bytes(), &[0]].concat();
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

/// Words of a text, numbers as decimals, so that only meaning is compared.
fn tokens(text: &str) -> Vec<String> {
    let text = text.split(['#', '<']).next().unwrap_or("");
    text.split([' ', '\t', ',', '(', ')'])
        .filter(|token| !token.is_empty())
        .map(|token| match token.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).unwrap().to_string(),
            None => token.to_string(),
        })
        .collect()
}

/// What objdump is expected to print for `insn`, given what it printed.
fn expected(insn: &Insn, pc: u64, theirs: &[String]) -> Vec<String> {
    let mut ours = tokens(&disassemble(insn, pc));
    let operands = insn.op.format().operands();
    for (index, operand) in operands
        .iter()
        .filter(|&&operand| operand != Operand::AqRl)
        .enumerate()
    {
        let target = matches!(operand, Operand::ImmB | Operand::ImmJ);
        // A target is bare hexadecimal where it falls into the section.
        if target && ours[index + 1] != theirs[index + 1] {
            let token = &mut ours[index + 1];
            *token = format!("{:x}", token.parse::<u64>().unwrap());
        }
        // It prints CSRs by name.
        if *operand == Operand::Csr {
            ours[index + 1].clone_from(&theirs[index + 1]);
        }
    }
    ours
}

/// True where this objdump and the specification part ways, for a reason that is not ours.
fn objdump_differs(insn: &Insn) -> bool {
    match insn.op {
        // It names only the usual sets, and `fence.tso`.
        Op::Fence => insn.imm & 0xf00 != 0 || insn.imm & 0xf == 0 || insn.imm & 0xf0 == 0,
        // It knows the rounding field of exact conversions only as 0.
        Op::FcvtDS | Op::FcvtDW | Op::FcvtDWu => insn.rm != 0,
        _ => false,
    }
}

#[test]
fn disassembly_of_long_words_equals_objdump() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut insns: Vec<Insn> = Vec::new();
    for _ in 0..20_000 {
        let insn = any_insn().new_tree(&mut runner).unwrap().current();
        if !objdump_differs(&insn) {
            insns.push(insn);
        }
    }
    let words: Vec<u32> = insns.iter().map(|insn| encode(insn).unwrap()).collect();
    let Some(texts) = objdump(&words, &["-M", "no-aliases"]) else {
        return;
    };
    for (index, (insn, text)) in insns.iter().zip(&texts).enumerate() {
        let theirs = tokens(text);
        let ours = expected(insn, index as u64 * 4, &theirs);
        assert_eq!(ours, theirs, "{:#010x}", words[index]);
    }
}

/// It gives hints names of their own, some of RV128.
fn is_hint(insn: &Insn) -> bool {
    match insn.op {
        Op::Slli | Op::Srli | Op::Srai => insn.rd == 0 || insn.imm == 0,
        Op::Addi => insn.rd == 0 || insn.rd == insn.rs1 && insn.imm == 0,
        Op::Lui | Op::Add => insn.rd == 0,
        _ => false,
    }
}

#[test]
fn expansion_of_halfwords_equals_objdump() {
    let legal: Vec<(u16, Insn)> = (0..=u16::MAX)
        .filter_map(|word| Some((word, decode16(word)?)))
        .collect();
    // Each halfword is followed by a c.nop, so that addresses stay equal to the long spelling's.
    let short: Vec<u32> = legal
        .iter()
        .map(|&(word, _)| u32::from(word) | 0x0001_0000)
        .collect();
    let long: Vec<u32> = legal
        .iter()
        .map(|(_, insn)| encode(insn).unwrap())
        .collect();
    let Some(short_texts) = objdump(&short, &[]) else {
        return;
    };
    let long_texts = objdump(&long, &[]).unwrap();
    for (index, (word, insn)) in legal.iter().enumerate() {
        let mut theirs = tokens(&short_texts[index]);
        if is_hint(insn) {
            continue;
        }
        if insn.op == Op::Add && insn.rs1 == 0 {
            // `c.mv` is an `add` with x0, whose long spelling has no alias.
            assert_eq!(theirs.first().map(String::as_str), Some("mv"));
            theirs = ["add", &theirs[1], "zero", &theirs[2]]
                .map(String::from)
                .to_vec();
        }
        assert_eq!(theirs, tokens(&long_texts[index]), "{word:#06x} {insn:?}");
    }
}
