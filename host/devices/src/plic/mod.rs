//! The platform-level interrupt controller (`sifive,plic-1.0.0`).
//!
//! RISC-V PLIC specification 1.0.0; the layout and the numbers (96 sources with number 0 reserved, 7
//! priority levels, two contexts a hart) are those of QEMU's `virt` board, whose device trees stock
//! kernels know.
//!
//! Sources are level-triggered. A gateway turns a high level into one request and forwards no other
//! until that one is completed (chapter "interrupt gateways"); a request stays pending although the
//! level falls, and a source that is still high at completion becomes pending again.

mod inspect;
mod sources;

use maquette_model::registers::{Hit, Register, find};
use maquette_model::{
    Access, BusError, Cx, Device, Event, LoadError, Reader, Region, RegisterInfo, ResetKind, Role,
    Snapshot, Width, Writer,
};
use sources::{Set, WORDS};

/// Number of source numbers, of which 0 means "none".
pub const SOURCES: u32 = 96;
/// Bits of a priority or threshold that exist.
const PRIORITY_MASK: u32 = 7;
/// The layout has room for so many contexts.
const MAX_CONTEXTS: usize = 15_872;
/// A line is a `u8`, so more contexts than this cannot be wired.
const WIRED_CONTEXTS: usize = 256;

#[derive(Clone, Copy)]
enum Reg {
    /// One a source.
    Priority,
    /// One bit a source, read-only.
    Pending,
    /// One bit a source.
    Enable,
    /// Priorities up to this one are masked.
    Threshold,
    /// Read: claim. Write: complete.
    Claim,
}

/// PLIC specification 1.0.0, "memory map". `Enable` is one element a context of 32 words.
const REGISTERS: [Register<Reg>; 5] = [
    Register::array(0x00_0000, Width::B4, 4, 1024, Reg::Priority),
    Register::array(0x00_1000, Width::B4, 4, 32, Reg::Pending),
    Register::array(0x00_2000, Width::B4, 4, 32 * MAX_CONTEXTS, Reg::Enable),
    Register::array(0x20_0000, Width::B4, 0x1000, MAX_CONTEXTS, Reg::Threshold),
    Register::array(0x20_0004, Width::B4, 0x1000, MAX_CONTEXTS, Reg::Claim),
];

/// What one context (a hart in one privilege mode) has set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Context {
    enable: Set,
    threshold: u32,
    /// Level of the output line.
    raised: bool,
}

/// The PLIC. Context `2 * hart` is the hart's M mode, `2 * hart + 1` its S mode; the line of a context
/// has the context's number.
#[derive(Clone, Debug)]
pub struct Plic {
    priority: [u32; SOURCES as usize],
    /// Levels of the inputs.
    level: Set,
    pending: Set,
    /// Claimed and not completed: the gateway forwards nothing.
    in_service: Set,
    contexts: Vec<Context>,
}

impl Plic {
    /// Size of the register region on the `virt` board.
    pub const SIZE: u64 = 0x60_0000;

    /// A PLIC for `harts` harts; harts beyond 128 are left out.
    #[must_use]
    pub fn new(harts: u8) -> Self {
        let contexts = (usize::from(harts) * 2).min(WIRED_CONTEXTS);
        Self {
            priority: [0; SOURCES as usize],
            level: Set::default(),
            pending: Set::default(),
            in_service: Set::default(),
            contexts: vec![Context::default(); contexts],
        }
    }

    /// The sources that are pending.
    pub fn pending(&self) -> impl Iterator<Item = u32> + use<> {
        self.pending.iter()
    }

    /// The sources that are claimed and not completed.
    pub fn in_service(&self) -> impl Iterator<Item = u32> + use<> {
        self.in_service.iter()
    }

    /// Each context's number, the sources that it has enabled, and its threshold.
    pub fn contexts(&self) -> impl Iterator<Item = (usize, impl Iterator<Item = u32>, u32)> {
        let contexts = self.contexts.iter().enumerate();
        contexts.map(|(i, c)| (i, c.enable.iter(), c.threshold))
    }

