//! `add`, `sub`, `mul`, `div`, `divby` and `mod` in SQL, where it neither rounds nor overflows nor turns
//! the result into another type, and so gives what our own evaluator does.

use odata::bound::Arithmetic::{self, Add, Div, DivBy, Mod, Mul, Sub};
use odata::primitive::TICKS_PER_DAY;

use super::magnitude::Magnitude;
use super::time::{fits, whole_days};
use super::value::{Kind, Scalar};
use crate::engine::Dialect;
use crate::sql::{Bind, Sql};

const DAY: i128 = TICKS_PER_DAY as i128;
/// Pieces of SQL that may be repeated within a value.
const MOST_REPEATED: usize = 200;

/// The result of an operator, if SQL calculates it exactly.
pub(super) fn arithmetic(
    dialect: Dialect,
    operator: Arithmetic,
    left: Scalar,
    right: Scalar,
) -> Option<Scalar> {
    use Kind::{Date, Duration, Instant, Int, Real};
    match (operator, left.kind, right.kind) {
        (Add | Sub | Mul, Int { .. }, Int { .. })
        | (Add | Sub, Duration { .. }, Duration { .. })
        | (Mul, Duration { .. }, Int { .. })
        | (Mul, Int { .. }, Duration { .. }) => whole(operator, left, right),
        (Div | Mod, Int { .. }, Int { .. }) => divided(operator, left, right),
        (Div | DivBy, Duration { .. }, Int { .. }) => duration_divided(left, &right),
        (Sub, Instant { most: a, .. }, Instant { most: b, .. })
            if left.is_whole_ticks() && right.is_whole_ticks() =>
        {
            let kind = Duration { least: -(a + b), most: a + b };
            fits(a + b).then(|| joined(left, " - ", right, kind))
        }
        (Add | Sub, Instant { most, is_plain: true }, Duration { .. }) => {
            shifted(operator, (left, most), right)
        }
        (Add, Duration { .. }, Instant { most, is_plain: true }) => {
            shifted(operator, (right, most), left)
        }
        (Sub, Date { most: a }, Date { most: b }) => {
            let most = (a + b) * DAY;
            let days = joined(left, " - ", right, Date { most: a + b });
            let sql = days.sql.push(" * ").push_number(TICKS_PER_DAY).grouped();
            fits(most).then_some(Scalar::of(sql, Duration { least: -most, most }))
        }
        (Add | Sub, Date { most }, Duration { .. }) => day_shifted(operator, (left, most), right),
        (Add, Duration { .. }, Date { most }) => day_shifted(operator, (right, most), left),
        (Mul, Duration { .. }, Real(_)) => nearest(operator, left, right),
        (Mul, Real(_), Duration { .. }) => nearest(operator, right, left),
        (Div | DivBy, Duration { .. }, Real(_)) => nearest(operator, left, right),
        _ => real(dialect, operator, left, right),
    }
}

/// `-`
pub(super) fn negated(operand: Scalar) -> Option<Scalar> {
    let zero = |kind| Scalar::of(Sql::text("0"), kind);
    match operand.kind {
        // 0 - 0.0 is not -0.0.
        Kind::Real(_) => {
            Some(Scalar::of(Sql::text("(-").append(operand.sql).push(")"), operand.kind))
        }
        Kind::Int { .. } => whole(Sub, zero(Kind::Int { least: 0, most: 0 }), operand),
        Kind::Duration { .. } => whole(Sub, zero(Kind::Duration { least: 0, most: 0 }), operand),
        _ => None,
    }
}

fn joined(left: Scalar, text: &'static str, right: Scalar, kind: Kind) -> Scalar {
    Scalar::of(left.sql.push(text).append(right.sql).grouped(), kind)
}

/// What a whole number or a duration lies between.
fn bounds(kind: Kind) -> Option<(i128, i128)> {
    match kind {
        Kind::Int { least, most } | Kind::Duration { least, most } => Some((least, most)),
        _ => None,
    }
}

/// The greatest distance from zero, if nothing lies between two ticks.
fn size(kind: Kind) -> Option<i128> {
    let (least, most) = bounds(kind)?;
    kind.is_whole_ticks().then(|| least.abs().max(most.abs()))
}

/// Sums and products of whole numbers and durations, which stay whole: SQLite goes over to floating
/// point when they overflow, and PostgreSQL fails.
fn whole(operator: Arithmetic, left: Scalar, right: Scalar) -> Option<Scalar> {
    let ((a, b), (c, d)) = (bounds(left.kind)?, bounds(right.kind)?);
    let is_time = |scalar: &Scalar| matches!(scalar.kind, Kind::Duration { .. });
    let is_duration = is_time(&left) || is_time(&right);
    let (text, least, most) = match operator {
        Add => (" + ", a + c, b + d),
        Sub => (" - ", a - d, b - c),
        _ => {
            if is_duration {
                size(left.kind).and(size(right.kind))?;
            }
            let products =
                [a.checked_mul(c)?, a.checked_mul(d)?, b.checked_mul(c)?, b.checked_mul(d)?];
            (" * ", *products.iter().min()?, *products.iter().max()?)
        }
    };
    let kind = if is_duration { Kind::Duration { least, most } } else { Kind::Int { least, most } };
    let fits = least >= i128::from(i64::MIN) && most <= i128::from(i64::MAX);
    fits.then(|| joined(left, text, right, kind))
}

/// Whether a number is never zero.
fn is_never_zero(scalar: &Scalar) -> bool {
    match (scalar.kind, &scalar.literal) {
        (Kind::Int { least, most }, _) => least > 0 || most < 0,
        (_, Some(Bind::Real(number))) => number.is_finite() && *number != 0.0,
        _ => false,
    }
}

