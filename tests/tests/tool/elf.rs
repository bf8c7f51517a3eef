//! Bare-metal programs of a few instructions, made on the spot, so that a test needs no compiler and
//! can damage each field of the file.

/// Where RAM begins.
pub const RAM: u64 = 0x8000_0000;

/// One loadable segment.
#[derive(Clone)]
pub struct Segment {
    pub address: u64,
    pub bytes: Vec<u8>,
    pub memory_size: u64,
}

/// An ELF file for RV64, by default a correct one.
#[derive(Clone)]
pub struct Elf {
    pub class: u8,
    pub byte_order: u8,
    pub machine: u16,
    pub entry: u64,
    pub segments: Vec<Segment>,
}

impl Elf {
    /// A program that starts at the beginning of RAM.
    pub fn new(code: &[u32]) -> Self {
        let bytes: Vec<u8> = code.iter().flat_map(|word| word.to_le_bytes()).collect();
        Self {
            class: 2,
            byte_order: 1,
            machine: 243,
            entry: RAM,
            segments: vec![Segment {
                address: RAM,
                memory_size: bytes.len() as u64,
                bytes,
            }],
        }
    }

    /// One more segment.
    pub fn segment(mut self, address: u64, length: usize) -> Self {
        self.segments.push(Segment {
            address,
            bytes: vec![0; length],
            memory_size: length as u64,
        });
        self
    }

    /// The file.
    pub fn file(&self) -> Vec<u8> {
        let count = self.segments.len() as u64;
        let mut out = vec![0x7f, b'E', b'L', b'F', self.class, self.byte_order, 1, 0];
        out.resize(16, 0);
        out.extend(2u16.to_le_bytes());
        out.extend(self.machine.to_le_bytes());
        out.extend(1u32.to_le_bytes());
        out.extend(self.entry.to_le_bytes());
        out.extend(64u64.to_le_bytes());
        out.extend(0u64.to_le_bytes());
        out.extend(0u32.to_le_bytes());
        for half in [64u16, 56, self.segments.len() as u16, 64, 0, 0] {
            out.extend(half.to_le_bytes());
        }
        let mut offset = 64 + 56 * count;
        for segment in &self.segments {
            out.extend(1u32.to_le_bytes());
            out.extend(7u32.to_le_bytes());
            for field in [
                offset,
                segment.address,
                segment.address,
                segment.bytes.len() as u64,
                segment.memory_size,
                4,
            ] {
                out.extend(field.to_le_bytes());
            }
            offset += segment.bytes.len() as u64;
        }
        for segment in &self.segments {
            out.extend(&segment.bytes);
        }
        out
    }
}

const T0: u32 = 5;
const T1: u32 = 6;
const T2: u32 = 7;

const fn lui(rd: u32, upper: u32) -> u32 {
    upper << 12 | rd << 7 | 0x37
}

const fn addi(rd: u32, rs: u32, imm: u32) -> u32 {
    imm << 20 | rs << 15 | rd << 7 | 0x13
}

const fn store(width: u32, value: u32, base: u32) -> u32 {
    value << 20 | base << 15 | width << 12 | 0x23
}

const fn load_byte(rd: u32, base: u32, offset: u32) -> u32 {
    offset << 20 | base << 15 | 4 << 12 | rd << 7 | 0x03
}

/// `funct3` 0 is `beq`, 1 is `bne`; `back` instructions back.
const fn branch_back(funct3: u32, a: u32, b: u32, back: u32) -> u32 {
    let offset = (back * 4).wrapping_neg();
    let (bit12, bits10_5) = (offset >> 12 & 1, offset >> 5 & 0x3f);
    let (bits4_1, bit11) = (offset >> 1 & 0xf, offset >> 11 & 1);
    bit12 << 31
        | bits10_5 << 25
        | b << 20
        | a << 15
        | funct3 << 12
        | bits4_1 << 8
        | bit11 << 7
        | 0x63
}

/// `j .`
const FOR_EVER: u32 = 0x0000_006f;
const WFI: u32 = 0x1050_0073;
/// `jalr x0, 0(t0)`
const JUMP_T0: u32 = T0 << 15 | 0x67;

