//! Functions: configuration space, memory, interrupts, resets.

mod config;
mod gadget;
mod interrupts;

use super::*;
use crate::{HostBridge, RootComplex};
use gadget::{Gadget, Rig};
use maquette_model::testing::TestHost;
use maquette_model::{Inspect, LoadError, Reader, Snapshot, Tree, Writer};

/// A function whose regions follow one another, as checks of devices want it.
struct Flat<D>(Function<D>);

impl<D: PciDevice> Flat<D> {
    const SIZE: u64 = 0x3000;

    fn place(off: u64) -> (Region, u64) {
        match off {
            0..0x1000 => (CONFIG, off),
            0x1000..0x2000 => (Region(0), off - 0x1000),
            0x2000..0x3000 => (Region(1), off - 0x2000),
            _ => (CONFIG, off),
        }
    }
}

impl<D: PciDevice> Device for Flat<D> {
    fn read(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, w: Width) -> Access<u64> {
        let (region, at) = Self::place(off);
        self.0.read(cx, region, at, w)
    }
    fn write(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, w: Width, v: u64) -> Access<()> {
        let (region, at) = Self::place(off);
        self.0.write(cx, region, at, w, v)
    }
    fn event(&mut self, cx: &mut Cx<'_>, ev: Event) {
        self.0.event(cx, ev);
    }
    fn reset(&mut self, cx: &mut Cx<'_>, kind: ResetKind) {
        self.0.reset(cx, kind);
    }
    fn register(&self, _: Region, off: u64) -> Option<RegisterInfo> {
        let (region, at) = Self::place(off);
        self.0.register(region, at)
    }
}

impl<D: PciDevice> Inspect for Flat<D> {
    fn inspect(&self, tree: &mut Tree) {
        self.0.inspect(tree);
    }
}

impl<D: PciDevice> Snapshot for Flat<D> {
    fn kind(&self) -> &'static str {
        self.0.kind()
    }
    fn version(&self) -> u16 {
        self.0.version()
    }
    fn save(&self, w: &mut Writer) {
        self.0.save(w);
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.0.load(r)
    }
}

maquette_model::conformance!(
    function,
    || Flat(Function::new(Gadget::default()).expect("a function")),
    Flat::<Gadget>::SIZE,
    drives lines
);
maquette_model::conformance!(
    host_bridge,
    || Flat(Function::new(HostBridge).expect("a bridge")),
    Flat::<HostBridge>::SIZE
);
maquette_model::conformance!(root_complex, || RootComplex, 0x1000);

#[test]
fn host_bridge_is_known_to_drivers_of_qemu() {
    let mut bridge = Function::new(HostBridge).expect("a bridge");
    let host = &mut TestHost::new();
    let mut read = |at, w| match bridge.read(&mut Cx::new(host), CONFIG, at, w) {
        Access::Done(v) => v,
        other => panic!("{other:?}"),
    };
    assert_eq!(read(0, Width::B4), 0x0008_1b36);
    assert_eq!(read(8, Width::B4), 0x0600_0000, "class, revision");
    assert_eq!(read(4, Width::B4), 0, "no capabilities");
    assert_eq!(read(0x3d, Width::B1), 0, "no pin");
}

#[test]
fn root_complex_answers_all_ones_of_every_width() {
    let host = &mut TestHost::new();
    for w in Width::ALL {
        let read = RootComplex.read(&mut Cx::new(host), Region(0), 0x1000, w);
        assert_eq!(read, Access::Done(w.mask()));
        let write = RootComplex.write(&mut Cx::new(host), Region(0), 0x1000, w, 0);
        assert_eq!(write, Access::Done(()));
    }
    assert_eq!(host.log, []);
}

#[test]
fn layout_that_cannot_be_is_refused() {
    let refused = |change: fn(&mut crate::Layout)| {
        let mut gadget = Gadget::default();
        gadget.change = Some(change);
        Function::new(gadget).err()
    };
    assert_eq!(refused(|_| ()), None);
    let odd = refused(|l| l.bars[0].bytes = 0x1800);
    let bytes = 0x1800;
    assert_eq!(odd, Some(LayoutError::Bar { index: 0, bytes }));
    let large = refused(|l| l.bars[0].bytes = 1 << 32);
    assert!(matches!(large, Some(LayoutError::Bar { index: 0, .. })));
    // Register 2 is wide: 3 is its upper half.
    let half = refused(|l| l.vectors.1 = 3);
    assert_eq!(half, Some(LayoutError::BarTaken { index: 3 }));
    let last = refused(|l| l.bars[1].index = 5);
    assert!(matches!(last, Some(LayoutError::Bar { index: 5, .. })));
    let many = refused(|l| l.vectors.0 = 2049);
    assert_eq!(many, Some(LayoutError::Vectors { vectors: 2049 }));
    let long = refused(|l| {
        l.vendor.push(crate::VendorCapability {
            body: vec![0; 200],
            window: false,
        });
    });
    assert_eq!(long, Some(LayoutError::Room { bytes: 203 }));
}
