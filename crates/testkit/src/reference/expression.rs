//! Expressions and paths: three-valued logic, one case after the other.

use std::cmp::Ordering;

use model::rows::QUALITY;
use odata::bound::{Expr, ExprKind, Function, Operator, Path, PathStep, Quantifier, Root, Ty};
use odata::edm::{Primitive, Type};
use odata::literal::Literal;

use super::cast::{cast, is_of};
use super::value::{Value, absent, date, declared, equal, instant, order, time_of_day};
use super::verdict::{DEFAULT, quality};
use super::{arithmetic, function, search};

/// What names in an expression stand for.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// The item at hand.
    pub(super) item: Value,
    /// The item of the outermost collection.
    pub(super) outermost: Value,
    /// Lambda variables, the innermost last.
    pub(super) variables: Vec<(String, Value)>,
}

impl Scope {
    /// At an item of the addressed collection.
    pub(super) fn of(item: &Value) -> Self {
        Self { item: item.clone(), outermost: item.clone(), variables: Vec::new() }
    }

    fn at(&self, item: &Value) -> Self {
        Self { item: item.clone(), ..self.clone() }
    }

    fn with(&self, variable: &str, value: &Value) -> Self {
        let mut scope = self.clone();
        scope.variables.push((variable.to_owned(), value.clone()));
        scope
    }
}

/// Whether a condition is met: true, and neither false nor null.
pub(super) fn holds(condition: &Expr, scope: &Scope) -> bool {
    matches!(value(condition, scope), Value::Bool(true))
}

/// The value of an expression.
pub(super) fn value(expr: &Expr, scope: &Scope) -> Value {
    let of = |expr: &Expr| value(expr, scope);
    match &expr.kind {
        ExprKind::Literal(literal) => of_literal(literal, expr),
        ExprKind::Path(path) => at_end(path, scope),
        ExprKind::Not(operand) => truth(logic(&of(operand)).map(|value| !value)),
        ExprKind::Negate(operand, _) => arithmetic::negate(&of(operand)),
        ExprKind::And(operands) => {
            let operands: Vec<_> = operands.iter().map(|operand| logic(&of(operand))).collect();
            if operands.contains(&Some(false)) {
                Value::Bool(false)
            } else {
                truth((!operands.contains(&None)).then_some(true))
            }
        }
        ExprKind::Or(operands) => {
            let operands: Vec<_> = operands.iter().map(|operand| logic(&of(operand))).collect();
            if operands.contains(&Some(true)) {
                Value::Bool(true)
            } else {
                truth((!operands.contains(&None)).then_some(false))
            }
        }
        ExprKind::Compare(operator, a, b) => {
            Value::Bool(compare(*operator, &compared(a, scope), &compared(b, scope)))
        }
        ExprKind::Has(a, b) => match (of(a), of(b)) {
            (Value::Null, _) | (_, Value::Null) => Value::Null,
            (a, b) => Value::Bool(equal(&a, &b)),
        },
        ExprKind::In(item, list) => {
            let item = compared(item, scope);
            Value::Bool(compared(list, scope).items().iter().any(|other| equal(&item, other)))
        }
        ExprKind::Arithmetic(operator, a, b, _) => arithmetic::calculate(*operator, &of(a), &of(b)),
        ExprKind::Call(Function::IsDefined, arguments) => {
            Value::Bool(arguments.iter().all(|argument| is_there(argument, scope)))
        }
        ExprKind::Call(function, arguments) => {
            let arguments: Vec<_> = arguments.iter().map(of).collect();
            function::call(*function, &arguments)
        }
        ExprKind::Cast(operand, ty) => cast(&of(operand), *ty),
        ExprKind::IsOf(operand, ty) => Value::Bool(is_of(&of(operand), *ty)),
        ExprKind::Case(pairs) => {
            let met = pairs.iter().find(|(condition, _)| holds(condition, scope));
            match (met.map_or(Value::Null, |(_, result)| of(result)), expr.ty) {
                // Whole numbers beside fractions are of the type that holds both.
                (Value::Int(number), Ty::One(Type::Primitive(ty))) if is_fractional(ty) => {
                    Value::Float(number as f64)
                }
                (value, _) => value,
            }
        }
        ExprKind::List(items) => Value::list(items.iter().map(of).collect()),
    }
}

/// Whether an item has the member at the end of a path, null or not.
fn is_there(expr: &Expr, scope: &Scope) -> bool {
    let ExprKind::Path(path) = &expr.kind else { return true };
    let mut at = scope.item.clone();
    path.steps.iter().all(|step| {
        let name = match step {
            PathStep::Property(property) if property.name != QUALITY => property.name,
            PathStep::Member(name) => name,
            step => {
                at = next(&at, step, scope);
                return !at.is_null();
            }
        };
        let found = match &at {
            Value::Object(object) => object.members.get(name).cloned(),
            _ => None,
        };
        found.map(|value| at = value).is_some()
    })
}

/// The value as it is compared, where a number as written is exact.
fn compared(expr: &Expr, scope: &Scope) -> Value {
    match &expr.kind {
        ExprKind::Literal(Literal::Number(text))
            if text.ends_with(|c: char| c.is_ascii_digit()) =>
        {
            Value::Decimal(text.as_str().into())
        }
        ExprKind::List(items) => {
            Value::list(items.iter().map(|item| compared(item, scope)).collect())
        }
        _ => value(expr, scope),
    }
}

