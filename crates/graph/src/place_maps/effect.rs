//! What a building map would do for the calls that are stored.

use std::collections::HashMap;
use std::time::Instant;

use model::TenantId;
use places::{Map, Validity};
use store::{Error, Reader};

/// A subnet with so many ends of streams and no building is worth a word; CQD's report of missing subnets
/// counts from as many streams.
pub const BUSY: u64 = 10;
/// Missing subnets that are named.
const NAMED: usize = 20;

/// How many of the networks of stored calls a map knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect {
    /// Subnets of the ends of streams, within the time for which the map holds.
    pub subnets: usize,
    /// Those that get a building, if only for some of their addresses.
    pub placed: usize,
    /// Those of which at least [`BUSY`] ends of streams get none.
    pub missing: usize,
    /// The busiest of these.
    pub busiest: Vec<MissingSubnet>,
    /// Ends of streams.
    pub ends: u64,
    /// Those that get a building.
    pub placed_ends: u64,
}

/// A subnet that a map does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingSubnet {
    /// As the records have it.
    pub subnet: String,
    /// Ends of streams that get no building.
    pub ends: u64,
}

/// Looks at the networks of all streams of the calls that start while the map holds.
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
    let networks = reader.networks(tenant, range, map.looks_at_addresses(), deadline)?;
    // Of each subnet, the ends with a building and those without.
    let mut subnets: HashMap<String, (u64, u64)> = HashMap::new();
    for network in networks {
        let (subnet, address) = (network.subnet.as_deref(), network.address.as_deref());
        let is_placed = map.has_network(subnet, address);
        let Some(name) = network.subnet.or(network.address) else { continue };
        let (placed, missing) = subnets.entry(name).or_default();
        *if is_placed { placed } else { missing } += network.streams;
    }
    let mut effect = Effect { subnets: subnets.len(), ..Effect::default() };
    let mut busiest: Vec<MissingSubnet> = Vec::new();
    for (subnet, (placed, ends)) in subnets {
        effect.placed += usize::from(placed > 0);
        effect.placed_ends += placed;
        effect.ends += placed + ends;
        if ends >= BUSY {
            busiest.push(MissingSubnet { subnet, ends });
        }
    }
    effect.missing = busiest.len();
    busiest.sort_unstable_by(|a, b| b.ends.cmp(&a.ends).then_with(|| a.subnet.cmp(&b.subnet)));
    busiest.truncate(NAMED);
    Ok(Effect { busiest, ..effect })
}
