//! What the size of a store costs: one kind of read, on stores of several sizes.

use anyhow::Result;

use super::reads::micros;
use super::table::{Range, Reference, Row};
use super::wrk::{Draw, Load, Requests};
use super::{Bench, data, gauge, serve};
use crate::paths::CALL_RECORDS;

/// Records of the stores beside that of the run.
const SIZES: [usize; 2] = [10_000, 100_000];
const CONNECTIONS: usize = 32;

/// GET by id of records drawn evenly, by turns from all stores.
pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let most = bench.settings.records;
    let smaller = SIZES.into_iter().filter(|size| *size < most);
    let sizes: Vec<usize> = smaller.chain([most]).collect();
    let mut micros_of = vec![Vec::new(); sizes.len()];
    for _ in 0..bench.settings.rounds {
        gauge::wait_until_quiet()?;
        for (size, micros_of) in sizes.iter().zip(&mut micros_of) {
            micros_of.push(once(bench, *size)?);
        }
    }
    let ranges: Vec<Range> = micros_of.into_iter().map(Range::of).collect();
    let name = format!("{} records", sizes[0]);
    let rows = sizes.iter().zip(&ranges).skip(1).map(|(size, ours)| Row {
        case: format!("GET by id, {size} records"),
        ours: *ours,
        reference: Some(Reference { name: name.clone(), range: ranges[0] }),
        aim: (*size == most).then_some(0.8),
        ..Row::of("sizes")
    });
    Ok(rows.collect())
}

fn once(bench: &Bench, size: usize) -> Result<f64> {
    let filled = data::filled(size, true)?;
    let server = serve(&filled.store)?;
    let token = filled.store.token("CallRecords.Read.All")?;
    let requests = Requests {
        before: format!("GET {CALL_RECORDS}/"),
        parts: &filled.ids,
        behind: format!(" HTTP/1.1\nAuthorization: Bearer {token}"),
        draw: Draw::Uniform,
    };
    let script = bench.folder.join(format!("sizes-{size}.lua"));
    let load = Load::new(script, &server.url, &requests, CONNECTIONS)?;
    // Pages that were not read since the server started are read once.
    micros(&load, server.id(), bench.settings.seconds)?;
    let (micros, _) = micros(&load, server.id(), bench.settings.seconds)?;
    server.stop()?;
    Ok(micros)
}
