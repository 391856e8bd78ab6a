//! Resolves every name of an expression and compares the types that are known, whether or not the
//! expression can be answered yet.

use super::types::{Static, comparable};
use super::{Binder, structured};
use crate::ast::{Argument, Binary, Expr, ExprKind, Path, PathStep, Root, StepKind, Unary};
use crate::edm::{Primitive, Type};
use crate::error::{Error, Kind};
use crate::lexer::Lexer;
use crate::names;

/// What names mean at one place.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// The item that a condition looks at.
    item: Static,
    /// The item of the outermost collection, `$it`.
    root: Static,
    /// Lambda variables, the innermost last.
    variables: Vec<(String, Static)>,
}

impl Scope {
    pub(super) fn new(item: Static) -> Self {
        Self { root: item.clone(), item, variables: Vec::new() }
    }

    /// The same for another item.
    pub(super) fn inside(&self, item: Static) -> Self {
        Self { item, ..self.clone() }
    }

    pub(super) fn with_variable(&self, name: &str, item: Static) -> Self {
        let mut scope = self.clone();
        scope.variables.push((name.to_owned(), item));
        scope
    }

    fn variable(&self, name: &str) -> Option<&Static> {
        self.variables.iter().rev().find(|(known, _)| known == name).map(|(_, item)| item)
    }
}

