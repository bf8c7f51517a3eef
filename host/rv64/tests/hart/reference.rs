//! The interpreter against a machine so naive that reading it is believing it: one instruction at a
//! time from a byte array, integers only, no cache of anything.

use crate::asm::Code;
use crate::programs::{arithmetic, loads_and_stores};
use crate::rig::{BASE, Rig, Rng};
use maquette_model::Vcpu;
use maquette_rv64::isa::{Insn, Op, compress, decode};
use maquette_tests::seeds;

struct Naive {
    x: [u64; 32],
    pc: u64,
    mem: Vec<u8>,
}

/// Bits `0..n` of `v`, sign-extended.
fn signed(v: u64, n: u32) -> u64 {
    let low = v & (u64::MAX >> (64 - n));
    if low >> (n - 1) & 1 == 1 {
        low | !(u64::MAX >> (64 - n))
    } else {
        low
    }
}

/// How many of the `n` bits, from the given end, are zero before the first one.
fn zeros(bits: impl Iterator<Item = u32>, v: u64) -> u64 {
    bits.take_while(|b| v >> b & 1 == 0).count() as u64
}

fn divide(a: i128, b: i128) -> i128 {
    if b == 0 { -1 } else { a / b }
}

fn remainder(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { a % b }
}

impl Naive {
    fn load(&self, at: u64, n: u64) -> u64 {
        (0..n).fold(0, |v, k| {
            v | u64::from(self.mem[(at - BASE + k) as usize]) << (8 * k)
        })
    }

    fn store(&mut self, at: u64, n: u64, v: u64) {
        for k in 0..n {
            self.mem[(at - BASE + k) as usize] = (v >> (8 * k)) as u8;
        }
    }

    fn step(&mut self) {
        let mut word = self.load(self.pc, 2) as u32;
        if word & 3 == 3 {
            word = self.load(self.pc, 4) as u32;
        }
        let insn = decode(word).unwrap();
        let (a, b) = (self.x[usize::from(insn.rs1)], self.x[usize::from(insn.rs2)]);
        let imm = i64::from(insn.imm).cast_unsigned();
        let next = self.pc.wrapping_add(insn.len.into());
        let address = a.wrapping_add(imm);
        let taken = match insn.op {
            Op::Beq => a == b,
            Op::Bne => a != b,
            Op::Blt => (a as i64) < b as i64,
            Op::Bge => a as i64 >= b as i64,
            Op::Bltu => a < b,
            Op::Bgeu => a >= b,
            Op::Jal | Op::Jalr => true,
            _ => false,
        };
        let target = if insn.op == Op::Jalr {
            address & !1
        } else {
            self.pc.wrapping_add(imm)
        };
        let result = match insn.op {
            Op::Sb => return self.stored(address, 1, b, next),
            Op::Sh => return self.stored(address, 2, b, next),
            Op::Sw => return self.stored(address, 4, b, next),
            Op::Sd => return self.stored(address, 8, b, next),
            Op::Lb => signed(self.load(address, 1), 8),
            Op::Lh => signed(self.load(address, 2), 16),
            Op::Lw => signed(self.load(address, 4), 32),
            Op::Ld => self.load(address, 8),
            Op::Lbu => self.load(address, 1),
            Op::Lhu => self.load(address, 2),
            Op::Lwu => self.load(address, 4),
            Op::Jal | Op::Jalr => next,
            Op::Auipc => self.pc.wrapping_add(imm),
            op => base(op, a, b, imm)
                .or_else(|| multiply(op, a, b))
                .or_else(|| address_and_logic(op, a, b, imm))
                .or_else(|| bits(op, a, b, imm))
                .or_else(|| polynomials_and_conditions(op, a, b))
                .unwrap_or_else(|| panic!("{op:?}")),
        };
        if insn.rd != 0
            && !matches!(
                insn.op,
                Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu
            )
        {
            self.x[usize::from(insn.rd)] = result;
        }
        self.pc = if taken { target } else { next };
    }

    fn stored(&mut self, at: u64, n: u64, v: u64, next: u64) {
        self.store(at, n, v);
        self.pc = next;
    }
}

