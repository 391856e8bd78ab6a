//! Files of AS numbers: first and last address, number, country and description, as iptoasn.com has them.

use super::lines::{Line, Lines};
use crate::address;
use crate::fault::Rule;
use crate::map::{AsnRow, Content, Map};

/// Reads all lines. A range with the number 0 is announced by nobody, and says nothing.
pub(super) fn read(mut lines: Lines<'_, '_>) -> Map {
    let mut rows: Vec<(AsnRow, u32)> = Vec::new();
    let mut count = 0;
    while let Some(mut line) = lines.next() {
        let number = line.number();
        let Some(row) = row(&mut line) else { continue };
        count += 1;
        if row.number > 0 {
            rows.push((row, number));
        }
    }
    rows.sort_unstable_by_key(|(row, number)| (row.start, *number));
    // Of the ranges before, the one that ends last.
    let mut last: Option<(u128, u32)> = None;
    for (row, number) in &rows {
        match last {
            Some((end, other)) if row.start <= end => {
                lines.fault(*number, 0, &address::text(row.start), Rule::Overlap(other));
            }
            _ => {}
        }
        if last.is_none_or(|(end, _)| end < row.end) {
            last = Some((row.end, *number));
        }
    }
    let rows = rows.into_iter().map(|(row, _)| row).collect();
    Map { texts: lines.texts.build(), content: Content::Asn(rows), rows: count }
}

fn row(line: &mut Line<'_, '_>) -> Option<AsnRow> {
    let start = line.required(0, Rule::Address, address::parse);
    let end = line.required(1, Rule::Address, address::parse);
    let rule = Rule::Number { least: 0, most: u32::MAX.into() };
    let number =
        line.required(2, rule, |text| text.strip_prefix("AS").unwrap_or(text).parse().ok());
    let (start, end, number) = (start?, end?, number?);
    if end < start || address::is_ipv4(start) != address::is_ipv4(end) {
        line.fault(1, Rule::RangeEnd(address::text(start)));
    }
    let row = AsnRow { start, end, number, country: line.text(3), description: line.text(4) };
    line.is_sound.then_some(row)
}
