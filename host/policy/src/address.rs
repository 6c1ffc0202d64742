//! Addresses that a name must not lead to.
//!
//! In a cloud, link-local and a few other addresses give credentials of the machine to whoever
//! asks. A server of that kind is not what an alias means, so a name that resolves to one (by
//! mistake, or because somebody else serves it) is refused. An alias that names the address itself
//! is meant.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Metadata services outside of the link-local ranges: Alibaba Cloud, Oracle Cloud, Azure, and by
/// IPv6 Scaleway and Google Cloud.
const METADATA: [IpAddr; 5] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// Whether an address is link-local or that of a metadata service, in whatever form.
pub fn is_refused(address: IpAddr) -> bool {
    let address = match address {
        IpAddr::V6(v6) => embedded(v6).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || is_of_aws(v6),
    };
    link_local || METADATA.contains(&address)
}

/// The services that AWS has on every machine, `fd00:ec2::/32`: metadata (`::254`), the credentials of a
/// pod (`::23`), and others.
fn is_of_aws(v6: Ipv6Addr) -> bool {
    matches!(v6.segments(), [0xfd00, 0xec2, ..])
}

/// The IPv4 address inside an IPv6 one: mapped (`::ffff:a.b.c.d`), compatible (`::a.b.c.d`), through
/// NAT64 (`64:ff9b::a.b.c.d`), or by 6to4 (`2002:aabb:ccdd::`).
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let translated = match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    };
    translated.or_else(|| v6.to_ipv4())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_refused_in_every_form() {
        for address in [
            "169.254.169.254",
            "169.254.0.1",
            "fe80::1",
            "febf::1",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd00:42::42",
            "2002:a9fe:a9fe::1",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "::ffff:100.100.100.200",
        ] {
            assert!(is_refused(address.parse().unwrap()), "{address}");
        }
        for address in ["127.0.0.1", "::1", "10.0.0.1", "169.253.1.1", "fec0::1", "fd00::1", "::"] {
            assert!(!is_refused(address.parse().unwrap()), "{address}");
        }
    }
}
