//! A row of a result, from either engine.

use std::ops::ControlFlow;

use super::field::{self, Column, Field};
use crate::Error;

/// A row of a result, valid until the next one is fetched.
pub(crate) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

/// Whether further rows are wanted.
pub(crate) type Flow = Result<ControlFlow<()>, Error>;

impl Row<'_> {
    /// A column's value, counted from 0.
    pub(crate) fn get<T: Column>(&self, at: usize) -> Result<T, Error> {
        T::read(self.field(at)?).ok_or_else(field::of_another_type)
    }

    /// A column's value as the engine has it.
    pub(crate) fn field(&self, at: usize) -> Result<Field<'_>, Error> {
        match self {
            Self::Sqlite(row) => Field::of_sqlite(row.get_ref(at)?),
            Self::Postgres(row) => Ok(row.try_get(at)?),
        }
    }
}
