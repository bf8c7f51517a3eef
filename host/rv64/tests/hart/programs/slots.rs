//! The pieces that random programs are made of.

use super::{CODE, HANDLER, X_ADDR, X_ALIAS, X_DATA, X_LOOP, X_START};
use crate::asm::{Code, bare, csr, csrr, csrw, i, r, s, split, word};
use crate::rig::Rng;
use maquette_rv64::csr::number as n;
use maquette_rv64::isa::{Extension, Format, Insn, Op, TABLE, compress};

const SLOTS: u64 = 600;

/// A piece of the program that control may enter at its start.
enum Slot {
    Plain(Vec<Insn>),
    Short(u16),
    Word(u32),
    /// A branch or `jal` to another slot.
    Jump(Insn, usize),
    /// `auipc` and `jalr` to another slot.
    Call(u8, usize),
    /// Back to another slot, by a branch or by `jal`, seven times out of eight: control must get round.
    Back(usize, bool),
    /// Overwrites the first instruction of another slot.
    Patch(u32, usize),
}

impl Slot {
    fn size(&self) -> u64 {
        match self {
            Self::Plain(v) => 4 * v.len() as u64,
            Self::Short(_) => 2,
            Self::Word(_) | Self::Jump(..) => 4,
            Self::Call(..) => 8,
            Self::Back(_, jal) => 12 + 4 * u64::from(*jal),
            Self::Patch(..) => 16,
        }
    }
}

/// A program of [`SLOTS`] random pieces that begins at [`CODE`] and goes round for ever.
pub fn program(rng: &mut Rng) -> Code {
    let slots: Vec<Slot> = (0..SLOTS).map(|at| slot(rng, at)).collect();
    let mut at = CODE;
    let mut places = Vec::new();
    for slot in &slots {
        places.push(at);
        at += slot.size();
    }
    let mut c = Code::new(CODE);
    for slot in &slots {
        emit(&mut c, slot, &places);
    }
    c.put(i(Op::Jalr, 0, X_START, 0));
    assert!(c.here() < HANDLER);
    c
}

fn emit(c: &mut Code, slot: &Slot, places: &[u64]) {
    match slot {
        Slot::Plain(insns) => insns.iter().for_each(|&i| {
            c.put(i);
        }),
        Slot::Short(w) => {
            c.half(*w);
        }
        Slot::Word(w) => {
            c.word(*w);
        }
        Slot::Jump(insn, to) => {
            c.jump(*insn, places[*to]);
        }
        Slot::Call(link, to) => {
            let (high, low) = split(places[*to].wrapping_sub(c.here()).cast_signed());
            c.put(i(Op::Auipc, X_ADDR, 0, high));
            c.put(i(Op::Jalr, *link, X_ADDR, low));
        }
        Slot::Back(to, jal) => {
            c.put(i(Op::Addi, X_LOOP, X_LOOP, -1));
            c.put(i(Op::Andi, X_LOOP, X_LOOP, 7));
            if *jal {
                c.put(s(Op::Beq, X_LOOP, 0, 8));
                c.jump(bare(Op::Jal), places[*to]);
            } else {
                c.jump(s(Op::Bne, X_LOOP, 0, 0), places[*to]);
            }
        }
        Slot::Patch(w, to) => {
            let (high, low) = split(i64::from(w.cast_signed()));
            c.put(i(Op::Lui, 15, 0, high));
            c.put(i(Op::Addiw, 15, 15, low));
            let (high, low) = split(places[*to].wrapping_sub(c.here()).cast_signed());
            c.put(i(Op::Auipc, X_ADDR, 0, high));
            c.put(s(Op::Sw, X_ADDR, 15, low));
        }
    }
}

