//! Building files: CQD's form, with all that its own reader checks.

use super::Note;
use super::lines::{Line, Lines};
use crate::address::{self, Network};
use crate::fault::Rule;
use crate::map::{BuildingRow, Buildings, Content, Map, Networks};

/// The shortest prefix; CQD takes none that is shorter either.
const LEAST_RANGE: u8 = 8;
/// The column of the flag for VPNs.
const VPN: usize = 14;

/// Rows with their networks.
#[derive(Default)]
struct Table {
    rows: Vec<BuildingRow>,
    networks: Vec<Network>,
    lines: Vec<u32>,
}

/// Reads all lines.
pub(super) fn read(mut lines: Lines<'_, '_>) -> Map {
    let mut table = Table::default();
    let (mut unnamed, mut first_unnamed) = (0, 0);
    while let Some(mut line) = lines.next() {
        let (number, is_unnamed) = (line.number(), line.value(3).is_empty());
        let Some((network, row)) = row(&mut line) else { continue };
        if is_unnamed {
            first_unnamed = if unnamed == 0 { number } else { first_unnamed };
            unnamed += 1;
        }
        table.rows.push(row);
        table.networks.push(network);
        table.lines.push(number);
        if row.is_vpn && !lines.stands_for(addresses_behind(network), number) {
            break;
        }
    }
    tell_overlaps(&table, &mut lines);
    if unnamed > 0 {
        lines.findings.note(Note::Unnamed { rows: unnamed, line: first_unnamed });
    }
    let Table { rows, networks, .. } = table;
    let of = |is_vpn| {
        let rows = rows.iter().zip(0..).filter(|(row, _)| row.is_vpn == is_vpn);
        Networks::new(rows.map(|(_, at)| (networks[at as usize], at)).collect())
    };
    let (subnets, vpns) = (of(false), of(true));
    let count = rows.len();
    let content = Content::Building(Buildings { rows, subnets, vpns });
    Map { texts: lines.texts.build(), content, rows: count }
}

fn row(line: &mut Line<'_, '_>) -> Option<(Network, BuildingRow)> {
    let network = network(line);
    let (is_inside, has_express_route) = (bit(line, 12), bit(line, 13));
    let has_vpn = line.columns() > VPN && !line.value(VPN).is_empty();
    let is_vpn = if has_vpn { bit(line, VPN) } else { Some(false) };
    let (network, is_inside) = (network?, is_inside?);
    let (has_express_route, is_vpn) = (has_express_route?, is_vpn?);
    let row = BuildingRow {
        network_name: line.text(1),
        building: line.text(3),
        ownership: line.text(4),
        building_type: line.text(5),
        office_type: line.text(6),
        city: line.text(7),
        zip_code: line.text(8),
        country: line.text(9),
        state: line.text(10),
        region: line.text(11),
        is_inside,
        has_express_route,
        is_vpn,
    };
    line.is_sound.then_some((network, row))
}

fn bit(line: &mut Line<'_, '_>, at: usize) -> Option<bool> {
    line.required(at, Rule::Bit, |text| match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    })
}

fn network(line: &mut Line<'_, '_>) -> Option<Network> {
    let is_network = |text: &str| {
        let (address, range) = text.split_once('/')?;
        address::parse(address.trim())?;
        range.trim().parse::<u8>().ok()
    };
    let rule = if is_network(line.value(0)).is_some() { Rule::Cidr } else { Rule::Address };
    let address = line.required(0, rule, address::parse);
    let most = if address.is_some_and(address::is_ipv4) { 32 } else { 128 };
    let rule = Rule::Number { least: LEAST_RANGE.into(), most: most.into() };
    let range = line.required(2, rule, |text| {
        text.parse().ok().filter(|range| (LEAST_RANGE..=most).contains(range))
    });
    let (address, network) = (address?, Network::of(address?, range?));
    if address != network.start {
        line.fault(0, Rule::FirstAddress(address::text(network.start)));
        return None;
    }
    Some(network)
}

/// How many addresses a network of IPv4 has besides its first. Nobody writes those of IPv6 one by one.
fn addresses_behind(network: Network) -> u64 {
    if address::is_ipv4(network.start) { (1 << (32 - u64::from(network.range()))) - 1 } else { 0 }
}

/// A network that stands there twice is a fault; one within another is worth a note.
fn tell_overlaps(table: &Table, lines: &mut Lines<'_, '_>) {
    let all = Networks::new(table.networks.iter().copied().zip(0..).collect());
    for overlap in all.overlaps() {
        let [row, within] = [overlap.row as usize, overlap.within as usize];
        let (line, other) = (table.lines[row], table.lines[within]);
        if overlap.is_same {
            let value = address::text(table.networks[row].start);
            lines.fault(line, 0, &value, Rule::SameNetwork(other));
            continue;
        }
        let [network, larger] = [row, within].map(|at| table.networks[at].to_string());
        lines.findings.note(Note::Within { line, network, other, larger });
    }
}
