//! Values in SQL, and what is known of them: enough to see whether SQL calculates with them as our own
//! evaluator does.

use odata::bound::{Arithmetic, Ty};
use odata::edm::{EnumType, Primitive, Type};
use odata::literal::Literal;
use odata::primitive::Fine;

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
    Real,
    Bool,
    /// Ticks.
    Instant,
    /// Ticks, between the two.
    Duration {
        least: i128,
        most: i128,
    },
    Text,
    Enum(&'static EnumType),
}

/// Instants are read from dates of years of up to four digits, give or take an offset.
const INSTANTS: i128 = 1 << 60;

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
            (Self::Int { .. } | Self::Real, Self::Int { .. } | Self::Real)
            | (Self::Duration { .. }, Self::Duration { .. }) => true,
            _ => self == other,
        }
    }

    /// Whether SQL orders values as the language does.
    pub(crate) fn is_ordered(self) -> bool {
        !matches!(self, Self::Enum(_))
    }
}

impl Kind {
    /// The kind of what is of one or the other; none if that is no kind.
    pub(super) fn joined(self, other: Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Int { least: a, most: b }, Self::Int { least: c, most: d }) => {
                Self::Int { least: a.min(c), most: b.max(d) }
            }
            (Self::Duration { least: a, most: b }, Self::Duration { least: c, most: d }) => {
                Self::Duration { least: a.min(c), most: b.max(d) }
            }
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
            Kind::Int { .. } if is_real => Self::of(
                Sql::text("CAST(").append(self.sql).push(" AS DOUBLE PRECISION)"),
                Kind::Real,
            ),
            _ => self,
        }
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
        Literal::Number(text) => (Bind::Real(number(text)?), Kind::Real),
        Literal::DateTimeOffset(moment) => (Bind::Int(ticks(moment.at)?), Kind::Instant),
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

/// Sums, products and quotients whose result SQL neither rounds nor turns into another type.
pub(super) fn arithmetic(operator: Arithmetic, left: Scalar, right: Scalar) -> Option<Scalar> {
    let (text, kind) = match (operator, left.kind, right.kind) {
        (Arithmetic::Add, Kind::Int { .. }, Kind::Int { .. })
        | (Arithmetic::Sub, Kind::Int { .. }, Kind::Int { .. })
        | (Arithmetic::Mul, Kind::Int { .. }, Kind::Int { .. })
        | (Arithmetic::Add, Kind::Duration { .. }, Kind::Duration { .. })
        | (Arithmetic::Sub, Kind::Duration { .. }, Kind::Duration { .. }) => {
            whole(operator, left.kind, right.kind)?
        }
        (Arithmetic::Sub, Kind::Instant, Kind::Instant) => {
            (" - ", Kind::Duration { least: -2 * INSTANTS, most: 2 * INSTANTS })
        }
        (
            Arithmetic::Add | Arithmetic::Sub | Arithmetic::Mul,
            Kind::Int { .. } | Kind::Real,
            Kind::Int { .. } | Kind::Real,
        ) if is_finite(&left, operator) || is_finite(&right, operator) => {
            let text = match operator {
                Arithmetic::Add => " + ",
                Arithmetic::Sub => " - ",
                _ => " * ",
            };
            (text, Kind::Real)
        }
        (
            Arithmetic::Div | Arithmetic::DivBy,
            Kind::Int { .. } | Kind::Real,
            Kind::Int { .. } | Kind::Real,
        ) if divides_as_real(operator, &left, &right) => {
            let sql = Sql::text("(CAST(").append(left.sql).push(" AS DOUBLE PRECISION) / ");
            return Some(Scalar::of(sql.append(right.sql).push(")"), Kind::Real));
        }
        (Arithmetic::Div | Arithmetic::Mod, Kind::Int { .. }, Kind::Int { least, .. })
            if right.literal.is_some() && least > 0 =>
        {
            (if operator == Arithmetic::Div { " / " } else { " % " }, left.kind)
        }
        _ => return None,
    };
    Some(Scalar::of(left.sql.push(text).append(right.sql).grouped(), kind))
}

/// Whether a side is a literal with which the result is a number: INF - INF and 0 * INF are NaN, of which
/// SQL makes null.
fn is_finite(side: &Scalar, operator: Arithmetic) -> bool {
    let is_factor = operator == Arithmetic::Mul;
    match side.literal {
        Some(Bind::Int(number)) => !is_factor || number != 0,
        Some(Bind::Real(number)) => number.is_finite() && (!is_factor || number != 0.0),
        _ => false,
    }
}

/// Division of floating point numbers by a literal that is not zero.
fn divides_as_real(operator: Arithmetic, left: &Scalar, right: &Scalar) -> bool {
    let is_whole = |scalar: &Scalar| matches!(scalar.kind, Kind::Int { .. });
    let is_safe = match right.literal {
        Some(Bind::Int(number)) => number != 0,
        Some(Bind::Real(number)) => number != 0.0 && number.is_finite(),
        _ => false,
    };
    is_safe && !(operator == Arithmetic::Div && is_whole(left) && is_whole(right))
}

/// Whole numbers whose result stays one: SQL goes over to floating point when it overflows.
fn whole(operator: Arithmetic, left: Kind, right: Kind) -> Option<(&'static str, Kind)> {
    let bounds = |kind| match kind {
        Kind::Int { least, most } | Kind::Duration { least, most } => Some((least, most)),
        _ => None,
    };
    let ((a, b), (c, d)) = (bounds(left)?, bounds(right)?);
    let (text, least, most) = match operator {
        Arithmetic::Add => (" + ", a + c, b + d),
        Arithmetic::Sub => (" - ", a - d, b - c),
        _ => {
            let products =
                [a.checked_mul(c)?, a.checked_mul(d)?, b.checked_mul(c)?, b.checked_mul(d)?];
            (" * ", *products.iter().min()?, *products.iter().max()?)
        }
    };
    let fits = least >= i128::from(i64::MIN) && most <= i128::from(i64::MAX);
    let kind = match left {
        Kind::Duration { .. } => Kind::Duration { least, most },
        _ => Kind::Int { least, most },
    };
    fits.then_some((text, kind))
}
