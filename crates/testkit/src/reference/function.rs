//! The canonical functions (URL Conventions 5.1.1.5 to 5.1.1.9), and ours. One with a null argument, or an
//! argument of a type that it does not take, is null.

use odata::bound::Function;
use odata::primitive::DateTimeOffset;
use regex::Regex;

use super::value::{Value, equal, instant, midnight};

/// Picoseconds in a second.
const SECOND: i128 = 1_000_000_000_000;
/// Picoseconds in a tick.
const TICK: i128 = 100_000;

/// The result of a function.
pub(super) fn call(function: Function, arguments: &[Value]) -> Value {
    use Function::{Ceiling, Floor, Length, Round, ToLower, ToUpper, Trim};
    use Value::{Float, Int, List, Text};
    match (function, arguments) {
        (Function::MinDateTime, _) => limit("0001-01-01T00:00:00Z"),
        (Function::MaxDateTime, _) => limit("9999-12-31T23:59:59.9999999Z"),
        (function, [Text(a), Text(b)]) => of_texts(function, a, b),
        (function, [List(a), List(b)]) => of_lists(function, a, b),
        (Function::Substring, [of, rest @ ..]) => substring(of, rest),
        (Length, [Text(text)]) => Int(text.chars().count() as i64),
        (Length, [List(items)]) => Int(items.len() as i64),
        (ToLower, [Text(text)]) => Value::text(&text.to_lowercase()),
        (ToUpper, [Text(text)]) => Value::text(&text.to_uppercase()),
        (Trim, [Text(text)]) => Value::text(text.trim()),
        (Ceiling | Floor | Round, [Int(number)]) => Int(*number),
        (Ceiling, [Float(number)]) => Float(number.ceil()),
        (Floor, [Float(number)]) => Float(number.floor()),
        (Round, [Float(number)]) => Float(number.round()),
        (Function::TotalSeconds, [Value::Duration(length)]) => {
            // Whole ticks lose nothing.
            let unit = if length % TICK == 0 { TICK } else { 1 };
            Float((length / unit) as f64 / (SECOND / unit) as f64)
        }
        (Function::TotalOffsetMinutes, [Value::Instant { offset, .. }]) => Int(*offset),
        (Function::Date, [Value::Instant { at, offset }]) => {
            Value::Date(there(*at, *offset).div_euclid(midnight(1)) as i64)
        }
        (Function::Time, [Value::Instant { at, offset }]) => {
            Value::TimeOfDay(there(*at, *offset).rem_euclid(midnight(1)))
        }
        (Function::Bucket, [Value::Instant { at, .. }, Value::Duration(size)]) => {
            bucket(*at, *size, 0)
        }
        (
            Function::Bucket,
            [Value::Instant { at, .. }, Value::Duration(size), Value::Duration(ahead)],
        ) => bucket(*at, *size, *ahead),
        (Function::Ratio | Function::Wilson, [k, n]) => match (number(k), number(n)) {
            (Some(k), Some(n)) if function == Function::Ratio => ratio(k, n),
            (Some(k), Some(n)) => wilson(k, n),
            _ => Value::Null,
        },
        (function, [Value::Instant { at, offset }]) => {
            part(function, there(*at, *offset), true, true)
        }
        (function, [Value::Date(days)]) => part(function, midnight(*days), true, false),
        (function, [Value::TimeOfDay(time)]) => part(function, *time, false, true),
        _ => Value::Null,
    }
}

