//! The maps of a tenant, their versions, and what is valid at an instant.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::map::{BuildingRow, Content, Map};
use crate::texts::Texts;
use crate::{Endpoint, Kind, Place, Whereabouts};

/// Bytes of a name.
const LONGEST_NAME: usize = 64;

/// Whether a text may be the name of a map: 1 to 64 letters, digits, `-`, `_` or `.`, a letter or a digit
/// first.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.len() <= LONGEST_NAME
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// When a version of a map holds, in whatever unit the caller counts instants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Validity {
    /// The first instant; none if it holds for all that was before.
    pub from: Option<i64>,
    /// The first instant at which it no longer holds; none if there is no such.
    pub to: Option<i64>,
}

/// A version of a map.
#[derive(Debug, Clone)]
pub struct MapVersion {
    /// Name of the map.
    pub name: String,
    /// A higher one takes the place of a lower one where both are valid.
    pub version: i64,
    /// When it holds.
    pub validity: Validity,
    /// What it says.
    pub map: Arc<Map>,
}

/// All versions of all maps of a tenant.
#[derive(Debug, Default)]
pub struct Maps {
    /// By name, the highest version first.
    versions: Vec<MapVersion>,
}

/// The maps that are valid at an instant. Where several of a kind know something, the longest prefix
/// counts; else the one that is valid since later, and then the one whose name comes first.
#[derive(Debug, Default)]
pub struct MapsAt<'m> {
    maps: Vec<&'m Map>,
}

impl Validity {
    /// Whether it holds at an instant.
    pub fn contains(self, instant: i64) -> bool {
        self.from.is_none_or(|from| from <= instant) && self.to.is_none_or(|to| instant < to)
    }
}

impl Maps {
    /// Those of a tenant, in any order.
    pub fn new(mut versions: Vec<MapVersion>) -> Self {
        versions.sort_by(|a, b| (&a.name, Reverse(a.version)).cmp(&(&b.name, Reverse(b.version))));
        Self { versions }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// Whether any map is of a kind.
    pub fn has(&self, kind: Kind) -> bool {
        self.versions.iter().any(|version| version.map.kind() == kind)
    }

    /// Whether addresses lead to buildings, and not subnets alone: some map has a VPN.
    pub fn use_addresses(&self) -> bool {
        self.versions.iter().any(|version| version.map.looks_at_addresses())
    }

    /// The maps that are valid at an instant: of each name, the highest version that is.
    pub fn at(&self, instant: i64) -> MapsAt<'_> {
        let mut valid: Vec<&MapVersion> = Vec::new();
        for version in &self.versions {
            let is_taken = valid.last().is_some_and(|last| last.name == version.name);
            if !is_taken && version.validity.contains(instant) {
                valid.push(version);
            }
        }
        // Stable, and nothing comes before none.
        valid.sort_by_key(|version| Reverse(version.validity.from));
        MapsAt { maps: valid.into_iter().map(|version| &*version.map).collect() }
    }

    /// The instants at which other maps become valid, ascending: between two of them nothing changes.
    pub fn turning_points(&self) -> Vec<i64> {
        let bounds = self.versions.iter().flat_map(|it| [it.validity.from, it.validity.to]);
        let mut instants: Vec<i64> = bounds.flatten().collect();
        instants.sort_unstable();
        instants.dedup();
        instants
    }
}

impl<'m> MapsAt<'m> {
    /// What these maps know of an end of a call.
    pub fn place(&self, end: &Whereabouts<'_>) -> Place<'m> {
        let mut place = Place::default();
        if let Some((texts, row)) = self.building(end) {
            add_building(&mut place, texts, row);
        }
        if let Some((texts, row)) = self.first(|map| map.access_point(end.bssid)) {
            place.access_point = texts.get(row.access_point);
            place.floor = texts.get(row.floor);
            place.building = place.building.or(texts.get(row.building));
        }
        if let Some((texts, row)) = self.first(|map| map.autonomous_system(end.reflexive_address)) {
            place.isp = texts.get(row.description);
            place.as_number = Some(row.number);
            place.as_country = texts.get(row.country);
        }
        if let Some((texts, row)) = self.first(|map| map.endpoint(end.endpoint)) {
            place.endpoint = Endpoint {
                make: texts.get(row.make),
                model: texts.get(row.model),
                endpoint_type: texts.get(row.endpoint_type),
                labels: row.labels.map(|label| texts.get(label)),
            };
        }
        place
    }

    fn building(&self, end: &Whereabouts<'_>) -> Option<(&'m Texts, &'m BuildingRow)> {
        let mut best: Option<(u8, &'m Texts, &'m BuildingRow)> = None;
        for map in &self.maps {
            let Content::Building(buildings) = &map.content else { continue };
            if let Some((length, row)) = buildings.find(end.subnet, end.address)
                // As within one map: of two as long, the VPN.
                && best.is_none_or(|(longest, _, other)| {
                    (length, row.is_vpn) > (longest, other.is_vpn)
                })
            {
                best = Some((length, &map.texts, row));
            }
        }
        best.map(|(_, texts, row)| (texts, row))
    }

    /// The first row that one of the maps has.
    fn first<R>(&self, find: impl Fn(&'m Map) -> Option<&'m R>) -> Option<(&'m Texts, &'m R)> {
        self.maps.iter().find_map(|map| find(map).map(|row| (&map.texts, row)))
    }
}

fn add_building<'m>(place: &mut Place<'m>, texts: &'m Texts, row: &BuildingRow) {
    *place = Place {
        building: texts.get(row.building),
        network_name: texts.get(row.network_name),
        ownership: texts.get(row.ownership),
        building_type: texts.get(row.building_type),
        office_type: texts.get(row.office_type),
        city: texts.get(row.city),
        zip_code: texts.get(row.zip_code),
        country: texts.get(row.country),
        state: texts.get(row.state),
        region: texts.get(row.region),
        is_inside: Some(row.is_inside),
        has_express_route: Some(row.has_express_route),
        is_vpn: Some(row.is_vpn),
        ..*place
    };
}
