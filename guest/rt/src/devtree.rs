//! The facts that a kernel takes from the device tree.

use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::standard::NodeStandard;
use dtoolkit::{Node, Property};

use crate::MAX_HARTS;
use crate::arch::Mmio;
use crate::plic::Context;

/// Largest number of virtio-mmio transports that are listed.
pub const MAX_TRANSPORTS: usize = 16;

/// External interrupt of S-mode, as `interrupts-extended` numbers it.
const SUPERVISOR_EXTERNAL: u32 = 9;

/// A virtio-mmio transport: its registers and its interrupt at the PLIC.
#[derive(Clone, Copy, Debug)]
pub struct Transport {
    /// Registers.
    pub mmio: Mmio,
    /// Interrupt number.
    pub irq: usize,
}

/// The machine as the device tree describes it.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    harts: [usize; MAX_HARTS],
    hart_count: usize,
    contexts: [Option<Context>; MAX_HARTS],
    transports: [Option<Transport>; MAX_TRANSPORTS],
    /// First byte of RAM.
    pub memory_base: usize,
    /// Its size.
    pub memory_size: usize,
    /// Ticks of `time` per second.
    pub timebase: u64,
    /// Whether S-mode has a timer of its own.
    pub sstc: bool,
}

impl Machine {
    /// Reads the tree; the error says what is missing.
    pub fn read(tree: Fdt<'static>) -> Result<Self, &'static str> {
        let root = tree.root();
        let mut machine = Self {
            harts: [0; MAX_HARTS],
            hart_count: 0,
            contexts: [None; MAX_HARTS],
            transports: [None; MAX_TRANSPORTS],
            memory_base: 0,
            memory_size: 0,
            timebase: 0,
            sstc: false,
        };
        machine.read_memory(root)?;
        let cpus = tree.find_node("/cpus").ok_or("no /cpus node")?;
        machine.timebase = u64::from(number(cpus, "timebase-frequency").ok_or("no timebase")?);
        let plic = find(root, &["riscv,plic0", "sifive,plic-1.0.0"]);
        machine.read_harts(cpus, plic)?;
        machine.read_transports(root);
        Ok(machine)
    }

    /// Hardware numbers of the harts.
    #[must_use]
    pub fn harts(&self) -> &[usize] {
        self.harts.get(..self.hart_count).unwrap_or_default()
    }

    /// The PLIC context of S-mode on the hart with this hardware number.
    #[must_use]
    pub fn context(&self, hart: usize) -> Option<Context> {
        let at = self.harts().iter().position(|h| *h == hart)?;
        self.contexts.get(at).copied().flatten()
    }

    /// The virtio-mmio transports in the order of their addresses.
    pub fn transports(&self) -> impl Iterator<Item = Transport> + '_ {
        self.transports.iter().copied().flatten()
    }

    fn read_memory(&mut self, root: FdtNode<'static>) -> Result<(), &'static str> {
        let node = root
            .children()
            .find(|n| n.name_without_address() == "memory")
            .ok_or("no memory node")?;
        let (base, size) = reg(node).ok_or("the memory node has no range")?;
        self.memory_base = base;
        self.memory_size = size;
        Ok(())
    }

    fn read_harts(
        &mut self,
        cpus: FdtNode<'static>,
        plic: Option<FdtNode<'static>>,
    ) -> Result<(), &'static str> {
        for node in cpus.children() {
            if node.name_without_address() != "cpu" {
                continue;
            }
            let hart = number(node, "reg").ok_or("a cpu has no number")?;
            let slots = self.harts.get_mut(self.hart_count);
            let slot = slots.ok_or("more harts than this program has stacks")?;
            *slot = hart as usize;
            if let (Some(plic), Some(context)) = (plic, self.contexts.get_mut(self.hart_count)) {
                *context = supervisor_context(node, plic);
            }
            self.hart_count += 1;
            self.sstc |= has_extension(node, "sstc");
        }
        Ok(())
    }

    fn read_transports(&mut self, root: FdtNode<'static>) {
        let mut count = 0;
        for bus in root.children().filter(|n| n.is_compatible("simple-bus")) {
            for node in bus.children().filter(|n| n.is_compatible("virtio,mmio")) {
                let (Some((base, _)), Some(irq)) = (reg(node), number(node, "interrupts")) else {
                    continue;
                };
                if let Some(slot) = self.transports.get_mut(count) {
                    *slot = Some(Transport {
                        mmio: Mmio::at(base),
                        irq: irq as usize,
                    });
                    count += 1;
                }
            }
        }
        // Trees list them in either order; a program wants "the first disk".
        self.transports
            .sort_unstable_by_key(|t| t.map_or(usize::MAX, |t| t.mmio.base()));
    }
}

/// Whether a cpu node lists the ISA extension, in the new property or in the old string.
fn has_extension(cpu: FdtNode<'static>, name: &str) -> bool {
    if let Some(list) = cpu.property("riscv,isa-extensions") {
        return strings(list.value()).any(|s| s == name.as_bytes());
    }
    cpu.property("riscv,isa").is_some_and(|isa| {
        strings(isa.value())
            .flat_map(|s| s.split(|b| *b == b'_'))
            .any(|s| s == name.as_bytes())
    })
}

/// The position in the PLIC's `interrupts-extended` that names this cpu's S-mode line is the number
/// of its context.
fn supervisor_context(cpu: FdtNode<'static>, plic: FdtNode<'static>) -> Option<Context> {
    let intc = cpu.children().find(|n| n.is_compatible("riscv,cpu-intc"))?;
    let phandle = intc.phandle().ok().flatten()?;
    let (base, _) = reg(plic)?;
    let lines = plic.property("interrupts-extended")?;
    let wanted = [phandle.to_be_bytes(), SUPERVISOR_EXTERNAL.to_be_bytes()];
    let number = lines
        .value()
        .chunks_exact(8)
        .position(|pair| pair == wanted.as_flattened())?;
    Some(Context {
        plic: Mmio::at(base),
        number,
    })
}

fn find(root: FdtNode<'static>, compatible: &[&str]) -> Option<FdtNode<'static>> {
    root.children()
        .filter(|n| n.is_compatible("simple-bus"))
        .flat_map(|bus| bus.children())
        .find(|n| compatible.iter().any(|c| n.is_compatible(c)))
}

fn reg(node: FdtNode<'static>) -> Option<(usize, usize)> {
    let first = node.reg().ok().flatten()?.next()?;
    let base = first.address::<u64>().ok()?;
    let size = first.size::<u64>().ok()?;
    Some((base as usize, size as usize))
}

/// The first cell of a property.
fn number(node: FdtNode<'static>, name: &str) -> Option<u32> {
    let property = node.property(name)?;
    let bytes = property.value().first_chunk::<4>()?;
    Some(u32::from_be_bytes(*bytes))
}

fn strings(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|b| *b == 0).filter(|s| !s.is_empty())
}
