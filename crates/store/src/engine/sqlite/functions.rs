//! Functions of the query language that SQLite lacks, or has for ASCII only.

use odata::eval::wilson;
use odata::primitive::civil_from_days;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

/// Makes the functions known to a connection. Each gives NULL for NULL, those of text for what is no text.
pub(crate) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("text_lower", 1, flags, |context: &mut Context<'_>| {
        Ok(text(context).map(str::to_lowercase))
    })?;
    connection.create_scalar_function("text_upper", 1, flags, |context: &mut Context<'_>| {
        Ok(text(context).map(str::to_uppercase))
    })?;
    connection.create_scalar_function("text_trim", 1, flags, |context: &mut Context<'_>| {
        Ok(text(context).map(|text| text.trim().to_owned()))
    })?;
    connection.create_scalar_function("text_folded", 1, flags, |context: &mut Context<'_>| {
        Ok(text(context).map(|text| odata::primitive::folded(text).into_owned()))
    })?;
    connection.create_scalar_function("text_length", 1, flags, |context: &mut Context<'_>| {
        Ok(text(context).map(|text| text.chars().count() as i64))
    })?;
    connection.create_scalar_function("day_year", 1, flags, |context: &mut Context<'_>| {
        Ok(context.get::<Option<i64>>(0)?.map(|days| civil_from_days(days).0))
    })?;
    connection.create_scalar_function("day_month", 1, flags, |context: &mut Context<'_>| {
        Ok(context.get::<Option<i64>>(0)?.map(|days| civil_from_days(days).1))
    })?;
    connection.create_scalar_function("day_of_month", 1, flags, |context: &mut Context<'_>| {
        Ok(context.get::<Option<i64>>(0)?.map(|days| civil_from_days(days).2))
    })?;
    // The nearest whole number, halves away from zero; of no more bits than one has.
    connection.create_scalar_function("real_nearest", 1, flags, |context: &mut Context<'_>| {
        Ok(context.get::<Option<f64>>(0)?.map(|number| number.round() as i64))
    })?;
    connection.create_scalar_function("share_wilson", 2, flags, |context: &mut Context<'_>| {
        let share = context.get::<Option<f64>>(0)?.zip(context.get(1)?);
        Ok(share.and_then(|(k, n)| wilson(k, n)))
    })
}

fn text<'a>(context: &'a Context<'_>) -> Option<&'a str> {
    match context.get_raw(0) {
        ValueRef::Text(text) => std::str::from_utf8(text).ok(),
        _ => None,
    }
}
