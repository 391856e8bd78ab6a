//! A finished statement: text, and the values of its placeholders.

use std::borrow::Cow;

use crate::engine::{Field, Value};

/// SQL text and the values of its placeholders.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Statement {
    pub(crate) text: String,
    pub(crate) binds: Vec<Bind>,
}

/// A value of a placeholder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bind {
    Int(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Value for Bind {
    fn field(&self) -> Field<'_> {
        match self {
            Self::Int(number) => Field::Int(*number),
            Self::Real(number) => Field::Real(*number),
            Self::Text(text) => Field::Text(Cow::Borrowed(text)),
            Self::Bytes(bytes) => Field::Bytes(Cow::Borrowed(bytes)),
        }
    }
}
