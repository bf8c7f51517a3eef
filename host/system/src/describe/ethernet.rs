//! Network devices: addresses, and what the cable is plugged into.

use super::{Describer, Seed};
use crate::description::{DeviceKind, Forward, Protocol, Slot, UserNetwork};
use crate::values::Group;
use std::net::{Ipv4Addr, SocketAddrV4};

impl Describer<'_> {
    pub(super) fn net(&mut self, group: &Group, seed: Seed, slot: Slot) -> DeviceKind {
        let user = self.user_network(group);
        let made = made_up(seed, slot);
        let Some(text) = group.text("mac") else {
            return DeviceKind::Net { mac: made, user };
        };
        let remedy = format!(
            "write six bytes such as \"{}\", or remove `mac` for that one",
            show(made)
        );
        let mac = parse(text);
        let wrong = match mac {
            None => Some(format!("`{text}` is no Ethernet address")),
            Some([first, ..]) if first & 1 != 0 => Some(format!(
                "`{text}` is an address of a group, not of a device"
            )),
            Some([0, 0, 0, 0, 0, 0]) => Some(format!("`{text}` means that there is no address")),
            Some(_) => None,
        };
        if let Some(what) = wrong {
            self.combination(group, "mac", &what, &remedy);
        }
        DeviceKind::Net {
            mac: mac.unwrap_or(made),
            user,
        }
    }

    fn user_network(&mut self, group: &Group) -> Option<UserNetwork> {
        if group.text("backend") != Some("user") {
            for name in ["restrict", "forward"] {
                if group.written(name) {
                    let what = format!("`{name}` is for a device with `backend = \"user\"`");
                    let remedy = format!("remove `{name}`, or add `backend = \"user\"`");
                    self.combination(group, name, &what, &remedy);
                }
            }
            return None;
        }
        let restrict = group.flag("restrict").unwrap_or(false);
        if restrict && !group.texts("forward").is_empty() {
            let what = "a restricted network is closed, and `forward` would open it";
            self.combination(group, "forward", what, "remove `forward` or `restrict`");
        }
        Some(UserNetwork {
            restrict,
            forwards: self.forwards(group),
            at: group.at("forward"),
            field: group.field("forward"),
        })
    }

    fn forwards(&mut self, group: &Group) -> Vec<Forward> {
        let mut forwards: Vec<Forward> = Vec::new();
        for text in group.texts("forward") {
            let Some(forward) = forward(text) else {
                let what = format!("`{text}` forwards nothing");
                let remedy = "write it as tcp: or udp:HOST-ADDRESS:HOST-PORT:GUEST-PORT, such as \
                              \"tcp:127.0.0.1:2222:22\"";
                self.combination(group, "forward", &what, remedy);
                continue;
            };
            let same =
                |other: &Forward| (other.protocol, other.host) == (forward.protocol, forward.host);
            if forwards.iter().any(same) {
                let what = format!("`{text}`: {} is forwarded twice", forward.host);
                self.combination(group, "forward", &what, "use another port of the host");
            }
            forwards.push(forward);
        }
        forwards
    }
}

/// `tcp:127.0.0.1:2222:22`, or `udp:`; without an address of the host it is the loopback's.
fn forward(text: &str) -> Option<Forward> {
    let (protocol, rest) = text.split_once(':')?;
    let protocol = match protocol {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return None,
    };
    let mut parts = rest.split(':');
    let address = match parts.next()? {
        "" => Ipv4Addr::LOCALHOST,
        text => text.parse().ok()?,
    };
    let mut port = || {
        let text = parts.next()?;
        // A sign is no digit.
        let plain = text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u16>().ok().filter(|port| plain && *port != 0)
    };
    let (host, guest) = (port()?, port()?);
    parts.next().is_none().then_some(Forward {
        protocol,
        host: SocketAddrV4::new(address, host),
        guest,
    })
}

/// `52:54:00:12:34:56`.
pub(super) fn parse(text: &str) -> Option<[u8; 6]> {
    let mut bytes = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut bytes {
        let part = parts.next().filter(|p| p.len() == 2)?;
        // A sign is no digit.
        if !part.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(bytes)
}

fn show(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

/// An address of the range that is locally administered (IEEE 802 §8.4).
fn made_up(Seed(seed, machine): Seed, slot: Slot) -> [u8; 6] {
    let slot = match slot {
        Slot::Mmio(number) => u64::from(number),
        Slot::Pci(number) => 0x80 | u64::from(number),
    };
    let place = (machine as u64) << 8 | slot;
    // SplitMix64 (Steele, Lea, Flood 2014), twice: seeds that are close give addresses that are not.
    let mix = |z: u64| {
        let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let [a, b, c, d, ..] = mix(mix(seed) ^ place).to_le_bytes();
    [0x02, 0x4d, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_six_bytes_and_nothing_else() {
        let mac = [0x52, 0x54, 0, 0x12, 0x34, 0xFE];
        assert_eq!(parse("52:54:00:12:34:fE"), Some(mac));
        assert_eq!(parse(&show(mac)), Some(mac));
        for bad in [
            "",
            ":",
            "52:54:00:12:34",
            "52:54:00:12:34:56:78",
            "52:54:00:12:34:5",
            "+2:54:00:12:34:56",
            "52-54-00-12-34-56",
            "52:54:00:12:34:5g",
            "52:54:00:12:34:56 ",
            "é:54:00:12:34:56",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn forward_is_protocol_address_and_two_ports() {
        let good = forward("tcp:127.0.0.1:2222:22").expect("a forward");
        assert_eq!(
            (good.host.to_string(), good.guest),
            ("127.0.0.1:2222".to_owned(), 22)
        );
        assert_eq!(forward("tcp::2222:22"), Some(good));
        let datagrams = Forward {
            protocol: Protocol::Udp,
            ..good
        };
        assert_eq!(forward("udp::2222:22"), Some(datagrams));
        for bad in [
            "",
            "tcp",
            "tcp:",
            "tcp:2222:22",
            "sctp:127.0.0.1:53:53",
            "udp:",
            "tcp:localhost:2222:22",
            "tcp:127.0.0.1:0:22",
            "tcp:127.0.0.1:2222:0",
            "tcp:127.0.0.1:65536:22",
            "tcp:127.0.0.1:+22:22",
            "tcp:127.0.0.1:22:22:22",
            "tcp:127.0.0.1:22",
        ] {
            assert_eq!(forward(bad), None, "{bad}");
        }
    }

    #[test]
    fn made_up_addresses_differ_by_seed_machine_and_slot() {
        let all = [
            made_up(Seed(1, 0), Slot::Mmio(0)),
            made_up(Seed(2, 0), Slot::Mmio(0)),
            made_up(Seed(1, 1), Slot::Mmio(0)),
            made_up(Seed(1, 0), Slot::Mmio(1)),
            made_up(Seed(1, 0), Slot::Pci(1)),
        ];
        for (i, a) in all.iter().enumerate() {
            assert_eq!(a[0] & 3, 2, "local, one device's");
            assert!(all.iter().skip(i + 1).all(|b| a != b));
        }
    }
}
