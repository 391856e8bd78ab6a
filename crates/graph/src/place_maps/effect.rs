//! What a map would do for the calls that are stored.

use std::collections::HashMap;
use std::time::Instant;

use model::TenantId;
use places::{Kind, Map, Validity, Whereabouts};
use store::{Error, NetworkUse, Reader};

/// What so many ends of streams have and a map lacks is worth a word; CQD's report of missing subnets counts
/// from as many streams.
pub const BUSY: u64 = 10;
/// Missing keys that are named.
const NAMED: usize = 20;

/// How much of what the stored calls have a map knows. A key is what the map is looked up by: a subnet, an
/// access point, a public address or the name of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The kind of the map.
    pub kind: Kind,
    /// Keys of the ends of streams, within the time for which the map holds.
    pub keys: usize,
    /// Those that the map knows; a subnet, if it knows only some of its addresses.
    pub known: usize,
    /// Those of which at least [`BUSY`] ends of streams are not known.
    pub missing: usize,
    /// The busiest of these.
    pub busiest: Vec<MissingKey>,
    /// Ends of streams.
    pub ends: u64,
    /// Those that the map knows.
    pub known_ends: u64,
}

/// A key that a map does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingKey {
    /// As the records have it.
    pub key: String,
    /// Ends of streams with it.
    pub ends: u64,
}

/// Looks at the ends of all streams of the calls that start while the map holds.
///
/// # Errors
/// Those of the store, [`Error::Deadline`] among them.
pub fn effect(
    reader: &mut Reader,
    tenant: &TenantId,
    (map, validity): (&Map, Validity),
    deadline: Instant,
) -> Result<Effect, Error> {
    let range = (validity.from.unwrap_or(i64::MIN), validity.to.unwrap_or(i64::MAX));
    let lookup = (map.kind(), map.looks_at_addresses());
    let mut keys: HashMap<String, EndCounts> = HashMap::new();
    for network in reader.networks(tenant, range, lookup, deadline)? {
        let is_known = map.has(&whereabouts(map.kind(), &network));
        let key = network.key.filter(|key| !key.is_empty()).or(network.address);
        let Some(key) = key.filter(|key| !key.is_empty()) else { continue };
        let counts = keys.entry(key).or_default();
        *(if is_known { &mut counts.known } else { &mut counts.missing }) += network.streams;
    }
    Ok(sum(map.kind(), keys))
}

/// Ends of streams with one key.
#[derive(Default)]
struct EndCounts {
    known: u64,
    missing: u64,
}

fn whereabouts(kind: Kind, network: &NetworkUse) -> Whereabouts<'_> {
    let (key, address) = (network.key.as_deref(), network.address.as_deref());
    let nothing = Whereabouts::default();
    match kind {
        Kind::Building => Whereabouts { subnet: key, address, ..nothing },
        Kind::Bssid => Whereabouts { bssid: key, ..nothing },
        Kind::Asn => Whereabouts { reflexive_address: key, ..nothing },
        Kind::Endpoint => Whereabouts { endpoint: key, ..nothing },
    }
}

fn sum(kind: Kind, keys: HashMap<String, EndCounts>) -> Effect {
    let (mut known, mut ends, mut known_ends) = (0, 0, 0);
    let (count, mut busiest) = (keys.len(), Vec::new());
    for (key, counts) in keys {
        known += usize::from(counts.known > 0);
        known_ends += counts.known;
        ends += counts.known + counts.missing;
        if counts.missing >= BUSY {
            busiest.push(MissingKey { key, ends: counts.missing });
        }
    }
    let missing = busiest.len();
    busiest.sort_unstable_by(|a, b| b.ends.cmp(&a.ends).then_with(|| a.key.cmp(&b.key)));
    busiest.truncate(NAMED);
    Effect { kind, keys: count, known, missing, busiest, ends, known_ends }
}
