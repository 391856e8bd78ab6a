//! Parts of instants, days and times of day in SQL, and the stretches of time that instants are in.
//!
//! A column has an instant in UTC. So SQL tells the day or the hour only of values that stand in UTC as
//! they were written. In which stretch of time an instant is, the zone doesn't matter for.

use odata::bound::Function;
use odata::primitive::{TICKS_PER_DAY, TICKS_PER_SECOND};

use super::magnitude::Magnitude;
use super::value::{Kind, Scalar};
use crate::sql::{Bind, Sql};

const MINUTE: i64 = 60 * TICKS_PER_SECOND;
/// Days of 40,000 years, to which no year before Christ is left: PostgreSQL has no year 0.
const DAYS_AHEAD: i64 = 14_609_700;

/// Whether an engine's whole numbers go so far.
pub(super) fn fits(most: i128) -> bool {
    most <= i128::from(i64::MAX)
}

/// The result of a function of an instant, a day or a time of day.
pub(super) fn part(function: Function, of: Scalar) -> Option<Scalar> {
    use Function::{Date, Day, Hour, Minute, Month, Second, Time, Year};
    let Scalar { sql, kind, .. } = of;
    match (function, kind) {
        (Date, Kind::Instant { most, is_plain: true }) => whole_days(sql, most),
        (Time, Kind::Instant { most, is_plain: true }) => time_of_day(sql, most),
        (Function::TotalOffsetMinutes, Kind::Instant { is_plain: true, .. }) => {
            let kind = Kind::Int { least: 0, most: 0 };
            Some(Scalar::of(Sql::text("(0 * ").append(sql).push(")"), kind))
        }
        (Year | Month | Day, Kind::Date { .. }) => Some(part_of_day(function, sql)),
        (Year | Month | Day, Kind::Instant { .. }) => {
            part(function, part(Date, Scalar::of(sql, kind))?)
        }
        (Hour | Minute | Second | Function::FractionalSeconds, Kind::TimeOfDay) => {
            Some(part_of_time(function, sql))
        }
        (Hour | Minute | Second | Function::FractionalSeconds, Kind::Instant { .. }) => {
            part(function, part(Time, Scalar::of(sql, kind))?)
        }
        _ => None,
    }
}

/// A number no further from zero than `most`, and so many units more that it is not below zero, which
/// division rounds towards.
fn above_zero(sql: Sql, most: i128, unit: i64) -> Option<(Sql, i64)> {
    let units = i64::try_from(most / i128::from(unit) + 1).ok()?;
    let ahead = units.checked_mul(unit)?;
    let sql = sql.push(" + ").push_number(ahead).grouped();
    fits(most + i128::from(ahead)).then_some((sql, units))
}

/// The day of an instant in ticks.
pub(super) fn whole_days(ticks: Sql, most: i128) -> Option<Scalar> {
    let (ticks, units) = above_zero(ticks, most, TICKS_PER_DAY)?;
    let days = ticks.push(" / ").push_number(TICKS_PER_DAY).push(" - ").push_number(units);
    let most = most / i128::from(TICKS_PER_DAY) + 1;
    Some(Scalar::of(days.grouped(), Kind::Date { most }))
}

fn time_of_day(ticks: Sql, most: i128) -> Option<Scalar> {
    let (ticks, _) = above_zero(ticks, most, TICKS_PER_DAY)?;
    let sql = ticks.push(" % ").push_number(TICKS_PER_DAY).grouped();
    Some(Scalar::of(sql, Kind::TimeOfDay))
}

fn part_of_day(function: Function, days: Sql) -> Scalar {
    let (before, years, least, most) = match function {
        Function::Year => (
            Sql::either("(day_year(", "(CAST(EXTRACT(YEAR FROM DATE '1970-01-01' + CAST("),
            " - 40000)",
            -40_000,
            80_000,
        ),
        Function::Month => (
            Sql::either("(day_month(", "(CAST(EXTRACT(MONTH FROM DATE '1970-01-01' + CAST("),
            ")",
            1,
            12,
        ),
        _ => (
            Sql::either("(day_of_month(", "(CAST(EXTRACT(DAY FROM DATE '1970-01-01' + CAST("),
            ")",
            1,
            31,
        ),
    };
    let days = days.push(" + ").push_number(DAYS_AHEAD).grouped();
    let sql = before.append(days).push_either(")", " AS integer)) AS bigint)").push(years);
    Scalar::of(sql, Kind::Int { least, most })
}

fn part_of_time(function: Function, time: Sql) -> Scalar {
    let (time, most) = match function {
        Function::Hour => (time.push(" / ").push_number(60 * MINUTE), 23),
        Function::Minute => (time.push(" / ").push_number(MINUTE).push(" % 60"), 59),
        Function::Second => (time.push(" / ").push_number(TICKS_PER_SECOND).push(" % 60"), 59),
        _ => {
            let ticks = time.push(" % ").push_number(TICKS_PER_SECOND).grouped();
            return seconds(ticks);
        }
    };
    Scalar::of(time.grouped(), Kind::Int { least: 0, most })
}

/// Ticks as seconds.
pub(super) fn seconds(ticks: Sql) -> Scalar {
    let sql = Sql::text("(").append(ticks).push(" / CAST(10000000 AS DOUBLE PRECISION))");
    Scalar::of(sql, Kind::Real(Magnitude::PLAIN))
}

/// `callvault.bucket`: the start of the stretch of time that an instant is in.
pub(super) fn bucket(at: Scalar, size: &Scalar, offset: Option<&Scalar>) -> Option<Scalar> {
    let ticks = |scalar: &Scalar| match (scalar.kind, &scalar.literal) {
        (Kind::Duration { .. }, Some(Bind::Int(ticks))) => Some(*ticks),
        _ => None,
    };
    let Kind::Instant { most, .. } = at.kind else { return None };
    let size = ticks(size).filter(|size| *size > 0)?;
    // By a whole number of sizes less nothing changes.
    let offset = offset.map_or(Some(0), ticks)?.rem_euclid(size);
    let (there, units) = above_zero(
        at.sql.push(" + ").push_number(offset).grouped(),
        most + i128::from(offset),
        size,
    )?;
    let ahead = i128::from(units) * i128::from(size) + i128::from(offset);
    let sql = there.push(" / ").push_number(size).push(" * ").push_number(size).push(" - ");
    let sql = sql.push_number(i64::try_from(ahead).ok()?).grouped();
    Some(Scalar::of(sql, Kind::Instant { most: most + i128::from(size), is_plain: true }))
}