/// RV64I; branches give 0.
fn base(op: Op, a: u64, b: u64, imm: u64) -> Option<u64> {
    let less = |a: u64, b: u64| u64::from((a as i64) < b as i64);
    let right = |v: u64, by: u64| ((v as i64) >> by) as u64;
    Some(match op {
        Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu => 0,
        Op::Lui => imm,
        Op::Addi => a.wrapping_add(imm),
        Op::Slti => less(a, imm),
        Op::Sltiu => u64::from(a < imm),
        Op::Xori => a ^ imm,
        Op::Ori => a | imm,
        Op::Andi => a & imm,
        Op::Slli => a << imm,
        Op::Srli => a >> imm,
        Op::Srai => right(a, imm),
        Op::Add => a.wrapping_add(b),
        Op::Sub => a.wrapping_sub(b),
        Op::Sll => a << (b % 64),
        Op::Slt => less(a, b),
        Op::Sltu => u64::from(a < b),
        Op::Xor => a ^ b,
        Op::Srl => a >> (b % 64),
        Op::Sra => right(a, b % 64),
        Op::Or => a | b,
        Op::And => a & b,
        Op::Addiw => signed(a.wrapping_add(imm), 32),
        Op::Slliw => signed(a << imm, 32),
        Op::Srliw => signed((a & 0xffff_ffff) >> imm, 32),
        Op::Sraiw => right(signed(a, 32), imm),
        Op::Addw => signed(a.wrapping_add(b), 32),
        Op::Subw => signed(a.wrapping_sub(b), 32),
        Op::Sllw => signed(a << (b % 32), 32),
        Op::Srlw => signed((a & 0xffff_ffff) >> (b % 32), 32),
        Op::Sraw => right(signed(a, 32), b % 32),
        _ => return None,
    })
}

/// RV64M, in integers so wide that nothing overflows.
fn multiply(op: Op, a: u64, b: u64) -> Option<u64> {
    let (sa, sb) = (i128::from(a as i64), i128::from(b as i64));
    let (ua, ub) = (i128::from(a), i128::from(b));
    let (swa, swb) = (i128::from(a as i32), i128::from(b as i32));
    let (uwa, uwb) = (i128::from(a as u32), i128::from(b as u32));
    let word = |v: i128| signed(v as u64, 32);
    Some(match op {
        Op::Mul => (sa * sb) as u64,
        Op::Mulh => ((sa * sb) >> 64) as u64,
        Op::Mulhsu => ((sa * ub) >> 64) as u64,
        Op::Mulhu => ((u128::from(a) * u128::from(b)) >> 64) as u64,
        Op::Div => divide(sa, sb) as u64,
        Op::Divu => divide(ua, ub) as u64,
        Op::Rem => remainder(sa, sb) as u64,
        Op::Remu => remainder(ua, ub) as u64,
        Op::Mulw => word(swa * swb),
        Op::Divw => word(divide(swa, swb)),
        Op::Divuw => word(divide(uwa, uwb)),
        Op::Remw => word(remainder(swa, swb)),
        Op::Remuw => word(remainder(uwa, uwb)),
        _ => return None,
    })
}

/// Zba, and the logic of Zbb.
fn address_and_logic(op: Op, a: u64, b: u64, imm: u64) -> Option<u64> {
    let low = a & 0xffff_ffff;
    Some(match op {
        Op::AddUw => low.wrapping_add(b),
        Op::Sh1add => (a << 1).wrapping_add(b),
        Op::Sh2add => (a << 2).wrapping_add(b),
        Op::Sh3add => (a << 3).wrapping_add(b),
        Op::Sh1addUw => (low << 1).wrapping_add(b),
        Op::Sh2addUw => (low << 2).wrapping_add(b),
        Op::Sh3addUw => (low << 3).wrapping_add(b),
        Op::SlliUw => low << imm,
        Op::Andn => a & !b,
        Op::Orn => a | !b,
        Op::Xnor => !(a ^ b),
        _ => return None,
    })
}

/// Zbc and Zicond.
fn polynomials_and_conditions(op: Op, a: u64, b: u64) -> Option<u64> {
    // The coefficient of x^k of the product.
    let coefficient = |k: u32| {
        let pairs = (0..64).filter(|&i| k >= i && k - i < 64);
        pairs.fold(0, |sum, i| sum ^ (a >> i & b >> (k - i) & 1))
    };
    let from = |low: u32| (0..64).fold(0, |v, k| v | coefficient(low + k) << k);
    Some(match op {
        Op::Clmul => from(0),
        Op::Clmulr => from(63),
        Op::Clmulh => from(64),
        Op::CzeroEqz if b == 0 => 0,
        Op::CzeroNez if b != 0 => 0,
        Op::CzeroEqz | Op::CzeroNez => a,
        _ => return None,
    })
}

