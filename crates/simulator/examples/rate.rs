//! How fast records are made: `cargo run --release --example rate -- [bench|realistic] [calls]`.
#![allow(clippy::print_stdout, reason = "the figures are its output")]

use std::time::Instant;

use odata::primitive::DateTimeOffset;
use simulator::{Calls, Mix, Options};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mix = match arguments.first().map(String::as_str) {
        Some("realistic") => Mix::Realistic,
        _ => Mix::Bench,
    };
    let calls = arguments.get(1).and_then(|n| n.parse().ok()).unwrap_or(200_000);
    let options = Options {
        seed: 1,
        calls,
        mix,
        from: DateTimeOffset::parse("2025-06-01").expect("a date"),
        to: DateTimeOffset::parse("2025-07-01").expect("a date"),
        tenant: "dc368399-474c-4d40-900c-6265431fd81f".to_owned(),
    };
    let begun = Instant::now();
    let mut calls = Calls::new(options);
    let prepared = begun.elapsed();
    let begun = Instant::now();
    let (mut records, mut bytes) = (0_u64, 0_u64);
    let mut line = Vec::new();
    while calls.write_next(&mut line) {
        records += 1;
        bytes += line.len() as u64;
        line.clear();
    }
    let seconds = begun.elapsed().as_secs_f64();
    let (rate, volume) = (records as f64 / seconds, bytes as f64 / seconds / 1e6);
    let (mean, each) = (bytes / records.max(1), seconds / records as f64 * 1e6);
    println!("{mix:?}: {records} records of {mean} bytes in {seconds:.2} s (after {prepared:.1?})");
    println!("{rate:.0} records/s, {volume:.0} MB/s, {each:.2} us a record");
}
