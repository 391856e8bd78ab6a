//! The dial-out report: what is kept of each day, summed up for a range.

use std::collections::HashMap;

use odata::json::{Json, Node};
use store::{LogRange, Reader, StoredLogRow};
use web::Problem;

use crate::kept_json::parse;

/// Rows that are read at a time.
const AT_ONCE: usize = 1_000;
/// Members by which rows are told apart.
const NAMES: [&str; 4] = ["userId", "usageLocation", "destinationContext", "currency"];
/// Members that are summed up.
const TOTALS: [&str; 3] = ["totalCalls", "totalCallCharge", "totalCallSeconds"];

/// The rows of a report, in the order in which they first came up, as JSON. `most` days are looked at.
pub(super) fn sums(
    reader: &mut Reader,
    tenant: &model::TenantId,
    range: &LogRange,
    most: u64,
) -> Result<Vec<Json>, Problem> {
    let mut sums: Vec<(Node<'static>, [Total; 3])> = Vec::new();
    let mut places = HashMap::new();
    let (mut after, mut looked_at) = (None, 0);
    loop {
        let kept = reader.log_rows(tenant, range, after, (0, AT_ONCE))?;
        looked_at += kept.len() as u64;
        if looked_at > most {
            return Err(store::Error::TooManyRows { limit: most }.into());
        }
        for row in &kept {
            add(row, &mut sums, &mut places)?;
        }
        match kept.last() {
            Some(last) if kept.len() == AT_ONCE => after = Some((last.time, last.key)),
            _ => break,
        }
    }
    Ok(sums.into_iter().map(printed).collect())
}

fn add(
    row: &StoredLogRow,
    sums: &mut Vec<(Node<'static>, [Total; 3])>,
    places: &mut HashMap<[Option<String>; 4], usize>,
) -> Result<(), Problem> {
    let node = match parse(&row.body) {
        Err(problem) if problem.is_damage() => {
            tracing::error!(cause = ?problem, "the report leaves a row out");
            return Ok(());
        }
        node => node?,
    };
    let text = |name: &str| Some(node.get(name)?.as_text()?.value().into_owned());
    let place = *places.entry(NAMES.map(text)).or_insert(sums.len());
    if place == sums.len() {
        sums.push((node.clone().into_owned(), [Total::default(); 3]));
    }
    for (name, total) in TOTALS.iter().zip(&mut sums[place].1) {
        if let Some(Node::Number(digits)) = node.get(name) {
            total.add(digits);
        }
    }
    Ok(())
}

fn printed((mut row, totals): (Node<'static>, [Total; 3])) -> Json {
    if let Node::Object(members) = &mut row {
        members.retain(|member| !member.name.is(model::log::COUNTED_FROM));
        for member in members {
            if let Some(at) = TOTALS.iter().position(|name| member.name.is(name)) {
                member.value = Node::Number(totals[at].to_string().into());
            }
        }
    }
    Json::of(&row)
}

/// A sum of decimal numbers, with all of their digits.
#[derive(Debug, Clone, Copy, Default)]
struct Total {
    /// In units of the last place.
    units: i128,
    places: u32,
}

impl Total {
    fn add(&mut self, digits: &str) {
        let Some((units, places)) = decimal(digits) else { return };
        let both = self.places.max(places);
        let scaled = |units: i128, places: u32| units.saturating_mul(10_i128.pow(both - places));
        self.units = scaled(self.units, self.places).saturating_add(scaled(units, places));
        self.places = both;
    }
}

impl std::fmt::Display for Total {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let places = self.places as usize;
        let sign = if self.units < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.units.unsigned_abs(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let point = if places > 0 { "." } else { "" };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

/// A number as units of its last decimal place, of which 18 are kept.
fn decimal(digits: &str) -> Option<(i128, u32)> {
    if digits.contains(['e', 'E']) {
        let value: f64 = digits.parse().ok()?;
        return decimal(&format!("{value}")).filter(|_| value.abs() < 1e18);
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = &fraction[..fraction.len().min(18)];
    Some((format!("{whole}{fraction}").parse().ok()?, fraction.len() as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_keep_every_digit() {
        let sum = |numbers: &[&str]| {
            let mut total = Total::default();
            for number in numbers {
                total.add(number);
            }
            total.to_string()
        };
        assert_eq!(sum(&[]), "0");
        assert_eq!(sum(&["12", "-13"]), "-1");
        assert_eq!(sum(&["0.1", "0.2"]), "0.3");
        assert_eq!(sum(&["12.83", "0.170"]), "13.000");
        assert_eq!(sum(&["-0.05"]), "-0.05");
        assert_eq!(sum(&["1e2", "0.5"]), "100.5");
    }
}
