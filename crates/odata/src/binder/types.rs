//! What is known of types before an expression is run, and which can be compared.

use crate::edm::{Primitive, Type};
use crate::error::{Error, Kind};
use crate::lexer::Lexer;
use crate::literal::{Literal, type_name};

/// What is known of the type of an expression.
#[derive(Debug, Clone)]
pub(super) enum Static {
    /// A value, or a collection of values.
    Value { ty: Type, is_collection: bool },
    /// A value as written, which may stand for several types.
    Literal(Literal),
    /// The service root, behind `$root`.
    Service,
    /// Anything: a dynamic property, the result of a function.
    Unknown,
}

impl Static {
    pub(super) fn one(ty: Type) -> Self {
        Self::Value { ty, is_collection: false }
    }

    pub(super) fn boolean() -> Self {
        Self::one(Type::Primitive(Primitive::Boolean))
    }

    fn name(&self) -> String {
        match self {
            Self::Value { ty, is_collection: false } => type_name(ty).to_owned(),
            Self::Value { ty, is_collection: true } => format!("Collection({})", type_name(ty)),
            Self::Literal(literal) => literal.type_name().to_owned(),
            Self::Service | Self::Unknown => "a value".to_owned(),
        }
    }
}

/// Refuses two values that can't be compared, as far as their types are known.
pub(super) fn comparable(
    left: &Static,
    right: &Static,
    source: &Lexer<'_>,
    position: usize,
) -> Result<(), Error> {
    let (fits, expected, found) = match (left, right) {
        (Static::Value { ty, is_collection: false }, Static::Literal(literal)) => {
            (literal.clone().into_type(ty).is_some() || is_opaque(ty), left, right)
        }
        (Static::Literal(literal), Static::Value { ty, is_collection: false }) => {
            (literal.clone().into_type(ty).is_some() || is_opaque(ty), right, left)
        }
        (
            Static::Value { ty: a, is_collection: a_many },
            Static::Value { ty: b, is_collection: b_many },
        ) => (a_many == b_many && is_same(a, b), left, right),
        _ => (true, left, right),
    };
    if fits {
        return Ok(());
    }
    let kind = Kind::TypeMismatch { expected: expected.name(), found: found.name() };
    Err(source.error(kind, position))
}

/// Types whose values have no literal, or that the model doesn't describe.
fn is_opaque(ty: &Type) -> bool {
    matches!(ty, Type::Undeclared(_) | Type::Primitive(Primitive::Stream))
}

fn is_same(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Primitive(a), Type::Primitive(b)) => a == b || is_number(*a) && is_number(*b),
        (Type::Enum(a), Type::Enum(b)) => std::ptr::eq(*a, *b),
        (Type::Structured(a), Type::Structured(b)) => a.is_a(b) || b.is_a(a),
        (Type::Undeclared(_), _) | (_, Type::Undeclared(_)) => true,
        _ => false,
    }
}

fn is_number(ty: Primitive) -> bool {
    matches!(
        ty,
        Primitive::Int32
            | Primitive::Int64
            | Primitive::Single
            | Primitive::Double
            | Primitive::Decimal
    )
}
