//! `docs/benchmarks.md` with its chart, made of the rows that were measured.

use std::fs;
use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::table::{Row, markdown};
use super::{PARTS, gauge};

/// What each part measures, by its name.
const TITLES: [(&str, &str); PARTS.len()] = [
    ("reads", "Reads, against nginx serving the same bytes and header lines from files"),
    ("sizes", "The same read in larger stores"),
    ("tls", "The same reads with TLS on both sides"),
    ("writes", "Writes, durable when acknowledged"),
    ("notify", "Notifications, against a bare client that signs and sends the same bodies"),
    ("life", "Startup and memory"),
    ("queries", "In-process queries, against hand-written SQL on the same file"),
    ("columns", "Questions about all streams, against DuckDB with one thread on a Parquet file"),
    ("postgres", "PostgreSQL, against pgbench and COPY, everything on the same cores"),
    (
        "peers",
        "Against SAP CAP (OData on Node.js) with the same entities and 20,000 records on SQLite",
    ),
    ("profiles", "The quick profile of everyday builds, against the profile that is shipped"),
];

const HEAD: &str = "\
# Benchmarks

`cargo xtask bench` makes this page. It runs the server and its reference in turns, in several rounds, and shows the
median with the minimum and the maximum. A ratio above 1 means that Callvault is better. *CPU µs* is the processor time
of the whole server process per request; other load on the machine changes it less than it changes requests a second.
Absolute times depend on the machine, so compare the ratios.

The server has one core, and the load generator (wrk, 32 connections) has another. Every request carries a bearer token
of 1.5 KB, which the server checks (a shorter one for larger stores and against the peer). Records have 10 KB of JSON.
Unless stated otherwise, the store is SQLite, and each read requests a record drawn uniformly from all of them, so that
caches help little. The *why* links explain why a row misses its target, and [performance.md](performance.md) breaks
down the time of a request by stage.

Each part stays until it is measured again, so parts are of different days. This page was last written on: \
";

/// Writes both files into a folder.
pub(super) fn write(folder: &Path, rows: &[Row]) -> Result<()> {
    let mut text = format!("{HEAD}{}.\n\n", gauge::machine()?);
    text.push_str("![Ratios to the references](benchmarks.svg)\n");
    for (part, title) in TITLES {
        let of_part: Vec<&Row> = rows.iter().filter(|row| row.part == part).collect();
        if !of_part.is_empty() {
            text.extend(["\n## ", title, "\n\n"]);
            text.push_str(&markdown(of_part.into_iter()));
        }
    }
    text.push_str(
        "\nThe same figures in machine-readable form: [benchmarks.tsv](benchmarks.tsv).\n",
    );
    fs::write(folder.join("benchmarks.md"), text)?;
    let is_shown = |row: &&Row| {
        row.part == "reads" && row.reference.as_ref().is_some_and(|other| other.name == "nginx")
    };
    let chart = chart(&rows.iter().filter(is_shown).collect::<Vec<_>>())?;
    fs::write(folder.join("benchmarks.svg"), chart)?;
    Ok(())
}

/// Bars of the ratios, with a line where the reference is.
fn chart(rows: &[&Row]) -> Result<String> {
    const BAR: i32 = 22;
    const LEFT: i32 = 330;
    const UNIT: f64 = 400.0;
    let mut svg = String::new();
    let height = BAR * (rows.len() as i32 + 2);
    let area = SVGBackend::with_string(&mut svg, (900, height as u32)).into_drawing_area();
    let failed = |error: DrawingAreaErrorKind<_>| anyhow!("no chart: {error:?}");
    let text = |size: f64| ("sans-serif", size).into_font();
    area.fill(&WHITE).map_err(failed)?;
    for (place, row) in rows.iter().enumerate() {
        let Some(ratio) = row.ratio() else { continue };
        let top = BAR * (place as i32 + 1);
        let end = LEFT + (ratio.min(1.3) * UNIT) as i32;
        let color = match row.meets_its_aim() {
            Some(true) => RGBColor(46, 125, 50),
            Some(false) => RGBColor(178, 119, 16),
            None => RGBColor(96, 110, 125),
        };
        let label = Text::new(row.case.clone(), (8, top + 4), text(13.0));
        area.draw(&label).map_err(failed)?;
        let bar = Rectangle::new([(LEFT, top + 2), (end, top + BAR - 4)], color.filled());
        area.draw(&bar).map_err(failed)?;
        let figure = Text::new(format!("{ratio:.2}"), (end + 6, top + 4), text(13.0));
        area.draw(&figure).map_err(failed)?;
    }
    let line = LEFT + UNIT as i32;
    let of_reference = PathElement::new(vec![(line, BAR), (line, height - BAR)], BLACK);
    area.draw(&of_reference).map_err(failed)?;
    let label = Text::new("nginx = 1", (line - 26, 6), text(13.0));
    area.draw(&label).map_err(failed)?;
    area.present().map_err(failed)?;
    drop(area);
    Ok(svg)
}
