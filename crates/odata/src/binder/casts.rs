//! `cast` and `isof`, and the names of types that stand in them.

use super::Binder;
use super::expression::truth;
use super::scope::Scope;
use super::types::{is_number, is_whole, member_literal, mismatch};
use crate::ast::{self, PathStep, StepKind};
use crate::bound::{Expr, ExprKind, Path, Root, Ty};
use crate::edm::{Primitive, Type};
use crate::error::{Error, Kind};
use crate::lexer::Lexer;
use crate::literal::{Literal, type_name};
use crate::names;

/// The built-in types that values can have here.
const PRIMITIVES: [Primitive; 12] = [
    Primitive::Boolean,
    Primitive::Int32,
    Primitive::Int64,
    Primitive::Single,
    Primitive::Double,
    Primitive::Decimal,
    Primitive::String,
    Primitive::Guid,
    Primitive::Date,
    Primitive::TimeOfDay,
    Primitive::DateTimeOffset,
    Primitive::Duration,
];

/// Built-in types of the standard that nothing has here (CSDL section 3.3).
const OTHERS: [&str; 9] = [
    "Edm.Binary",
    "Edm.Byte",
    "Edm.Geography",
    "Edm.Geometry",
    "Edm.Int16",
    "Edm.PrimitiveType",
    "Edm.SByte",
    "Edm.Stream",
    "Edm.Untyped",
];

impl<'a> Binder<'a> {
    /// Binds `cast(value,type)`, `isof(value,type)`, and the same of the item with only a type.
    pub(super) fn type_function(
        &mut self,
        name: &str,
        arguments: &[ast::Expr],
        position: usize,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Expr, Error> {
        let (value, ty) = match arguments {
            [ty] => {
                let kind = ExprKind::Path(Path { root: Root::Item, steps: Vec::new() });
                ((Expr { kind, ty: scope.item.ty }, position), ty)
            }
            [value, ty] => {
                let at = value.position;
                ((self.expression(value, scope, source)?, at), ty)
            }
            _ => {
                let expected = format!("1 or 2 arguments for '{name}'").into();
                let found = arguments.len().to_string();
                return Err(source.error(Kind::Malformed { expected, found }, position));
            }
        };
        let (value, at) = value;
        let to = self.type_named(ty, source)?;
        if matches!(value.ty, Ty::Many(_)) {
            return Err(mismatch("a single value", value.ty, source, at));
        }
        if name == "isof" {
            return Ok(truth(ExprKind::IsOf(Box::new(value), to)));
        }
        // A literal is a member as it is beside one: a misspelt one is no null.
        if let (Type::Enum(ty), ExprKind::Literal(literal @ Literal::String(_))) = (to, &value.kind)
            && let Some(member) = member_literal(literal.clone(), ty, source, at)?
        {
            return Ok(Expr { kind: ExprKind::Literal(member), ty: Ty::One(to) });
        }
        if !is_castable(value.ty, to) {
            let expected = format!("a value that {} can be made of", type_name(&to));
            return Err(mismatch(expected, value.ty, source, at));
        }
        Ok(Expr { kind: ExprKind::Cast(Box::new(value), to), ty: Ty::One(to) })
    }

    fn type_named(&self, expr: &ast::Expr, source: &Lexer<'a>) -> Result<Type, Error> {
        let name = match &expr.kind {
            // As Graph's own documents write it.
            ast::ExprKind::Literal(Literal::String(name)) => name,
            ast::ExprKind::Path(ast::Path { root: ast::Root::Implicit, steps }) => {
                match steps.as_slice() {
                    [PathStep { kind: StepKind::Name(name), .. }] => name,
                    _ => return Err(source.expected("name of a type", expr.position)),
                }
            }
            _ => return Err(source.expected("name of a type", expr.position)),
        };
        if let Some(ty) = PRIMITIVES.into_iter().find(|ty| ty.name() == name) {
            return Ok(Type::Primitive(ty));
        }
        if OTHERS.contains(&name.as_str())
            || name.starts_with("Edm.Geography")
            || name.starts_with("Edm.Geometry")
        {
            let what = format!("the type '{name}'");
            return Err(source.error(Kind::NotBuilt { what }, expr.position));
        }
        let ty = names::enumeration(self.model, name).map(Type::Enum);
        ty.or_else(|| names::structured(self.model, name).map(Type::Structured))
            .ok_or_else(|| self.unknown_type(name, source, expr.position))
    }

    /// The error for a name that is no type.
    pub(super) fn unknown_type(&self, name: &str, source: &Lexer<'a>, position: usize) -> Error {
        let schemas = self.model.schemas.iter();
        let declared = schemas.flat_map(|schema| {
            let enums = schema.enums.iter().map(|ty| ty.name);
            enums.chain(schema.types.iter().map(|ty| ty.name))
        });
        let known = declared.chain(PRIMITIVES.into_iter().map(Primitive::name));
        let kind = Kind::UnknownType { name: name.to_owned() };
        source.error(kind, position).suggesting(name, known)
    }
}

/// Whether a value may become one of another type (URL Conventions 5.1.1.10.1); whether it does
/// shows when it is there.
fn is_castable(from: Ty, to: Type) -> bool {
    let from = match from {
        Ty::Null | Ty::Dynamic => return true,
        Ty::Many(_) => return false,
        Ty::One(from) => from,
    };
    let is_value = |ty: Type| match ty {
        Type::Primitive(ty) => ty != Primitive::Stream,
        Type::Enum(_) => true,
        Type::Structured(_) | Type::Undeclared(_) => false,
    };
    match (from, to) {
        (Type::Structured(from), Type::Structured(to)) => from.is_a(to) || to.is_a(from),
        (from, Type::Primitive(Primitive::String)) => is_value(from),
        (Type::Primitive(Primitive::String), to) => is_value(to),
        (Type::Enum(_), to) => from == to || is_number(to),
        (from, Type::Enum(_)) => is_whole(from),
        (Type::Primitive(Primitive::Date), Type::Primitive(Primitive::DateTimeOffset))
        | (
            Type::Primitive(Primitive::DateTimeOffset),
            Type::Primitive(Primitive::Date | Primitive::TimeOfDay),
        ) => true,
        (from, to) => from == to || is_number(from) && is_number(to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_numbers_and_text_becomes_anything() {
        let one = |ty| Ty::One(Type::Primitive(ty));
        assert!(is_castable(one(Primitive::Int32), Type::Primitive(Primitive::Double)));
        assert!(is_castable(one(Primitive::String), Type::Primitive(Primitive::Duration)));
        assert!(is_castable(one(Primitive::Guid), Type::Primitive(Primitive::String)));
        assert!(!is_castable(one(Primitive::Guid), Type::Primitive(Primitive::Int32)));
        assert!(!is_castable(one(Primitive::Stream), Type::Primitive(Primitive::String)));
    }
}
