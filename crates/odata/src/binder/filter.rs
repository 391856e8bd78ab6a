//! `$filter` to a bound condition, as far as the service answers it.

use super::check::Scope;
use super::{Binder, structured};
use crate::ast::{Binary, Expr, ExprKind, Path, PathStep, Quantifier, Root, StepKind, Unary};
use crate::bound::{self, Operator};
use crate::edm::{Primitive, Property, StructuredType, Type};
use crate::error::{Error, Kind};
use crate::lexer::Lexer;
use crate::limits::Filterable;
use crate::literal::Literal;
use crate::names;
use crate::options::SystemOption;

/// Where the paths of a condition start.
#[derive(Debug, Clone, Copy)]
struct Start<'e> {
    /// Type of the items that are filtered.
    ty: &'static StructuredType,
    /// The collection and variable of the lambda around.
    lambda: Option<(&'static Property, &'e str)>,
}

impl Binder<'_> {
    /// Binds the condition of a request on items of `ty`.
    pub(super) fn filter(
        &mut self,
        expr: &Expr,
        scope: &Scope,
        ty: Option<&'static StructuredType>,
    ) -> Result<bound::Expr, Error> {
        let source = self.source(SystemOption::Filter);
        self.check_condition(expr, scope, &source)?;
        let Some(ty) = ty else {
            return Err(not_built("$filter on values without properties", &source, expr.position));
        };
        let mut parts = Vec::new();
        self.conjunction(expr, Start { ty, lambda: None }, &source, &mut parts)?;
        match parts.len() {
            1 => Ok(parts.remove(0)),
            _ => Ok(truth(bound::ExprKind::And(parts))),
        }
    }

    /// Collects conditions that are joined by `and`, however they are grouped.
    fn conjunction(
        &self,
        expr: &Expr,
        start: Start<'_>,
        source: &Lexer<'_>,
        parts: &mut Vec<bound::Expr>,
    ) -> Result<(), Error> {
        match &expr.kind {
            ExprKind::Binary(Binary::And, left, right) if start.lambda.is_none() => {
                self.conjunction(left, start, source, parts)?;
                self.conjunction(right, start, source, parts)
            }
            ExprKind::Alias(name) => {
                let (expr, source) = self.alias(name, source, expr.position)?;
                self.conjunction(expr, start, &source, parts)
            }
            _ => {
                parts.push(self.condition(expr, start, source)?);
                Ok(())
            }
        }
    }

    fn condition(
        &self,
        expr: &Expr,
        start: Start<'_>,
        source: &Lexer<'_>,
    ) -> Result<bound::Expr, Error> {
        match &expr.kind {
            ExprKind::Binary(operator, left, right) => {
                let Some(operator) = comparison(*operator) else {
                    let what = format!("the operator '{}'", operator.name());
                    return Err(not_built(&what, source, expr.position));
                };
                self.comparison(operator, left, right, start, source)
            }
            ExprKind::Path(path) => self.any(path, expr.position, start, source),
            _ => Err(not_built(&construct(expr), source, expr.position)),
        }
    }

    fn comparison(
        &self,
        operator: Operator,
        left: &Expr,
        right: &Expr,
        start: Start<'_>,
        source: &Lexer<'_>,
    ) -> Result<bound::Expr, Error> {
        let (path, operator, value) =
            match (self.literal(left, source)?, self.literal(right, source)?) {
                (None, Some(value)) => (left, operator, value),
                (Some(value), None) => (right, operator.mirrored(), value),
                (None, None) => {
                    let compound = [left, right]
                        .into_iter()
                        .find(|side| !matches!(side.kind, ExprKind::Path(_)));
                    let what =
                        compound.map_or_else(|| "comparing two properties".to_owned(), construct);
                    return Err(not_built(&what, source, left.position));
                }
                (Some(_), Some(_)) => {
                    return Err(not_built("comparing two values", source, left.position));
                }
            };
        let position = path.position;
        let path = match &path.kind {
            ExprKind::Path(path) => properties(path, start),
            _ => return Err(not_built(&construct(path), source, position)),
        };
        let Some(path) = path else {
            return Err(not_built("this path", source, position));
        };
        let Some(value) = path.last().and_then(|last| value.into_type(&last.ty)) else {
            return Err(not_built("comparing this value", source, position));
        };
        let lambda = start.lambda.map(|(navigation, _)| navigation);
        let names: Vec<&str> =
            lambda.into_iter().chain(path.iter().copied()).map(|step| step.name).collect();
        let filterable = self.filterable(start.ty, &names);
        if value == Literal::Null || filterable.is_none() {
            let what = format!("comparing '{}'", names.join("/"));
            return Err(not_built(&what, source, position));
        }
        if !filterable.is_some_and(|filterable| filterable.operators.contains(&operator)) {
            let what = format!("the operator '{}' on '{}'", operator.name(), names.join("/"));
            return Err(not_built(&what, source, position));
        }
        let ty = bound::Ty::One(path.last().map_or(Type::Undeclared(""), |last| last.ty));
        let root = start
            .lambda
            .map_or(bound::Root::Item, |(_, variable)| bound::Root::Variable(variable.to_owned()));
        let steps = path.into_iter().map(bound::PathStep::Property).collect();
        let path = bound::ExprKind::Path(bound::Path { root, steps });
        let path = bound::Expr { kind: path, ty };
        let value = bound::Expr { kind: bound::ExprKind::Literal(value), ty };
        let kind = bound::ExprKind::Compare(operator, Box::new(path), Box::new(value));
        Ok(truth(kind))
    }

    fn filterable(&self, ty: &StructuredType, path: &[&str]) -> Option<&'static Filterable> {
        self.limits.filterable.iter().find(|it| it.ty == ty.name && it.path == path)
    }

    /// The value of a literal, or of an alias that stands for one.
    fn literal(&self, expr: &Expr, source: &Lexer<'_>) -> Result<Option<Literal>, Error> {
        match &expr.kind {
            ExprKind::Literal(literal) => Ok(Some(literal.clone())),
            ExprKind::Alias(name) => {
                let (expr, source) = self.alias(name, source, expr.position)?;
                self.literal(expr, &source)
            }
            _ => Ok(None),
        }
    }

    /// `collection/any(variable:condition)`
    fn any(
        &self,
        path: &Path,
        position: usize,
        start: Start<'_>,
        source: &Lexer<'_>,
    ) -> Result<bound::Expr, Error> {
        let Some((PathStep { kind: StepKind::Lambda(quantifier, body), .. }, to_collection)) =
            path.steps.split_last()
        else {
            return Err(not_built("a property as a condition", source, position));
        };
        let (Quantifier::Any, Some((variable, body))) = (quantifier, body) else {
            let what = match quantifier {
                Quantifier::All => "the operator 'all'",
                Quantifier::Any => "'any' without a condition",
            };
            return Err(not_built(what, source, position));
        };
        let to_collection = Path { root: path.root.clone(), steps: to_collection.to_vec() };
        let collection = properties(&to_collection, start).unwrap_or_default();
        let ([navigation], None) = (collection.as_slice(), start.lambda) else {
            return Err(not_built("'any' on this path", source, position));
        };
        let navigation = *navigation;
        let inner = Start { ty: start.ty, lambda: Some((navigation, variable)) };
        let mut parts = Vec::new();
        self.conjunction(body, inner, source, &mut parts)?;
        let quantifier = bound::Quantifier::Any;
        let body = Some((variable.clone(), Box::new(parts.remove(0))));
        let lambda = bound::PathStep::Lambda { quantifier, body };
        let steps = vec![bound::PathStep::Property(navigation), lambda];
        let root = bound::Root::Item;
        Ok(truth(bound::ExprKind::Path(bound::Path { root, steps })))
    }
}

