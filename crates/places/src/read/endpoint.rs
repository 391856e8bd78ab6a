//! Endpoint files: CQD's form, with the make or without.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::lines::{Line, Lines};
use crate::fault::Rule;
use crate::map::{Content, EndpointRow, Map};
use crate::texts::TextId;

/// Characters of a cell, at most; CQD takes no more either.
const LONGEST: usize = 64;
/// Columns of a file that has makes.
const WITH_MAKE: usize = 7;

/// Reads all lines.
pub(super) fn read(mut lines: Lines<'_, '_>) -> Map {
    let mut rows: HashMap<Box<str>, (u32, EndpointRow)> = HashMap::new();
    while let Some(mut line) = lines.next() {
        let number = line.number();
        let Some((name, row)) = row(&mut line) else { continue };
        match rows.entry(name) {
            Entry::Occupied(there) => line.fault(0, Rule::Same(there.get().0)),
            Entry::Vacant(free) => {
                free.insert((number, row));
            }
        }
    }
    let rows: HashMap<_, _> = rows.into_iter().map(|(name, (_, row))| (name, row)).collect();
    let count = rows.len();
    Map { texts: lines.texts.build(), content: Content::Endpoint(rows), rows: count }
}

fn row(line: &mut Line<'_, '_>) -> Option<(Box<str>, EndpointRow)> {
    for at in 0..line.columns() {
        if line.value(at).chars().count() > LONGEST {
            line.fault(at, Rule::Long(LONGEST));
        }
    }
    let name: Box<str> = line.required(0, Rule::Missing, |name| Some(name.into()))?;
    let has_make = line.columns() == WITH_MAKE;
    let make = if has_make { line.text(1) } else { TextId::default() };
    let behind = 1 + usize::from(has_make);
    let row = EndpointRow {
        make,
        model: line.text(behind),
        endpoint_type: line.text(behind + 1),
        labels: [2, 3, 4].map(|at| line.text(behind + at)),
    };
    line.is_sound.then_some((name, row))
}