/// The rest of Zbb, and Zbs.
fn bits(op: Op, a: u64, b: u64, imm: u64) -> Option<u64> {
    let rotate =
        |v: u64, n: u64, by: u64| (0..n).fold(0, |r, k| r | (v >> ((k + by) % n) & 1) << k);
    let bytes = |f: fn(u8) -> u8| a.to_le_bytes().map(f);
    let (bit, at) = (1u64 << (b % 64), 1u64.wrapping_shl(imm as u32));
    Some(match op {
        Op::Clz => zeros((0..64).rev(), a),
        Op::Ctz => zeros(0..64, a),
        Op::Cpop => (0..64).map(|k| a >> k & 1).sum(),
        Op::Clzw => zeros((0..32).rev(), a),
        Op::Ctzw => zeros(0..32, a),
        Op::Cpopw => (0..32).map(|k| a >> k & 1).sum(),
        Op::Max => {
            if (a as i64) > b as i64 {
                a
            } else {
                b
            }
        }
        Op::Maxu => {
            if a > b {
                a
            } else {
                b
            }
        }
        Op::Min => {
            if (a as i64) < b as i64 {
                a
            } else {
                b
            }
        }
        Op::Minu => {
            if a < b {
                a
            } else {
                b
            }
        }
        Op::SextB => signed(a, 8),
        Op::SextH => signed(a, 16),
        Op::ZextH => a % 65536,
        Op::Rol => rotate(a, 64, 64 - b % 64),
        Op::Ror => rotate(a, 64, b % 64),
        Op::Rori => rotate(a, 64, imm),
        Op::Rolw => signed(rotate(a, 32, 32 - b % 32), 32),
        Op::Rorw => signed(rotate(a, 32, b % 32), 32),
        Op::Roriw => signed(rotate(a, 32, imm), 32),
        Op::OrcB => u64::from_le_bytes(bytes(|b| if b == 0 { 0 } else { 255 })),
        Op::Rev8 => u64::from_be_bytes(bytes(|b| b)),
        Op::Bclr => a & !bit,
        Op::Bclri => a & !at,
        Op::Bext => u64::from(a & bit != 0),
        Op::Bexti => u64::from(a & at != 0),
        Op::Binv => a ^ bit,
        Op::Binvi => a ^ at,
        Op::Bset => a | bit,
        Op::Bseti => a | at,
        _ => return None,
    })
}

/// Straight-line code with branches ahead, over and over; x16 points into data.
fn program(rng: &mut Rng) -> Code {
    let mut c = Code::new(BASE + 0xf00);
    while c.here() < BASE + 0x1a00 {
        let insn = match rng.below(10) {
            0..6 => arithmetic(rng),
            6..9 => loads_and_stores(rng, 16),
            _ => {
                let op = rng.pick(&[
                    Op::Beq,
                    Op::Bne,
                    Op::Blt,
                    Op::Bge,
                    Op::Bltu,
                    Op::Bgeu,
                    Op::Jal,
                ]);
                let over = 4;
                let (rs1, rs2) = if op == Op::Jal {
                    (0, 0)
                } else {
                    (rng.below(16) as u8, rng.below(16) as u8)
                };
                c.put(Insn {
                    rs1,
                    rs2,
                    imm: 4 + over,
                    ..Insn::new(op)
                });
                loop {
                    let skipped = arithmetic(rng);
                    if compress(&skipped).is_none() {
                        break skipped;
                    }
                }
            }
        };
        match compress(&insn) {
            Some(short) if rng.chance(50) => c.half(short),
            _ => c.put(insn),
        };
    }
    let back = Insn {
        rs1: 17,
        ..Insn::new(Op::Jalr)
    };
    c.put(back);
    c
}

#[test]
fn interpreter_agrees_with_a_naive_machine_instruction_by_instruction() {
    const PROGRAMS: u64 = 50;
    const STEPS: u64 = 2000;
    for seed in seeds(PROGRAMS) {
        let mut rng = Rng(seed << 32);
        let code = program(&mut rng);
        let mut rig = Rig::new(6, rng.pick(&[1, 3, 64]));
        rig.load(&code);
        for at in (BASE + 0x3000..BASE + 0x5000).step_by(8) {
            rig.poke(at, rng.next());
        }
        let mut x: [u64; 32] = core::array::from_fn(|_| rng.next() >> rng.below(64));
        x[0] = 0;
        x[16] = BASE + 0x4000;
        x[17] = code.base;
        rig.hart.set_up(|h| {
            h.x[..32].copy_from_slice(&x);
            h.pc = code.base;
        });
        let mut naive = Naive {
            x,
            pc: code.base,
            mem: rig.memory(),
        };
        let mut done = 0;
        while done < STEPS {
            let some = 1 + rng.below(20);
            done += some;
            let from = naive.pc;
            (0..some).for_each(|_| naive.step());
            rig.until(done).unwrap();
            assert_eq!(
                rig.hart.pc(),
                naive.pc,
                "program {seed}, {some} instructions from {from:#x}"
            );
            assert_eq!(
                rig.hart.state().x[..32],
                naive.x,
                "program {seed}, {some} instructions from {from:#x}"
            );
        }
        assert!(rig.memory() == naive.mem, "program {seed}");
    }
}
