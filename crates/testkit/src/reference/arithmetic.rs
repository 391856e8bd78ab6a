//! Arithmetic on numbers, durations, instants and days. With null the result is null; what overflows,
//! and a whole number or a duration divided by zero, has none, which fails the query.

use std::cell::Cell;

use super::value::{Value, midnight};
use odata::bound::Arithmetic;

/// Picoseconds in a tick.
pub(super) const TICK: i128 = 100_000;

thread_local! {
    /// Whether a calculation had no result since [`took_fault`] was asked last.
    static HAD_FAULT: Cell<bool> = const { Cell::new(false) };
}

/// Whether a calculation of this thread had no result since this was asked last.
pub fn took_fault() -> bool {
    HAD_FAULT.replace(false)
}

/// The result of an operator.
pub(super) fn calculate(operator: Arithmetic, a: &Value, b: &Value) -> Value {
    use Arithmetic::{Add, Div, DivBy, Mod, Mul, Sub};
    use Value::{Date, Duration, Int};
    let instant =
        |at: i128, offset: &i64| ticks(at).map(|_| Value::Instant { at, offset: *offset });
    let day = |at: i128| ticks(at).map(|_| Date(at.div_euclid(midnight(1)) as i64));
    let length = |at: i128| ticks(at).map(|_| Duration(at));
    let result = match (operator, a, b) {
        (Add, Int(a), Int(b)) => a.checked_add(*b).map(Int),
        (Sub, Int(a), Int(b)) => a.checked_sub(*b).map(Int),
        (Mul, Int(a), Int(b)) => a.checked_mul(*b).map(Int),
        (Div, Int(a), Int(b)) => a.checked_div(*b).map(Int),
        (Mod, Int(i64::MIN), Int(-1)) => Some(Int(0)),
        (Mod, Int(a), Int(b)) => a.checked_rem(*b).map(Int),

        (Add, Duration(a), Duration(b)) => length(a + b),
        (Sub, Duration(a), Duration(b)) => length(a - b),
        (Add, Value::Instant { at, offset }, Duration(b))
        | (Add, Duration(b), Value::Instant { at, offset }) => instant(at + b, offset),
        (Sub, Value::Instant { at, offset }, Duration(b)) => instant(at - b, offset),
        (Sub, Value::Instant { at: a, .. }, Value::Instant { at: b, .. }) => length(a - b),
        (Sub, Value::Instant { at, .. }, Date(day)) => length(at - midnight(*day)),
        (Sub, Date(day), Value::Instant { at, .. }) => length(midnight(*day) - at),
        (Add, Date(a), Duration(b)) | (Add, Duration(b), Date(a)) => day(midnight(*a) + b),
        (Sub, Date(a), Duration(b)) => day(midnight(*a) - b),
        (Sub, Date(a), Date(b)) => length(midnight(a - b)),

        (Mul, Duration(a), Int(b)) | (Mul, Int(b), Duration(a)) => {
            a.checked_mul(i128::from(*b)).and_then(length)
        }
        (Mul, Duration(a), Value::Float(b)) | (Mul, Value::Float(b), Duration(a)) => {
            duration(a.div_euclid(TICK) as f64 * b)
        }
        (Div | DivBy, Duration(a), Int(b)) => divide(a.div_euclid(TICK), (*b).into()),
        (Div | DivBy, Duration(_), Value::Float(0.0)) => None,
        (Div | DivBy, Duration(a), Value::Float(b)) => duration(a.div_euclid(TICK) as f64 / b),

        (operator, a, b) => match (a.number(), b.number()) {
            (Some(a), Some(b)) => Some(Value::Float(of_floats(operator, a, b))),
            _ => return Value::Null,
        },
    };
    result.unwrap_or_else(fail)
}

fn of_floats(operator: Arithmetic, a: f64, b: f64) -> f64 {
    match operator {
        Arithmetic::Add => a + b,
        Arithmetic::Sub => a - b,
        Arithmetic::Mul => a * b,
        Arithmetic::Div | Arithmetic::DivBy => a / b,
        Arithmetic::Mod => a % b,
    }
}

/// Ticks from a number of them, rounded to the nearest.
pub(super) fn duration(ticks: f64) -> Option<Value> {
    let ticks = ticks.round();
    // The largest number below 2^63 that an f64 holds.
    let is_there = ticks.abs() <= 9_223_372_036_854_774_784.0;
    is_there.then(|| Value::Duration(ticks as i128 * TICK))
}

/// Rounded to the nearest tick, halves away from zero.
pub(super) fn divide(ticks: i128, by: i128) -> Option<Value> {
    if by == 0 {
        return None;
    }
    let quotient = (ticks.abs() * 2 + by.abs()) / (by.abs() * 2);
    let nearest = i64::try_from(quotient * ticks.signum() * by.signum()).ok()?;
    Some(Value::Duration(i128::from(nearest) * TICK))
}

/// The ticks of a time; none beyond those that 64 bits hold.
pub(super) fn ticks(at: i128) -> Option<i64> {
    i64::try_from(at.div_euclid(TICK)).ok()
}

/// Notes that a calculation had no result.
pub(super) fn fail() -> Value {
    HAD_FAULT.set(true);
    Value::Null
}

/// `-`
pub(super) fn negate(value: &Value) -> Value {
    let negated = match value {
        Value::Int(number) => number.checked_neg().map(Value::Int),
        Value::Float(number) => Some(Value::Float(-number)),
        Value::Duration(length) => ticks(-length).map(|_| Value::Duration(-length)),
        _ => return Value::Null,
    };
    negated.unwrap_or_else(fail)
}