/// Writes `text` to the serial port.
fn say(text: &str) -> Vec<u32> {
    let mut code = vec![lui(T0, 0x1_0000)];
    for byte in text.bytes() {
        code.push(addi(T1, 0, byte.into()));
        code.push(store(0, T1, T0));
    }
    code
}

/// Switches the machine off: 0x5555 to the test finisher.
fn finish() -> [u32; 5] {
    [
        lui(T0, 0x100),
        lui(T1, 5),
        addi(T1, T1, 0x555),
        store(2, T1, T0),
        FOR_EVER,
    ]
}

/// Says `text`, then switches the machine off.
pub fn says(text: &str) -> Elf {
    let mut code = say(text);
    code.extend(finish());
    Elf::new(&code)
}

/// Reports a failure to the test finisher: 0x3333, and the status above it.
pub fn fails(status: u16) -> Elf {
    let mut code = finish();
    code[1] = lui(T1, u32::from(status) << 4 | 3);
    code[2] = addi(T1, T1, 0x333);
    Elf::new(&code)
}

/// Says `ready`, then turns in a circle for ever.
pub fn spins() -> Elf {
    let mut code = say("ready\n");
    code.push(FOR_EVER);
    Elf::new(&code)
}

/// Says `ready`, then sleeps without any interrupt to wake it.
pub fn sleeps() -> Elf {
    let mut code = say("ready\n");
    code.extend([WFI, branch_back(0, 0, 0, 1)]);
    Elf::new(&code)
}

/// Says `ready`, then sleeps for about a second, again and again.
pub fn sleeps_for_a_second() -> Elf {
    let mut code = say("ready\n");
    code.extend([
        // mtimecmp of hart 0; mtime counts 10 MHz.
        lui(T0, 0x2004),
        lui(T1, 10_000_000 >> 12),
        store(3, T1, T0),
        // csrw mie, 0x80: its interrupt wakes.
        addi(T1, 0, 0x80),
        0x304 << 20 | T1 << 15 | 1 << 12 | 0x73,
        WFI,
        branch_back(0, 0, 0, 1),
    ]);
    Elf::new(&code)
}

/// Says `line` over and over.
pub fn chatters() -> Elf {
    let mut code = say("line\n");
    let length = code.len() as u32;
    code.push(branch_back(0, 0, 0, length));
    Elf::new(&code)
}

/// Says `ready` over and over.
pub fn says_ready_and_chatters() -> Elf {
    let mut code = say("ready\n");
    let length = code.len() as u32;
    code.push(branch_back(0, 0, 0, length));
    Elf::new(&code)
}

/// Says `ready`, then sends back each byte that is typed; `q` switches the machine off.
pub fn echoes() -> Elf {
    let mut code = say("ready\n");
    code.extend([
        load_byte(T1, T0, 5),
        // andi t1, t1, 1
        1 << 20 | T1 << 15 | 7 << 12 | T1 << 7 | 0x13,
        branch_back(0, T1, 0, 2),
        load_byte(T1, T0, 0),
        store(0, T1, T0),
        addi(T2, 0, b'q'.into()),
        branch_back(1, T1, T2, 6),
    ]);
    code.extend(finish());
    Elf::new(&code)
}

/// Jumps to where nothing is.
pub fn jumps_to_nowhere() -> Elf {
    Elf::new(&[lui(T0, 0x4_0000), JUMP_T0])
}

/// Reports `QueueNumMax` of the first queue in virtio slot 0 (virtio 1.3 §4.2.2) as the status of a
/// failure: the finisher takes the status above 0x3333 in one word.
pub fn reports_queue_max() -> Elf {
    Elf::new(&[
        lui(T0, 0x1_0001),
        // lw t1, 0x34(t0)
        0x34 << 20 | T0 << 15 | 2 << 12 | T1 << 7 | 0x03,
        // slli t1, t1, 16
        16 << 20 | T1 << 15 | 1 << 12 | T1 << 7 | 0x13,
        lui(T2, 3),
        addi(T2, T2, 0x333),
        // add t1, t1, t2
        T2 << 20 | T1 << 15 | T1 << 7 | 0x33,
        lui(T0, 0x100),
        store(2, T1, T0),
        FOR_EVER,
    ])
}
