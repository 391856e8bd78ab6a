//! Inputs that are made to be costly: refused or bound, with little stack, and none of them without end.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::{list, parse};
use crate::percent::encode_query;

/// Half of what a thread usually has, so that there is room for the reader's caller.
const STACK_BYTES: usize = 1 << 20;
/// Far longer than any takes, also on a machine that does other things: what is nested so that each
/// level doubles the work never ends. How long they take is judged where they are asked of a server.
const PATIENCE: Duration = Duration::from_mins(2);

/// Reads, prints, copies, compares and drops.
fn exercise(path: &str, query: &str) {
    match parse(path, query) {
        Ok((resource, bound)) => {
            let printed = bound.to_query_string() + &resource.to_string();
            assert!(bound.clone() == bound && !printed.is_empty() || query.is_empty());
            std::hint::black_box(format!("{bound:?}"));
        }
        Err(error) => {
            assert!(error.to_string().len() < 2000, "{}", error.to_string().len());
        }
    }
}

fn filters() -> Vec<String> {
    let nested = |open: &str, middle: &str, close: &str, times: usize| {
        format!("{}{middle}{}", open.repeat(times), close.repeat(times))
    };
    let mut out = Vec::new();
    for times in [15, 16, 30, 31, 32, 33, 60, 64, 65, 100, 199, 200, 1000] {
        out.extend([
            nested("(", "id eq 'x'", ")", times),
            nested("not ", "true", "", times),
            nested("not (", "true", ")", times),
            nested("-", "version", "", times) + " eq 1",
            nested("-(", "version", ")", times) + " eq 1",
            nested("tolower(", "id", ")", times) + " eq 'x'",
            nested("case(true:", "1", ")", times) + " eq 1",
            nested("[", "1", "]", times) + " eq 1",
            nested("{\"a\":", "1", "}", times) + " eq 1",
            nested("id in (", "1", ")", times),
            nested("sessions/any(s:", "true", ")", times),
            nested("sessions/$filter(", "true", ")", times) + "/$count eq 1",
            nested("sessions/$count($filter=", "true", ")", times),
            vec!["true"; times].join(" and "),
            vec!["true"; times].join(" or "),
            vec!["true"; times].join(" eq "),
            vec!["version"; times].join(" add ") + " eq 1",
            vec!["version"; times].join(" sub (") + &")".repeat(times - 1) + " eq 1",
            format!("organizer{} eq 1", "/x".repeat(times)),
            format!("id in ({})", vec!["1"; times].join(",")),
            format!("id in ({})", vec!["'ü'"; times].join(",")),
            format!("case({}) eq 1", vec!["true:1"; times].join(",")),
        ]);
    }
    for text in ["\u{10ffff}", "ü", "'", "\"", "\\", "(", "/", "$", "@", "-", "9", "e", "0.", "%"]
    {
        out.push(text.repeat(4000 / text.len()));
        out.push(format!("id eq '{}'", text.repeat(1000 / text.len())));
        out.push(format!("version eq 1{}", text.repeat(1000 / text.len())));
    }
    out
}

fn others() -> Vec<String> {
    let mut out = Vec::new();
    for times in [4, 5, 20, 31, 32, 64, 65, 200, 1000] {
        out.extend([
            format!("$search={}a{}", "(".repeat(times), ")".repeat(times)),
            format!("$search={}a", "NOT ".repeat(times)),
            format!("$search={}", vec!["a"; times].join(" ")),
            format!("$search={}", vec!["a"; times].join(" OR ")),
            format!("$search={}", vec!["NOT"; times].join(" ")),
            format!("$select={}", vec!["id"; times].join(",")),
            format!("$select=organizer{}", "/x".repeat(times)),
            format!("$expand={}", vec!["*"; times].join(",")),
            format!("$expand={}*{}", "sessions($expand=".repeat(times), ")".repeat(times)),
            format!("$orderby={}", vec!["id"; times].join(",")),
            format!("$compute={}", vec!["1 as a"; times].join(",")),
            format!("$apply={}", vec!["identity"; times].join("/")),
            format!("$apply={}identity{}", "concat(identity,".repeat(times), ")".repeat(times)),
            format!("$apply={}identity{}", "groupby((id),".repeat(times), ")".repeat(times)),
            format!("$apply=aggregate({})", vec!["$count as a"; times].join(",")),
            format!(
                "$filter=@a0&{}&@a{times}=true",
                (0..times)
                    .map(|n| format!("@a{n}=not (@a{})", n + 1))
                    .collect::<Vec<_>>()
                    .join("&")
            ),
            format!(
                "$filter=@a0&{}&@a{times}=true",
                (0..times)
                    .map(|n| format!("@a{n}=@a{0} and @a{0}", n + 1))
                    .collect::<Vec<_>>()
                    .join("&")
            ),
        ]);
    }
    out.push("$filter=@a&@a=@a".to_owned());
    out.push("$filter=@a&@a=not (@b)&@b=not (@a)".to_owned());
    out
}

/// Paths and queries, all of them costly.
fn inputs() -> Vec<(String, String)> {
    const RECORDS: &str = "communications/callRecords";
    let mut out = Vec::new();
    let mut with = |path: &str, query: String| out.push((path.to_owned(), query));
    for filter in filters() {
        let encoded = encode_query(&filter);
        with(RECORDS, format!("$filter={encoded}"));
        with(&format!("{RECORDS}/$filter({filter})/$count"), String::new());
        with(RECORDS, format!("$expand=sessions($filter={encoded})"));
        with(RECORDS, format!("$apply=filter({encoded})"));
    }
    for query in others() {
        with(RECORDS, query);
    }
    for segment in ["x/", "%2f/", "(/", "('x')", "$count/", "$filter(", "sessions/", "ü/"] {
        with(&format!("{RECORDS}/{}", segment.repeat(8000 / segment.len())), String::new());
    }
    out
}

#[test]
fn costly_inputs_need_little_stack_and_come_to_an_end() {
    let inputs = inputs();
    let (done, progress) = mpsc::channel();
    let work = {
        let inputs = inputs.clone();
        move || {
            for (path, query) in &inputs {
                exercise(path, query);
                done.send(()).unwrap();
            }
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).unwrap();
    for (path, query) in &inputs {
        let ended = progress.recv_timeout(PATIENCE);
        assert_ne!(ended, Err(RecvTimeoutError::Timeout), "this does not end: {path}?{query}");
    }
    thread.join().unwrap();
}

#[test]
fn what_is_within_the_limits_is_bound() {
    for filter in [
        format!("{}true{}", "(".repeat(31), ")".repeat(31)),
        vec!["true"; 100].join(" and "),
        vec!["version"; 60].join(" add ") + " eq 1",
        "sessions/any(a:sessions/any(b:sessions/any(c:sessions/any(d:sessions/any(e:e/isTest)))))"
            .to_owned(),
    ] {
        let query = format!("$filter={}", encode_query(&filter));
        assert!(list(&query).is_ok(), "{filter}: {}", list(&query).unwrap_err());
    }
}
