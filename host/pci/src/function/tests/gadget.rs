//! A device with a register for each thing that a device may do.

use super::*;
use crate::{Bar, Layout, VendorCapability};
use maquette_model::testing::Seen;
use maquette_model::{DmaError, Iova, SimTime, TimerId};
use maquette_pci_protocol::{ClassCode, Identity};

pub(super) const RAM: u64 = 0x8000_0000;
/// Writing: the level of the pin.
pub(super) const PIN: u64 = 0x00;
/// Writing: which message is sent.
pub(super) const SEND: u64 = 0x08;
/// Writing: where a byte is stored by DMA.
pub(super) const STORE: u64 = 0x10;
/// Writing: from where a byte is fetched by DMA.
pub(super) const FETCH: u64 = 0x28;
/// Writing: the pin rises so many picoseconds later.
pub(super) const LATER: u64 = 0x18;
/// Holds what is written.
pub(super) const SCRATCH: u64 = 0x20;

#[derive(Default)]
pub(super) struct Gadget {
    pub(super) change: Option<fn(&mut Layout)>,
    pub(super) refused: Option<DmaError>,
    pin: bool,
    scratch: u64,
    timer: Option<TimerId>,
}

impl PciDevice for Gadget {
    fn layout(&self) -> Layout {
        let mut layout = Layout {
            identity: Identity {
                vendor: 0x1234,
                device: 0x5678,
                revision: 9,
                class: ClassCode::OTHER,
                subsystem_vendor: 0xabcd,
                subsystem: 0xef01,
            },
            bars: vec![
                Bar {
                    index: 0,
                    bytes: 0x1000,
                    wide: false,
                    prefetchable: false,
                },
                Bar {
                    index: 2,
                    bytes: 1 << 34,
                    wide: true,
                    prefetchable: true,
                },
            ],
            pin: true,
            vectors: (3, 1),
            express: true,
            vendor: vec![VendorCapability {
                body: vec![0; 17],
                window: true,
            }],
        };
        if let Some(change) = self.change {
            change(&mut layout);
        }
        layout
    }
}

impl Gadget {
    fn set_pin(&mut self, cx: &mut Cx<'_>, level: bool) {
        if self.pin != level {
            self.pin = level;
            cx.line(0, level);
        }
    }
}

impl Device for Gadget {
    fn read(&mut self, _: &mut Cx<'_>, region: Region, off: u64, w: Width) -> Access<u64> {
        match (region, off) {
            (Region(0), SCRATCH) => Access::Done(self.scratch & w.mask()),
            (Region(2), _) => Access::Done(off & w.mask()),
            (Region(0), 0x800..) => Access::Fault(BusError::Refused),
            _ => Access::Done(0),
        }
    }

    fn write(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, _: Width, v: u64) -> Access<()> {
        match off {
            PIN => self.set_pin(cx, v & 1 == 1),
            SEND => cx.msi(u16::try_from(v & 0xff).expect("a byte")),
            STORE => self.refused = cx.dma_write(Iova(v), &[0x5a]).err(),
            FETCH => self.refused = cx.dma_read(Iova(v), &mut [0]).err(),
            LATER if self.timer.is_none() => {
                let at = cx.now().saturating_add(SimTime::from_ps(v));
                self.timer = Some(cx.at(at, Event::Timer { tag: 0, arg: 0 }));
            }
            SCRATCH => self.scratch = v,
            0x800.. => return Access::Fault(BusError::Refused),
            _ => {}
        }
        Access::Done(())
    }

    fn event(&mut self, cx: &mut Cx<'_>, ev: Event) {
        if let Event::Timer { .. } = ev {
            self.timer = None;
            self.set_pin(cx, true);
        }
    }

    fn reset(&mut self, cx: &mut Cx<'_>, _: ResetKind) {
        if let Some(timer) = self.timer.take() {
            cx.cancel(timer);
        }
        let change = self.change;
        *self = Self {
            change,
            ..Self::default()
        };
    }

    fn register(&self, region: Region, off: u64) -> Option<RegisterInfo> {
        let name = match (region, off) {
            (Region(0), PIN) => "pin",
            (Region(0), SEND) => "send",
            (Region(0), STORE) => "store",
            (Region(0), FETCH) => "fetch",
            (Region(0), LATER) => "later",
            (Region(0), SCRATCH) => "scratch",
            _ => return None,
        };
        Some(RegisterInfo::plain(name))
    }
}

impl Inspect for Gadget {
    fn inspect(&self, tree: &mut Tree) {
        tree.hex("scratch", self.scratch);
    }
}

impl Snapshot for Gadget {
    fn kind(&self) -> &'static str {
        "gadget"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        w.bool(self.pin);
        w.u64(self.scratch);
        w.u64(self.timer.map_or(0, |t| t.0));
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.pin = r.bool("pin")?;
        self.scratch = r.u64()?;
        self.timer = Some(r.u64()?).filter(|t| *t != 0).map(TimerId);
        Ok(())
    }
}

/// The gadget with its host.
pub(super) struct Rig {
    pub(super) function: Function<Gadget>,
    pub(super) host: TestHost,
}

impl Rig {
    pub(super) fn new() -> Self {
        Self {
            function: Function::new(Gadget::default()).expect("a function"),
            host: TestHost::with_ram(RAM, 0x1000),
        }
    }

    /// With memory and bus mastering on.
    pub(super) fn enabled() -> Self {
        let mut rig = Self::new();
        let on = Command::MEMORY | Command::BUS_MASTER;
        rig.set_config(header::COMMAND, Width::B2, on.bits().into());
        rig
    }

    pub(super) fn read(&mut self, region: Region, at: u64, w: Width) -> u64 {
        let cx = &mut Cx::new(&mut self.host);
        match self.function.read(cx, region, at, w) {
            Access::Done(v) => v,
            other => panic!("{region:?} {at:#x}: {other:?}"),
        }
    }

    pub(super) fn write(&mut self, region: Region, at: u64, w: Width, v: u64) {
        let cx = &mut Cx::new(&mut self.host);
        let answer = self.function.write(cx, region, at, w, v);
        assert_eq!(answer, Access::Done(()));
    }

    pub(super) fn config(&mut self, at: u16, w: Width) -> u64 {
        self.read(CONFIG, at.into(), w)
    }

    pub(super) fn set_config(&mut self, at: u16, w: Width, v: u64) {
        self.write(CONFIG, at.into(), w, v);
    }

    pub(super) fn set(&mut self, register: u64, v: u64) {
        self.write(Region(0), register, Width::B8, v);
    }

    pub(super) fn change_command(&mut self, clear: Command, set: Command) {
        let old = self.config(header::COMMAND, Width::B2);
        let new = old & !u64::from(clear.bits()) | u64::from(set.bits());
        self.set_config(header::COMMAND, Width::B2, new);
    }

    /// The place of the capability with a number.
    pub(super) fn capability(&mut self, id: u8) -> u16 {
        let mut at = self.config(header::CAPABILITIES, Width::B1);
        for _ in 0..48 {
            assert_ne!(at, 0, "there is no capability {id:#x}");
            let place = u16::try_from(at).expect("a byte");
            if self.config(place, Width::B1) == u64::from(id) {
                return place;
            }
            at = self.config(place + 1, Width::B1);
        }
        panic!("the list of capabilities is a ring");
    }

    /// The messages since the last call.
    pub(super) fn messages(&mut self) -> Vec<u16> {
        let sent = |seen| match seen {
            Seen::Msi(vector) => Some(vector),
            _ => None,
        };
        self.host.take_log().into_iter().filter_map(sent).collect()
    }
}
