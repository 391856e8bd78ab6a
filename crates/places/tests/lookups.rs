//! Look-ups find what a walk through all rows finds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use places::{MapVersion, Maps, Validity, Whereabouts, read};
use proptest::prelude::*;

/// A row of a building file.
#[derive(Debug, Clone)]
struct Row {
    address: IpAddr,
    range: u8,
    is_vpn: bool,
}

/// Addresses that share many bits, so that networks lie in each other.
fn address() -> impl Strategy<Value = IpAddr> {
    let ipv4 = (0u8..4, 0u8..4, any::<u8>())
        .prop_map(|(a, b, c)| IpAddr::V4(Ipv4Addr::new(10, a, b * 64, c)));
    let ipv6 = (0u16..4, 0u16..3)
        .prop_map(|(a, b)| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, a * 0x4000, 0, 0, 0, b, 0)));
    prop_oneof![3 => ipv4, 1 => ipv6]
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (address(), 0u8..=24, any::<bool>()).prop_map(|(address, less, is_vpn)| {
        // VPNs stay small: each of their addresses counts.
        let range = match address {
            IpAddr::V4(_) if is_vpn => 32 - less % 12,
            IpAddr::V4(_) => 32 - less,
            IpAddr::V6(_) => 128 - less * 4,
        };
        Row { address: first_address(address, range), range, is_vpn }
    });
    prop::collection::vec(row, 0..40).prop_map(|mut rows| {
        rows.sort_by_key(|row| (row.address, row.range));
        rows.dedup_by_key(|row| (row.address, row.range));
        rows
    })
}

fn first_address(address: IpAddr, range: u8) -> IpAddr {
    match address {
        IpAddr::V4(it) => {
            let kept = u32::MAX.checked_shl(32 - u32::from(range)).unwrap_or(0);
            Ipv4Addr::from_bits(it.to_bits() & kept).into()
        }
        IpAddr::V6(it) => {
            let kept = u128::MAX.checked_shl(128 - u32::from(range)).unwrap_or(0);
            Ipv6Addr::from_bits(it.to_bits() & kept).into()
        }
    }
}

/// The row that a walk through all finds.
fn walk(rows: &[Row], subnet: IpAddr, address: IpAddr) -> Option<&Row> {
    let fits = |row: &&Row| {
        let asked = if row.is_vpn { address } else { subnet };
        row.address.is_ipv4() == asked.is_ipv4() && first_address(asked, row.range) == row.address
    };
    // A prefix of IPv4 is longer than any of IPv6 that is as long.
    let length =
        |row: &&Row| (u32::from(row.range) + 96 * u32::from(row.address.is_ipv4()), row.is_vpn);
    rows.iter().filter(fits).max_by_key(length)
}

proptest! {
    #[test]
    fn networks_are_found_as_by_a_walk(rows in rows(), asked in prop::collection::vec((address(), address()), 1..20)) {
        prop_assume!(!rows.is_empty());
        let line = |(number, row): (usize, &Row)| {
            format!("{},n,{},B{number},,,,,,,,,1,0,{}", row.address, row.range, u8::from(row.is_vpn))
        };
        let lines: Vec<String> = rows.iter().enumerate().map(line).collect();
        let file = lines.join("\n");
        let map = read(file.as_bytes(), None).read.unwrap();
        let version =
            MapVersion { name: "m".to_owned(), version: 1, validity: Validity::default(), map: map.into() };
        let maps = Maps::new(vec![version]);
        for (subnet, address) in asked {
            let (subnet_text, address_text) = (subnet.to_string(), address.to_string());
            let end = Whereabouts {
                subnet: Some(&subnet_text),
                address: Some(&address_text),
                ..Whereabouts::default()
            };
            let found = maps.at(0).place(&end).building.map(str::to_owned);
            let expected = walk(&rows, subnet, address).map(|row| {
                let number = rows.iter().position(|other| std::ptr::eq(other, row)).unwrap();
                format!("B{number}")
            });
            prop_assert_eq!(found, expected, "{} {}", subnet, address);
        }
    }

    #[test]
    fn ranges_are_found_as_by_a_walk(
        mut cuts in prop::collection::btree_set(0u32..100_000, 2..60),
        asked in prop::collection::vec(0u32..100_000, 1..40),
    ) {
        if cuts.len() % 2 == 1 {
            cuts.pop_last();
        }
        let cuts: Vec<u32> = cuts.into_iter().collect();
        let ranges: Vec<(u32, u32)> = cuts.as_chunks::<2>().0.iter().map(|[a, b]| (*a, *b)).collect();
        let text = |address: u32| Ipv4Addr::from_bits(0xcb00_0000 + address).to_string();
        let line = |(number, (from, to)): (usize, &(u32, u32))| {
            format!("{}\t{}\t{number}\tUS\td", text(*from), text(*to))
        };
        let lines: Vec<String> = (1..).zip(&ranges).map(line).collect();
        let file = lines.join("\n");
        let map = read(file.as_bytes(), None).read.unwrap();
        let version =
            MapVersion { name: "m".to_owned(), version: 1, validity: Validity::default(), map: map.into() };
        let maps = Maps::new(vec![version]);
        for address in asked {
            let asked = text(address);
            let end = Whereabouts { reflexive_address: Some(&asked), ..Whereabouts::default() };
            let expected = ranges.iter().position(|(from, to)| (*from..=*to).contains(&address));
            prop_assert_eq!(maps.at(0).place(&end).as_number, expected.map(|at| at as u32 + 1));
        }
    }
}
