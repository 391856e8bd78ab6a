//! Profiles of quality: nothing makes their reader panic, and each rule that was read prints an expression
//! that the language of queries reads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use odata::primitive::DateTimeOffset;
use odata::{Limits, parse_request};
use quality::{Figures, Profiles, classify, expression};

const ROWS: &str = "/communications/callRecords/callvault.streams()";

fuzz_target!(|text: &str| {
    let Ok(profiles) = Profiles::shipped().with_file(text) else { return };
    let limits = Limits { nodes: 100_000, url: 1 << 20, ..Limits::default() };
    for profile in profiles.iter().skip(4) {
        let outcome = classify(profile, Some("main-audio"), &Figures::default());
        let _ = (outcome.to_node(), profile.digest());
        for rule in &profile.rules {
            let query = format!("$compute={} as verdict", expression::rule(rule));
            let now = DateTimeOffset(0);
            parse_request(&model::generated::V1_0, ROWS, &query, &limits, now)
                .expect("a printed rule is an expression");
        }
    }
});
