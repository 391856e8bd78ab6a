//! The canonical functions (URL Conventions 5.1.1.5 to 5.1.1.12) and ours: null for null and for
//! arguments of another type.

use std::borrow::Cow;

use super::share::{ratio, wilson};
use super::time::{MAX_INSTANT, MIN_INSTANT, civil, day_of, time_in_day};
use super::{Meter, Value, collection, pattern, text};
use crate::bound::Function;
use crate::primitive::{Fine, Moment, TICKS_PER_SECOND};

/// The result of a function without arguments.
pub(super) fn of_none(function: Function) -> Value<'static> {
    match function {
        Function::MinDateTime => Value::Instant(Moment::utc(MIN_INSTANT)),
        Function::MaxDateTime => Value::Instant(Moment::utc(MAX_INSTANT)),
        _ => Value::Null,
    }
}

/// The result of a function with one argument.
pub(super) fn of_one<'a>(function: Function, operand: Value<'a>, meter: &Meter) -> Value<'a> {
    if !is_affordable(function, &[&operand], meter) {
        return Value::Null;
    }
    of_operand(function, operand).unwrap_or(Value::Null)
}

/// The result of a function with two arguments.
pub(super) fn of_two<'a>(
    function: Function,
    left: Value<'a>,
    right: Value<'a>,
    meter: &Meter,
) -> Value<'a> {
    if !is_affordable(function, &[&left, &right], meter) {
        return Value::Null;
    }
    of_operands(function, left, right, meter).unwrap_or(Value::Null)
}

/// `callvault.bucket`: the last instant not behind `at` that is a whole number of sizes from 1970, both
/// as a clock shows them that is ahead of UTC by the offset.
pub(super) fn bucket(at: &Value<'_>, size: &Value<'_>, offset: &Value<'_>) -> Value<'static> {
    let (Value::Instant(at), Value::Duration(size), Value::Duration(offset)) = (at, size, offset)
    else {
        return Value::Null;
    };
    let (size, offset) = (size.picoseconds(), offset.picoseconds());
    if size <= 0 {
        return Value::Null;
    }
    let start = (at.at.picoseconds() + offset).div_euclid(size) * size - offset;
    let at = Fine::from_picoseconds(start);
    at.map_or(Value::Null, |at| Value::Instant(Moment { at, ..Moment::utc(0) }))
}

/// `substring` with a length.
pub(super) fn slice<'a>(operand: Value<'a>, start: i64, count: i64, meter: &Meter) -> Value<'a> {
    if !is_affordable(Function::Substring, &[&operand], meter) {
        return Value::Null;
    }
    substring(operand, start, Some(count)).unwrap_or(Value::Null)
}

