//! The device tree of a board, written with the crate `vm-fdt`.
//!
//! Node names, `compatible` strings and cell counts follow the Devicetree Specification 0.4 and the
//! bindings of Linux; the shape follows what QEMU's `virt` tells its guests.

mod pci;

use super::{AddrRange, Board, DeviceKind, DeviceNode, PLIC_SOURCES, PciWindow, UART_CLOCK_HZ};
use thiserror::Error;
use vm_fdt::{FdtWriter, FdtWriterNode};

/// Bytes that one `cbo.*` instruction works on.
const CACHE_BLOCK: u32 = maquette_rv64::CACHE_BLOCK_BYTES;
/// Interrupt numbers of `riscv,cpu-intc`: bits of `mip` (privileged architecture §3.1.9).
const M_SOFT: u32 = 3;
const M_TIMER: u32 = 7;
const S_EXTERNAL: u32 = 9;
const M_EXTERNAL: u32 = 11;
/// "This context drives nothing": how firmware tells a supervisor that a PLIC context is not its own.
const NOT_CONNECTED: u32 = u32::MAX;
/// Canonical order of single-letter extensions (ISA manual, naming conventions).
const LETTERS: &str = "iemafdqlcbkjtpvh";

/// From which privilege mode the reader of the tree looks at the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum View {
    /// Machine mode: everything is there, and power is switched by the finisher.
    Machine,
    /// Supervisor mode above the built-in SBI: no CLINT, no machine-mode contexts; power is switched
    /// by SBI calls.
    Supervisor,
}

/// What the tree says besides the board itself.
#[derive(Clone, Copy, Debug)]
pub struct TreeOptions<'a> {
    /// For whom it is.
    pub view: View,
    /// Lower-case names of the harts' ISA extensions, `i` among them.
    pub isa_extensions: &'a [&'a str],
    /// The command line; empty for none.
    pub cmdline: &'a str,
    /// Where the initial RAM disk lies.
    pub initrd: Option<AddrRange>,
    /// The run's seed; the kernel's `rng-seed` is derived from it.
    pub seed: u64,
}

/// Why there is no tree.
#[derive(Debug, Error)]
pub enum FdtError {
    /// A zero byte would end the command line early.
    #[error("the command line holds a zero byte at position {at}; remove it")]
    Cmdline {
        /// Where.
        at: usize,
    },
    /// The writer refused.
    #[error("the device tree cannot be written")]
    Writer(#[from] vm_fdt::Error),
}

/// Phandles: harts' interrupt controllers and harts come first, so that a hart's number gives both.
struct Phandles {
    harts: u32,
}

impl Phandles {
    const fn intc(hart: u32) -> u32 {
        1 + hart
    }
    const fn cpu(&self, hart: u32) -> u32 {
        1 + self.harts + hart
    }
    const fn plic(&self) -> u32 {
        1 + 2 * self.harts
    }
    const fn finisher(&self) -> u32 {
        2 + 2 * self.harts
    }
}

struct Tree<'a> {
    board: &'a Board,
    options: &'a TreeOptions<'a>,
    phandles: Phandles,
    fdt: FdtWriter,
}

/// Writes the tree. Its length does not depend on where the initial RAM disk lies, only on whether
/// there is one.
///
/// # Errors
/// When the command line cannot be represented.
pub fn device_tree(board: &Board, options: &TreeOptions<'_>) -> Result<Vec<u8>, FdtError> {
    if let Some(at) = options.cmdline.bytes().position(|b| b == 0) {
        return Err(FdtError::Cmdline { at });
    }
    let mut tree = Tree {
        board,
        options,
        phandles: Phandles {
            harts: u32::from(board.harts()),
        },
        fdt: FdtWriter::new()?,
    };
    let root = tree.fdt.begin_node("")?;
    tree.fdt.property_u32("#address-cells", 2)?;
    tree.fdt.property_u32("#size-cells", 2)?;
    tree.fdt.property_string("compatible", "riscv-virtio")?;
    tree.fdt.property_string("model", "maquette,virt")?;
    tree.chosen()?;
    tree.aliases()?;
    tree.memory()?;
    tree.cpus()?;
    tree.power()?;
    tree.soc()?;
    tree.fdt.end_node(root)?;
    Ok(tree.fdt.finish()?)
}

