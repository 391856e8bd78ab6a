//! Values as PostgreSQL takes and gives them.
//!
//! Its text has no U+0000, which names of devices and people may well have. It is kept as U+0001
//! U+0001, and U+0001 as U+0001 U+0002, which leaves texts in their order and equal ones equal.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::error::Error;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::engine::field::Field;

type Fault = Box<dyn Error + Sync + Send>;

impl ToSql for Field<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        match (self, ty) {
            (Self::Null, _) => return Ok(IsNull::Yes),
            (Self::Int(number), &Type::INT8) => out.put_i64(*number),
            (Self::Int(number), &Type::INT4) => out.put_i32(i32::try_from(*number)?),
            (Self::Int(number), &Type::INT2) => out.put_i16(i16::try_from(*number)?),
            (Self::Int(number), &Type::BOOL) => out.put_u8(u8::from(*number != 0)),
            (Self::Int(number), &Type::FLOAT8) => out.put_f64(*number as f64),
            (Self::Real(number), &Type::FLOAT8) => out.put_f64(*number),
            (Self::Text(text), &Type::TEXT) => out.put_slice(kept(text).as_bytes()),
            (Self::Text(words), &Type::TS_VECTOR) => put_vector(words, out),
            (Self::Bytes(bytes), &Type::BYTEA) => out.put_slice(bytes),
            _ => return Err(format!("{ty} takes no {self:?}").into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'f> FromSql<'f> for Field<'f> {
    fn from_sql(ty: &Type, raw: &'f [u8]) -> Result<Self, Fault> {
        Ok(match *ty {
            Type::INT8 => Self::Int(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => Self::Int(i32::from_be_bytes(raw.try_into()?).into()),
            Type::INT2 => Self::Int(i16::from_be_bytes(raw.try_into()?).into()),
            Type::BOOL => Self::Int((raw != [0]).into()),
            Type::FLOAT8 => Self::Real(f64::from_be_bytes(raw.try_into()?)),
            Type::TEXT => Self::Text(meant(std::str::from_utf8(raw)?)),
            Type::BYTEA => Self::Bytes(Cow::Borrowed(raw)),
            _ => return Err(format!("a column of type {ty}").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Fault> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Words with spaces between as a vector of lexemes, in the form that the type is received in.
fn put_vector(words: &str, out: &mut BytesMut) {
    let words: BTreeSet<_> = words.split(' ').filter(|word| !word.is_empty()).map(kept).collect();
    out.put_u32(words.len() as u32);
    for word in words {
        out.put_slice(word.as_bytes());
        // The end of the word, and that no positions are known of it.
        out.put_slice(&[0, 0, 0]);
    }
}

/// A text as it is kept.
fn kept(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', '\u{1}']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace('\u{1}', "\u{1}\u{2}").replace('\0', "\u{1}\u{1}"))
}

/// The text that is kept so.
fn meant(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1}') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\u{1}\u{1}", "\0").replace("\u{1}\u{2}", "\u{1}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_have_each_word_once_and_in_order() {
        let mut out = BytesMut::new();
        let words = Field::Text("b a\0 b".into());
        words.to_sql(&Type::TS_VECTOR, &mut out).unwrap();
        assert_eq!(&out[..], b"\0\0\0\x02a\x01\x01\0\0\0b\0\0\0");
    }

    #[test]
    fn texts_that_postgresql_does_not_take_come_back_and_keep_their_order() {
        let mut texts = [
            "",
            "\0",
            "\0\0",
            "\0\u{1}",
            "\0\u{2}",
            "\0a",
            "\u{1}",
            "\u{1}\0",
            "\u{1}\u{1}",
            "\u{2}",
        ];
        for text in texts {
            assert!(!kept(text).contains('\0'));
            assert_eq!(meant(&kept(text)), text);
        }
        let by_meaning = texts.map(kept);
        texts.sort_by_key(|text| kept(text).into_owned());
        assert_eq!(texts.map(kept), by_meaning);
    }
}
