//! Whether a database calculates with the values of a record as our own evaluator does.
//!
//! A column has the ticks of an instant, and neither its zone nor what lies between two ticks; and engines
//! don't agree on what becomes of numbers that overflow. Nearly all records have no such values, and where
//! all have none, more can be left to SQL.

use odata::json::{Member, Node};
use odata::primitive::Duration;

/// Whole numbers that an `f64` holds, and ticks of 28 years.
const MOST_WHOLE: u64 = 1 << 53;
/// Of fractions, unless they are zero. The planner of the store relies on all three.
const LEAST_REAL: f64 = 1.0 / MOST_REAL;
const MOST_REAL: f64 = (1_u64 << 60) as f64;

/// The last year whose instants are no further from 1970 than the planner takes one to be, 2^60 ticks.
const LAST_YEAR: &str = "5000";

/// Whether all values are plain, those inside included.
pub(super) fn are_plain(members: &[Member<'_>]) -> bool {
    members.iter().all(|member| is_plain(&member.value))
}

fn is_plain(node: &Node<'_>) -> bool {
    match node {
        Node::Object(members) => are_plain(members),
        Node::Array(items) => items.iter().all(is_plain),
        Node::Number(digits) => is_plain_number(digits),
        Node::String(text) => is_plain_text(text.raw()),
        Node::Null | Node::Bool(_) => true,
    }
}

fn is_plain_number(digits: &str) -> bool {
    // Nearly all of them.
    if digits.len() <= 15 && !digits.contains(['e', 'E']) {
        return true;
    }
    if let Ok(number) = digits.parse::<i64>() {
        return number.unsigned_abs() <= MOST_WHOLE;
    }
    let size = digits.parse::<f64>().map_or(f64::NAN, f64::abs);
    size == 0.0 || (LEAST_REAL..=MOST_REAL).contains(&size)
}

/// Text of any other kind is plain. One that only looks like an instant does no harm.
fn is_plain_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes {
        [b'0'..=b'9', ..] if bytes.get(10).is_some_and(|at| matches!(at, b'T' | b't')) => {
            let local = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00"));
            local.is_some_and(|local| local.len() <= "2020-02-25T18:52:21.2169889".len())
                && text.get(..4).is_some_and(|year| year <= LAST_YEAR)
        }
        [b'P', ..] | [b'-' | b'+', b'P', ..] => match Duration::parse(text) {
            Some(length) => {
                let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
                length.0.unsigned_abs() <= MOST_WHOLE && fraction.len() <= "1234567S".len()
            }
            None => true,
        },
        b"INF" | b"-INF" => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: bool) {
        assert_eq!(is_plain(&Node::parse(json).unwrap()), expected, "{json}");
    }

    #[test]
    fn what_graph_sends_is_plain() {
        check(
            r#"{"at":"2020-02-25T18:52:21.2169889Z","to":"2020-02-25T18:52:21+00:00",
                "length":"PT0.0160001S","loss":0.01381693,"tiny":1E-05,"port":50005,
                "many":9007199254740992,"text":"P","no":null,"yes":true,"nan":"NaN","-":[-0.0]}"#,
            true,
        );
    }

    #[test]
    fn what_a_column_or_an_engine_has_not_exactly_is_not_plain() {
        for value in [
            "\"2020-02-25T20:52:21+02:00\"",
            "\"2020-02-25t18:52:21z\"",
            "\"2020-02-25T18:52:21.21698891Z\"",
            "\"9999-12-31T23:59:59Z\"",
            "\"P10675199D\"",
            "\"-PT0.00000001S\"",
            "9007199254740993",
            "-9223372036854775808",
            "1e300",
            "5e-324",
            "\"INF\"",
        ] {
            check(&format!(r#"{{"inside":[{{"it":{value}}}]}}"#), false);
        }
    }
}
