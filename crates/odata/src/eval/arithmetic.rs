//! `add`, `sub`, `mul`, `div`, `divby`, `mod` and the sign (URL Conventions 5.1.1.2). With null the
//! result is null, as it is for operands that do not go together. Whole numbers and durations have no
//! result beyond their range or divided by zero; other numbers have INF, -INF and NaN.

use super::Value;
use super::meter::Fault;
use super::time::{day_of, midnight};
use crate::bound::Arithmetic;
use crate::primitive::TICKS_PER_DAY;

/// The result of an operator.
///
/// # Errors
/// When there is none.
pub(super) fn calculate(
    operator: Arithmetic,
    left: &Value<'_>,
    right: &Value<'_>,
) -> Result<Value<'static>, Fault> {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) if operator != Arithmetic::DivBy => {
            whole(operator, *a, *b).map(Value::Int)
        }
        (Value::Int(_) | Value::Double(_), Value::Int(_) | Value::Double(_)) => {
            let real = |a, b| Value::Double(real(operator, a, b));
            Ok(left.as_f64().zip(right.as_f64()).map_or(Value::Null, |(a, b)| real(a, b)))
        }
        _ => timed(operator, left, right).unwrap_or(Ok(Value::Null)),
    }
}

/// `-`; the least whole number has no opposite and becomes null.
pub(super) fn negate(value: &Value<'_>) -> Value<'static> {
    let result = match value {
        Value::Int(value) => value.checked_neg().map(Value::Int),
        Value::Double(value) => Some(Value::Double(-value)),
        Value::Duration(ticks) => ticks.checked_neg().map(Value::Duration),
        _ => None,
    };
    result.unwrap_or(Value::Null)
}

fn whole(operator: Arithmetic, a: i64, b: i64) -> Result<i64, Fault> {
    let result = match operator {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Sub => a.checked_sub(b),
        Arithmetic::Mul => a.checked_mul(b),
        Arithmetic::Div | Arithmetic::DivBy | Arithmetic::Mod if b == 0 => {
            return Err(Fault::DivisionByZero);
        }
        Arithmetic::Div | Arithmetic::DivBy => a.checked_div(b),
        Arithmetic::Mod => Some(a.wrapping_rem(b)),
    };
    result.ok_or(Fault::Overflow)
}

fn real(operator: Arithmetic, a: f64, b: f64) -> f64 {
    match operator {
        Arithmetic::Add => a + b,
        Arithmetic::Sub => a - b,
        Arithmetic::Mul => a * b,
        Arithmetic::Div | Arithmetic::DivBy => a / b,
        Arithmetic::Mod => a % b,
    }
}

/// Arithmetic with lengths of time, instants and days; none for other operands.
fn timed(
    operator: Arithmetic,
    left: &Value<'_>,
    right: &Value<'_>,
) -> Option<Result<Value<'static>, Fault>> {
    use Arithmetic::{Add, Div, DivBy, Mul, Sub};
    use Value::{Date, Double, Duration, Instant, Int};
    let ticks = match (operator, left, right) {
        (Div | DivBy, Duration(_), Int(0)) => return Some(Err(Fault::DivisionByZero)),
        (Div | DivBy, Duration(_), Double(0.0)) => return Some(Err(Fault::DivisionByZero)),
        (Add, Duration(a), Duration(b)) => a.checked_add(*b).map(Duration),
        (Sub, Duration(a), Duration(b)) => a.checked_sub(*b).map(Duration),
        (Add, Instant(a), Duration(b)) | (Add, Duration(b), Instant(a)) => {
            a.checked_add(*b).map(Instant)
        }
        (Sub, Instant(a), Duration(b)) => a.checked_sub(*b).map(Instant),
        (Sub, Instant(a), Instant(b)) => a.checked_sub(*b).map(Duration),
        (Sub, Instant(a), Date(b)) => midnight(*b).and_then(|b| a.checked_sub(b)).map(Duration),
        (Sub, Date(a), Instant(b)) => midnight(*a).and_then(|a| a.checked_sub(*b)).map(Duration),
        (Sub, Date(a), Date(b)) => {
            a.checked_sub(*b).and_then(|days| days.checked_mul(TICKS_PER_DAY)).map(Duration)
        }
        (Add, Date(a), Duration(b)) | (Add, Duration(b), Date(a)) => {
            midnight(*a).and_then(|a| a.checked_add(*b)).map(|ticks| Date(day_of(ticks)))
        }
        (Sub, Date(a), Duration(b)) => {
            midnight(*a).and_then(|a| a.checked_sub(*b)).map(|ticks| Date(day_of(ticks)))
        }
        (Mul, Duration(a), Int(b)) | (Mul, Int(b), Duration(a)) => a.checked_mul(*b).map(Duration),
        (Mul, Duration(a), Double(b)) | (Mul, Double(b), Duration(a)) => {
            nearest(*a as f64 * b).map(Duration)
        }
        (Div | DivBy, Duration(a), Int(b)) => divided(*a, *b).map(Duration),
        (Div | DivBy, Duration(a), Double(b)) => nearest(*a as f64 / b).map(Duration),
        _ => return None,
    };
    Some(ticks.ok_or(Fault::Overflow))
}

