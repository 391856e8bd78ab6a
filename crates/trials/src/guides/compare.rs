//! Whether what was printed is what a guide shows.
//!
//! These differ on each run, and are taken for equal: ids (GUIDs), instants, tokens, and the address of the
//! server. `…` in a guide stands for any text. JSON is compared as values, all else line by line. Everything
//! else must be equal.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

static VOLATILE: LazyLock<[(Regex, &str); 4]> = LazyLock::new(|| {
    let expression = |text| Regex::new(text).expect("the expressions are sound");
    [
        (
            expression(r"https?://(127\.0\.0\.1|localhost):\d+|https://calls\.contoso\.com"),
            "<server>",
        ),
        (expression(r"(?i)\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<id>"),
        (expression(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<instant>"),
        (expression(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+"), "<token>"),
    ]
});

/// What is wrong with what was printed, if anything is.
pub(super) fn difference(shown: &str, printed: &str) -> Option<String> {
    if let (Some(shown), Some(printed)) = (json(shown), json(printed)) {
        return difference_of_values(&Value::Array(shown), &Value::Array(printed), "");
    }
    let (shown, printed) = (lines(shown), lines(printed));
    if shown.len() != printed.len() {
        return Some(format!(
            "{} lines are shown, and {} printed:\n{}",
            shown.len(),
            printed.len(),
            printed.join("\n")
        ));
    }
    let mut pairs = shown.iter().zip(&printed);
    let (shown, printed) = pairs.find(|(shown, printed)| !is_like(shown, printed))?;
    Some(format!("shown:   {shown}\nprinted: {printed}"))
}

/// One or more JSON values.
fn json(text: &str) -> Option<Vec<Value>> {
    let values = serde_json::Deserializer::from_str(text).into_iter();
    values.collect::<Result<Vec<Value>, _>>().ok().filter(|values| !values.is_empty())
}

fn difference_of_values(shown: &Value, printed: &Value, place: &str) -> Option<String> {
    match (shown, printed) {
        (Value::Object(shown), Value::Object(printed)) => {
            let names = |object: &serde_json::Map<String, Value>| {
                object.keys().cloned().collect::<Vec<_>>().join(", ")
            };
            if !shown.keys().all(|name| printed.contains_key(name)) || shown.len() != printed.len()
            {
                return Some(format!(
                    "{place}: shown {}; printed {}",
                    names(shown),
                    names(printed)
                ));
            }
            let mut members = shown.iter();
            members.find_map(|(name, value)| {
                difference_of_values(value, printed.get(name)?, &format!("{place}/{name}"))
            })
        }
        (Value::Array(shown), Value::Array(printed)) => {
            if shown.len() != printed.len() {
                return Some(format!(
                    "{place}: {} items shown, {} printed",
                    shown.len(),
                    printed.len()
                ));
            }
            let mut pairs = shown.iter().zip(printed).enumerate();
            pairs.find_map(|(at, (shown, printed))| {
                difference_of_values(shown, printed, &format!("{place}/{at}"))
            })
        }
        (Value::String(shown), Value::String(printed)) if is_like(shown, printed) => None,
        _ if shown == printed => None,
        _ => Some(format!("{place}: shown {shown}, printed {printed}")),
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect()
}

/// Whether a text is the one that is shown, but for what differs on each run.
fn is_like(shown: &str, printed: &str) -> bool {
    let (shown, printed) = (settled(shown), settled(printed));
    let parts: Vec<&str> = shown.split('…').collect();
    let [first, middle @ .., last] = &parts[..] else { return shown == printed };
    let rest = printed.strip_prefix(first).and_then(|rest| rest.strip_suffix(last));
    rest.and_then(|rest| middle.iter().try_fold(rest, |rest, part| Some(rest.split_once(part)?.1)))
        .is_some()
}

/// A text with names for what differs on each run.
fn settled(text: &str) -> String {
    VOLATILE.iter().fold(text.to_owned(), |text, (expression, name)| {
        expression.replace_all(&text, *name).into_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [&str; 2] =
        ["9c4984c7-6c3c-427d-a30c-bd0b2eacee90", "0b2eacee-6c3c-427d-a30c-9c4984c79c49"];

    #[test]
    fn only_what_differs_on_each_run_may_differ() {
        let line = |id: &str, port: &str, status: &str| {
            format!(
                "{{\"id\":\"{id}\",\"link\":\"http://127.0.0.1:{port}/a\",\"status\":\"{status}\"}}\n"
            )
        };
        let shown = line(ID[0], "8080", "created");
        assert_eq!(difference(&shown, &line(ID[1], "4711", "created")), None);
        let changed = difference(&shown, &line(ID[0], "8080", "merged")).expect("a difference");
        assert!(changed.contains("/0/status") && changed.contains("merged"), "{changed}");
        assert!(difference(&shown, &shown.replace("link", "href")).is_some());
        assert!(difference(&shown, &format!("{shown}{shown}")).is_some());
        assert!(difference("[1, 2]", "[1, 3]").is_some());
    }

    #[test]
    fn an_ellipsis_stands_for_any_text() {
        assert_eq!(difference("secret  …  (once)\nat …", "secret  xyz  (once)\nat noon"), None);
        assert!(difference("secret  …  (once)", "secret  xyz  (twice)").is_some());
        assert!(difference("a … b … c", "a 1 c").is_some());
    }
}