impl Tree<'_> {
    fn begin(&mut self, name: &str) -> Result<FdtWriterNode, FdtError> {
        Ok(self.fdt.begin_node(name)?)
    }

    fn end(&mut self, node: FdtWriterNode) -> Result<(), FdtError> {
        Ok(self.fdt.end_node(node)?)
    }

    fn strings(&mut self, name: &str, list: &[&str]) -> Result<(), FdtError> {
        let list = list.iter().map(|&s| s.to_owned()).collect();
        Ok(self.fdt.property_string_list(name, list)?)
    }

    fn uart_path(&self) -> Option<String> {
        let uart = self
            .board
            .devices()
            .iter()
            .find(|d| d.kind == DeviceKind::Uart)?;
        Some(format!("/soc/serial@{:x}", uart.range.start().0))
    }

    fn chosen(&mut self) -> Result<(), FdtError> {
        let node = self.begin("chosen")?;
        if !self.options.cmdline.is_empty() {
            self.fdt.property_string("bootargs", self.options.cmdline)?;
        }
        if let Some(path) = self.uart_path() {
            self.fdt.property_string("stdout-path", &path)?;
        }
        if let Some(initrd) = self.options.initrd {
            self.fdt
                .property_u64("linux,initrd-start", initrd.start().0)?;
            self.fdt.property_u64("linux,initrd-end", initrd.end().0)?;
        }
        let seed = blake3::derive_key(
            "maquette 2026 device tree rng-seed",
            &self.options.seed.to_le_bytes(),
        );
        self.fdt.property("rng-seed", &seed)?;
        self.end(node)
    }

    fn aliases(&mut self) -> Result<(), FdtError> {
        let Some(path) = self.uart_path() else {
            return Ok(());
        };
        let node = self.begin("aliases")?;
        self.fdt.property_string("serial0", &path)?;
        self.end(node)
    }

    fn memory(&mut self) -> Result<(), FdtError> {
        let ram = self.board.ram();
        let node = self.begin(&format!("memory@{:x}", ram.start().0))?;
        self.fdt.property_string("device_type", "memory")?;
        self.reg(ram)?;
        self.end(node)
    }

    fn reg(&mut self, range: AddrRange) -> Result<(), FdtError> {
        Ok(self
            .fdt
            .property_array_u64("reg", &[range.start().0, range.len()])?)
    }

    fn cpus(&mut self) -> Result<(), FdtError> {
        let cpus = self.begin("cpus")?;
        self.fdt.property_u32("#address-cells", 1)?;
        self.fdt.property_u32("#size-cells", 0)?;
        self.fdt
            .property_u32("timebase-frequency", self.board.timebase_hz())?;
        for hart in 0..self.phandles.harts {
            self.cpu(hart)?;
        }
        let map = self.begin("cpu-map")?;
        let cluster = self.begin("cluster0")?;
        for hart in 0..self.phandles.harts {
            let core = self.begin(&format!("core{hart}"))?;
            self.fdt.property_u32("cpu", self.phandles.cpu(hart))?;
            self.end(core)?;
        }
        self.end(cluster)?;
        self.end(map)?;
        self.end(cpus)
    }

    fn cpu(&mut self, hart: u32) -> Result<(), FdtError> {
        let extensions = self.options.isa_extensions;
        let cpu = self.begin(&format!("cpu@{hart:x}"))?;
        self.fdt.property_string("device_type", "cpu")?;
        self.fdt.property_u32("reg", hart)?;
        self.fdt.property_string("status", "okay")?;
        self.fdt.property_string("compatible", "riscv")?;
        self.fdt.property_string("riscv,isa-base", "rv64i")?;
        self.strings("riscv,isa-extensions", extensions)?;
        self.fdt
            .property_string("riscv,isa", &isa_string(extensions))?;
        self.fdt.property_string("mmu-type", "riscv,sv57")?;
        for (extension, property) in [
            ("zicbom", "riscv,cbom-block-size"),
            ("zicbop", "riscv,cbop-block-size"),
            ("zicboz", "riscv,cboz-block-size"),
        ] {
            if extensions.contains(&extension) {
                self.fdt.property_u32(property, CACHE_BLOCK)?;
            }
        }
        self.fdt.property_phandle(self.phandles.cpu(hart))?;
        let intc = self.begin("interrupt-controller")?;
        self.fdt.property_u32("#interrupt-cells", 1)?;
        self.fdt.property_null("interrupt-controller")?;
        self.fdt.property_string("compatible", "riscv,cpu-intc")?;
        self.fdt.property_phandle(Phandles::intc(hart))?;
        self.end(intc)?;
        self.end(cpu)
    }

    /// How a machine-mode guest switches power. A supervisor asks the SBI instead.
    fn power(&mut self) -> Result<(), FdtError> {
        let has_finisher = self
            .board
            .devices()
            .iter()
            .any(|d| d.kind == DeviceKind::Finisher);
        if self.options.view == View::Supervisor || !has_finisher {
            return Ok(());
        }
        for (name, compatible, value) in [
            ("poweroff", "syscon-poweroff", 0x5555),
            ("reboot", "syscon-reboot", 0x7777),
        ] {
            let node = self.begin(name)?;
            self.fdt.property_string("compatible", compatible)?;
            self.fdt.property_u32("regmap", self.phandles.finisher())?;
            self.fdt.property_u32("offset", 0)?;
            self.fdt.property_u32("value", value)?;
            self.end(node)?;
        }
        Ok(())
    }

    fn soc(&mut self) -> Result<(), FdtError> {
        let board = self.board;
        let soc = self.begin("soc")?;
        self.fdt.property_u32("#address-cells", 2)?;
        self.fdt.property_u32("#size-cells", 2)?;
        self.fdt.property_string("compatible", "simple-bus")?;
        self.fdt.property_null("ranges")?;
        for d in board.devices() {
            match d.kind {
                DeviceKind::Clint if self.options.view == View::Supervisor => {}
                // Said by the node of the configuration space.
                DeviceKind::Pci(PciWindow::Ports | PciWindow::Memory32 | PciWindow::Memory64) => {}
                _ => self.device(d)?,
            }
        }
        self.end(soc)
    }

    fn device(&mut self, d: &DeviceNode) -> Result<(), FdtError> {
        let (base, compatible): (_, &[&str]) = match d.kind {
            DeviceKind::Finisher => ("test", &["sifive,test1", "sifive,test0", "syscon"]),
            DeviceKind::Clint => ("clint", &["sifive,clint0", "riscv,clint0"]),
            DeviceKind::Plic => (
                "interrupt-controller",
                &["sifive,plic-1.0.0", "riscv,plic0"],
            ),
            DeviceKind::Uart => ("serial", &["ns16550a"]),
            DeviceKind::Rtc => ("rtc", &["google,goldfish-rtc"]),
            DeviceKind::VirtioMmio { .. } => ("virtio_mmio", &["virtio,mmio"]),
            DeviceKind::Pci(_) => ("pci", &["pci-host-ecam-generic"]),
        };
        let node = self.begin(&format!("{base}@{:x}", d.range.start().0))?;
        self.strings("compatible", compatible)?;
        self.reg(d.range)?;
        if let Some(irq) = d.irq {
            self.fdt.property_u32("interrupts", irq)?;
            self.fdt
                .property_u32("interrupt-parent", self.phandles.plic())?;
        }
        match d.kind {
            DeviceKind::Finisher => self.fdt.property_phandle(self.phandles.finisher())?,
            DeviceKind::Uart => self.fdt.property_u32("clock-frequency", UART_CLOCK_HZ)?,
            DeviceKind::Clint => self.interrupts_extended([M_SOFT, M_TIMER])?,
            DeviceKind::Plic => self.plic()?,
            DeviceKind::Pci(_) => self.pci()?,
            DeviceKind::Rtc | DeviceKind::VirtioMmio { .. } => {}
        }
        self.end(node)
    }

    fn plic(&mut self) -> Result<(), FdtError> {
        let machine = match self.options.view {
            View::Machine => M_EXTERNAL,
            View::Supervisor => NOT_CONNECTED,
        };
        self.interrupts_extended([machine, S_EXTERNAL])?;
        self.fdt.property_u32("#interrupt-cells", 1)?;
        self.fdt.property_u32("#address-cells", 0)?;
        self.fdt.property_null("interrupt-controller")?;
        self.fdt.property_u32("riscv,ndev", PLIC_SOURCES)?;
        Ok(self.fdt.property_phandle(self.phandles.plic())?)
    }

    /// Connects a controller to these two lines of each hart.
    fn interrupts_extended(&mut self, lines: [u32; 2]) -> Result<(), FdtError> {
        let cells: Vec<u32> = (0..self.phandles.harts)
            .flat_map(|hart| lines.map(|line| [Phandles::intc(hart), line]))
            .flatten()
            .collect();
        Ok(self.fdt.property_array_u32("interrupts-extended", &cells)?)
    }
}

/// The older single-string form: letters in canonical order, then the other names after underscores.
fn isa_string(extensions: &[&str]) -> String {
    let mut isa = String::from("rv64");
    for letter in LETTERS.chars() {
        if extensions
            .iter()
            .any(|e| e.len() == 1 && e.contains(letter))
        {
            isa.push(letter);
        }
    }
    for e in extensions.iter().filter(|e| e.len() > 1) {
        isa.push('_');
        isa.push_str(e);
    }
    isa
}