impl Binder<'_> {
    pub(super) fn check(
        &mut self,
        expr: &Expr,
        scope: &Scope,
        source: &Lexer<'_>,
    ) -> Result<Static, Error> {
        self.count_node(source, expr.position)?;
        match &expr.kind {
            ExprKind::Literal(literal) => Ok(Static::Literal(literal.clone())),
            ExprKind::Alias(name) => {
                let (expr, source) = self.alias(name, source, expr.position)?;
                self.check(expr, scope, &source)
            }
            ExprKind::Path(path) => self.check_path(path, scope, source),
            ExprKind::Unary(Unary::Not, operand) => {
                self.check_condition(operand, scope, source)?;
                Ok(Static::boolean())
            }
            ExprKind::Unary(Unary::Negate, operand) => self.check(operand, scope, source),
            ExprKind::Binary(operator, left, right) => {
                self.check_binary(*operator, left, right, scope, source)
            }
            ExprKind::In(item, list) => {
                let item_type = self.check(item, scope, source)?;
                match &list.kind {
                    ExprKind::List(items) => {
                        for item in items {
                            let found = self.check_literal_or(item, scope, source)?;
                            comparable(&item_type, &found, source, item.position)?;
                        }
                    }
                    _ => drop(self.check(list, scope, source)?),
                }
                Ok(Static::boolean())
            }
            ExprKind::Call(name, arguments) => self.check_call(name, arguments, scope, source),
            ExprKind::Case(branches) => {
                for (condition, value) in branches {
                    self.check_condition(condition, scope, source)?;
                    self.check(value, scope, source)?;
                }
                Ok(Static::Unknown)
            }
            ExprKind::List(items) => {
                for item in items {
                    self.check_literal_or(item, scope, source)?;
                }
                Ok(Static::Unknown)
            }
            ExprKind::Object(members) => {
                for (_, value) in members {
                    self.check_literal_or(value, scope, source)?;
                }
                Ok(Static::Unknown)
            }
        }
    }

    /// As in the parser, a literal in a list is no node of its own.
    fn check_literal_or(
        &mut self,
        expr: &Expr,
        scope: &Scope,
        source: &Lexer<'_>,
    ) -> Result<Static, Error> {
        match &expr.kind {
            ExprKind::Literal(literal) => Ok(Static::Literal(literal.clone())),
            _ => self.check(expr, scope, source),
        }
    }

    /// An expression that has to be true or false.
    pub(super) fn check_condition(
        &mut self,
        expr: &Expr,
        scope: &Scope,
        source: &Lexer<'_>,
    ) -> Result<(), Error> {
        let found = self.check(expr, scope, source)?;
        comparable(&Static::boolean(), &found, source, expr.position)
    }

    fn check_binary(
        &mut self,
        operator: Binary,
        left: &Expr,
        right: &Expr,
        scope: &Scope,
        source: &Lexer<'_>,
    ) -> Result<Static, Error> {
        match operator {
            Binary::And | Binary::Or => {
                self.check_condition(left, scope, source)?;
                self.check_condition(right, scope, source)?;
                Ok(Static::boolean())
            }
            Binary::Eq
            | Binary::Ne
            | Binary::Gt
            | Binary::Ge
            | Binary::Lt
            | Binary::Le
            | Binary::Has => {
                let left_type = self.check(left, scope, source)?;
                let right_type = self.check(right, scope, source)?;
                let place = match left_type {
                    Static::Literal(_) => left.position,
                    _ => right.position,
                };
                comparable(&left_type, &right_type, source, place)?;
                Ok(Static::boolean())
            }
            _ => {
                self.check(left, scope, source)?;
                self.check(right, scope, source)?;
                Ok(Static::Unknown)
            }
        }
    }

    fn check_call(
        &mut self,
        name: &str,
        arguments: &[Expr],
        scope: &Scope,
        source: &Lexer<'_>,
    ) -> Result<Static, Error> {
        let (values, ty) = match (name, arguments) {
            ("cast" | "isof", [values @ .., ty]) => (values, Some(ty)),
            (_, values) => (values, None),
        };
        for value in values {
            self.check(value, scope, source)?;
        }
        if let Some(ty) = ty {
            self.check_type_name(ty, source)?;
        }
        match name {
            "contains" | "startswith" | "endswith" | "matchespattern" | "hassubset"
            | "hassubsequence" | "isof" | "geo.intersects" => Ok(Static::boolean()),
            _ => Ok(Static::Unknown),
        }
    }

    fn check_type_name(&self, expr: &Expr, source: &Lexer<'_>) -> Result<(), Error> {
        let name = match &expr.kind {
            ExprKind::Path(Path { root: Root::Implicit, steps }) => match steps.as_slice() {
                [PathStep { kind: StepKind::Name(name), .. }] => name,
                _ => return Err(source.expected("name of a type", expr.position)),
            },
            _ => return Err(source.expected("name of a type", expr.position)),
        };
        let declared = self.model.schemas.iter().any(|schema| {
            schema.types.iter().any(|ty| names::derived(self.model, ty, name).is_some())
                || schema.enums.iter().any(|ty| ty.name == name)
        });
        if declared || name.starts_with("Edm.") {
            return Ok(());
        }
        Err(source.error(Kind::UnknownType { name: name.clone() }, expr.position))
    }

    fn check_path(
        &mut self,
        path: &Path,
        scope: &Scope,
        source: &Lexer<'_>,
    ) -> Result<Static, Error> {
        let mut steps = path.steps.as_slice();
        let mut at = match &path.root {
            Root::Implicit => match steps.split_first() {
                Some((PathStep { kind: StepKind::Name(name), .. }, rest))
                    if scope.variable(name).is_some() =>
                {
                    steps = rest;
                    scope.variable(name).cloned().unwrap_or(Static::Unknown)
                }
                _ => scope.item.clone(),
            },
            Root::Dollar(name) => match name.as_str() {
                "$it" => scope.root.clone(),
                "$this" => scope.item.clone(),
                "$root" => Static::Service,
                _ => Static::Unknown,
            },
            Root::Alias(name) => {
                let (expr, source) = self.alias(name, source, 0)?;
                self.check(expr, scope, &source)?
            }
        };
        for step in steps {
            self.count_node(source, step.position)?;
            at = self.check_step(&at, step, scope, source)?;
        }
        Ok(at)
    }

    fn check_step(
        &mut self,
        at: &Static,
        step: &PathStep,
        scope: &Scope,
        source: &Lexer<'_>,
    ) -> Result<Static, Error> {
        let is_collection =
            matches!(at, Static::Value { is_collection: true, .. } | Static::Unknown);
        let not_a_collection = |what: &str| {
            let what = format!("{what} behind something that is no collection").into();
            Err(source.error(Kind::NotAllowed { what }, step.position))
        };
        let item = match at {
            Static::Value { ty, .. } => Static::one(*ty),
            _ => Static::Unknown,
        };
        match &step.kind {
            StepKind::Name(name) => self.check_name(at, name, None, step.position, source),
            StepKind::Call(name, arguments) => {
                self.check_arguments(arguments, scope, source)?;
                self.check_name(at, name, Some(arguments), step.position, source)
            }
            StepKind::Key(arguments) => {
                self.check_arguments(arguments, scope, source)?;
                if is_collection { Ok(item) } else { not_a_collection("a key") }
            }
            StepKind::Annotation(_) => Ok(Static::Unknown),
            StepKind::Count(_) if !is_collection => not_a_collection("'$count'"),
            StepKind::Count(options) => {
                if let Some(condition) = options.as_ref().and_then(|it| it.filter.as_ref()) {
                    self.check_condition(condition, &scope.inside(item), source)?;
                }
                Ok(Static::one(Type::Primitive(Primitive::Int64)))
            }
            StepKind::Filter(_) | StepKind::Lambda(..) if !is_collection => {
                not_a_collection("a condition on items")
            }
            StepKind::Filter(condition) => {
                self.check_condition(condition, &scope.inside(item), source)?;
                Ok(at.clone())
            }
            StepKind::Lambda(_, None) => Ok(Static::boolean()),
            StepKind::Lambda(_, Some((variable, body))) => {
                self.check_condition(body, &scope.with_variable(variable, item), source)?;
                Ok(Static::boolean())
            }
        }
    }

    fn check_arguments(
        &mut self,
        arguments: &[Argument],
        scope: &Scope,
        source: &Lexer<'_>,
    ) -> Result<(), Error> {
        for argument in arguments {
            self.check(&argument.value, scope, source)?;
        }
        Ok(())
    }

    /// What a name behind `at` means; `arguments` when it has parentheses.
    fn check_name(
        &self,
        at: &Static,
        name: &str,
        arguments: Option<&[Argument]>,
        position: usize,
        source: &Lexer<'_>,
    ) -> Result<Static, Error> {
        let unknown = || {
            let name = name.to_owned();
            let kind = match arguments {
                Some(_) => Kind::UnknownFunction { name },
                None if name.contains('.') => Kind::UnknownType { name },
                None => Kind::UnknownProperty { name },
            };
            Err(source.error(kind, position))
        };
        let (ty, is_collection) = match at {
            Static::Unknown => return Ok(Static::Unknown),
            Static::Literal(_) => return unknown(),
            Static::Service => {
                let singletons =
                    self.model.schemas.iter().filter_map(|schema| schema.container.as_ref());
                let mut singletons = singletons.flat_map(|container| container.singletons);
                return match singletons.find(|(known, _)| *known == name) {
                    Some((_, ty)) => Ok(Static::one(Type::Structured(ty))),
                    None => unknown(),
                };
            }
            Static::Value { ty, is_collection } => (*ty, *is_collection),
        };
        let Some(ty) = structured(ty) else { return unknown() };
        if let Some(property) = names::property(ty, name) {
            if is_collection {
                let what = "a path through a collection without 'any' or 'all'".into();
                return Err(source.error(Kind::NotAllowed { what }, position));
            }
            let is_collection = property.is_collection && arguments.is_none();
            return Ok(Static::Value { ty: property.ty, is_collection });
        }
        if let (Some(ty), None) = (names::derived(self.model, ty, name), arguments) {
            return Ok(Static::Value { ty: Type::Structured(ty), is_collection });
        }
        let function = names::operations(self.model, name)
            .find(|(_, it)| !it.is_action && names::is_bound_to(it, ty, is_collection));
        if let Some((_, function)) = function {
            return Ok(function.returns.as_ref().map_or(Static::Unknown, |returns| {
                Static::Value { ty: returns.ty, is_collection: returns.is_collection }
            }));
        }
        if ty.is_open && arguments.is_none() && !name.contains('.') {
            return Ok(Static::Unknown);
        }
        unknown()
    }
}