fn slot(rng: &mut Rng, here: u64) -> Slot {
    let ahead = |rng: &mut Rng| (here + 1 + rng.below(12)).min(SLOTS - 1) as usize;
    let behind = |rng: &mut Rng| here.saturating_sub(rng.below(6)) as usize;
    match rng.below(100) {
        0..34 => plain_or_short(rng),
        34..37 => Slot::Back(behind(rng), rng.chance(50)),
        37..41 => Slot::Plain(vec![float(rng)]),
        41..64 => Slot::Plain(vec![memory(rng)]),
        64..68 => atomic(rng),
        68..78 => {
            let op = rng.pick(&[Op::Beq, Op::Bne, Op::Blt, Op::Bge, Op::Bltu, Op::Bgeu]);
            Slot::Jump(s(op, reg(rng), reg(rng), 0), ahead(rng))
        }
        78..81 => Slot::Jump(i(Op::Jal, rng.pick(&[0, 1, 5]), 0, 0), ahead(rng)),
        81..83 => Slot::Call(rng.pick(&[0, 1, 5]), ahead(rng)),
        83..86 if rng.chance(50) => Slot::Patch(word(arithmetic(rng)), ahead(rng)),
        83..85 => Slot::Patch(word(arithmetic(rng)), behind(rng)),
        85 => Slot::Back(behind(rng), rng.chance(50)),
        86..95 => Slot::Plain(status(rng)),
        95..97 => Slot::Plain(vec![bare(rng.pick(&[
            Op::Ecall,
            Op::Ebreak,
            Op::Wfi,
            Op::Pause,
        ]))]),
        97..99 => Slot::Plain(vec![rng.pick(&[
            bare(Op::FenceI),
            bare(Op::SfenceVma),
            s(Op::SfenceVma, X_DATA, 0, 0),
            s(Op::CboZero, X_DATA, 0, 0),
            s(Op::CboFlush, X_ALIAS, 0, 0),
        ])]),
        _ if rng.chance(50) => Slot::Word(0xffff_ffff),
        _ => Slot::Short(0),
    }
}

fn reg(rng: &mut Rng) -> u8 {
    rng.below(16) as u8
}

fn plain_or_short(rng: &mut Rng) -> Slot {
    let mut insn = arithmetic(rng);
    if rng.chance(60) && insn.op.format() != Format::U {
        insn.rs1 = insn.rd;
    }
    match compress(&insn) {
        Some(short) => Slot::Short(short),
        None => Slot::Plain(vec![insn]),
    }
}

/// Any integer instruction that computes, from the table.
pub fn arithmetic(rng: &mut Rng) -> Insn {
    loop {
        let e = &TABLE[rng.below(Op::COUNT as u64) as usize];
        let computes = matches!(
            e.extension,
            Extension::I
                | Extension::M
                | Extension::Zba
                | Extension::Zbb
                | Extension::Zbc
                | Extension::Zbs
                | Extension::Zicond
        );
        let imm = match e.format {
            Format::R | Format::R1 => 0,
            Format::I if rng.chance(50) => rng.below(64) as i32 - 32,
            Format::I => rng.below(4096) as i32 - 2048,
            Format::Shift6 => rng.below(64) as i32,
            Format::Shift5 => rng.below(32) as i32,
            Format::U => (rng.next() as i32) & !0xfff,
            _ => continue,
        };
        if computes {
            let rs2 = if e.format == Format::R { reg(rng) } else { 0 };
            let rs1 = if e.format == Format::U { 0 } else { reg(rng) };
            let insn = Insn {
                imm,
                ..r(e.op, reg(rng), rs1, rs2)
            };
            // An `ori` to x0 may be a prefetch.
            if maquette_rv64::isa::encode(&insn).is_ok() {
                return insn;
            }
        }
    }
}

fn float(rng: &mut Rng) -> Insn {
    loop {
        let e = &TABLE[rng.below(Op::COUNT as u64) as usize];
        if !matches!(e.extension, Extension::F | Extension::D) {
            continue;
        }
        let rm = rng.pick(&[0, 1, 2, 3, 4, 7, 7]);
        let insn = Insn {
            rs3: reg(rng),
            rm,
            ..r(e.op, reg(rng), reg(rng), reg(rng))
        };
        // Leave out what the format does not have.
        let short = [
            insn,
            Insn { rs3: 0, ..insn },
            Insn {
                rs3: 0,
                rm: 0,
                ..insn
            },
        ];
        let unary = short.map(|i| Insn { rs2: 0, ..i });
        let fits = |i: &&Insn| maquette_rv64::isa::encode(i).is_ok();
        if let Some(found) = short.iter().chain(&unary).find(fits) {
            return *found;
        }
    }
}

