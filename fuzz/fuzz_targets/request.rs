//! A resource path with query options, `path?query`: read or refused, without a panic, and what was
//! read means the same when it is printed and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::generated;
use odata::error::Kind;
use odata::primitive::DateTimeOffset;
use odata::{Limits, parse_request, syntax};

/// The instant that `now()` stands for.
const NOW: DateTimeOffset = DateTimeOffset(17_000_000_000_000_000);

fuzz_target!(|text: &str| {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    std::hint::black_box(syntax::tree(query));
    for model in [&generated::V1_0, &generated::BETA] {
        let read =
            |path: &str, query: &str| parse_request(model, path, query, &Limits::default(), NOW);
        let (resource, mut query) = match read(path, query) {
            Ok(bound) => bound,
            Err(error) => {
                // What is shown to the sender must not panic either.
                std::hint::black_box(error.to_string());
                continue;
            }
        };
        query.skiptoken = None;
        match read(&resource.to_string(), &query.to_string()) {
            Ok(again) => assert_eq!(again, (resource, query)),
            // What an alias stood for is written out at each place.
            Err(error) => assert!(matches!(error.kind, Kind::TooMuch { .. }), "{error}"),
        }
    }
});