/// Quotient, rounded towards zero, and remainder of whole numbers.
fn divided(operator: Arithmetic, left: Scalar, right: Scalar) -> Option<Scalar> {
    let ((a, b), (c, d)) = (bounds(left.kind)?, bounds(right.kind)?);
    let most = a.abs().max(b.abs());
    let is_exact = is_never_zero(&right) && (c > 0 || fits(most));
    is_exact.then_some(())?;
    let (text, most) = match operator {
        Div => (" / ", most),
        _ => (" % ", most.min(c.abs().max(d.abs()) - 1)),
    };
    let (least, most) = match (a >= 0, c > 0 || operator == Mod) {
        (true, true) => (0, most),
        _ => (-most, most),
    };
    Some(joined(left, text, right, Kind::Int { least, most }))
}

/// A duration by a whole number: rounded to the nearest tick, halves away from zero.
fn duration_divided(left: Scalar, right: &Scalar) -> Option<Scalar> {
    let most = size(left.kind)?;
    let Some(Bind::Int(by)) = right.literal else { return None };
    let half = by.checked_abs()? / 2;
    let is_exact = by != 0 && fits(most + i128::from(half));
    (is_exact && left.sql.len() <= MOST_REPEATED).then_some(())?;
    let (half, size) = (|sql: Sql| sql.push_number(half), by.abs());
    let below = half(Sql::text("(-((")).push(" - ").append(left.sql.clone()).push(") / ");
    let above = half(Sql::text("((").append(left.sql.clone()).push(" + ")).push(") / ");
    let sql = Sql::text("(CASE WHEN ").append(left.sql).push(" < 0 THEN ");
    let sql = sql.append(below).push_number(size).push(")) ELSE ");
    let sql = sql.append(above).push_number(size).push(") END)");
    let sql = if by < 0 { Sql::text("(-").append(sql).push(")") } else { sql };
    Some(Scalar::of(sql, Kind::Duration { least: -most, most }))
}

/// An instant, and a duration more or less.
fn shifted(operator: Arithmetic, (instant, far): (Scalar, i128), by: Scalar) -> Option<Scalar> {
    let most = far + size(by.kind)?;
    let text = if operator == Add { " + " } else { " - " };
    let kind = Kind::Instant { most, is_plain: true };
    fits(most).then(|| joined(instant, text, by, kind))
}

/// The day that is a duration from the start of a day.
fn day_shifted(operator: Arithmetic, (day, far): (Scalar, i128), by: Scalar) -> Option<Scalar> {
    let most = far * DAY + size(by.kind)?;
    let text = if operator == Add { " + " } else { " - " };
    let ticks = day.sql.push(" * ").push_number(TICKS_PER_DAY).push(text).append(by.sql);
    whole_days(ticks.grouped(), most)
}

/// A duration times or by a fraction: the nearest tick, halves away from zero.
fn nearest(operator: Arithmetic, duration: Scalar, by: Scalar) -> Option<Scalar> {
    size(duration.kind)?;
    let (least, most) = bounds(duration.kind)?;
    let ticks = Magnitude::of_whole(least, most);
    let factor = by.kind.magnitude()?;
    let (text, magnitude) = match operator {
        Mul => (" * ", ticks.product(factor)),
        _ => (" / ", ticks.quotient(factor)),
    };
    let is_exact = factor.is_safe()
        && magnitude.is_of_ticks()
        && (operator == Mul || is_never_zero(&by))
        && duration.sql.len() + by.sql.len() <= MOST_REPEATED;
    is_exact.then_some(())?;
    let ticks = Sql::text("(CAST(").append(duration.sql).push(" AS DOUBLE PRECISION)").push(text);
    let ticks = ticks.append(by.sql).push(")");
    // What is behind the point is exact.
    let sql = Sql::either(
        "real_nearest(",
        "(SELECT CAST(trunc(w.x) AS bigint) + CASE WHEN abs(w.x - trunc(w.x)) >= 0.5 \
         THEN CAST(sign(w.x) AS bigint) ELSE 0 END FROM (SELECT ",
    );
    let most = 1_i128 << magnitude.bits();
    let sql = sql.append(ticks).push_either(")", " AS x) AS w)");
    Some(Scalar::of(sql, Kind::Duration { least: -most, most }))
}

/// Numbers of which one at least is a fraction.
fn real(dialect: Dialect, operator: Arithmetic, left: Scalar, right: Scalar) -> Option<Scalar> {
    let (a, b) = (left.kind.magnitude()?, right.kind.magnitude()?);
    let (text, magnitude) = match operator {
        Add => (" + ", a.sum(b)),
        Sub => (" - ", a.sum(b)),
        Mul => (" * ", a.product(b)),
        Div | DivBy if is_never_zero(&right) => (" / ", a.quotient(b)),
        _ => return None,
    };
    let is_safe = a.is_safe() && b.is_safe() && magnitude.is_safe();
    let is_division = matches!(operator, Div | DivBy);
    // SQLite has infinite numbers, but none that is no number: of INF - INF and 0 * INF it makes null.
    let is_number = is_division || is_finite(&left, operator) || is_finite(&right, operator);
    (is_safe || dialect == Dialect::Sqlite && is_number).then_some(())?;
    let left = if is_division { left.into_real() } else { left };
    Some(joined(left, text, right, Kind::Real(magnitude)))
}

/// Whether a side is a literal with which the result is a number.
fn is_finite(side: &Scalar, operator: Arithmetic) -> bool {
    let is_factor = operator == Mul;
    match side.literal {
        Some(Bind::Int(number)) => !is_factor || number != 0,
        Some(Bind::Real(number)) => number.is_finite() && (!is_factor || number != 0.0),
        _ => false,
    }
}