fn memory(rng: &mut Rng) -> Insn {
    let base = match rng.below(20) {
        0 => reg(rng),
        1..4 => X_ALIAS,
        _ => X_DATA,
    };
    let plain = loads_and_stores(rng, base);
    match rng.below(10) {
        0 => i(rng.pick(&[Op::Flw, Op::Fld]), reg(rng), base, plain.imm),
        1 => s(rng.pick(&[Op::Fsw, Op::Fsd]), base, reg(rng), plain.imm),
        _ => plain,
    }
}

/// An integer load or store within 2 KiB of `base`, often aligned.
pub fn loads_and_stores(rng: &mut Rng, base: u8) -> Insn {
    let any = rng.below(4096) as i32 - 2048;
    let imm = if rng.chance(60) { any & !7 } else { any };
    if rng.chance(50) {
        let op = rng.pick(&[Op::Lb, Op::Lh, Op::Lw, Op::Ld, Op::Lbu, Op::Lhu, Op::Lwu]);
        i(op, reg(rng), base, imm)
    } else {
        s(
            rng.pick(&[Op::Sb, Op::Sh, Op::Sw, Op::Sd]),
            base,
            reg(rng),
            imm,
        )
    }
}

fn atomic(rng: &mut Rng) -> Slot {
    let op = loop {
        let e = &TABLE[rng.below(Op::COUNT as u64) as usize];
        if e.extension == Extension::A {
            break e.op;
        }
    };
    let rs2 = if matches!(op, Op::LrW | Op::LrD) {
        0
    } else {
        reg(rng)
    };
    let imm = (rng.below(32) as i32 - 16) * if rng.chance(90) { 8 } else { 1 };
    let address = i(Op::Addi, X_ADDR, X_DATA, imm);
    let mut insns = vec![address, r(op, reg(rng), X_ADDR, rs2)];
    if rs2 == 0 {
        let sc = if op == Op::LrW { Op::ScW } else { Op::ScD };
        insns.push(r(sc, reg(rng), X_ADDR, reg(rng)));
    }
    Slot::Plain(insns)
}

/// Counters, status bits, software interrupts, the timer.
fn status(rng: &mut Rng) -> Vec<Insn> {
    const READ: [u16; 14] = [
        n::INSTRET,
        n::INSTRET,
        n::CYCLE,
        n::TIME,
        n::TIME,
        n::MINSTRET,
        n::MCYCLE,
        n::MIP,
        n::SIP,
        n::MSTATUS,
        n::SSTATUS,
        n::MCAUSE,
        n::FCSR,
        n::HPMCOUNTER3,
    ];
    const WRITE: [u16; 9] = [
        n::MSCRATCH,
        n::SSCRATCH,
        n::MCYCLE,
        n::MINSTRET,
        n::MCOUNTINHIBIT,
        n::FFLAGS,
        n::FRM,
        n::FCSR,
        n::STIMECMP,
    ];
    match rng.below(10) {
        0..5 => vec![csrr(reg(rng), rng.pick(&READ))],
        5 => vec![csr(
            rng.pick(&[Op::Csrrw, Op::Csrrs, Op::Csrrc]),
            reg(rng),
            rng.pick(&WRITE),
            reg(rng),
        )],
        6 => vec![csr(
            rng.pick(&[Op::Csrrsi, Op::Csrrsi, Op::Csrrci]),
            0,
            n::MSTATUS,
            8,
        )],
        7 => vec![csr(
            rng.pick(&[Op::Csrrsi, Op::Csrrsi, Op::Csrrci]),
            0,
            n::SSTATUS,
            2,
        )],
        8 => vec![csr(Op::Csrrsi, 0, rng.pick(&[n::MIP, n::SIP]), 2)],
        _ => vec![
            csrr(X_ADDR, n::TIME),
            i(Op::Addi, X_ADDR, X_ADDR, rng.below(10) as i32),
            csrw(n::STIMECMP, X_ADDR),
        ],
    }
}
