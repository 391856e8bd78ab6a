//! Tests of expressions on trees put together by hand; the language itself is tested elsewhere.

mod budget;
mod functions;
mod logic;
mod pages;
mod paths;
mod random;
mod requests;
mod transformations;

use std::ops::ControlFlow;

use super::{DYNAMIC, Environment, Item, Meter, NoSearch, Program, Scope, Value};
use crate::bound::{Expr, ExprKind, Function, Operator, Path, PathStep, Root, Ty};
use crate::edm::{Primitive, StructuredType, Type};
use crate::json::Node;
use crate::literal::Literal;
use crate::primitive::{Fine, Moment};
use crate::tests_model::MODEL;

/// Without an end.
pub(super) fn environment() -> Environment<'static> {
    Environment { searcher: &NoSearch, meter: Box::leak(Box::new(Meter::unlimited())) }
}

pub(super) fn expr(kind: ExprKind) -> Expr {
    Expr { kind, ty: Ty::Dynamic }
}

pub(super) fn literal(literal: Literal) -> Expr {
    expr(ExprKind::Literal(literal))
}

pub(super) fn null() -> Expr {
    literal(Literal::Null)
}

pub(super) fn int(value: i64) -> Expr {
    literal(Literal::Integer(value))
}

pub(super) fn real(text: &str) -> Expr {
    literal(Literal::Number(text.to_owned()))
}

pub(super) fn text(text: &str) -> Expr {
    literal(Literal::String(text.to_owned()))
}

pub(super) fn boolean(value: bool) -> Expr {
    literal(Literal::Boolean(value))
}

pub(super) fn instant(text: &str) -> Expr {
    literal(Literal::DateTimeOffset(Moment::parse(text).unwrap()))
}

pub(super) fn duration(text: &str) -> Expr {
    literal(Literal::Duration(Fine::parse_duration(text).unwrap()))
}

pub(super) fn list(items: Vec<Expr>) -> Expr {
    expr(ExprKind::List(items))
}

pub(super) fn compare(operator: Operator, left: Expr, right: Expr) -> Expr {
    expr(ExprKind::Compare(operator, Box::new(left), Box::new(right)))
}

pub(super) fn call(function: Function, arguments: Vec<Expr>) -> Expr {
    expr(ExprKind::Call(function, arguments))
}

/// A path of member names from the item; of declared ones when `ty` has them.
pub(super) fn path(names: &str) -> Expr {
    from(Root::Item, names)
}

pub(super) fn from(root: Root, names: &str) -> Expr {
    let steps = names.split('/').filter(|name| !name.is_empty());
    let steps = steps.map(|name| PathStep::Member(name.to_owned())).collect();
    expr(ExprKind::Path(Path { root, steps }))
}

/// A member with a type that only the binder knows.
pub(super) fn typed(name: &str, ty: Primitive) -> Expr {
    Expr { ty: Ty::One(Type::Primitive(ty)), ..path(name) }
}

pub(super) fn with_steps(mut base: Expr, more: Vec<PathStep>) -> Expr {
    if let ExprKind::Path(path) = &mut base.kind {
        path.steps.extend(more);
    }
    base
}

pub(super) fn structured(name: &str) -> &'static StructuredType {
    MODEL.find_type(&format!("microsoft.graph.callRecords.{name}")).unwrap()
}

/// The value of an expression for an item, as JSON.
pub(super) fn shown_as(expr: &Expr, item: &str, ty: Type) -> String {
    let node = Node::parse(item).unwrap();
    let program = Program::new(expr);
    let value = program.value(&Scope::new(Item { node: &node, ty }, environment()));
    let mut out = Vec::new();
    super::push_value(&mut out, &value);
    String::from_utf8(out).unwrap()
}

pub(super) fn shown(expr: &Expr, item: &str) -> String {
    shown_as(expr, item, DYNAMIC)
}

pub(super) fn record(expr: &Expr, item: &str) -> String {
    shown_as(expr, item, Type::Structured(structured("callRecord")))
}

pub(super) fn each(expr: &Expr, item: &str, ty: Type) -> Vec<Value<'static>> {
    let node = Node::parse(item).unwrap();
    let program = Program::new(expr);
    let mut values = Vec::new();
    let _ = program.each(&Scope::new(Item { node: &node, ty }, environment()), &mut |value| {
        values.push(value.into_owned());
        ControlFlow::Continue(())
    });
    values
}
