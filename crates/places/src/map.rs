//! What a file says, in the order in which it is looked up.

mod networks;

pub(crate) use networks::Networks;

use std::collections::HashMap;

use crate::kind::Kind;
use crate::texts::{TextId, Texts};
use crate::{Whereabouts, address, bssid};

/// A file that was read. A look-up takes a binary search at most.
#[derive(Debug)]
pub struct Map {
    pub(crate) texts: Texts,
    pub(crate) content: Content,
    pub(crate) rows: usize,
}

/// The rows of a file, by its kind.
#[derive(Debug)]
pub(crate) enum Content {
    Building(Buildings),
    Endpoint(HashMap<Box<str>, EndpointRow>),
    Bssid(HashMap<u64, BssidRow>),
    /// By their starts; they do not overlap.
    Asn(Vec<AsnRow>),
}

/// Rows of a building file.
#[derive(Debug)]
pub(crate) struct Buildings {
    pub(crate) rows: Vec<BuildingRow>,
    /// Of subnets.
    pub(crate) subnets: Networks,
    /// Of addresses: the rows that say VPN.
    pub(crate) vpns: Networks,
}

/// What a building file says of a network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BuildingRow {
    pub(crate) network_name: TextId,
    pub(crate) building: TextId,
    pub(crate) ownership: TextId,
    pub(crate) building_type: TextId,
    pub(crate) office_type: TextId,
    pub(crate) city: TextId,
    pub(crate) zip_code: TextId,
    pub(crate) country: TextId,
    pub(crate) state: TextId,
    pub(crate) region: TextId,
    pub(crate) is_inside: bool,
    pub(crate) has_express_route: bool,
    pub(crate) is_vpn: bool,
}

/// What an endpoint file says of a name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EndpointRow {
    pub(crate) make: TextId,
    pub(crate) model: TextId,
    pub(crate) endpoint_type: TextId,
    pub(crate) labels: [TextId; 3],
}

/// What a file of access points says of one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BssidRow {
    pub(crate) access_point: TextId,
    pub(crate) building: TextId,
    pub(crate) floor: TextId,
}

/// What a file of AS numbers says of a range.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AsnRow {
    pub(crate) start: u128,
    pub(crate) end: u128,
    pub(crate) number: u32,
    pub(crate) country: TextId,
    pub(crate) description: TextId,
}

impl Map {
    /// The kind of the file.
    pub fn kind(&self) -> Kind {
        match &self.content {
            Content::Building(_) => Kind::Building,
            Content::Endpoint(_) => Kind::Endpoint,
            Content::Bssid(_) => Kind::Bssid,
            Content::Asn(_) => Kind::Asn,
        }
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether an address decides, and not the subnet alone: some rows say VPN.
    pub fn looks_at_addresses(&self) -> bool {
        matches!(&self.content, Content::Building(buildings) if !buildings.vpns.is_empty())
    }

    /// Whether it has a row for an end of a call.
    pub fn has(&self, end: &Whereabouts<'_>) -> bool {
        match &self.content {
            Content::Building(buildings) => buildings.find(end.subnet, end.address).is_some(),
            Content::Endpoint(_) => self.endpoint(end.endpoint).is_some(),
            Content::Bssid(_) => self.access_point(end.bssid).is_some(),
            Content::Asn(_) => self.autonomous_system(end.reflexive_address).is_some(),
        }
    }

    /// The row of an access point, if this is a file of such.
    pub(crate) fn access_point(&self, text: Option<&str>) -> Option<&BssidRow> {
        let Content::Bssid(rows) = &self.content else { return None };
        rows.get(&bssid::parse(text?)?)
    }

    /// The row of a public address, if this is a file of AS numbers.
    pub(crate) fn autonomous_system(&self, address: Option<&str>) -> Option<&AsnRow> {
        let Content::Asn(rows) = &self.content else { return None };
        let address = address::parse(address?)?;
        let behind = rows.partition_point(|row| row.start <= address);
        let row = &rows[behind.checked_sub(1)?];
        (address <= row.end).then_some(row)
    }

    /// The row of an endpoint's name, if this is a file of endpoints.
    pub(crate) fn endpoint(&self, name: Option<&str>) -> Option<&EndpointRow> {
        let Content::Endpoint(rows) = &self.content else { return None };
        rows.get(name?.trim())
    }
}

impl Buildings {
    /// The row with the longest prefix of the subnet, or of the address for a VPN, and how long that is.
    pub(crate) fn find(
        &self,
        subnet: Option<&str>,
        address: Option<&str>,
    ) -> Option<(u8, &BuildingRow)> {
        let subnet = subnet.and_then(address::parse_subnet);
        let address = address.and_then(address::parse);
        let by_subnet = subnet.and_then(|subnet| self.subnets.find(subnet));
        let by_address = address.and_then(|address| self.vpns.find(address));
        let (length, row) = match (by_subnet, by_address) {
            (Some(subnet), Some(vpn)) if subnet.0 > vpn.0 => subnet,
            (_, Some(vpn)) => vpn,
            (subnet, None) => subnet?,
        };
        Some((length, &self.rows[row as usize]))
    }
}