/// The quotient, rounded to the nearest whole number, halves away from zero; `b` is not 0.
fn divided(a: i64, b: i64) -> Option<i64> {
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
        let result = calculate(operator, &left, &right).unwrap();
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
        check(DivBy, Int(1), Int(0), Double(f64::INFINITY));
        for (operator, a, b, fault) in [
            (Add, i64::MAX, 1, Fault::Overflow),
            (Sub, i64::MIN, 1, Fault::Overflow),
            (Mul, i64::MIN, -1, Fault::Overflow),
            (Div, i64::MIN, -1, Fault::Overflow),
            (Div, 1, 0, Fault::DivisionByZero),
            (Mod, 1, 0, Fault::DivisionByZero),
        ] {
            assert_eq!(calculate(operator, &Int(a), &Int(b)).unwrap_err(), fault, "{a} {b}");
        }
        assert!(negate(&Int(i64::MIN)).is_null());
    }

    #[test]
    fn fractions_follow_ieee() {
        check(Add, Int(1), Double(0.5), Double(1.5));
        check(Div, Int(7), Double(2.0), Double(3.5));
        check(Mod, Double(7.5), Int(2), Double(1.5));
        check(Mul, Double(1e300), Double(1e300), Double(f64::INFINITY));
        check(Div, Double(-1.0), Double(0.0), Double(f64::NEG_INFINITY));
        let is_nan = |operator, left, right| {
            let result = calculate(operator, &left, &right).unwrap();
            matches!(result, Double(value) if value.is_nan() && !result.equals(&result))
        };
        assert!(is_nan(Sub, Double(f64::INFINITY), Double(f64::INFINITY)));
        assert!(is_nan(DivBy, Int(0), Int(0)) && is_nan(Mod, Double(1.0), Int(0)));
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
    fn operands_that_do_not_go_together_give_null() {
        check(Add, Null, Int(1), Null);
        check(Div, Null, Int(0), Null);
        check(Add, Value::Text("1".into()), Int(1), Null);
        check(Div, Duration(1), Duration(1), Null);
        check(Add, Instant(1), Instant(1), Null);
    }

    #[test]
    fn time_beyond_its_range_or_divided_by_zero_has_no_result() {
        for (operator, left, right) in
            [(Div, Duration(1), Int(0)), (DivBy, Duration(1), Double(0.0))]
        {
            assert_eq!(calculate(operator, &left, &right).unwrap_err(), Fault::DivisionByZero);
        }
        for (operator, left, right) in [
            (Mul, Duration(i64::MAX), Int(2)),
            (Mul, Duration(i64::MAX), Double(2.0)),
            (Mul, Duration(1), Double(f64::NAN)),
            (Div, Duration(i64::MIN), Int(-1)),
            (Sub, Instant(i64::MIN), Duration(1)),
            (Add, Date(i64::MAX), Duration(1)),
            (Sub, Date(i64::MIN), Date(1)),
        ] {
            assert_eq!(calculate(operator, &left, &right).unwrap_err(), Fault::Overflow);
        }
    }
}
