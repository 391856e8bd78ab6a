//! What types values have, and values as the types that their places ask for.

use crate::bound::{Expr, ExprKind, Ty};
use crate::canonical::MISSPELT_LETTERS;
use crate::edm::{EnumType, Primitive, Type};
use crate::error::{Error, Kind};
use crate::lexer::Lexer;
use crate::literal::{Literal, type_name};
use crate::suggest::within;

pub(super) const BOOLEAN: Ty = Ty::One(Type::Primitive(Primitive::Boolean));
pub(super) const INT64: Ty = Ty::One(Type::Primitive(Primitive::Int64));

/// The name of a type for messages.
pub(super) fn name_of(ty: Ty) -> String {
    match ty {
        Ty::One(ty) => type_name(&ty).to_owned(),
        Ty::Many(ty) => format!("Collection({})", type_name(&ty)),
        Ty::Null => "null".to_owned(),
        Ty::Dynamic => "a dynamic value".to_owned(),
    }
}

/// The error that another type should stand at `position`.
pub(super) fn mismatch(
    expected: impl Into<String>,
    found: Ty,
    source: &Lexer<'_>,
    position: usize,
) -> Error {
    let kind = Kind::TypeMismatch { expected: expected.into(), found: name_of(found) };
    source.error(kind, position)
}

/// The type that a way of writing stands for; `None` where there are no values of it here.
pub(super) fn natural(literal: &Literal) -> Option<Ty> {
    let primitive = match literal {
        Literal::Null => return Some(Ty::Null),
        Literal::Boolean(_) => Primitive::Boolean,
        Literal::Integer(_) => Primitive::Int64,
        Literal::Number(text) if text.contains(['e', 'E', 'N']) => Primitive::Double,
        Literal::Number(_) => Primitive::Decimal,
        Literal::String(_) => Primitive::String,
        Literal::Guid(_) => Primitive::Guid,
        Literal::Date(_) => Primitive::Date,
        Literal::TimeOfDay(_) => Primitive::TimeOfDay,
        Literal::DateTimeOffset(_) => Primitive::DateTimeOffset,
        Literal::Duration(_) => Primitive::Duration,
        Literal::Enum { .. } | Literal::Binary(_) | Literal::Geo(_) => return None,
    };
    Some(Ty::One(Type::Primitive(primitive)))
}

pub(super) fn is_number(ty: Type) -> bool {
    is_whole(ty)
        || matches!(ty, Type::Primitive(Primitive::Single | Primitive::Double | Primitive::Decimal))
}

pub(super) fn is_whole(ty: Type) -> bool {
    matches!(ty, Type::Primitive(Primitive::Int32 | Primitive::Int64))
}

/// The type of what arithmetic makes of two numbers.
pub(super) fn wider(a: Type, b: Type) -> Type {
    let is =
        |ty: Type, wanted: &[Primitive]| matches!(ty, Type::Primitive(it) if wanted.contains(&it));
    let floats = [Primitive::Single, Primitive::Double];
    Type::Primitive(if is(a, &floats) || is(b, &floats) {
        Primitive::Double
    } else if is(a, &[Primitive::Decimal]) || is(b, &[Primitive::Decimal]) {
        Primitive::Decimal
    } else {
        Primitive::Int64
    })
}

/// Whether a value of type `found` can stand where `wanted` is expected.
pub(super) fn fits(found: Ty, wanted: Type) -> bool {
    match found {
        Ty::One(found) => found == wanted || is_number(found) && is_number(wanted),
        Ty::Many(_) => false,
        Ty::Null | Ty::Dynamic => true,
    }
}

/// Whether the expression has the same value for every item, as written.
pub(super) fn is_constant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(_) => true,
        ExprKind::Case(branches) => branches.iter().all(|(_, value)| is_constant(value)),
        _ => false,
    }
}

