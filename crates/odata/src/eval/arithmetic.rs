//! `add`, `sub`, `mul`, `div`, `divby`, `mod` and the sign. Whatever has no result is null.

use super::Value;
use super::time::{day_of, midnight};
use crate::bound::Arithmetic;
use crate::primitive::TICKS_PER_DAY;

/// The result of an operator.
pub(super) fn calculate(
    operator: Arithmetic,
    left: &Value<'_>,
    right: &Value<'_>,
) -> Value<'static> {
    let result = match (left, right) {
        (Value::Int(a), Value::Int(b)) if operator != Arithmetic::DivBy => {
            whole(operator, *a, *b).map(Value::Int)
        }
        (Value::Int(_) | Value::Double(_), Value::Int(_) | Value::Double(_)) => {
            match (left.as_f64(), right.as_f64()) {
                (Some(a), Some(b)) => real(operator, a, b),
                _ => None,
            }
        }
        _ => timed(operator, left, right),
    };
    result.unwrap_or(Value::Null)
}

/// `-`
pub(super) fn negate(value: &Value<'_>) -> Value<'static> {
    let result = match value {
        Value::Int(value) => value.checked_neg().map(Value::Int),
        Value::Double(value) => Some(Value::Double(-value)),
        Value::Duration(ticks) => ticks.checked_neg().map(Value::Duration),
        _ => None,
    };
    result.unwrap_or(Value::Null)
}

fn whole(operator: Arithmetic, a: i64, b: i64) -> Option<i64> {
    match operator {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Sub => a.checked_sub(b),
        Arithmetic::Mul => a.checked_mul(b),
        Arithmetic::Div | Arithmetic::DivBy => a.checked_div(b),
        Arithmetic::Mod if b == -1 => Some(0),
        Arithmetic::Mod => a.checked_rem(b),
    }
}

fn real(operator: Arithmetic, a: f64, b: f64) -> Option<Value<'static>> {
    let value = match operator {
        Arithmetic::Add => a + b,
        Arithmetic::Sub => a - b,
        Arithmetic::Mul => a * b,
        Arithmetic::Div | Arithmetic::DivBy | Arithmetic::Mod if b == 0.0 => return None,
        Arithmetic::Div | Arithmetic::DivBy => a / b,
        Arithmetic::Mod => a % b,
    };
    Some(Value::double(value))
}

/// Arithmetic with lengths of time, instants and days.
fn timed(operator: Arithmetic, left: &Value<'_>, right: &Value<'_>) -> Option<Value<'static>> {
    use Arithmetic::{Add, Div, DivBy, Mul, Sub};
    use Value::{Date, Duration, Instant};
    Some(match (operator, left, right) {
        (Add, Duration(a), Duration(b)) => Duration(a.checked_add(*b)?),
        (Sub, Duration(a), Duration(b)) => Duration(a.checked_sub(*b)?),
        (Add, Instant(a), Duration(b)) | (Add, Duration(b), Instant(a)) => {
            Instant(a.checked_add(*b)?)
        }
        (Sub, Instant(a), Duration(b)) => Instant(a.checked_sub(*b)?),
        (Sub, Instant(a), Instant(b)) => Duration(a.checked_sub(*b)?),
        (Sub, Instant(a), Date(b)) => Duration(a.checked_sub(midnight(*b)?)?),
        (Sub, Date(a), Instant(b)) => Duration(midnight(*a)?.checked_sub(*b)?),
        (Sub, Date(a), Date(b)) => Duration(a.checked_sub(*b)?.checked_mul(TICKS_PER_DAY)?),
        (Add, Date(a), Duration(b)) | (Add, Duration(b), Date(a)) => {
            Date(day_of(midnight(*a)?.checked_add(*b)?))
        }
        (Sub, Date(a), Duration(b)) => Date(day_of(midnight(*a)?.checked_sub(*b)?)),
        (Mul, Duration(a), Value::Int(b)) | (Mul, Value::Int(b), Duration(a)) => {
            Duration(a.checked_mul(*b)?)
        }
        (Mul, Duration(a), Value::Double(b)) | (Mul, Value::Double(b), Duration(a)) => {
            Duration(nearest(*a as f64 * b)?)
        }
        (Div | DivBy, Duration(a), Value::Int(b)) => Duration(divided(*a, *b)?),
        (Div | DivBy, Duration(a), Value::Double(b)) if *b != 0.0 => {
            Duration(nearest(*a as f64 / b)?)
        }
        _ => return None,
    })
}

