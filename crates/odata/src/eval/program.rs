//! Prepared expressions and their evaluation.

mod compile;
mod numbers;
pub(super) mod path;
mod texts;

use std::cmp::Ordering;
use std::fmt;
use std::ops::ControlFlow;

use regex::Regex;

use self::numbers::Numbers;
use self::path::CompiledPath;
use self::texts::Texts;
use super::meter::Fault;
use super::value::has_flags;
use super::{Scope, Value, arithmetic, cast, function, pattern};
use crate::bound::{Arithmetic, Expr, Function, Operator, Place};
use crate::edm::Type;

/// An expression that is ready to be evaluated for many items: patterns are compiled, and what
/// does not depend on an item is calculated already.
#[derive(Debug)]
pub struct Program {
    root: Op,
}

/// A step of a calculation.
enum Op {
    Constant(Value<'static>),
    Path(CompiledPath),
    Not(Box<Op>),
    Negate(Box<Op>, Place),
    And(Vec<Op>),
    Or(Vec<Op>),
    Compare(Operator, Box<Op>, Box<Op>),
    Has(Box<Op>, Box<Op>),
    In(Box<Op>, Box<Op>),
    /// `in` a long list of texts.
    InTexts(Box<Op>, Texts),
    /// `in` a long list of numbers, beside the list itself.
    InNumbers(Box<Op>, Numbers, Box<Op>),
    Arithmetic(Arithmetic, Box<Op>, Box<Op>, Place),
    Call(Function, Vec<Op>),
    /// `isdefined`
    IsDefined(CompiledPath),
    /// `matchesPattern` with a literal; `None` for one that is no pattern.
    Matches(Box<Op>, Option<Regex>),
    Cast(Box<Op>, Type),
    IsOf(Box<Op>, Type),
    Case(Vec<(Op, Op)>),
    List(Vec<Op>),
}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Op")
    }
}

impl Program {
    /// Prepares an expression.
    pub fn new(expr: &Expr) -> Self {
        Self { root: Op::new(expr) }
    }

    /// Whether the item meets the condition: whether it is true, neither false nor null.
    pub fn holds(&self, scope: &Scope<'_, '_>) -> bool {
        self.root.truth(scope) == Some(true)
    }

    /// The value for an item.
    pub fn value<'a>(&'a self, scope: &Scope<'a, '_>) -> Value<'a> {
        self.root.value(scope)
    }

    /// Gives each value that a path through collections leads to, or the one value of any other
    /// expression.
    pub fn each<'a>(
        &'a self,
        scope: &Scope<'a, '_>,
        each: &mut dyn FnMut(Value<'a>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match &self.root {
            Op::Path(way) => way.each(scope, each),
            other => each(other.value(scope)),
        }
    }
}

impl Op {
    /// Three-valued: `None` is null.
    fn truth(&self, scope: &Scope<'_, '_>) -> Option<bool> {
        let meter = scope.meter();
        if !meter.step() {
            return None;
        }
        let made = meter.made();
        let truth = self.judge(scope);
        // Nothing but the answer is left of the values that it was made from.
        meter.forget(made);
        truth
    }

    fn judge(&self, scope: &Scope<'_, '_>) -> Option<bool> {
        match self {
            Self::Not(operand) => operand.truth(scope).map(|holds| !holds),
            Self::And(operands) => all(operands, scope, false),
            Self::Or(operands) => all(operands, scope, true),
            Self::Compare(operator, left, right) => {
                let (left, right) = (left.value(scope), right.value(scope));
                scope.meter().read(left.weight().min(right.weight()));
                Some(compare(*operator, &left, &right))
            }
            Self::Has(left, right) => has(&left.value(scope), &right.value(scope)),
            Self::In(left, right) => is_in(&left.value(scope), right, scope),
            Self::InNumbers(left, numbers, list) => {
                let left = left.value(scope);
                match numbers.contains(&left) {
                    Some(is_in) => Some(is_in),
                    None => is_in(&left, list, scope),
                }
            }
            Self::InTexts(left, texts) => match left.value(scope) {
                Value::Text(text) if !scope.meter().read(text.len()) => None,
                Value::Text(text) => Some(texts.contains(&text)),
                Value::Enum { name, .. } => Some(texts.contains_exactly(&name)),
                _ => Some(false),
            },
            Self::Matches(text, pattern) => match (text.value(scope), pattern) {
                (Value::Text(text), Some(_))
                    if !scope.meter().read(text.len() * pattern::COST_OF_A_BYTE) =>
                {
                    None
                }
                (Value::Text(text), Some(pattern)) => Some(pattern.is_match(&text)),
                _ => None,
            },
            Self::IsOf(operand, ty) => Some(cast::is_of(&operand.value(scope), *ty)),
            Self::IsDefined(way) => {
                let mut is_there = false;
                way.reach(scope, &mut |item| is_there = item.is_some());
                Some(is_there)
            }
            other => match other.evaluate(scope) {
                Value::Bool(value) => Some(value),
                _ => None,
            },
        }
    }

