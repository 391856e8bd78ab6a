//! Questions about stores of several sizes, each against SQL written by hand on the same file.

use std::process::Command;

use anyhow::{Context, Result};

use super::table::{Range, Reference, Row, Unit};
use super::{Bench, MEASURED, data, pinned};
use xtask::process;
use xtask::repository::{SHIPPED, root, target};

/// Records of each store, spread over a year.
const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
/// The first day of the week and the month that are asked for.
const ASKED: &str = "2026-09-15T00:00:00Z";

/// Fills the stores and asks them; those that are larger than the store of the run are left out.
pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let example = ["build", "--profile", SHIPPED, "-p", "store", "--example", "queries"];
    process::run(Command::new("cargo").args(example).current_dir(root()))?;
    let mut rows = Vec::new();
    for size in SIZES.into_iter().filter(|size| *size <= bench.settings.records) {
        let filled = data::filled(size, true)?;
        let mut ask = Command::new(target().join(SHIPPED).join("examples/queries"));
        ask.arg(filled.store.data().join("callvault.db")).arg(ASKED);
        let said = process::output(&mut pinned(MEASURED, &ask))?;
        rows.extend(said.lines().map(row).collect::<Result<Vec<_>>>()?);
    }
    Ok(rows)
}

/// Reads `records name ours µs  SQL theirs µs  ratio …`.
fn row(line: &str) -> Result<Row> {
    let read = || {
        let (records, rest) = line.trim().split_once(' ')?;
        let (ours, rest) = rest.rsplit_once(" µs  SQL")?;
        let (name, ours) = ours.trim().rsplit_once(' ')?;
        let theirs = rest.split_once("µs")?.0;
        let millis = |text: &str| Some(text.trim().parse::<f64>().ok()? / 1e3);
        let only = |value: f64| Range { median: value, least: value, most: value };
        Some(Row {
            case: format!("{}, {records} records", name.trim()),
            unit: Unit::Millis,
            ours: only(millis(ours)?),
            reference: Some(Reference { name: "SQL".to_owned(), range: only(millis(theirs)?) }),
            ..Row::of("queries")
        })
    };
    read().with_context(|| format!("not a line of figures: {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_figures_are_read() {
        let line =
            "   10000 first page of a week               120 µs  SQL         80 µs  ratio 1.50";
        let row = row(line).unwrap();
        assert_eq!(row.case, "first page of a week, 10000 records");
        assert!((row.ratio().unwrap() - 80.0 / 120.0).abs() < 1e-9);
        assert!(super::row("nothing").is_err());
    }
}