/// The quotient, rounded to the nearest whole number, halves away from zero.
fn divided(a: i64, b: i64) -> Option<i64> {
    if b == 0 {
        return None;
    }
    let (a, b) = (i128::from(a), i128::from(b));
    let half = b.abs() / 2;
    let quotient = (a.abs() + half) / b.abs();
    i64::try_from(quotient * a.signum() * b.signum()).ok()
}

/// The nearest whole number, if an `i64` holds it.
pub(super) fn nearest(value: f64) -> Option<i64> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    let value = value.round();
    (-BEYOND..BEYOND).contains(&value).then_some(value as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Arithmetic::{Add, Div, DivBy, Mod, Mul, Sub};
    use Value::{Date, Double, Duration, Instant, Int, Null};

    #[track_caller]
    fn check(operator: Arithmetic, left: Value<'_>, right: Value<'_>, expected: Value<'_>) {
        let result = calculate(operator, &left, &right);
        let is_same = std::mem::discriminant(&result) == std::mem::discriminant(&expected);
        assert!(is_same && result.equals(&expected), "{left:?} {operator:?} {right:?}: {result:?}");
    }

    #[test]
    fn whole_numbers_stay_whole_until_they_overflow() {
        check(Add, Int(2), Int(3), Int(5));
        check(Div, Int(-7), Int(2), Int(-3));
        check(DivBy, Int(-7), Int(2), Double(-3.5));
        check(Mod, Int(-7), Int(2), Int(-1));
        check(Mod, Int(i64::MIN), Int(-1), Int(0));
        for (operator, a, b) in [
            (Add, i64::MAX, 1),
            (Sub, i64::MIN, 1),
            (Mul, i64::MIN, -1),
            (Div, i64::MIN, -1),
            (Div, 1, 0),
            (DivBy, 1, 0),
            (Mod, 1, 0),
        ] {
            check(operator, Int(a), Int(b), Null);
        }
        assert!(negate(&Int(i64::MIN)).is_null());
    }

    #[test]
    fn fractions_follow_ieee_but_for_nan() {
        check(Add, Int(1), Double(0.5), Double(1.5));
        check(Div, Int(7), Double(2.0), Double(3.5));
        check(Mod, Double(7.5), Int(2), Double(1.5));
        check(Mul, Double(1e300), Double(1e300), Double(f64::INFINITY));
        check(Sub, Double(f64::INFINITY), Double(f64::INFINITY), Null);
        check(Div, Double(1.0), Double(0.0), Null);
        check(Mod, Double(1.0), Int(0), Null);
    }

    #[test]
    fn time_is_counted_in_ticks() {
        check(Sub, Instant(10), Instant(4), Duration(6));
        check(Add, Instant(10), Duration(4), Instant(14));
        check(Add, Duration(4), Instant(10), Instant(14));
        check(Sub, Duration(4), Duration(10), Duration(-6));
        check(Mul, Duration(5), Int(3), Duration(15));
        check(Mul, Double(0.5), Duration(5), Duration(3));
        check(Div, Duration(5), Int(2), Duration(3));
        check(DivBy, Duration(-5), Int(2), Duration(-3));
        check(Div, Duration(5), Double(2.5), Duration(2));
        check(Sub, Date(3), Date(1), Duration(2 * TICKS_PER_DAY));
        check(Add, Date(3), Duration(-1), Date(2));
    }

    #[test]
    fn what_has_no_result_is_null() {
        check(Add, Null, Int(1), Null);
        check(Add, Value::Text("1".into()), Int(1), Null);
        check(Div, Duration(1), Duration(1), Null);
        check(Add, Instant(1), Instant(1), Null);
        check(Div, Duration(1), Int(0), Null);
        check(Div, Duration(1), Double(0.0), Null);
        check(Mul, Duration(i64::MAX), Int(2), Null);
        check(Mul, Duration(i64::MAX), Double(2.0), Null);
        check(Div, Duration(i64::MIN), Int(-1), Null);
        check(Sub, Instant(i64::MIN), Duration(1), Null);
        check(Add, Date(i64::MAX), Duration(1), Null);
        check(Sub, Date(i64::MIN), Date(1), Null);
    }
}