/// The bucket is where the clock there had last run through a whole number of sizes.
fn bucket(at: i128, size: i128, ahead: i128) -> Value {
    let clock = at + ahead;
    let mut since = clock % size;
    if since < 0 {
        since += size;
    }
    Value::Instant { at: at - since, offset: 0 }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

fn ratio(k: f64, n: f64) -> Value {
    if n == 0.0 { Value::Null } else { Value::Float(k / n) }
}

/// The least x that is no further than 1.96 standard deviations from k/n:
/// (n + z²)·x² - (2·k + z²)·x + k²/n = 0.
fn wilson(k: f64, n: f64) -> Value {
    let z2 = 1.96 * 1.96;
    match (k >= 0.0 && k <= n && n < f64::INFINITY, n > 0.0, k > 0.0) {
        (true, true, true) => {
            let (square, linear) = (n + z2, 2.0 * k + z2);
            let discriminant = linear * linear - 4.0 * square * k * k / n;
            Value::Float((linear - discriminant.sqrt()) / (2.0 * square))
        }
        (true, true, false) => Value::Float(0.0),
        _ => Value::Null,
    }
}

fn limit(text: &str) -> Value {
    instant(text).unwrap_or(Value::Null)
}

fn of_texts(function: Function, a: &str, b: &str) -> Value {
    match function {
        Function::Concat => Value::text(&format!("{a}{b}")),
        Function::Contains => Value::Bool(a.contains(b)),
        Function::StartsWith => Value::Bool(a.starts_with(b)),
        Function::EndsWith => Value::Bool(a.ends_with(b)),
        Function::IndexOf => {
            Value::Int(a.find(b).map_or(-1, |byte| a[..byte].chars().count() as i64))
        }
        Function::MatchesPattern => {
            Regex::new(b).map_or(Value::Null, |pattern| Value::Bool(pattern.is_match(a)))
        }
        _ => Value::Null,
    }
}

fn of_lists(function: Function, a: &[Value], b: &[Value]) -> Value {
    let is_at =
        |at: usize| a[at..].len() >= b.len() && a[at..].iter().zip(b).all(|(a, b)| equal(a, b));
    let first = (0..=a.len()).find(|at| is_at(*at));
    match function {
        Function::Concat => Value::list([a, b].concat()),
        Function::Contains => Value::Bool(first.is_some()),
        Function::StartsWith => Value::Bool(is_at(0)),
        Function::EndsWith => Value::Bool(a.len() >= b.len() && is_at(a.len() - b.len())),
        Function::IndexOf => Value::Int(first.map_or(-1, |at| at as i64)),
        Function::HasSubset => {
            let mut left = a.to_vec();
            Value::Bool(b.iter().all(|item| {
                let found = left.iter().position(|other| equal(other, item));
                found.map(|at| left.remove(at)).is_some()
            }))
        }
        Function::HasSubsequence => {
            let mut rest = a.iter();
            Value::Bool(b.iter().all(|item| rest.any(|other| equal(other, item))))
        }
        _ => Value::Null,
    }
}

/// `substring(of,start)` or `substring(of,start,length)`.
fn substring(of: &Value, rest: &[Value]) -> Value {
    let (start, length) = match rest {
        [Value::Int(start)] => (*start, i64::MAX),
        [Value::Int(start), Value::Int(length)] => (*start, *length),
        _ => return Value::Null,
    };
    let Ok(length) = usize::try_from(length) else { return Value::Null };
    let whole = match of {
        Value::Text(text) => text.chars().count(),
        of => of.items().len(),
    };
    // Counted from the end.
    let start = match usize::try_from(start) {
        Ok(start) => start,
        Err(_) => whole.saturating_sub(start.unsigned_abs() as usize),
    };
    match of {
        Value::Text(text) => {
            Value::text(&text.chars().skip(start).take(length).collect::<String>())
        }
        Value::List(items) => Value::list(items.iter().skip(start).take(length).cloned().collect()),
        _ => Value::Null,
    }
}

/// What the clock shows where an instant was written, as if it stood in UTC.
pub(super) fn there(at: i128, offset: i64) -> i128 {
    at + i128::from(offset) * 60 * SECOND
}

/// A part of an instant, of a day or of a time of day, in picoseconds.
fn part(function: Function, at: i128, has_day: bool, has_time: bool) -> Value {
    // As printed: [-]yyyy-MM-ddTHH:mm:ss[.fffffff]Z
    let text = DateTimeOffset((at.div_euclid(TICK)) as i64).to_string();
    let (day, time) = text.split_once('T').unwrap_or_default();
    let mut date_parts = day.rsplitn(3, '-');
    let (days, months, years) = (date_parts.next(), date_parts.next(), date_parts.next());
    let (found, is_known) = match function {
        Function::Year => (years, has_day),
        Function::Month => (months, has_day),
        Function::Day => (days, has_day),
        Function::Hour => (time.get(..2), has_time),
        Function::Minute => (time.get(3..5), has_time),
        Function::Second => (time.get(6..8), has_time),
        Function::FractionalSeconds if has_time => {
            let fraction = at.rem_euclid(SECOND);
            return Value::Float(fraction as f64 / SECOND as f64);
        }
        _ => (None, false),
    };
    let number = found.filter(|_| is_known).and_then(|text| text.parse().ok());
    number.map_or(Value::Null, Value::Int)
}
