//! The kinds of files, with their columns.

use std::fmt;

/// What a file maps to places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Networks to buildings, in the form of CQD's building file.
    Building,
    /// Names of endpoints to makes and models, in the form of CQD's endpoint file.
    Endpoint,
    /// Access points to buildings and floors.
    Bssid,
    /// Ranges of public addresses to AS numbers, in the form of iptoasn.com.
    Asn,
}

const BUILDING: [&str; 15] = [
    "NetworkIP",
    "NetworkName",
    "NetworkRange",
    "BuildingName",
    "OwnershipType",
    "BuildingType",
    "BuildingOfficeType",
    "City",
    "ZipCode",
    "Country",
    "State",
    "Region",
    "InsideCorp",
    "ExpressRoute",
    "VPN",
];
const ENDPOINT: [&str; 7] = [
    "EndpointName",
    "EndpointMake",
    "EndpointModel",
    "EndpointType",
    "EndpointLabel1",
    "EndpointLabel2",
    "EndpointLabel3",
];
/// Without the make, as files were before there was one.
const OLD_ENDPOINT: [&str; 6] = [
    "EndpointName",
    "EndpointModel",
    "EndpointType",
    "EndpointLabel1",
    "EndpointLabel2",
    "EndpointLabel3",
];
const BSSID: [&str; 4] = ["BSSID", "APName", "BuildingName", "Floor"];
const ASN: [&str; 5] = ["RangeStart", "RangeEnd", "ASNumber", "Country", "Description"];

impl Kind {
    /// All, in the order of documentation.
    pub const ALL: [Self; 4] = [Self::Building, Self::Endpoint, Self::Bssid, Self::Asn];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Endpoint => "endpoint",
            Self::Bssid => "bssid",
            Self::Asn => "asn",
        }
    }

    /// The kind of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == word)
    }

    /// The columns of a file that has so many; none if no file of the kind has.
    pub fn columns(self, count: usize) -> Option<&'static [&'static str]> {
        match (self, count) {
            (Self::Building, 15) => Some(&BUILDING),
            (Self::Building, 14) => Some(&BUILDING[..14]),
            (Self::Endpoint, 7) => Some(&ENDPOINT),
            (Self::Endpoint, 6) => Some(&OLD_ENDPOINT),
            (Self::Bssid, 4) => Some(&BSSID),
            (Self::Asn, 5) => Some(&ASN),
            _ => None,
        }
    }

    /// How many columns its files have, in words.
    pub(crate) fn counts(self) -> &'static str {
        match self {
            Self::Building => "15, or 14 without VPN",
            Self::Endpoint => "7, or 6 without EndpointMake",
            Self::Bssid => "4",
            Self::Asn => "5",
        }
    }

    /// The longest list of its columns.
    pub(crate) fn all_columns(self) -> &'static [&'static str] {
        match self {
            Self::Building => &BUILDING,
            Self::Endpoint => &ENDPOINT,
            Self::Bssid => &BSSID,
            Self::Asn => &ASN,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