    /// Drives the input of a source. Source 0 and sources that do not exist are ignored.
    pub fn set_source(&mut self, cx: &mut Cx<'_>, source: u32, level: bool) {
        if source == 0 || source >= SOURCES || self.level.has(source) == level {
            return;
        }
        self.level.put(source, level);
        if self.gateway(source) {
            self.update(cx);
        }
    }

    /// Forwards a request if the gateway may; whether it did.
    const fn gateway(&mut self, source: u32) -> bool {
        let forward =
            self.level.has(source) && !self.in_service.has(source) && !self.pending.has(source);
        if forward {
            self.pending.put(source, true);
        }
        forward
    }

    /// The pending and enabled source of the highest priority above the threshold; of equals the one
    /// with the lowest number.
    fn best(&self, context: &Context) -> Option<u32> {
        let mut best = None;
        let mut above = context.threshold;
        for source in self.pending.and(context.enable).iter() {
            let priority = self.priority_of(source);
            if priority > above {
                above = priority;
                best = Some(source);
            }
        }
        best
    }

    fn priority_of(&self, source: u32) -> u32 {
        let index = usize::try_from(source).unwrap_or(usize::MAX);
        self.priority.get(index).copied().unwrap_or(0)
    }

    /// Drives the outputs that changed.
    fn update(&mut self, cx: &mut Cx<'_>) {
        for i in 0..self.contexts.len() {
            let Some(context) = self.contexts.get(i) else {
                return;
            };
            let raised = self.best(context).is_some();
            if let Some(c) = self.contexts.get_mut(i).filter(|c| c.raised != raised) {
                c.raised = raised;
                cx.line(u8::try_from(i).unwrap_or(u8::MAX), raised);
            }
        }
    }

    fn claim(&mut self, cx: &mut Cx<'_>, index: usize) -> u32 {
        let Some(source) = self.contexts.get(index).and_then(|c| self.best(c)) else {
            return 0;
        };
        self.pending.put(source, false);
        self.in_service.put(source, true);
        self.update(cx);
        source
    }

    fn complete(&mut self, cx: &mut Cx<'_>, index: usize, source: u32) {
        let enabled = self
            .contexts
            .get(index)
            .is_some_and(|c| c.enable.has(source));
        if !enabled || !self.in_service.has(source) {
            // "If the completion ID does not match an interrupt source that is currently enabled for
            // the target, the completion is silently ignored."
            cx.guest_error(
                "plic: completion of a source that is not in service",
                source.into(),
            );
            return;
        }
        self.in_service.put(source, false);
        if self.gateway(source) {
            self.update(cx);
        }
    }

    fn load_register(&mut self, cx: &mut Cx<'_>, hit: Hit<Reg>) -> u32 {
        let (context, word) = (hit.index / WORDS_A_CONTEXT, hit.index % WORDS_A_CONTEXT);
        match hit.id {
            Reg::Priority => self.priority.get(hit.index).copied().unwrap_or(0),
            Reg::Pending => self.pending.word(hit.index),
            Reg::Enable => self
                .contexts
                .get(context)
                .map_or(0, |c| c.enable.word(word)),
            Reg::Threshold => self.contexts.get(hit.index).map_or(0, |c| c.threshold),
            Reg::Claim => self.claim(cx, hit.index),
        }
    }

    fn store_register(&mut self, cx: &mut Cx<'_>, hit: Hit<Reg>, v: u32) {
        let (context, word) = (hit.index / WORDS_A_CONTEXT, hit.index % WORDS_A_CONTEXT);
        match hit.id {
            Reg::Claim => return self.complete(cx, hit.index, v),
            Reg::Priority if hit.index != 0 => {
                if let Some(p) = self.priority.get_mut(hit.index) {
                    *p = v & PRIORITY_MASK;
                }
            }
            Reg::Priority | Reg::Pending => {
                cx.guest_error("plic: write to a read-only word", v.into())
            }
            Reg::Enable => match self.contexts.get_mut(context) {
                Some(c) => c.enable.set_word(word, v),
                None => cx.guest_error("plic: context does not exist", context as u64),
            },
            Reg::Threshold => match self.contexts.get_mut(hit.index) {
                Some(c) => c.threshold = v & PRIORITY_MASK,
                None => cx.guest_error("plic: context does not exist", hit.index as u64),
            },
        }
        self.update(cx);
    }
}

