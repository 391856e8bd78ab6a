//! A resource path with query options, `path?query`: read or refused, without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::generated;
use odata::primitive::DateTimeOffset;
use odata::{Limits, parse_request};

/// The instant that `now()` stands for.
const NOW: DateTimeOffset = DateTimeOffset(17_000_000_000_000_000);

fuzz_target!(|text: &str| {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    for model in [&generated::V1_0, &generated::BETA] {
        if let Err(error) = parse_request(model, path, query, &Limits::default(), NOW) {
            // What is shown to the sender must not panic either.
            std::hint::black_box(error.to_string());
        }
    }
});