/// A condition.
fn truth(kind: bound::ExprKind) -> bound::Expr {
    bound::Expr { kind, ty: bound::Ty::One(Type::Primitive(Primitive::Boolean)) }
}

/// The properties along a path that has nothing else, from the item that `start` looks at.
fn properties(path: &Path, start: Start<'_>) -> Option<Vec<&'static Property>> {
    if path.root != Root::Implicit {
        return None;
    }
    let mut names = path.steps.iter().map(|step| match &step.kind {
        StepKind::Name(name) => Some(name.as_str()),
        _ => None,
    });
    let mut ty = Some(start.ty);
    if let Some((navigation, variable)) = start.lambda {
        if names.next()?? != variable {
            return None;
        }
        ty = structured(navigation.ty);
    }
    let mut out = Vec::new();
    for name in names {
        let property = names::property(ty?, name?)?;
        ty = structured(property.ty);
        out.push(property);
    }
    Some(out)
}

fn comparison(operator: Binary) -> Option<Operator> {
    match operator {
        Binary::Eq => Some(Operator::Eq),
        Binary::Ne => Some(Operator::Ne),
        Binary::Lt => Some(Operator::Lt),
        Binary::Le => Some(Operator::Le),
        Binary::Gt => Some(Operator::Gt),
        Binary::Ge => Some(Operator::Ge),
        _ => None,
    }
}

/// What a part of an expression is called in messages.
fn construct(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Alias(_) => "a value as a condition".to_owned(),
        ExprKind::Path(_) => "this path".to_owned(),
        ExprKind::Unary(Unary::Not, _) => "the operator 'not'".to_owned(),
        ExprKind::Unary(Unary::Negate, _) => "the operator '-'".to_owned(),
        ExprKind::Binary(operator, ..) => format!("the operator '{}'", operator.name()),
        ExprKind::In(..) => "the operator 'in'".to_owned(),
        ExprKind::Call(name, _) => format!("the function '{name}'"),
        ExprKind::Case(_) => "the function 'case'".to_owned(),
        ExprKind::List(_) => "a list".to_owned(),
        ExprKind::Object(_) => "an object".to_owned(),
    }
}

fn not_built(what: &str, source: &Lexer<'_>, position: usize) -> Error {
    let what =
        if what.contains("$filter") { what.to_owned() } else { format!("{what} in $filter") };
    source.error(Kind::NotBuilt { what }, position)
}