/// Whether there are steps to go through the operands, and memory for what is made of them.
fn is_affordable(function: Function, operands: &[&Value<'_>], meter: &Meter) -> bool {
    let weight = operands.iter().map(|operand| operand.weight()).sum::<usize>();
    match function {
        Function::Concat
        | Function::ToLower
        | Function::ToUpper
        | Function::Trim
        | Function::Substring => meter.make(weight),
        // The pattern is not a constant, and is compiled each time.
        Function::MatchesPattern => {
            meter.take_steps(STEPS_OF_A_PATTERN)
                && meter.read(weight.saturating_mul(pattern::COST_OF_A_BYTE))
        }
        _ => meter.read(weight),
    }
}

/// What compiling a pattern is worth.
const STEPS_OF_A_PATTERN: u64 = 2_048;

fn of_operand(function: Function, operand: Value<'_>) -> Option<Value<'_>> {
    match operand {
        Value::Text(text) => of_text(function, text),
        Value::List(items) if function == Function::Length => Some(Value::Int(items.len() as i64)),
        Value::Int(value) => match function {
            Function::Ceiling | Function::Floor | Function::Round => Some(Value::Int(value)),
            _ => None,
        },
        Value::Double(value) => match function {
            Function::Ceiling => Some(Value::Double(value.ceil())),
            Function::Floor => Some(Value::Double(value.floor())),
            Function::Round => Some(Value::Double(value.round())),
            _ => None,
        },
        Value::Decimal(value) => of_operand(function, Value::Double(value.near)),
        Value::Duration(length) if function == Function::TotalSeconds => {
            Some(Value::Double(length.seconds()))
        }
        Value::Date(day) => of_day(function, day),
        Value::TimeOfDay(time) => of_time(function, time),
        Value::Instant(moment) if function == Function::TotalOffsetMinutes => {
            Some(Value::Int(moment.offset.into()))
        }
        // The day and the time of day are those of the zone that it is written with (5.1.1.9).
        Value::Instant(moment) => {
            let local = moment.local();
            of_day(function, day_of(local.ticks)).or_else(|| of_time(function, time_in_day(local)))
        }
        _ => None,
    }
}

fn of_text(function: Function, text: Cow<'_, str>) -> Option<Value<'_>> {
    match function {
        Function::Length => Some(Value::Int(text::length(&text))),
        Function::ToLower => Some(Value::Text(text::to_lower(text))),
        Function::ToUpper => Some(Value::Text(text::to_upper(text))),
        Function::Trim => Some(Value::Text(text::trim(text))),
        _ => None,
    }
}

fn of_day(function: Function, day: i64) -> Option<Value<'static>> {
    let (year, month, day_of_month) = civil(day);
    match function {
        Function::Year => Some(Value::Int(year)),
        Function::Month => Some(Value::Int(month)),
        Function::Day => Some(Value::Int(day_of_month)),
        Function::Date => Some(Value::Date(day)),
        _ => None,
    }
}

fn of_time(function: Function, time: Fine) -> Option<Value<'static>> {
    let seconds = time.ticks / TICKS_PER_SECOND;
    match function {
        Function::Hour => Some(Value::Int(seconds / 3600)),
        Function::Minute => Some(Value::Int(seconds / 60 % 60)),
        Function::Second => Some(Value::Int(seconds % 60)),
        Function::FractionalSeconds => {
            let fraction = Fine { ticks: time.ticks % TICKS_PER_SECOND, ..time };
            Some(Value::Double(fraction.seconds()))
        }
        Function::Time => Some(Value::TimeOfDay(time)),
        _ => None,
    }
}

fn of_operands<'a>(
    function: Function,
    left: Value<'a>,
    right: Value<'a>,
    meter: &Meter,
) -> Option<Value<'a>> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => of_texts(function, left, right),
        (Value::List(left), Value::List(right)) => of_lists(function, left, &right, meter),
        (operand, Value::Int(start)) if function == Function::Substring => {
            substring(operand, start, None)
        }
        (at @ Value::Instant(_), size @ Value::Duration(_)) if function == Function::Bucket => {
            Some(bucket(&at, &size, &Value::Duration(Fine::default())))
        }
        (k, n) => {
            let share = match function {
                Function::Ratio => ratio,
                Function::Wilson => wilson,
                _ => return None,
            };
            share(k.as_f64()?, n.as_f64()?).map(Value::Double)
        }
    }
}

fn of_texts<'a>(function: Function, left: Cow<'a, str>, right: Cow<'a, str>) -> Option<Value<'a>> {
    Some(match function {
        Function::Concat => Value::Text(left + right),
        Function::Contains => Value::Bool(left.contains(&*right)),
        Function::StartsWith => Value::Bool(left.starts_with(&*right)),
        Function::EndsWith => Value::Bool(left.ends_with(&*right)),
        Function::IndexOf => Value::Int(text::index_of(&left, &right)),
        Function::MatchesPattern => Value::Bool(pattern::matches(&left, &right)?),
        _ => return None,
    })
}

fn of_lists<'a>(
    function: Function,
    mut left: Vec<Value<'a>>,
    right: &[Value<'a>],
    meter: &Meter,
) -> Option<Value<'a>> {
    Some(match function {
        Function::Concat => {
            left.extend_from_slice(right);
            Value::List(left)
        }
        Function::Contains => Value::Bool(collection::index_of(&left, right, meter).is_some()),
        Function::StartsWith => Value::Bool(collection::starts_with(&left, right, meter)),
        Function::EndsWith => Value::Bool(collection::ends_with(&left, right, meter)),
        Function::IndexOf => {
            Value::Int(collection::index_of(&left, right, meter).map_or(-1, |at| at as i64))
        }
        Function::HasSubset => Value::Bool(collection::has_subset(&left, right, meter)),
        Function::HasSubsequence => Value::Bool(collection::has_subsequence(&left, right, meter)),
        _ => return None,
    })
}

fn substring(operand: Value<'_>, start: i64, count: Option<i64>) -> Option<Value<'_>> {
    match operand {
        Value::Text(text) => text::substring(text, start, count).map(Value::Text),
        Value::List(items) => collection::slice(items, start, count).map(Value::List),
        _ => None,
    }
}
