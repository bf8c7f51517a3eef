//! Several machines in one file, and their networks.

use super::{SMALL, bad, good};
use crate::description::DeviceKind;
use crate::description::Slot;

/// Two machines and what is between them.
fn pair(link: &str) -> String {
    let machine = |name: &str| {
        format!(
            "[[machine]]\nname = \"{name}\"\n[machine.boot]\nmode = \"bare\"\nkernel = \"{name}.elf\"\n\
             [[machine.device]]\ntype = \"virtio-rng\"\n\
             [[machine.device]]\ntype = \"virtio-net\"\nname = \"net0\"\n\
             [[machine.console.script]]\nexpect = \"{name}#\"\nsend = \"x\"\n\
             [machine.expect]\nconsole = [\"{name} done\"]\n"
        )
    };
    format!("{}{}{link}", machine("a"), machine("b"))
}

#[test]
fn several_machines_have_sections_of_their_own_and_a_cable() {
    let link = "[[link]]\nfrom = \"a.net0\"\nto = \"b.net0\"\nlatency = \"3us\"\n";
    let d = good(&pair(link), &["machine.1.harts=2"]);
    let names: Vec<_> = d.machines.iter().map(|m| m.board.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!([0, 1].map(|i| d.machines[i].board.harts), [1, 2]);
    for (machine, name) in d.machines.iter().zip(["a", "b"]) {
        let kernel = machine.boot.kernel.as_ref().expect("a kernel");
        assert!(kernel.path.ends_with(format!("{name}.elf")));
        assert_eq!(machine.console.script[0].expect, format!("{name}#"));
        assert_eq!(machine.expect.console, [format!("{name} done")]);
    }
    let macs: Vec<_> = (d.machines.iter())
        .map(|m| match m.devices[1].kind {
            DeviceKind::Net { mac, .. } => mac,
            _ => panic!("{:?}", m.devices[1]),
        })
        .collect();
    assert_ne!(macs[0], macs[1]);
    let [link] = d.links.as_slice() else {
        panic!("{:?}", d.links);
    };
    assert_eq!((link.from.machine, link.from.slot), (0, Slot::Mmio(1)));
    assert_eq!((link.to.machine, link.to.slot), (1, Slot::Mmio(1)));
    assert_eq!(link.latency, maquette_model::SimTime::from_us(3));
}

#[test]
fn several_machines_without_names_are_numbered() {
    let boot = "[machine.boot]\nmode = \"bare\"\nkernel = \"a.elf\"\n";
    let d = good(&format!("[[machine]]\n{boot}[[machine]]\n{boot}"), &[]);
    let names: Vec<_> = d.machines.iter().map(|m| m.board.name.as_str()).collect();
    assert_eq!(names, ["machine0", "machine1"]);
}

#[test]
fn mistake_in_one_of_several_machines_names_the_machine() {
    let text = pair("").replacen(
        "mode = \"bare\"\nkernel = \"b",
        "mod = \"bare\"\nkernel = \"b",
        1,
    );
    let report = bad(&text);
    assert!(
        report.contains("machine[1].boot.mod: there is no parameter `mod`"),
        "{report}"
    );
    assert!(report.contains("did you mean `mode`?"), "{report}");
    assert!(
        report.contains("machine[1].boot.mode: `mode` is missing"),
        "{report}"
    );
    let report = bad(&pair("[boot]\nmode = \"bare\"\n"));
    assert!(
        report.contains("with [[machine]], each machine has a `boot` of its own"),
        "{report}"
    );
    assert!(report.contains("[machine.boot]"), "{report}");
    let report = bad(&pair("").replace("name = \"b\"", "name = \"a\""));
    assert!(
        report.contains("machine[1].name: two machines are called `a`"),
        "{report}"
    );
}

#[test]
fn cable_of_limited_quality_is_described_and_absurd_ones_are_refused() {
    let link = |more: &str| {
        pair(&format!(
            "[[link]]\nfrom = \"a.net0\"\nto = \"b.net0\"\n{more}\n"
        ))
    };
    let d = good(
        &link("bandwidth = \"2.5Gbit/s\"\nloss = \"1/100\"\nseed = 7"),
        &[],
    );
    let link0 = &d.links[0];
    assert_eq!(link0.bandwidth, Some(2_500_000_000));
    assert_eq!((link0.loss, link0.seed), (Some((1, 100)), 7));
    for (more, what) in [
        ("bandwidth = \"1GB/s\"", "`GB/s` is no unit of bandwidth"),
        ("bandwidth = 1000", "has no unit"),
        ("bandwidth = \"1bit/s\"", "1bit/s is less than 1kbit/s"),
        ("loss = \"3/2\"", "would lose more frames than it carries"),
        ("loss = \"1/2\"\nlatency = \"1ps\"", "1 ps is too short"),
    ] {
        let report = bad(&link(more));
        assert!(report.contains(what), "{report}");
    }
}

#[test]
fn cable_to_nowhere_names_both_ends_and_what_there_is() {
    let link =
        |from: &str, to: &str| pair(&format!("[[link]]\nfrom = \"{from}\"\nto = \"{to}\"\n"));
    let report = bad(&link("a.net0", "b.nte0"));
    let what =
        "link[0].to: the link from `a.net0` to `b.nte0`: there is no network device `b.nte0`";
    assert!(report.contains(what), "{report}");
    assert!(
        report.contains("did you mean `b.net0`? (known here: a.net0, b.net0)"),
        "{report}"
    );
    // A device that is no network device.
    let report = bad(&link("a.virtio-rng0", "b.net0"));
    assert!(
        report.contains("there is no network device `a.virtio-rng0`"),
        "{report}"
    );
    let report = bad(&link("a.net0", "a.net0"));
    assert!(report.contains("joins a device to itself"), "{report}");
    let twice = format!(
        "{}[[link]]\nfrom = \"b.net0\"\nto = \"a.net0\"\n",
        link("a.net0", "b.net0")
    );
    let report = bad(&twice);
    assert!(
        report.contains("there is a cable already, the link from `a.net0` to `b.net0`"),
        "{report}"
    );
}

#[test]
fn ethernet_address_that_is_none_is_refused_with_one_that_is() {
    let net = |mac: &str| format!("{SMALL}[[device]]\ntype = \"virtio-net\"\nmac = \"{mac}\"\n");
    for (mac, what) in [
        ("52:54:00", "is no Ethernet address"),
        ("01:00:5e:00:00:01", "is an address of a group"),
        ("00:00:00:00:00:00", "means that there is no address"),
    ] {
        let report = bad(&net(mac));
        assert!(
            report.contains(what) && report.contains("write six bytes such as \"02:4d:"),
            "{report}"
        );
    }
    let d = good(&net("52:54:00:12:34:56"), &[]);
    let mac = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
    assert_eq!(
        d.machines[0].devices[0].kind,
        DeviceKind::Net { mac, user: None }
    );
}

#[test]
fn user_network_takes_forwards_and_nothing_that_contradicts_it() {
    let net =
        |more: &str| format!("{SMALL}[[device]]\ntype = \"virtio-net\"\nname = \"net0\"\n{more}\n");
    let d = good(
        &net("backend = \"user\"\nforward = [\"tcp:127.0.0.1:2222:22\"]"),
        &[],
    );
    let DeviceKind::Net {
        user: Some(user), ..
    } = &d.machines[0].devices[0].kind
    else {
        panic!("{:?}", d.machines[0].devices);
    };
    assert!(!user.restrict && user.forwards.len() == 1);
    for (more, what) in [
        (
            "restrict = true",
            "`restrict` is for a device with `backend = \"user\"`",
        ),
        (
            "backend = \"user\"\nrestrict = \"yes\"",
            "expected true or false, found a text",
        ),
        (
            "backend = \"user\"\nforward = \"sctp:127.0.0.1:53:53\"",
            "forwards nothing",
        ),
        (
            "backend = \"user\"\nrestrict = true\nforward = \"tcp::1:1\"",
            "a restricted network is closed",
        ),
        (
            "backend = \"user\"\nforward = [\"tcp::1:1\", \"tcp::1:2\"]",
            "forwarded twice",
        ),
        ("backend = \"usr\"", "did you mean `user`?"),
    ] {
        let report = bad(&net(more));
        assert!(report.contains(what), "{report}");
    }
    let linked = net(
        "backend = \"user\"\n[[device]]\ntype = \"virtio-net\"\nname = \"net1\"\n[[link]]\n\
                      from = \"machine0.net0\"\nto = \"machine0.net1\"",
    );
    let report = bad(&linked);
    assert!(
        report.contains("has a cable already, to the user network"),
        "{report}"
    );
}
