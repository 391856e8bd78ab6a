//! Values as they are written in a URL (OData ABNF section 7) and what type they can stand for.

use std::fmt;

use crate::edm::{Primitive, Type};
use crate::primitive::{Fine, Moment, parse_guid};

/// A value as written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Literal {
    /// `null`
    Null,
    /// `true` or `false`, in any case.
    Boolean(bool),
    /// A whole number that an `i64` holds.
    Integer(i64),
    /// Any other number as written, `INF`, `-INF` and `NaN` included.
    Number(String),
    /// `'…'`, with its doubled quotes undone.
    String(String),
    /// 8-4-4-4-12 hexadecimal digits, as written.
    Guid(String),
    /// A day, as written.
    Date(String),
    /// A time of day, as written.
    TimeOfDay(String),
    /// An instant, with the zone that it is written with.
    DateTimeOffset(Moment),
    /// A length of time.
    Duration(Fine),
    /// A member of an enumeration, several with commas between them, or numbers for them.
    Enum {
        /// Qualified name of the type.
        ty: String,
        /// The text between the quotes.
        members: String,
    },
    /// base64url text.
    Binary(String),
    /// A geography or geometry, with its prefix, as written.
    Geo(String),
}

impl Literal {
    /// Name of the type that the way of writing stands for, for messages.
    pub fn type_name(&self) -> &str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "Edm.Boolean",
            Self::Integer(_) => "Edm.Int64",
            Self::Number(_) => "Edm.Decimal",
            Self::String(_) => "Edm.String",
            Self::Guid(_) => "Edm.Guid",
            Self::Date(_) => "Edm.Date",
            Self::TimeOfDay(_) => "Edm.TimeOfDay",
            Self::DateTimeOffset(_) => "Edm.DateTimeOffset",
            Self::Duration(_) => "Edm.Duration",
            Self::Enum { ty, .. } => ty,
            Self::Binary(_) => "Edm.Binary",
            Self::Geo(_) => "Edm.Geography",
        }
    }

    /// The text in it, for values that are text.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::String(text)
            | Self::Number(text)
            | Self::Binary(text)
            | Self::Geo(text)
            | Self::Enum { members: text, .. } => text,
            _ => "",
        }
    }

    /// The value as one of `ty`, or `None` when it can't be one. A date stands for its midnight in
    /// UTC, and a string for a duration or a member of an enumeration (URL Conventions 5.1.1.14).
    /// GUIDs may stand with and without quotes, since Graph keeps many of them as strings.
    #[must_use]
    pub fn into_type(self, ty: &Type) -> Option<Self> {
        match (self, ty) {
            (Self::Null, _) => Some(Self::Null),
            (Self::String(members), Type::Enum(ty)) => {
                Some(Self::Enum { ty: ty.name.to_owned(), members })
            }
            (value @ Self::Enum { .. }, Type::Enum(ty)) => {
                (value.type_name() == ty.name).then_some(value)
            }
            (value, Type::Primitive(primitive)) => value.into_primitive(*primitive),
            _ => None,
        }
    }

    fn into_primitive(self, ty: Primitive) -> Option<Self> {
        match (ty, self) {
            (Primitive::DateTimeOffset, Self::Date(day)) => {
                Moment::parse(&day).map(Self::DateTimeOffset)
            }
            (Primitive::Duration, Self::String(text)) => {
                Fine::parse_duration(&text).map(Self::Duration)
            }
            (Primitive::Guid, Self::String(text)) => parse_guid(&text).map(|_| Self::Guid(text)),
            (Primitive::String, Self::Guid(text)) => Some(Self::String(text)),
            (Primitive::Boolean, value @ Self::Boolean(_))
            | (Primitive::String, value @ Self::String(_))
            | (Primitive::Guid, value @ Self::Guid(_))
            | (Primitive::Date, value @ Self::Date(_))
            | (Primitive::TimeOfDay, value @ Self::TimeOfDay(_))
            | (Primitive::DateTimeOffset, value @ Self::DateTimeOffset(_))
            | (Primitive::Duration, value @ Self::Duration(_)) => Some(value),
            (
                Primitive::Int32
                | Primitive::Int64
                | Primitive::Single
                | Primitive::Double
                | Primitive::Decimal,
                value @ (Self::Integer(_) | Self::Number(_)),
            ) => Some(value),
            _ => None,
        }
    }
}

impl fmt::Display for Literal {
    /// The form that a URL takes, not percent-encoded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::String(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Number(text)
            | Self::Guid(text)
            | Self::Date(text)
            | Self::TimeOfDay(text)
            | Self::Geo(text) => f.write_str(text),
            Self::DateTimeOffset(value) => write!(f, "{value}"),
            Self::Duration(value) => {
                f.write_str("duration'")?;
                value.write_duration(f)?;
                f.write_str("'")
            }
            Self::Enum { ty, members } => write!(f, "{ty}'{}'", members.replace('\'', "''")),
            Self::Binary(text) => write!(f, "binary'{text}'"),
        }
    }
}

/// The name of a type as messages and `$metadata` write it.
pub(crate) fn type_name(ty: &Type) -> &'static str {
    match ty {
        Type::Primitive(primitive) => primitive.name(),
        Type::Enum(ty) => ty.name,
        Type::Structured(ty) => ty.name,
        Type::Undeclared(name) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stands_for_the_types_that_the_standard_allows() {
        let instant = Type::Primitive(Primitive::DateTimeOffset);
        let day = Literal::Date("2019-11-01".into());
        assert_eq!(day.into_type(&instant).unwrap().to_string(), "2019-11-01T00:00:00Z");
        assert_eq!(Literal::String("2019-11-01".into()).into_type(&instant), None);

        let duration = Type::Primitive(Primitive::Duration);
        let text = Literal::String("PT1.5S".into());
        assert_eq!(text.into_type(&duration), Some(Literal::Duration(Fine::of(15_000_000))));
        assert_eq!(Literal::String("x".into()).into_type(&duration), None);

        let text = Type::Primitive(Primitive::String);
        assert_eq!(Literal::Integer(1).into_type(&text), None);
        assert_eq!(Literal::Null.into_type(&text), Some(Literal::Null));
    }
}
