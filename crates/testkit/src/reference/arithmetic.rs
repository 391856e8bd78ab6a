//! Arithmetic on numbers, durations, instants and days. With null the result is null; what overflows,
//! and a whole number or a duration divided by zero, has none, which fails the query.

use std::cell::Cell;

use odata::bound::Arithmetic;
use odata::primitive::TICKS_PER_DAY;

use super::value::Value;

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
    let instant = |ticks: i64| Value::Instant { ticks, offset: 0 };
    let day = |ticks: i64| Date(ticks.div_euclid(TICKS_PER_DAY));
    let result = match (operator, a, b) {
        (Add, Int(a), Int(b)) => a.checked_add(*b).map(Int),
        (Sub, Int(a), Int(b)) => a.checked_sub(*b).map(Int),
        (Mul, Int(a), Int(b)) => a.checked_mul(*b).map(Int),
        (Div, Int(a), Int(b)) => a.checked_div(*b).map(Int),
        (Mod, Int(i64::MIN), Int(-1)) => Some(Int(0)),
        (Mod, Int(a), Int(b)) => a.checked_rem(*b).map(Int),

        (Add, Duration(a), Duration(b)) => a.checked_add(*b).map(Duration),
        (Sub, Duration(a), Duration(b)) => a.checked_sub(*b).map(Duration),
        (Add, Value::Instant { ticks, .. }, Duration(b))
        | (Add, Duration(b), Value::Instant { ticks, .. }) => ticks.checked_add(*b).map(instant),
        (Sub, Value::Instant { ticks, .. }, Duration(b)) => ticks.checked_sub(*b).map(instant),
        (Sub, Value::Instant { ticks: a, .. }, Value::Instant { ticks: b, .. }) => {
            a.checked_sub(*b).map(Duration)
        }
        (Add, Date(a), Duration(b)) | (Add, Duration(b), Date(a)) => {
            (a * TICKS_PER_DAY).checked_add(*b).map(day)
        }
        (Sub, Date(a), Duration(b)) => (a * TICKS_PER_DAY).checked_sub(*b).map(day),
        (Sub, Date(a), Date(b)) => Some(Duration((a - b) * TICKS_PER_DAY)),

        (Mul, Duration(a), Int(b)) | (Mul, Int(b), Duration(a)) => a.checked_mul(*b).map(Duration),
        (Mul, Duration(a), Value::Float(b)) | (Mul, Value::Float(b), Duration(a)) => {
            duration(*a as f64 * b)
        }
        (Div | DivBy, Duration(a), Int(b)) => divide_ticks(*a, *b).map(Duration),
        (Div | DivBy, Duration(_), Value::Float(0.0)) => None,
        (Div | DivBy, Duration(a), Value::Float(b)) => duration(*a as f64 / b),

        (operator, a, b) => match (a.number(), b.number()) {
            (Some(a), Some(b)) => Some(Value::Float(of_floats(operator, a, b))),
            _ => return Value::Null,
        },
    };
    result.unwrap_or_else(|| {
        HAD_FAULT.set(true);
        Value::Null
    })
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
    (ticks.abs() <= 9_223_372_036_854_774_784.0).then_some(Value::Duration(ticks as i64))
}

/// Rounded to the nearest tick, halves away from zero.
fn divide_ticks(ticks: i64, by: i64) -> Option<i64> {
    let (ticks, by) = (i128::from(ticks), i128::from(by));
    if by == 0 {
        return None;
    }
    let quotient = (ticks.abs() * 2 + by.abs()) / (by.abs() * 2);
    i64::try_from(quotient * ticks.signum() * by.signum()).ok()
}

/// `-`
pub(super) fn negate(value: &Value) -> Value {
    let negated = match value {
        Value::Int(number) => number.checked_neg().map(Value::Int),
        Value::Float(number) => Some(Value::Float(-number)),
        Value::Duration(ticks) => ticks.checked_neg().map(Value::Duration),
        _ => None,
    };
    negated.unwrap_or(Value::Null)
}
