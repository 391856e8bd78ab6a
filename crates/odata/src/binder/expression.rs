//! Expressions: each node of a syntax tree becomes one with a type.

use std::rc::Rc;

use super::Binder;
use super::alternatives;
use super::scope::Scope;
use super::types::{BOOLEAN, coerce_to, common, fits, member_literal, mismatch, name_of, natural};
use crate::ast::{self, Unary};
use crate::bound::{Expr, ExprKind, Ty};
use crate::edm::{Primitive, Type};
use crate::error::{Error, Kind};
use crate::lexer::Lexer;
use crate::literal::Literal;
use crate::names;

impl<'a> Binder<'a> {
    /// Binds an expression. All recursion comes through here and is bounded here.
    pub(super) fn expression(
        &mut self,
        expr: &ast::Expr,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Expr, Error> {
        self.count_node(source, expr.position)?;
        // An alias may stand as deep as the text that uses it, so the parser's own limit is not enough.
        let limit = 2 * self.limits.depth;
        if self.depth == limit {
            let kind = Kind::TooMuch { what: "levels of nesting", limit };
            return Err(source.error(kind, expr.position));
        }
        self.depth += 1;
        let bound = self.node(expr, scope, source);
        self.depth -= 1;
        bound
    }

    fn node(&mut self, expr: &ast::Expr, scope: &Scope, source: &Lexer<'a>) -> Result<Expr, Error> {
        let position = expr.position;
        match &expr.kind {
            ast::ExprKind::Literal(literal) => self.literal(literal, source, position),
            ast::ExprKind::Alias(name) => self.followed(name, position, scope, source),
            ast::ExprKind::Path(path) => self.path(path, position, scope, source),
            ast::ExprKind::Unary(Unary::Not, operand) => {
                let operand = self.condition(operand, scope, source)?;
                Ok(truth(ExprKind::Not(Box::new(operand))))
            }
            ast::ExprKind::Unary(Unary::Negate, operand) => {
                self.negation(operand, position, scope, source)
            }
            ast::ExprKind::And(parts) => {
                let parts = self.conditions(parts, scope, source, |kind| match kind {
                    ExprKind::And(parts) => Ok(parts),
                    other => Err(other),
                })?;
                Ok(truth(ExprKind::And(parts)))
            }
            ast::ExprKind::Or(parts) => {
                let parts = self.conditions(parts, scope, source, |kind| match kind {
                    ExprKind::Or(parts) => Ok(parts),
                    other => Err(other),
                })?;
                Ok(alternatives::joined(parts))
            }
            ast::ExprKind::Binary(operator, left, right) => {
                self.binary(*operator, left, right, scope, source)
            }
            ast::ExprKind::In(item, list) => self.membership(item, list, scope, source),
            ast::ExprKind::Call(name, arguments) => {
                self.call(name, arguments, position, scope, source)
            }
            ast::ExprKind::Case(branches) => self.case(branches, position, scope, source),
            ast::ExprKind::List(items) => self.list(items, position, scope, source),
            ast::ExprKind::Object(_) => {
                let what = "an object as a value".to_owned();
                Err(source.error(Kind::NotBuilt { what }, position))
            }
        }
    }

    /// What an alias stands for.
    pub(super) fn followed(
        &mut self,
        name: &str,
        position: usize,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Expr, Error> {
        // One without a value is null (URL Conventions 5.3.1).
        let Some(alias) = self.alias(name) else {
            return Ok(Expr { kind: ExprKind::Literal(Literal::Null), ty: Ty::Null });
        };
        if self.following.iter().any(|value| Rc::ptr_eq(value, &alias.value)) {
            return Err(source.expected("value that does not use itself", position));
        }
        self.following.push(Rc::clone(&alias.value));
        let bound = self.expression(&alias.value, scope, &alias.source);
        self.following.pop();
        bound
    }

    /// An expression that has to be true or false.
    pub(super) fn condition(
        &mut self,
        expr: &ast::Expr,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Expr, Error> {
        let bound = self.expression(expr, scope, source)?;
        if fits(bound.ty, Type::Primitive(Primitive::Boolean)) {
            return Ok(bound);
        }
        Err(mismatch(name_of(BOOLEAN), bound.ty, source, expr.position))
    }

    /// Operands of `and` or `or`; `split` takes those apart that are of the same kind.
    fn conditions(
        &mut self,
        parts: &[ast::Expr],
        scope: &Scope,
        source: &Lexer<'a>,
        split: impl Fn(ExprKind) -> Result<Vec<Expr>, ExprKind>,
    ) -> Result<Vec<Expr>, Error> {
        let mut out = Vec::with_capacity(parts.len());
        for part in parts {
            let Expr { kind, ty } = self.condition(part, scope, source)?;
            match split(kind) {
                Ok(inner) => out.extend(inner),
                Err(kind) => out.push(Expr { kind, ty }),
            }
        }
        Ok(out)
    }

    fn literal(
        &mut self,
        literal: &Literal,
        source: &Lexer<'a>,
        position: usize,
    ) -> Result<Expr, Error> {
        if let Some(ty) = natural(literal) {
            return Ok(Expr { kind: ExprKind::Literal(literal.clone()), ty });
        }
        let Literal::Enum { ty: name, members } = literal else {
            let what = format!("a value of {}", literal.type_name());
            return Err(source.error(Kind::NotBuilt { what }, position));
        };
        let Some(ty) = names::enumeration(self.model, name) else {
            return Err(self.unknown_type(name, source, position));
        };
        let literal = Literal::String(members.clone());
        let literal = member_literal(literal, ty, source, position)?.unwrap_or(Literal::Null);
        Ok(Expr { kind: ExprKind::Literal(literal), ty: Ty::One(Type::Enum(ty)) })
    }

    /// `case(condition:value,…)`
    fn case(
        &mut self,
        branches: &[(ast::Expr, ast::Expr)],
        position: usize,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Expr, Error> {
        let mut conditions = Vec::with_capacity(branches.len());
        let mut values = Vec::with_capacity(branches.len());
        for (condition, value) in branches {
            conditions.push(self.condition(condition, scope, source)?);
            values.push(self.single(value, scope, source)?);
        }
        let Some(ty) = common(values.iter()) else {
            return Err(source.expected("values of one type", position));
        };
        let values = values
            .into_iter()
            .zip(branches)
            .map(|(value, (_, written))| coerce_to(value, ty, source, written.position));
        let values: Vec<Expr> = values.collect::<Result<_, Error>>()?;
        let branches = conditions.into_iter().zip(values).collect();
        Ok(Expr { kind: ExprKind::Case(branches), ty })
    }

    /// A list as written, its items of one type as far as that can be told.
    fn list(
        &mut self,
        items: &[ast::Expr],
        position: usize,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Expr, Error> {
        let bound = self.items(items, scope, source)?;
        let Some(ty) = common(bound.iter()) else {
            return Err(source.expected("values of one type", position));
        };
        let bound = bound
            .into_iter()
            .zip(items)
            .map(|(item, written)| coerce_to(item, ty, source, written.position))
            .collect::<Result<_, Error>>()?;
        let ty = match ty {
            Ty::One(ty) => Ty::Many(ty),
            // Of a list without values any type is right.
            _ => Ty::Many(Type::Primitive(Primitive::String)),
        };
        Ok(Expr { kind: ExprKind::List(bound), ty })
    }

    /// The items of a list. As in the parser, a literal in a list is no node of its own.
    pub(super) fn items(
        &mut self,
        items: &[ast::Expr],
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Vec<Expr>, Error> {
        items
            .iter()
            .map(|item| match &item.kind {
                ast::ExprKind::Literal(literal) => self.literal(literal, source, item.position),
                _ => self.single(item, scope, source),
            })
            .collect()
    }

    /// An expression that has to have a single value without properties.
    pub(super) fn single(
        &mut self,
        expr: &ast::Expr,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Expr, Error> {
        let bound = self.expression(expr, scope, source)?;
        single_value(bound, source, expr.position)
    }
}

/// The expression, if it has a single value without properties.
pub(super) fn single_value(
    bound: Expr,
    source: &Lexer<'_>,
    position: usize,
) -> Result<Expr, Error> {
    match bound.ty {
        Ty::Many(_) | Ty::One(Type::Structured(_) | Type::Undeclared(_)) => {
            Err(mismatch("a single value", bound.ty, source, position))
        }
        Ty::One(Type::Primitive(Primitive::Stream)) => {
            Err(mismatch("a value that can be compared", bound.ty, source, position))
        }
        _ => Ok(bound),
    }
}

/// A condition.
pub(super) fn truth(kind: ExprKind) -> Expr {
    Expr { kind, ty: BOOLEAN }
}
