//! JSON compared leaf by leaf.

use serde_json::Value;

/// Where `part` says something that `all` does not say, or says otherwise: one line for each leaf.
/// Numbers are compared by their text, arrays by position and length. `skip` leaves members out.
pub fn missing(all: &Value, part: &Value, skip: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    compare(all, part, skip, "", &mut found);
    found
}

fn compare(
    all: &Value,
    part: &Value,
    skip: &dyn Fn(&str) -> bool,
    at: &str,
    found: &mut Vec<String>,
) {
    match (all, part) {
        (Value::Object(all), Value::Object(part)) => {
            for (name, value) in part.iter().filter(|(name, _)| !skip(name)) {
                match all.get(name) {
                    Some(other) => compare(other, value, skip, &format!("{at}/{name}"), found),
                    None => found.push(format!("{at}/{name} is missing")),
                }
            }
        }
        (Value::Array(all), Value::Array(part)) => {
            if all.len() != part.len() {
                found.push(format!("{at} has {} items, not {}", all.len(), part.len()));
            }
            for (index, (other, value)) in all.iter().zip(part).enumerate() {
                compare(other, value, skip, &format!("{at}/{index}"), found);
            }
        }
        (all, part) if all == part => {}
        (all, part) => found.push(format!("{at} is {all}, not {part}")),
    }
}

/// The additions of `all` to `part` that state something: neither null, nor empty, nor the
/// stand-in of an enumeration.
pub fn additions(all: &Value, part: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect_additions(all, part, "", &mut found);
    found
}

fn collect_additions(all: &Value, part: &Value, at: &str, found: &mut Vec<String>) {
    match (all, part) {
        (Value::Object(all), Value::Object(part)) => {
            for (name, value) in all {
                let at = format!("{at}/{name}");
                match part.get(name) {
                    Some(other) => collect_additions(value, other, &at, found),
                    None if states_nothing(value) => {}
                    None => found.push(at),
                }
            }
        }
        (Value::Array(all), Value::Array(part)) => {
            for (index, (value, other)) in all.iter().zip(part).enumerate() {
                collect_additions(value, other, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn states_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::String(text) => matches!(text.as_str(), "unknown" | "notRated"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_difference_is_named() {
        let all = json!({"a": [1, {"b": null}], "c": "x"});
        assert!(missing(&all, &json!({"a": [1, {"b": null}]}), &|_| false).is_empty());
        let found = missing(&all, &json!({"a": [2, {"d": 1}], "e": 0}), &|_| false);
        assert_eq!(found, ["/a/0 is 1, not 2", "/a/1/d is missing", "/e is missing"]);
        assert!(missing(&all, &json!({"e": 0}), &|name| name == "e").is_empty());
    }

    #[test]
    fn additions_that_state_nothing_do_not_count() {
        let all = json!({"a": null, "b": [], "c": "unknown", "d": {"e": 1}});
        assert_eq!(additions(&all, &json!({})), ["/d"]);
    }
}
