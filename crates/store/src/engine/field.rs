//! What a column or a placeholder holds.

use std::borrow::Cow;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

use crate::{Cause, Error};

/// A value of one of the types that the store's columns have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Field<'f> {
    Null,
    Int(i64),
    Real(f64),
    Text(Cow<'f, str>),
    Bytes(Cow<'f, [u8]>),
}

impl<'f> Field<'f> {
    pub(super) fn of_sqlite(value: ValueRef<'f>) -> Result<Self, Error> {
        Ok(match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Int(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(text) => {
                let text = std::str::from_utf8(text).map_err(|_| of_another_type())?;
                Self::Text(Cow::Borrowed(text))
            }
            ValueRef::Blob(bytes) => Self::Bytes(Cow::Borrowed(bytes)),
        })
    }

    /// The value with data of its own.
    pub(crate) fn into_owned(self) -> Field<'static> {
        match self {
            Self::Null => Field::Null,
            Self::Int(number) => Field::Int(number),
            Self::Real(number) => Field::Real(number),
            Self::Text(text) => Field::Text(Cow::Owned(text.into_owned())),
            Self::Bytes(bytes) => Field::Bytes(Cow::Owned(bytes.into_owned())),
        }
    }

    /// The bytes of a column that has bytes.
    pub(crate) fn bytes(self) -> Result<Cow<'f, [u8]>, Error> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(of_another_type()),
        }
    }
}

pub(crate) fn of_another_type() -> Error {
    Error::Corrupt(Cause::new("a column has a value of another type"))
}

impl ToSql for Field<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A type that a column is read as.
pub(crate) trait Column: Sized {
    /// None for a value of another type.
    fn read(field: Field<'_>) -> Option<Self>;
}

impl Column for i64 {
    fn read(field: Field<'_>) -> Option<Self> {
        match field {
            Field::Int(number) => Some(number),
            _ => None,
        }
    }
}

impl Column for u32 {
    fn read(field: Field<'_>) -> Option<Self> {
        i64::read(field)?.try_into().ok()
    }
}

impl Column for bool {
    fn read(field: Field<'_>) -> Option<Self> {
        i64::read(field).map(|number| number != 0)
    }
}

impl Column for String {
    fn read(field: Field<'_>) -> Option<Self> {
        match field {
            Field::Text(text) => Some(text.into_owned()),
            _ => None,
        }
    }
}

impl Column for Vec<u8> {
    fn read(field: Field<'_>) -> Option<Self> {
        match field {
            Field::Bytes(bytes) => Some(bytes.into_owned()),
            _ => None,
        }
    }
}

impl Column for [u8; 16] {
    fn read(field: Field<'_>) -> Option<Self> {
        match field {
            Field::Bytes(bytes) => bytes.as_ref().try_into().ok(),
            _ => None,
        }
    }
}

impl<T: Column> Column for Option<T> {
    fn read(field: Field<'_>) -> Option<Self> {
        match field {
            Field::Null => Some(None),
            field => T::read(field).map(Some),
        }
    }
}
