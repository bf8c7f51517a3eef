//! Who answers for names on the host.

use std::fs;
use std::net::Ipv4Addr;

pub(super) const PORT: u16 = 53;

/// Where the host says it, on systems that have it (resolv.conf(5)).
const FILE: &str = "/etc/resolv.conf";

/// The first resolver of the host that is reached over IPv4.
pub(super) fn address() -> Option<Ipv4Addr> {
    fs::read_to_string(FILE).ok().as_deref().and_then(parse)
}

fn parse(text: &str) -> Option<Ipv4Addr> {
    text.lines().find_map(|line| {
        let rest = line.trim_start().strip_prefix("nameserver")?;
        rest.split_whitespace().next()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_resolver_over_ipv4_is_taken() {
        let text =
            "# x\nsearch a.b\nnameserver fe80::1\n nameserver\t9.9.9.9 # y\nnameserver 1.1.1.1\n";
        assert_eq!(parse(text), Some(Ipv4Addr::new(9, 9, 9, 9)));
        assert_eq!(parse("nameserver\n"), None);
    }
}
