//! The member `place` of the row of an end.

use std::sync::Arc;

use model::rows::EndNetwork;
use places::{Maps, Whereabouts};

use crate::query::places::COLUMNS;

/// Appends the member `place` to the members of a row and closes it.
pub(super) fn push(row: &mut Vec<u8>, maps: Option<&Arc<Maps>>, end: &EndNetwork, start: i64) {
    row.extend_from_slice(b",\"place\":");
    let place = maps.map(|maps| {
        maps.at(start).place(&Whereabouts {
            subnet: end.subnet.as_deref(),
            address: end.address.as_deref(),
            bssid: end.bssid.as_deref(),
            reflexive_address: end.reflexive_address.as_deref(),
            endpoint: end.endpoint_name.as_deref(),
        })
    });
    let values = COLUMNS.iter().map(|column| (column.path, place.map(|place| (column.of)(&place))));
    let mut values: Vec<_> = values.filter_map(|(path, value)| Some((path, value?))).collect();
    // A building stands there twice.
    values.dedup_by_key(|(path, _)| *path);
    if values.iter().all(|(_, value)| value.is_null()) {
        row.extend_from_slice(b"null}");
        return;
    }
    let (inner, own): (Vec<_>, Vec<_>) = values.iter().partition(|(path, _)| path.contains('/'));
    row.push(b'{');
    for (path, value) in own {
        push_name(row, path);
        value.push(row, ["false", "true"]);
        row.push(b',');
    }
    row.extend_from_slice(b"\"endpoint\":");
    if inner.iter().all(|(_, value)| value.is_null()) {
        row.extend_from_slice(b"null}}");
        return;
    }
    for (at, (path, value)) in inner.iter().enumerate() {
        row.push(if at == 0 { b'{' } else { b',' });
        push_name(row, path.rsplit('/').next().unwrap_or_default());
        value.push(row, ["false", "true"]);
    }
    row.extend_from_slice(b"}}}");
}

fn push_name(row: &mut Vec<u8>, name: &str) {
    row.extend_from_slice(format!("\"{name}\":").as_bytes());
}
