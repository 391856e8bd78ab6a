//! A resource path with query options, `path?query`: read without a panic, or refused with a place
//! that lies inside the text it names.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::generated;
use odata::{Limits, parse_request};

fuzz_target!(|text: &str| {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    for model in [&generated::V1_0, &generated::BETA] {
        let outcome = parse_request(model, path, query, &Limits::default());
        // What is shown to the sender must not panic either.
        std::hint::black_box(format!("{outcome:?}"));
        if let Err(error) = outcome {
            std::hint::black_box(error.to_string());
        }
    }
});
