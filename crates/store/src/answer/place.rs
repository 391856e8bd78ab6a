//! The member `place` of the row of an end.

use model::rows::EndNetwork;
use places::{MapsAt, Place, Whereabouts};

use crate::query::places::COLUMNS;

/// Appends the member `place` to the members of a row and closes it: null without maps, and where these know
/// nothing of the end.
pub(super) fn push(row: &mut Vec<u8>, end: Option<(&MapsAt<'_>, EndNetwork)>) {
    row.extend_from_slice(b",\"place\":");
    let place = end.as_ref().map(|(maps, end)| {
        maps.place(&Whereabouts {
            subnet: end.subnet.as_deref(),
            address: end.address.as_deref(),
            bssid: end.bssid.as_deref(),
            reflexive_address: end.reflexive_address.as_deref(),
            endpoint: end.endpoint_name.as_deref(),
        })
    });
    let Some(place) = place.filter(|place| *place != Place::default()) else {
        row.extend_from_slice(b"null}");
        return;
    };
    let values = COLUMNS.iter().map(|column| (column.path, (column.of)(&place)));
    let mut values: Vec<_> = values.collect();
    // A building stands there twice.
    values.dedup_by_key(|(path, _)| *path);
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
