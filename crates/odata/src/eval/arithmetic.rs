//! `add`, `sub`, `mul`, `div`, `divby`, `mod` and the sign (URL Conventions 5.1.1.2). With null the
//! result is null, as it is for operands that do not go together. Whole numbers and durations have no
//! result beyond their range or divided by zero; other numbers have INF, -INF and NaN.

use super::Value;
use super::meter::Fault;
use super::time::{day_of, midnight};
use crate::bound::Arithmetic;
use crate::primitive::{Fine, Moment, TICKS_PER_DAY};

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
        (Value::Decimal(a), b) => calculate(operator, &Value::Double(a.near), b),
        (a, Value::Decimal(b)) => calculate(operator, a, &Value::Double(b.near)),
        (Value::Int(_) | Value::Double(_), Value::Int(_) | Value::Double(_)) => {
            let real = |a, b| Value::Double(real(operator, a, b));
            Ok(left.as_f64().zip(right.as_f64()).map_or(Value::Null, |(a, b)| real(a, b)))
        }
        _ => timed(operator, left, right).unwrap_or(Ok(Value::Null)),
    }
}

/// `-`
///
/// # Errors
/// When there is none: the least whole number and the longest duration have no opposite.
pub(super) fn negate(value: &Value<'_>) -> Result<Value<'static>, Fault> {
    let result = match value {
        Value::Int(value) => value.checked_neg().map(Value::Int),
        Value::Double(value) => Some(Value::Double(-value)),
        Value::Decimal(value) => Some(Value::Double(-value.near)),
        Value::Duration(length) => Fine::default().minus(*length).map(Value::Duration),
        _ => Some(Value::Null),
    };
    result.ok_or(Fault::Overflow)
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
    let moment = |at: Fine, of: &Moment| Instant(Moment { at, ..*of });
    let result = match (operator, left, right) {
        (Div | DivBy, Duration(_), Int(0)) => return Some(Err(Fault::DivisionByZero)),
        (Div | DivBy, Duration(_), Double(0.0)) => return Some(Err(Fault::DivisionByZero)),
        (Add, Duration(a), Duration(b)) => a.plus(*b).map(Duration),
        (Sub, Duration(a), Duration(b)) => a.minus(*b).map(Duration),
        (Add, Instant(a), Duration(b)) | (Add, Duration(b), Instant(a)) => {
            a.at.plus(*b).map(|at| moment(at, a))
        }
        (Sub, Instant(a), Duration(b)) => a.at.minus(*b).map(|at| moment(at, a)),
        (Sub, Instant(a), Instant(b)) => a.at.minus(b.at).map(Duration),
        (Sub, Instant(a), Date(b)) => first_of(*b).and_then(|b| a.at.minus(b)).map(Duration),
        (Sub, Date(a), Instant(b)) => first_of(*a).and_then(|a| a.minus(b.at)).map(Duration),
        (Sub, Date(a), Date(b)) => {
            let days = a.checked_sub(*b).and_then(|days| days.checked_mul(TICKS_PER_DAY));
            days.map(|ticks| Duration(Fine::of(ticks)))
        }
        (Add, Date(a), Duration(b)) | (Add, Duration(b), Date(a)) => {
            first_of(*a).and_then(|a| a.plus(*b)).map(|at| Date(day_of(at.ticks)))
        }
        (Sub, Date(a), Duration(b)) => {
            first_of(*a).and_then(|a| a.minus(*b)).map(|at| Date(day_of(at.ticks)))
        }
        (Mul, Duration(a), Int(b)) | (Mul, Int(b), Duration(a)) => {
            a.picoseconds().checked_mul((*b).into()).and_then(Fine::from_picoseconds).map(Duration)
        }
        (Mul, Duration(a), Double(b)) | (Mul, Double(b), Duration(a)) => {
            nearest(a.ticks as f64 * b).map(|ticks| Duration(Fine::of(ticks)))
        }
        (Div | DivBy, Duration(a), Int(b)) => {
            divided(a.ticks, *b).map(|ticks| Duration(Fine::of(ticks)))
        }
        (Div | DivBy, Duration(a), Double(b)) => {
            nearest(a.ticks as f64 / b).map(|ticks| Duration(Fine::of(ticks)))
        }
        _ => return None,
    };
    Some(result.ok_or(Fault::Overflow))
}

/// The first instant of a day.
fn first_of(day: i64) -> Option<Fine> {
    midnight(day).map(Fine::of)
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
    use Value::{Date, Double, Int, Null};

    fn duration(ticks: i64) -> Value<'static> {
        Value::Duration(Fine::of(ticks))
    }

    fn instant(ticks: i64) -> Value<'static> {
        Value::Instant(Moment::utc(ticks))
    }

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
        assert_eq!(negate(&Int(i64::MIN)).unwrap_err(), Fault::Overflow);
        assert_eq!(negate(&duration(i64::MIN)).unwrap_err(), Fault::Overflow);
        assert!(negate(&Null).unwrap().is_null());
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
        check(Sub, instant(10), instant(4), duration(6));
        check(Add, instant(10), duration(4), instant(14));
        check(Add, duration(4), instant(10), instant(14));
        check(Sub, duration(4), duration(10), duration(-6));
        check(Mul, duration(5), Int(3), duration(15));
        check(Mul, Double(0.5), duration(5), duration(3));
        check(Div, duration(5), Int(2), duration(3));
        check(DivBy, duration(-5), Int(2), duration(-3));
        check(Div, duration(5), Double(2.5), duration(2));
        check(Sub, Date(3), Date(1), duration(2 * TICKS_PER_DAY));
        check(Add, Date(3), duration(-1), Date(2));
        check(Sub, Date(3), duration(TICKS_PER_DAY), Date(2));
        check(Sub, Date(3), duration(1), Date(2));
        let here = Value::Instant(Moment { offset: 120, ..Moment::utc(10) });
        let later = calculate(Add, &here, &duration(4)).unwrap();
        assert!(matches!(later, Value::Instant(Moment { offset: 120, .. })));
        let fine = Value::Duration(Fine { ticks: 0, rest: 40_000 });
        check(Mul, fine, Int(5), duration(2));
    }

    #[test]
    fn operands_that_do_not_go_together_give_null() {
        check(Add, Null, Int(1), Null);
        check(Div, Null, Int(0), Null);
        check(Add, Value::Text("1".into()), Int(1), Null);
        check(Div, duration(1), duration(1), Null);
        check(Add, instant(1), instant(1), Null);
    }

    #[test]
    fn time_beyond_its_range_or_divided_by_zero_has_no_result() {
        for (operator, left, right) in
            [(Div, duration(1), Int(0)), (DivBy, duration(1), Double(0.0))]
        {
            assert_eq!(calculate(operator, &left, &right).unwrap_err(), Fault::DivisionByZero);
        }
        for (operator, left, right) in [
            (Mul, duration(i64::MAX), Int(2)),
            (Mul, duration(i64::MAX), Double(2.0)),
            (Mul, duration(1), Double(f64::NAN)),
            (Div, duration(i64::MIN), Int(-1)),
            (Sub, instant(i64::MIN), duration(1)),
            (Add, Date(i64::MAX), duration(1)),
            (Sub, Date(i64::MIN), Date(1)),
        ] {
            assert_eq!(calculate(operator, &left, &right).unwrap_err(), Fault::Overflow);
        }
    }
}
