//! Values in SQL, and what is known of them: enough to see whether SQL calculates with them as our own
//! evaluator does.

use odata::bound::Ty;
use odata::edm::{EnumType, Primitive, Type};
use odata::literal::Literal;
use odata::primitive::{DateTimeOffset, Fine, TICKS_PER_DAY};

use super::magnitude::Magnitude;
use crate::sql::{Bind, Sql};

/// SQL of a value; NULL is null.
#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    pub(crate) sql: Sql,
    pub(crate) kind: Kind,
    /// The value, if it is known.
    pub(super) literal: Option<Bind>,
}

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// A whole number between the two.
    Int {
        least: i128,
        most: i128,
    },
    Real(Magnitude),
    Bool,
    /// Ticks, no further from 1970 than so many.
    Instant {
        most: i128,
        /// It stands in UTC and for no time between two ticks.
        is_plain: bool,
    },
    /// Days, no further from 1970 than so many.
    Date {
        most: i128,
    },
    /// Ticks since midnight.
    TimeOfDay,
    /// Ticks, between the two.
    Duration {
        least: i128,
        most: i128,
    },
    Text,
    Enum(&'static EnumType),
    /// The key of an id, good for nothing but equality.
    Key,
}

/// Instants are read from dates of years of up to four digits, give or take an offset.
pub(super) const INSTANTS: i128 = 1 << 60;

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int { least: a, most: b }, Self::Int { least: c, most: d })
            | (Self::Duration { least: a, most: b }, Self::Duration { least: c, most: d }) => {
                (a, b) == (c, d)
            }
            (Self::Enum(a), Self::Enum(b)) => std::ptr::eq(*a, *b),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl Kind {
    /// Whether values of both are compared as what they are.
    pub(super) fn is_comparable(self, other: Self) -> bool {
        match (self, other) {
            (Self::Int { .. } | Self::Real(_), Self::Int { .. } | Self::Real(_))
            | (Self::Duration { .. }, Self::Duration { .. }) => true,
            _ => self == other,
        }
    }

    /// Whether SQL orders values as the language does.
    pub(crate) fn is_ordered(self) -> bool {
        !matches!(self, Self::Enum(_) | Self::Key)
    }
}

impl Kind {
    /// Whether no value lies between two ticks, if it is a time: of a column that may have any values one may.
    pub(crate) fn is_whole_ticks(self) -> bool {
        match self {
            Self::Instant { is_plain, .. } => is_plain,
            Self::Duration { least, most } => {
                least > i128::from(i64::MIN) && most < i128::from(i64::MAX)
            }
            _ => true,
        }
    }

    /// How large and small a number is; none if it is no number.
    pub(super) fn magnitude(self) -> Option<Magnitude> {
        match self {
            Self::Real(magnitude) => Some(magnitude),
            Self::Int { least, most } => Some(Magnitude::of_whole(least, most)),
            _ => None,
        }
    }

    /// The kind of what is of one or the other; none if that is no kind.
    pub(super) fn joined(self, other: Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Int { least: a, most: b }, Self::Int { least: c, most: d }) => {
                Self::Int { least: a.min(c), most: b.max(d) }
            }
            (Self::Duration { least: a, most: b }, Self::Duration { least: c, most: d }) => {
                Self::Duration { least: a.min(c), most: b.max(d) }
            }
            (Self::Real(a), Self::Real(b)) => Self::Real(a.joined(b)),
            (Self::Instant { most: a, is_plain: b }, Self::Instant { most: c, is_plain: d }) => {
                Self::Instant { most: a.max(c), is_plain: b && d }
            }
            (Self::Date { most: a }, Self::Date { most: b }) => Self::Date { most: a.max(b) },
            (one, other) if one == other => one,
            _ => return None,
        })
    }
}

impl Scalar {
    /// As a branch of a case of that type: whole numbers beside others are no whole numbers.
    pub(super) fn of_case(self, ty: Ty) -> Self {
        let real = [Primitive::Single, Primitive::Double, Primitive::Decimal];
        let is_real = real.iter().any(|real| ty == Ty::One(Type::Primitive(*real)));
        match self.kind {
            Kind::Int { .. } if is_real => self.into_real(),
            _ => self,
        }
    }

    /// A number as a fraction.
    pub(super) fn into_real(self) -> Self {
        let Some(magnitude) = self.kind.magnitude() else { return self };
        let sql = Sql::text("CAST(").append(self.sql).push(" AS DOUBLE PRECISION)");
        Self::of(sql, Kind::Real(magnitude))
    }

    /// Whether no value lies between two ticks.
    pub(super) fn is_whole_ticks(&self) -> bool {
        self.literal.is_some() || self.kind.is_whole_ticks()
    }

    pub(super) fn of(sql: Sql, kind: Kind) -> Self {
        Self { sql, kind, literal: None }
    }
}

/// A value as written.
pub(super) fn constant(literal: &Literal, ty: Ty) -> Option<Scalar> {
    let (bind, kind) = match literal {
        Literal::Boolean(value) => (Bind::Int(i64::from(*value)), Kind::Bool),
        Literal::Integer(value) => {
            let exactly = i128::from(*value);
            (Bind::Int(*value), Kind::Int { least: exactly, most: exactly })
        }
        Literal::Number(text) => {
            let number = number(text)?;
            (Bind::Real(number), Kind::Real(Magnitude::exactly(number)))
        }
        Literal::DateTimeOffset(moment) => {
            let ticks = ticks(moment.at)?;
            let most = i128::from(ticks.unsigned_abs());
            (Bind::Int(ticks), Kind::Instant { most, is_plain: moment.offset == 0 })
        }
        Literal::Date(text) => {
            let days = DateTimeOffset::parse(text)?.0.div_euclid(TICKS_PER_DAY);
            (Bind::Int(days), Kind::Date { most: days.unsigned_abs().into() })
        }
        Literal::TimeOfDay(text) => {
            (Bind::Int(ticks(Fine::parse_time_of_day(text)?)?), Kind::TimeOfDay)
        }
        Literal::Duration(length) => {
            let length = ticks(*length)?;
            let exactly = i128::from(length);
            (Bind::Int(length), Kind::Duration { least: exactly, most: exactly })
        }
        Literal::String(text) | Literal::Guid(text) | Literal::Enum { members: text, .. } => {
            match ty {
                Ty::One(Type::Enum(ty)) => (Bind::Text(member(text)?), Kind::Enum(ty)),
                _ if matches!(literal, Literal::Enum { .. }) => return None,
                _ => (Bind::Text(text.clone()), Kind::Text),
            }
        }
        _ => return None,
    };
    Some(Scalar { sql: Sql::value(bind.clone()), kind, literal: Some(bind) })
}

/// The ticks of what does not lie between two.
fn ticks(time: Fine) -> Option<i64> {
    (!time.is_between()).then_some(time.ticks)
}

/// The single member that an enumeration's literal names; numbers and flags are the evaluator's.
fn member(text: &str) -> Option<String> {
    let is_name = text.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !text.starts_with(|first: char| first.is_ascii_digit());
    (is_name && !text.is_empty()).then(|| text.to_owned())
}

fn number(text: &str) -> Option<f64> {
    match text {
        "INF" => Some(f64::INFINITY),
        "-INF" => Some(f64::NEG_INFINITY),
        _ => text.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}
