//! What the ends of streams say of where they were: the keys that lead to places.

use std::collections::HashMap;
use std::ops::ControlFlow;

use places::Kind;

use crate::Error;
use crate::engine::Connection;
use crate::rows::place_map::NetworkUse;

/// Keys that are told apart, at most.
const MOST: usize = 1_000_000;

/// The columns of each end that lead to places in a kind of map: that of the key, and that of an address which
/// may decide in its place.
fn columns(kind: Kind) -> [(&'static str, &'static str); 2] {
    match kind {
        Kind::Building => [
            ("m.caller_network_subnet", "m.caller_network_ip_address"),
            ("m.callee_network_subnet", "m.callee_network_ip_address"),
        ],
        Kind::Bssid => [
            ("m.caller_network_basic_service_set_identifier", "NULL"),
            ("m.callee_network_basic_service_set_identifier", "NULL"),
        ],
        Kind::Asn => [
            ("m.caller_network_reflexive_ip_address", "NULL"),
            ("m.callee_network_reflexive_ip_address", "NULL"),
        ],
        Kind::Endpoint => [("g.caller_endpoint_name", "NULL"), ("g.callee_endpoint_name", "NULL")],
    }
}

/// The statement of one end. Services write empty text for what they don't know.
fn text(kind: Kind, (key, address): (&str, &str)) -> String {
    let segment = match kind {
        Kind::Endpoint => {
            "JOIN segment g ON g.record_key = m.record_key \
             AND g.session = m.session AND g.ordinal = m.segment "
        }
        _ => "",
    };
    format!(
        "SELECT {key} AS key, CASE WHEN ?4 = 1 THEN {address} END AS address, count(*) \
         FROM call_record r JOIN media m ON m.record_key = r.record_key {segment}\
         JOIN stream t ON t.record_key = m.record_key AND t.session = m.session \
         AND t.segment = m.segment AND t.media = m.ordinal \
         WHERE r.tenant_key = ?1 AND r.is_current = 1 \
         AND r.start_date_time >= ?2 AND r.start_date_time < ?3 \
         AND ({key} <> '' OR (?4 = 1 AND {address} <> '')) GROUP BY 1, 2"
    )
}

/// What leads to places in a kind of map, of both ends of the streams of calls that start from an instant to
/// another, in no order; each address by itself, if that is asked for.
pub(crate) fn of_streams(
    connection: &Connection,
    tenant_key: i64,
    (from, to): (i64, i64),
    (kind, with_addresses): (Kind, bool),
) -> Result<Vec<NetworkUse>, Error> {
    let mut found: HashMap<(Option<String>, Option<String>), u64> = HashMap::new();
    for end in columns(kind) {
        let values = (tenant_key, from, to, i64::from(with_addresses));
        connection.scan(&text(kind, end), values, |row| {
            let streams: i64 = row.get(2)?;
            *found.entry((row.get(0)?, row.get(1)?)).or_default() += streams.unsigned_abs();
            if found.len() > MOST {
                return Err(Error::TooManyGroups { limit: MOST });
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    let network = |((key, address), streams)| NetworkUse { key, address, streams };
    Ok(found.into_iter().map(network).collect())
}