/// The single value as one of type `to`: what is written as a literal is converted, anything else
/// has to be of that type.
pub(super) fn coerce(
    expr: Expr,
    to: Type,
    source: &Lexer<'_>,
    position: usize,
) -> Result<Expr, Error> {
    let ty = Ty::One(to);
    let found = expr.ty;
    let refuse = || mismatch(type_name(&to), found, source, position);
    match expr.kind {
        ExprKind::Literal(Literal::Null) => Ok(expr),
        ExprKind::Literal(literal) => {
            let literal = match to {
                Type::Enum(wanted) => member_literal(literal, wanted, source, position)?,
                _ => literal.into_type(&to),
            };
            literal.map(|literal| Expr { kind: ExprKind::Literal(literal), ty }).ok_or_else(refuse)
        }
        ExprKind::Case(branches) => {
            let branches = branches
                .into_iter()
                .map(|(when, then)| Ok((when, coerce(then, to, source, position)?)))
                .collect::<Result<_, Error>>()?;
            Ok(Expr { kind: ExprKind::Case(branches), ty })
        }
        _ if fits(found, to) => Ok(expr),
        _ => Err(refuse()),
    }
}

/// A collection as one of items of type `to`; the items of a list are converted.
pub(super) fn coerce_items(
    expr: Expr,
    to: Type,
    source: &Lexer<'_>,
    position: usize,
) -> Result<Expr, Error> {
    match (expr.kind, expr.ty) {
        (ExprKind::List(items), _) => {
            let items = items
                .into_iter()
                .map(|item| coerce(item, to, source, position))
                .collect::<Result<_, Error>>()?;
            Ok(Expr { kind: ExprKind::List(items), ty: Ty::Many(to) })
        }
        (kind, ty @ Ty::Many(of)) if fits(Ty::One(of), to) => Ok(Expr { kind, ty }),
        (_, found) => {
            Err(mismatch(format!("Collection({})", type_name(&to)), found, source, position))
        }
    }
}

/// The type that all the values can have, if there is one. A literal gives way to anything else.
pub(super) fn common<'e>(values: impl Iterator<Item = &'e Expr> + Clone) -> Option<Ty> {
    let firm = values.clone().filter(|value| !is_constant(value));
    let mut types = firm.chain(values.filter(|value| is_constant(value))).map(|value| value.ty);
    types.try_fold(Ty::Null, |known, next| match (known, next) {
        (Ty::Many(_), _) | (_, Ty::Many(_)) => None,
        (Ty::Null, ty) | (ty, Ty::Null) => Some(ty),
        (Ty::Dynamic, _) | (_, Ty::Dynamic) => Some(Ty::Dynamic),
        (Ty::One(a), Ty::One(b)) if a != b && is_number(a) && is_number(b) => {
            Some(Ty::One(wider(a, b)))
        }
        // Whether a literal can be converted shows when that is tried.
        (known, _) => Some(known),
    })
}

/// Values with one type, which becomes theirs; `Ty::Dynamic` leaves them as they are.
pub(super) fn coerce_to(
    expr: Expr,
    to: Ty,
    source: &Lexer<'_>,
    position: usize,
) -> Result<Expr, Error> {
    match to {
        Ty::One(to) => coerce(expr, to, source, position),
        _ => Ok(expr),
    }
}

/// The literal as a member of `ty`; `None` when it is of another type.
///
/// A member may be given by its number, and in another case than the declared one. A name that is
/// not declared is an error unless members may be added to the enumeration at any time; then it is one
/// only where a declared name is so near that it was probably meant, whatever is stored.
pub(super) fn member_literal(
    literal: Literal,
    ty: &'static EnumType,
    source: &Lexer<'_>,
    position: usize,
) -> Result<Option<Literal>, Error> {
    let members = match literal {
        Literal::String(members) => members,
        Literal::Enum { ty: name, members } if name == ty.name => members,
        _ => return Ok(None),
    };
    let declared = |name: &str| {
        let number = name.parse::<i64>().ok();
        let exact =
            ty.members.iter().find(|(known, value)| *known == name || Some(*value) == number);
        exact.or_else(|| ty.members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)))
    };
    let literal = |members| Ok(Some(Literal::Enum { ty: ty.name.to_owned(), members }));
    if let Some((known, _)) = declared(&members) {
        return literal((*known).to_owned());
    }
    let known = || ty.members.iter().map(|(name, _)| *name);
    let meant = within(MISSPELT_LETTERS, &members, known());
    if ty.is_evolvable() && is_name(&members) && meant.is_none() {
        return literal(members);
    }
    let kind = Kind::UnknownMember { name: members.clone(), ty };
    let mut error = source.error(kind, position).suggesting(&members, known());
    error.suggestion = meant.map(Into::into).or(error.suggestion);
    Err(error)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}
