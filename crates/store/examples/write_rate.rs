//! Writes simulated records into a new store, and tells how fast and how many bytes they take.
//!
//! `cargo run --package store --example write_rate -- FILE [RECORDS]`
#![allow(clippy::print_stdout, reason = "the figures are its output")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use model::{TenantId, shred};
use odata::primitive::DateTimeOffset;
use simulator::{Calls, Mix, Options};
use store::{Role, Store};

/// Records that are given to the store at once.
const BATCH: usize = 500;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = PathBuf::from(arguments.next().context("which file?")?);
    ensure!(!path.exists(), "{} exists already", path.display());
    let calls = arguments.next().map_or(Ok(20_000), |count| count.parse())?;
    let tenant = "dc368399-474c-4d40-900c-6265431fd81f";
    let mut simulated = Calls::new(Options {
        seed: 1,
        calls,
        mix: Mix::Bench,
        from: DateTimeOffset::parse("2025-01-01").context("a date")?,
        to: DateTimeOffset::parse("2025-07-01").context("a date")?,
        tenant: tenant.to_owned(),
    });
    let tenant = TenantId::parse(tenant).context("a tenant")?;
    let store = Store::open(&store::Options::new(&path, Role::Tool))?;
    let mut codec = store.codec();
    let (mut shredding, mut writing) = (Duration::ZERO, Duration::ZERO);
    let mut words = 0;
    let (mut records, mut is_done) = (0_u32, false);
    let mut line = Vec::new();
    while !is_done {
        let mut batch = Vec::with_capacity(BATCH);
        while batch.len() < BATCH && !is_done {
            line.clear();
            is_done = !simulated.write_next(&mut line);
            if !is_done {
                let begun = Instant::now();
                batch.push(shred(std::str::from_utf8(&line)?, &mut codec)?);
                shredding += begun.elapsed();
                words += batch.last().map_or(0, |record| record.rows.words.split(' ').count());
            }
        }
        records += u32::try_from(batch.len())?;
        let begun = Instant::now();
        store.write(&tenant, batch).wait()?;
        writing += begun.elapsed();
    }
    let each = |time: Duration| time / records.max(1);
    println!(
        "{records} records: {:?} to shred, {:?} to write each",
        each(shredding),
        each(writing)
    );
    println!("{} words each", words / records.max(1) as usize);
    let diagnosis = store.doctor()?;
    ensure!(diagnosis.problems.is_empty(), "{:?}", diagnosis.problems);
    for table in diagnosis.tables {
        println!("{:>8} bytes a record: {}", table.bytes / u64::from(records.max(1)), table.name);
    }
    Ok(())
}
