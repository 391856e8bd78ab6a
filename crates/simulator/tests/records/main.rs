//! The records and rows of logs that the simulator makes: their shape, their relations, their
//! shares.

mod determinism;
mod logs;
mod ordered;
mod planted;
mod relations;
mod shape;
mod shares;

use odata::primitive::DateTimeOffset;
use serde_json::Value;
use simulator::{Mix, Options};

/// June 2025, tenant of contoso.
fn options(mix: Mix, calls: u64) -> Options {
    Options {
        seed: 42,
        calls,
        mix,
        from: instant("2025-06-01"),
        to: instant("2025-07-01"),
        tenant: "dc368399-474c-4d40-900c-6265431fd81f".to_owned(),
    }
}

fn instant(text: &str) -> DateTimeOffset {
    DateTimeOffset::parse(text).unwrap_or_else(|| panic!("not an instant: {text}"))
}

/// The items of an array member.
fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("no array {name} in {value}"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no text {name} in {value}"))
}

fn time(value: &Value, name: &str) -> DateTimeOffset {
    instant(text(value, name))
}

/// Every media of a session.
fn media(session: &Value) -> impl Iterator<Item = &Value> {
    items(session, "segments").iter().flat_map(|segment| items(segment, "media"))
}