/// Enable words of one context: 1024 sources.
const WORDS_A_CONTEXT: usize = 32;

/// What lies at `off`; all registers are words and take nothing else.
fn access(off: u64, w: Width) -> Result<Option<Hit<Reg>>, BusError> {
    if off >= Plic::SIZE {
        return Err(BusError::Unmapped);
    }
    if w != Width::B4 || !off.is_multiple_of(4) {
        return Err(BusError::Width);
    }
    Ok(find(&REGISTERS, off))
}

impl Device for Plic {
    fn read(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, w: Width) -> Access<u64> {
        match access(off, w) {
            Ok(Some(hit)) => Access::Done(self.load_register(cx, hit).into()),
            Ok(None) => Access::Done(0),
            Err(e) => Access::Fault(e),
        }
    }

    fn write(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, w: Width, v: u64) -> Access<()> {
        match access(off, w) {
            Ok(Some(hit)) => {
                let v = u32::try_from(v & w.mask()).unwrap_or(0);
                self.store_register(cx, hit, v);
            }
            Ok(None) => cx.guest_error("plic: write to a reserved offset", off),
            Err(e) => return Access::Fault(e),
        }
        Access::Done(())
    }

    fn event(&mut self, _: &mut Cx<'_>, _: Event) {}

    fn reset(&mut self, _: &mut Cx<'_>, _: ResetKind) {
        // Whoever resets the board resets the devices too, and they lower their lines.
        *self = Self {
            priority: [0; SOURCES as usize],
            level: Set::default(),
            pending: Set::default(),
            in_service: Set::default(),
            contexts: std::mem::take(&mut self.contexts),
        };
        self.contexts.fill(Context::default());
    }

    fn register(&self, _: Region, off: u64) -> Option<RegisterInfo> {
        let hit = find(&REGISTERS, off)?;
        let contexts = self.contexts.len();
        let (name, exists) = match hit.id {
            Reg::Priority => ("priority", hit.index < self.priority.len()),
            Reg::Pending => ("pending", hit.index < WORDS),
            Reg::Enable => {
                let (context, word) = (hit.index / WORDS_A_CONTEXT, hit.index % WORDS_A_CONTEXT);
                ("enable", context < contexts && word < WORDS)
            }
            Reg::Threshold => ("threshold", hit.index < contexts),
            Reg::Claim => ("claim/complete", hit.index < contexts),
        };
        let role = match hit.id {
            Reg::Claim => Role::Claim,
            _ => Role::Plain,
        };
        exists.then_some(RegisterInfo { name, role })
    }
}

impl Snapshot for Plic {
    fn kind(&self) -> &'static str {
        "sifive-plic"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        for &p in &self.priority {
            w.u32(p);
        }
        for set in [self.level, self.pending, self.in_service] {
            set.save(w);
        }
        for c in &self.contexts {
            c.enable.save(w);
            w.u32(c.threshold);
            w.bool(c.raised);
        }
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        for p in &mut self.priority {
            *p = level(r.u32()?, "priority")?;
        }
        for set in [&mut self.level, &mut self.pending, &mut self.in_service] {
            *set = Set::load(r)?;
        }
        for c in &mut self.contexts {
            c.enable = Set::load(r)?;
            c.threshold = level(r.u32()?, "threshold")?;
            c.raised = r.bool("raised")?;
        }
        Ok(())
    }
}

fn level(v: u32, field: &'static str) -> Result<u32, LoadError> {
    if v > PRIORITY_MASK {
        let value = v.into();
        return Err(LoadError::Value { field, value });
    }
    Ok(v)
}

const _: () = assert!(WORDS * 32 == SOURCES as usize);

#[cfg(test)]
mod tests;
