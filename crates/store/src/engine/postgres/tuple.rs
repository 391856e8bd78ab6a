//! Rows of values in PostgreSQL's binary form, in which statements and COPY take them alike
//! (PostgreSQL, "COPY", "Binary Format").

use std::error::Error as StdError;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::engine::value::Values;
use crate::{Cause, Error};

/// What a file of rows begins with: the signature, no flags, no extension.
const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// In place of the number of a row's values, behind the last row.
const END: i16 = -1;
/// In place of the length of a value that is null.
const NULL: i32 = -1;

/// Rows of the same types.
#[derive(Debug)]
pub(super) struct Tuples {
    bytes: BytesMut,
    count: usize,
}

impl Tuples {
    pub(super) fn new() -> Self {
        Self { bytes: HEAD.into(), count: 0 }
    }

    /// How many rows.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// About how many bytes.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Adds a row.
    pub(super) fn push(&mut self, types: &[Type], values: &impl Values) -> Result<(), Error> {
        let row = self.bytes.len();
        let pushed = push_row(&mut self.bytes, types, values);
        match pushed {
            Ok(()) => self.count += 1,
            Err(_) => self.bytes.truncate(row),
        }
        pushed
    }

    /// The values of each row, as a statement takes them.
    pub(super) fn rows(&self) -> impl Iterator<Item = Vec<RawValue<'_>>> {
        let mut rest = &self.bytes[HEAD.len()..];
        (0..self.count)
            .map(move |_| (0..rest.get_i16()).map(|_| RawValue::read(&mut rest)).collect())
    }

    /// All of them, as COPY takes them.
    pub(super) fn into_copy(mut self) -> Bytes {
        self.bytes.put_i16(END);
        self.bytes.freeze()
    }
}

fn push_row(out: &mut BytesMut, types: &[Type], values: &impl Values) -> Result<(), Error> {
    let wrong = |what: Box<dyn StdError + Send + Sync>| Error::Internal(Cause::new(what));
    let mut types = types.iter();
    out.put_i16(types.len() as i16);
    values.each(&mut |value| {
        let ty = types.next().ok_or_else(|| wrong("a row has too many values".into()))?;
        let length = out.len();
        out.put_i32(NULL);
        if matches!(value.to_sql(ty, out).map_err(wrong)?, IsNull::No) {
            let size = out.len() - length - size_of::<i32>();
            let size = i32::try_from(size).map_err(|error| wrong(error.into()))?;
            out[length..length + size_of::<i32>()].copy_from_slice(&size.to_be_bytes());
        }
        Ok(())
    })?;
    match types.next() {
        None => Ok(()),
        Some(_) => Err(wrong("a row has too few values".into())),
    }
}

/// A value that is in its binary form already.
#[derive(Debug)]
pub(super) struct RawValue<'r>(Option<&'r [u8]>);

impl<'r> RawValue<'r> {
    fn read(bytes: &mut &'r [u8]) -> Self {
        // Less than nothing: null.
        let Ok(size) = usize::try_from(bytes.get_i32()) else { return Self(None) };
        let (value, rest) = bytes.split_at(size);
        *bytes = rest;
        Self(Some(value))
    }
}

impl ToSql for RawValue<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        let Some(bytes) = self.0 else { return Ok(IsNull::Yes) };
        out.put_slice(bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_statements_take_them() {
        let types = [Type::INT8, Type::TEXT, Type::BYTEA];
        let mut tuples = Tuples::new();
        tuples.push(&types, &(7_i64, "", None::<Vec<u8>>)).unwrap();
        tuples.push(&types, &(None::<i64>, "abc", [1_u8].to_vec())).unwrap();
        let rows: Vec<Vec<_>> =
            tuples.rows().map(|row| row.iter().map(|it| it.0).collect()).collect();
        let seven = 7_i64.to_be_bytes();
        let expected: [[Option<&[u8]>; 3]; 2] =
            [[Some(&seven), Some(b""), None], [None, Some(b"abc"), Some(&[1])]];
        assert_eq!(rows, expected);
        assert_eq!(tuples.count(), 2);
        assert!(tuples.into_copy().ends_with(b"\x01\xff\xff"));
    }

    #[test]
    fn a_row_that_does_not_fit_leaves_nothing() {
        let mut tuples = Tuples::new();
        for types in [&[Type::INT8][..], &[Type::INT8; 3], &[Type::INT8, Type::BYTEA]] {
            assert!(tuples.push(types, &(7_i64, "a")).is_err(), "{types:?}");
        }
        assert_eq!((tuples.count(), tuples.size()), (0, HEAD.len()));
    }
}
