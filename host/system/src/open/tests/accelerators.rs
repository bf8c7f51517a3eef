//! Accelerators and the devices that they work for.

use super::{SMALL, bad, good};
use crate::description::{DeviceKind, Worker};
use maquette_devices::Timing;
use maquette_model::SimTime;

fn worker(text: &str) -> Worker {
    let description = good(&format!("{SMALL}{text}"), &[]);
    match description.machines[0].devices[0].kind {
        DeviceKind::Sst { worker, .. } => worker,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn device_gets_the_accelerator_it_names_or_the_first_or_its_own() {
    const TWO: &str = "[[accelerator]]\n[[accelerator]]\nname = \"gpu\"\n";
    let device = |more: &str| format!("[[device]]\ntype = \"virtio-sst\"\n{more}");
    assert_eq!(worker(&device("")), Worker::Own);
    assert_eq!(worker(&device("accelerator = \"none\"")), Worker::None);
    assert_eq!(worker(&device(TWO)), Worker::Shared(0));
    let named = |name: &str| worker(&device(&format!("accelerator = \"{name}\"\n{TWO}")));
    assert_eq!(named("gpu"), Worker::Shared(1));
    assert_eq!(named("accelerator0"), Worker::Shared(0));
}

#[test]
fn device_and_accelerator_have_the_numbers_of_the_original() {
    let text = format!("{SMALL}[[device]]\ntype = \"virtio-sst\"\n[[accelerator]]\n");
    let description = good(&text, &[]);
    let device = &description.machines[0].devices[0];
    assert_eq!(device.queue_size, 128);
    let DeviceKind::Sst {
        timeout,
        type_number,
        ..
    } = device.kind
    else {
        panic!("{device:?}");
    };
    assert_eq!(timeout, SimTime::from_ms(5000));
    assert_eq!(type_number, 0x1042);
    let model = &description.accelerators[0].settings;
    assert_eq!(model.path, "accelerator0");
    assert_eq!(model.timing, Timing::Fixed);
    assert_eq!(model.cycles_per_unit, 100);
    assert_eq!(model.memory_size, 256 << 20);
}

#[test]
fn accelerators_that_cannot_be_are_refused_with_a_remedy() {
    let device = "[[device]]\ntype = \"virtio-sst\"\naccelerator = \"gpi\"\n";
    let gpu = "[[accelerator]]\nname = \"gpu\"\n";
    for (text, words) in [
        (format!("{device}{gpu}"), "there is no accelerator `gpi`\n"),
        (
            format!("{gpu}{gpu}"),
            "accelerator[1].name: two accelerators are called `gpu`",
        ),
        (
            "[[accelerator]]\nname = \"none\"\n".to_owned(),
            "accelerator[0].name: `none` means something else",
        ),
        (
            "[[accelerator]]\nname = \"machine0.virtio0\"\n".to_owned(),
            "accelerator[0].name: `machine0.virtio0` has other characters",
        ),
        (
            "[[accelerator]]\ninitiation_interval = 3\n".to_owned(),
            "is for timing `pipelined`",
        ),
        ("[[accelerator]]\ntiming = \"slow\"\n".to_owned(), "fixed"),
    ] {
        let report = bad(&format!("{SMALL}{text}"));
        assert!(report.contains(words), "{words}: {report}");
        assert!(report.contains("remedy: "), "{report}");
    }
}