fn is_fractional(ty: Primitive) -> bool {
    matches!(ty, Primitive::Single | Primitive::Double | Primitive::Decimal)
}

fn logic(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        _ => None,
    }
}

fn truth(value: Option<bool>) -> Value {
    value.map_or(Value::Null, Value::Bool)
}

fn compare(operator: Operator, a: &Value, b: &Value) -> bool {
    let order = order(a, b);
    match operator {
        Operator::Eq => equal(a, b),
        Operator::Ne => !equal(a, b),
        Operator::Lt => order == Some(Ordering::Less),
        Operator::Le => order == Some(Ordering::Less) || equal(a, b),
        Operator::Gt => order == Some(Ordering::Greater),
        Operator::Ge => order == Some(Ordering::Greater) || equal(a, b),
    }
}

fn of_literal(literal: &Literal, expr: &Expr) -> Value {
    let value = match literal {
        Literal::Null | Literal::Binary(_) | Literal::Geo(_) => None,
        Literal::Boolean(value) => Some(Value::Bool(*value)),
        Literal::Integer(number) => Some(Value::Int(*number)),
        Literal::Number(text) => match text.as_str() {
            "INF" => Some(Value::Float(f64::INFINITY)),
            "-INF" => Some(Value::Float(f64::NEG_INFINITY)),
            text => text.parse().ok().map(Value::Float),
        },
        Literal::String(text) | Literal::Guid(text) => Some(Value::text(text)),
        Literal::Date(text) => date(text),
        Literal::TimeOfDay(text) => time_of_day(text),
        Literal::DateTimeOffset(moment) => instant(&moment.to_string()),
        Literal::Duration(duration) => Some(Value::Duration(duration.picoseconds())),
        Literal::Enum { members, .. } => match expr.ty {
            Ty::One(Type::Enum(ty)) => {
                let by_value = ty.members.iter().find(|(name, _)| {
                    declared(ty, name).is_some_and(|value| value.to_string() == *members)
                });
                let name = by_value.map_or(members.as_str(), |(name, _)| name);
                Some(Value::Member(ty, name.into()))
            }
            _ => None,
        },
    };
    value.unwrap_or(Value::Null)
}

/// What stands at the end of a path.
pub(super) fn at_end(path: &Path, scope: &Scope) -> Value {
    let start = match &path.root {
        Root::Item => scope.item.clone(),
        Root::Outermost => scope.outermost.clone(),
        Root::Variable(name) => {
            let found = scope.variables.iter().rev().find(|(variable, _)| variable == name);
            found.map_or(Value::Null, |(_, value)| value.clone())
        }
        Root::Value(_) => Value::Null,
    };
    path.steps.iter().fold(start, |at, step| next(&at, step, scope))
}

fn next(at: &Value, step: &PathStep, scope: &Scope) -> Value {
    let meets = |item: &&Value, condition: Option<&Expr>| {
        condition.is_none_or(|condition| holds(condition, &scope.at(item)))
    };
    match step {
        PathStep::Property(property) if property.name == QUALITY => quality(at, DEFAULT),
        PathStep::Call(call) => {
            let named = call.arguments.iter().find_map(|(_, value)| match value {
                Literal::String(name) => Some(name.as_str()),
                _ => None,
            });
            quality(at, named.unwrap_or(DEFAULT))
        }
        PathStep::Property(_) | PathStep::Member(_) => member(at, step),
        PathStep::Cast(ty) => match at {
            Value::List(items) => Value::list(
                items.iter().filter(|item| is_of(item, Type::Structured(ty))).cloned().collect(),
            ),
            at => cast(at, Type::Structured(ty)),
        },
        PathStep::Filter(condition) => {
            let kept = at.items().iter().filter(|item| meets(item, Some(condition)));
            Value::list(kept.cloned().collect())
        }
        PathStep::Key(key) => {
            let key = Value::text(key);
            let found = at.items().iter().find(|item| equal(&item.member("id"), &key));
            found.cloned().unwrap_or(Value::Null)
        }
        PathStep::Count { filter, search } => {
            let counted =
                at.items().iter().filter(|item| meets(item, filter.as_deref())).filter(|item| {
                    search.as_ref().is_none_or(|search| search::found(search, item))
                });
            Value::Int(counted.count() as i64)
        }
        PathStep::Lambda { quantifier, body: None } => {
            Value::Bool(*quantifier == Quantifier::All || !at.items().is_empty())
        }
        PathStep::Lambda { quantifier, body: Some((variable, condition)) } => {
            let mut each =
                at.items().iter().map(|item| holds(condition, &scope.with(variable, item)));
            Value::Bool(match quantifier {
                Quantifier::Any => each.any(|met| met),
                Quantifier::All => each.all(|met| met),
            })
        }
    }
}

/// A member of a value, or of each item of a collection.
fn member(at: &Value, step: &PathStep) -> Value {
    if let Value::List(items) = at {
        let each = items.iter().map(|item| member(item, step));
        let flat = each.flat_map(|value| match value {
            Value::List(items) => items.to_vec(),
            value => vec![value],
        });
        return Value::list(flat.collect());
    }
    match step {
        PathStep::Property(property) => match at.member(property.name) {
            Value::Null => absent(property),
            value => value,
        },
        PathStep::Member(name) => at.member(name),
        _ => Value::Null,
    }
}
