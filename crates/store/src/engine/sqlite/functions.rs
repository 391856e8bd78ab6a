//! Functions of the query language that SQLite lacks, or has for ASCII only.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

/// Makes the functions known to a connection. Each gives NULL for what is no text.
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
    })
}

fn text<'a>(context: &'a Context<'_>) -> Option<&'a str> {
    match context.get_raw(0) {
        ValueRef::Text(text) => std::str::from_utf8(text).ok(),
        _ => None,
    }
}
