//! The networks of the ends of streams.

use std::collections::HashMap;
use std::ops::ControlFlow;

use crate::Error;
use crate::engine::Connection;
use crate::rows::place_map::NetworkUse;

/// Networks that are told apart, at most.
const MOST: usize = 1_000_000;

/// The query of one end.
macro_rules! networks {
    ($subnet:literal, $address:literal) => {
        concat!(
            "SELECT m.",
            $subnet,
            " AS subnet, CASE WHEN ?4 = 1 THEN m.",
            $address,
            " END AS address, count(*) FROM call_record r \
             JOIN media m ON m.record_key = r.record_key \
             JOIN stream t ON t.record_key = m.record_key AND t.session = m.session \
             AND t.segment = m.segment AND t.media = m.ordinal \
             WHERE r.tenant_key = ?1 AND r.is_current = 1 \
             AND r.start_date_time >= ?2 AND r.start_date_time < ?3 \
             AND (m.",
            $subnet,
            " IS NOT NULL OR (?4 = 1 AND m.",
            $address,
            " IS NOT NULL)) GROUP BY 1, 2"
        )
    };
}

/// The networks of both ends of the streams of calls that start from an instant to another, in no order;
/// each address by itself, if that is asked for.
pub(crate) fn of_streams(
    connection: &Connection,
    tenant_key: i64,
    (from, to): (i64, i64),
    with_addresses: bool,
) -> Result<Vec<NetworkUse>, Error> {
    let ends = [
        networks!("caller_network_subnet", "caller_network_ip_address"),
        networks!("callee_network_subnet", "callee_network_ip_address"),
    ];
    let mut found: HashMap<(Option<String>, Option<String>), u64> = HashMap::new();
    for text in ends {
        connection.scan(text, (tenant_key, from, to, i64::from(with_addresses)), |row| {
            let streams: i64 = row.get(2)?;
            *found.entry((row.get(0)?, row.get(1)?)).or_default() += streams.unsigned_abs();
            if found.len() > MOST {
                return Err(Error::TooManyGroups { limit: MOST });
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    let network = |((subnet, address), streams)| NetworkUse { subnet, address, streams };
    Ok(found.into_iter().map(network).collect())
}
