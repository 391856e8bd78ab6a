//! Files of access points: BSSID, name, building and floor.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::lines::Lines;
use crate::bssid;
use crate::fault::Rule;
use crate::map::{BssidRow, Content, Map};

/// Reads all lines.
pub(super) fn read(mut lines: Lines<'_, '_>) -> Map {
    let mut rows: HashMap<u64, (u32, BssidRow)> = HashMap::new();
    while let Some(mut line) = lines.next() {
        let number = line.number();
        let Some(bssid) = line.required(0, Rule::Bssid, bssid::parse) else { continue };
        let row =
            BssidRow { access_point: line.text(1), building: line.text(2), floor: line.text(3) };
        match rows.entry(bssid) {
            Entry::Occupied(there) => line.fault(0, Rule::Same(there.get().0)),
            Entry::Vacant(free) => {
                free.insert((number, row));
            }
        }
    }
    let rows: HashMap<_, _> = rows.into_iter().map(|(bssid, (_, row))| (bssid, row)).collect();
    let count = rows.len();
    Map { texts: lines.texts.build(), content: Content::Bssid(rows), rows: count }
}