    fn value<'a>(&'a self, scope: &Scope<'a, '_>) -> Value<'a> {
        if !scope.meter().step() {
            return Value::Null;
        }
        self.evaluate(scope)
    }

    fn evaluate<'a>(&'a self, scope: &Scope<'a, '_>) -> Value<'a> {
        match self {
            Self::Constant(value) => borrowed(value),
            Self::Path(way) => way.value(scope),
            Self::Negate(operand, place) => {
                calculated(arithmetic::negate(&operand.value(scope)), *place, scope)
            }
            Self::Arithmetic(operator, left, right, place) => {
                let (left, right) = (left.value(scope), right.value(scope));
                calculated(arithmetic::calculate(*operator, &left, &right), *place, scope)
            }
            Self::Call(function, arguments) => call(*function, arguments, scope),
            Self::Cast(operand, ty) => cast::cast(operand.value(scope), *ty),
            Self::Case(branches) => {
                let branch = branches.iter().find(|(when, _)| when.truth(scope) == Some(true));
                branch.map_or(Value::Null, |(_, then)| then.value(scope))
            }
            Self::List(items) => Value::List(items.iter().map(|item| item.value(scope)).collect()),
            condition => condition.judge(scope).map_or(Value::Null, Value::Bool),
        }
    }
}

/// The result of a calculation; without one the evaluation fails.
fn calculated(
    result: Result<Value<'static>, Fault>,
    place: Place,
    scope: &Scope<'_, '_>,
) -> Value<'static> {
    result.unwrap_or_else(|fault| {
        scope.meter().fail(fault, place);
        Value::Null
    })
}

/// The value of a canonical function.
fn call<'a>(function: Function, arguments: &'a [Op], scope: &Scope<'a, '_>) -> Value<'a> {
    let meter = scope.meter();
    match arguments {
        [] => function::of_none(function),
        [operand] => function::of_one(function, operand.value(scope), meter),
        [left, right] => function::of_two(function, left.value(scope), right.value(scope), meter),
        [at, size, offset] if function == Function::Bucket => {
            function::bucket(&at.value(scope), &size.value(scope), &offset.value(scope))
        }
        [operand, start, count, ..] => match (start.value(scope), count.value(scope)) {
            (Value::Int(start), Value::Int(count)) => {
                function::slice(operand.value(scope), start, count, meter)
            }
            _ => Value::Null,
        },
    }
}

/// `and` (or `or`, with `decisive` the value that settles it).
fn all(operands: &[Op], scope: &Scope<'_, '_>, decisive: bool) -> Option<bool> {
    let mut result = Some(!decisive);
    for operand in operands {
        match operand.truth(scope) {
            Some(value) if value == decisive => return Some(decisive),
            Some(_) => {}
            None => result = None,
        }
    }
    result
}

/// A comparison, which is never null: `le` is `lt` or `eq`, so that null is no more than null (URL
/// Conventions 5.1.1.1.4 and 5.1.1.1.6).
pub fn compare(operator: Operator, left: &Value<'_>, right: &Value<'_>) -> bool {
    match operator {
        Operator::Eq => left.equals(right),
        Operator::Ne => !left.equals(right),
        Operator::Lt => left.order(right).is_some_and(Ordering::is_lt),
        Operator::Le => left.order(right).map_or_else(|| left.equals(right), Ordering::is_le),
        Operator::Gt => left.order(right).is_some_and(Ordering::is_gt),
        Operator::Ge => left.order(right).map_or_else(|| left.equals(right), Ordering::is_ge),
    }
}

fn has(left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    match (left, right) {
        (Value::Enum { ty, name }, Value::Enum { name: wanted, .. }) => {
            Some(has_flags(ty, name, wanted))
        }
        _ => None,
    }
}

fn is_in(left: &Value<'_>, right: &Op, scope: &Scope<'_, '_>) -> Option<bool> {
    if let Op::Constant(Value::List(items)) = right {
        return Some(items.iter().any(|item| scope.meter().step() && left.equals(item)));
    }
    match right.value(scope) {
        Value::List(items) => {
            Some(items.iter().any(|item| scope.meter().step() && left.equals(item)))
        }
        Value::Null => Some(false),
        _ => None,
    }
}

/// A copy that borrows from the constant.
fn borrowed<'a>(value: &'a Value<'static>) -> Value<'a> {
    match value {
        Value::Text(text) => Value::Text(std::borrow::Cow::Borrowed(text)),
        Value::Enum { ty, name } => Value::Enum { ty, name: std::borrow::Cow::Borrowed(name) },
        Value::List(items) => Value::List(items.iter().map(borrowed).collect()),
        other => other.clone(),
    }
}
