//! Addresses and networks. Those of IPv4 stand among those of IPv6 at `::ffff:0:0/96` (RFC 4291 section
//! 2.5.5.2), so that one number orders both.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where the addresses of IPv4 begin.
const IPV4: u128 = 0xffff_0000_0000;
/// How many bits of them are the same.
const IPV4_PREFIX: u8 = 96;

/// An address as a number.
pub(crate) fn parse(text: &str) -> Option<u128> {
    Some(match text.parse().ok()? {
        IpAddr::V4(address) => IPV4 | u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    })
}

/// The address of a subnet, which may be written with the length of its prefix.
pub(crate) fn parse_subnet(text: &str) -> Option<u128> {
    parse(text.split_once('/').map_or(text, |(address, _)| address))
}

/// Whether it is an address of IPv4.
pub(crate) fn is_ipv4(address: u128) -> bool {
    address >> 32 == IPV4 >> 32
}

/// As people write it.
pub(crate) fn text(address: u128) -> String {
    if is_ipv4(address) {
        Ipv4Addr::from_bits(address as u32).to_string()
    } else {
        Ipv6Addr::from_bits(address).to_string()
    }
}

/// Addresses with the same first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Network {
    /// Its first address.
    pub(crate) start: u128,
    /// How many bits are the same.
    length: u8,
}

impl Network {
    /// The network of an address with a range as people write it: 0 to 32 for IPv4, 0 to 128 for IPv6.
    pub(crate) fn of(address: u128, range: u8) -> Self {
        let length = if is_ipv4(address) { IPV4_PREFIX + range.min(32) } else { range.min(128) };
        Self { start: address & mask(length), length }
    }

    pub(crate) fn contains(self, address: u128) -> bool {
        address & mask(self.length) == self.start
    }

    /// Comparable with that of any network that contains the same address.
    pub(crate) fn length(self) -> u8 {
        self.length
    }

    /// The range as people write it.
    pub(crate) fn range(self) -> u8 {
        let is_ipv4 = self.length >= IPV4_PREFIX && is_ipv4(self.start);
        if is_ipv4 { self.length - IPV4_PREFIX } else { self.length }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", text(self.start), self.range())
    }
}

fn mask(length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_both_kinds_contain_their_own_addresses() {
        let contains = |network: &str, range, address: &str| {
            Network::of(parse(network).unwrap(), range).contains(parse(address).unwrap())
        };
        assert!(contains("10.1.2.0", 24, "10.1.2.255"));
        assert!(!contains("10.1.2.0", 24, "10.1.3.0"));
        assert!(contains("10.1.2.0", 24, "::ffff:10.1.2.7"));
        assert!(contains("2001:db8:1::", 48, "2001:db8:1:2::3"));
        assert!(!contains("2001:db8:1::", 48, "10.1.2.3"));
        let network = Network::of(parse("10.1.2.3").unwrap(), 22);
        assert_eq!(network.to_string(), "10.1.0.0/22");
        let network = Network::of(parse("2001:db8::1").unwrap(), 32);
        assert_eq!(network.to_string(), "2001:db8::/32");
    }

    #[test]
    fn a_subnet_may_have_its_range_behind_it() {
        assert_eq!(parse_subnet("10.1.2.0/24"), parse("10.1.2.0"));
        assert_eq!(parse_subnet("10.1.2.0"), parse("10.1.2.0"));
        assert_eq!(parse_subnet("here"), None);
        assert_eq!(parse("010.1.2.0"), None);
    }
}
