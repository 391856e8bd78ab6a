//! Comparisons, `in`, `has` and arithmetic: which types go together, and what comes of them.

use std::cmp::Ordering;

use super::Binder;
use super::expression::truth;
use super::scope::Scope;
use super::types::{
    coerce, coerce_items, fits, is_constant, is_number, is_whole, member_literal, mismatch, wider,
};
use crate::ast::{self, Binary};
use crate::bound::{Arithmetic, Expr, ExprKind, Operator, Ty};
use crate::edm::{Primitive, Type};
use crate::error::{Error, Kind};
use crate::lexer::Lexer;
use crate::literal::Literal;
use crate::primitive::decimal_order;

const DURATION: Type = Type::Primitive(Primitive::Duration);
const INSTANT: Type = Type::Primitive(Primitive::DateTimeOffset);
const DAY: Type = Type::Primitive(Primitive::Date);

/// The two sides of an operator, bound, with their places.
struct Sides<'s> {
    left: Expr,
    right: Expr,
    left_at: usize,
    right_at: usize,
    /// Where all of it begins.
    start: usize,
    source: &'s Lexer<'s>,
}

impl<'a> Binder<'a> {
    pub(super) fn binary(
        &mut self,
        operator: Binary,
        left: &ast::Expr,
        right: &ast::Expr,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Expr, Error> {
        let sides = Sides {
            left: self.expression(left, scope, source)?,
            right: self.expression(right, scope, source)?,
            left_at: left.position,
            right_at: right.position,
            start: start(left),
            source,
        };
        match operator {
            Binary::Eq => sides.compared(Operator::Eq),
            Binary::Ne => sides.compared(Operator::Ne),
            Binary::Gt => sides.compared(Operator::Gt),
            Binary::Ge => sides.compared(Operator::Ge),
            Binary::Lt => sides.compared(Operator::Lt),
            Binary::Le => sides.compared(Operator::Le),
            Binary::Has => sides.having(),
            Binary::Add => sides.calculated(Arithmetic::Add),
            Binary::Sub => sides.calculated(Arithmetic::Sub),
            Binary::Mul => sides.calculated(Arithmetic::Mul),
            Binary::Div => sides.calculated(Arithmetic::Div),
            Binary::DivBy => sides.calculated(Arithmetic::DivBy),
            Binary::Mod => sides.calculated(Arithmetic::Mod),
        }
    }

    /// `-`
    pub(super) fn negation(
        &mut self,
        operand: &ast::Expr,
        position: usize,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Expr, Error> {
        let value = self.single(operand, scope, source)?;
        match value.ty {
            Ty::One(ty) if is_number(ty) || ty == DURATION => {}
            Ty::Null | Ty::Dynamic => {}
            found => {
                return Err(mismatch("a number or Edm.Duration", found, source, operand.position));
            }
        }
        let ty = value.ty;
        Ok(Expr { kind: ExprKind::Negate(Box::new(value), source.place(position)), ty })
    }

    /// `item in list`
    pub(super) fn membership(
        &mut self,
        item: &ast::Expr,
        list: &ast::Expr,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Expr, Error> {
        let value = self.single(item, scope, source)?;
        let (value, items) = match (&list.kind, value.ty) {
            (ast::ExprKind::List(items), Ty::One(ty)) if !is_constant(&value) => {
                let bound = self.items(items, scope, source)?;
                let bound = bound
                    .into_iter()
                    .zip(items)
                    .map(|(it, written)| coerce(it, ty, source, written.position))
                    .collect::<Result<_, Error>>()?;
                (value, Expr { kind: ExprKind::List(bound), ty: Ty::Many(ty) })
            }
            (ast::ExprKind::List(items), Ty::Dynamic) => {
                let bound = self.items(items, scope, source)?;
                let ty = Ty::Many(Type::Primitive(Primitive::String));
                (value, Expr { kind: ExprKind::List(bound), ty })
            }
            _ => {
                let bound = self.expression(list, scope, source)?;
                match (bound.ty, value.ty) {
                    (Ty::Many(_), Ty::One(ty)) if !is_constant(&value) => {
                        (value, coerce_items(bound, ty, source, list.position)?)
                    }
                    (Ty::Many(ty), _) => (coerce(value, ty, source, item.position)?, bound),
                    (found, _) => {
                        return Err(mismatch("a collection", found, source, list.position));
                    }
                }
            }
        };
        if let Some(is_in) = is_literal_among(&value, &items) {
            return Ok(truth(ExprKind::Literal(Literal::Boolean(is_in))));
        }
        Ok(truth(ExprKind::In(Box::new(value), Box::new(items))))
    }
}

impl Sides<'_> {
    fn refuse<T>(&self, expected: &str, found: Ty, position: usize) -> Result<T, Error> {
        Err(mismatch(expected, found, self.source, position))
    }

    fn compared(mut self, operator: Operator) -> Result<Expr, Error> {
        let is_equality = matches!(operator, Operator::Eq | Operator::Ne);
        for (ty, other, position) in [
            (self.left.ty, self.right.ty, self.left_at),
            (self.right.ty, self.left.ty, self.right_at),
        ] {
            match ty {
                Ty::Many(_) if matches!(other, Ty::Many(_) | Ty::Null) => {
                    let what = "comparing collections".to_owned();
                    return Err(self.source.error(Kind::NotBuilt { what }, position));
                }
                Ty::Many(_) => return self.refuse("a single value", ty, position),
                Ty::One(Type::Structured(_) | Type::Undeclared(_)) => {
                    if !is_equality {
                        return self.refuse("a value that has an order", ty, position);
                    }
                    if other != Ty::Null {
                        let what = "comparing an entity or complex value with anything but null";
                        let kind = Kind::NotAllowed { what: what.into() };
                        return Err(self.source.error(kind, position));
                    }
                }
                Ty::One(Type::Primitive(Primitive::Stream)) => {
                    return self.refuse("a value that can be compared", ty, position);
                }
                _ => {}
            }
        }
        self.reconcile()?;
        if let Some(order) = order_of_literals(&self.left, &self.right) {
            return Ok(truth(ExprKind::Literal(Literal::Boolean(holds(operator, order)))));
        }
        Ok(truth(ExprKind::Compare(operator, Box::new(self.left), Box::new(self.right))))
    }

    /// Gives a literal the type of the other side; other types have to go together.
    fn reconcile(&mut self) -> Result<(), Error> {
        let (Ty::One(left), Ty::One(right)) = (self.left.ty, self.right.ty) else { return Ok(()) };
        // A day that is calculated stands for its midnight in UTC beside an instant.
        let is_day = |expr: &Expr, ty| ty == DAY && !is_constant(expr);
        if is_day(&self.left, left) && right == INSTANT
            || is_day(&self.right, right) && left == INSTANT
        {
            return Ok(());
        }
        let is_left = is_constant(&self.left)
            && (!is_constant(&self.right)
                || coerce(self.right.clone(), left, self.source, self.right_at).is_err());
        if is_left {
            self.left = coerce(self.left.clone(), right, self.source, self.left_at)?;
        } else {
            self.right = coerce(self.right.clone(), left, self.source, self.right_at)?;
        }
        Ok(())
    }

    fn having(self) -> Result<Expr, Error> {
        let Ty::One(Type::Enum(ty)) = self.left.ty else {
            return self.refuse("a value of an enumeration", self.left.ty, self.left_at);
        };
        let right = match self.right.kind {
            ExprKind::Literal(ref literal) => {
                let literal = member_literal(literal.clone(), ty, self.source, self.right_at)?;
                literal.map(|literal| Expr {
                    kind: ExprKind::Literal(literal),
                    ty: Ty::One(Type::Enum(ty)),
                })
            }
            _ => fits(self.right.ty, Type::Enum(ty)).then(|| self.right.clone()),
        };
        match right {
            Some(right) => Ok(truth(ExprKind::Has(Box::new(self.left), Box::new(right)))),
            None => self.refuse(ty.name, self.right.ty, self.right_at),
        }
    }

    fn calculated(mut self, operator: Arithmetic) -> Result<Expr, Error> {
        for (ty, position) in [(self.left.ty, self.left_at), (self.right.ty, self.right_at)] {
            let is_value = match ty {
                Ty::One(ty) => {
                    is_number(ty) || is_temporal(ty) || ty == Type::Primitive(Primitive::String)
                }
                Ty::Null | Ty::Dynamic => true,
                Ty::Many(_) => false,
            };
            if !is_value {
                return self.refuse("a number, Edm.Duration or Edm.DateTimeOffset", ty, position);
            }
        }
        let ty = match (self.left.ty, self.right.ty) {
            (Ty::One(left), Ty::One(right)) if is_number(left) && is_number(right) => {
                Ty::One(match operator {
                    Arithmetic::DivBy if is_whole(left) && is_whole(right) => {
                        Type::Primitive(Primitive::Decimal)
                    }
                    _ => wider(left, right),
                })
            }
            (Ty::One(left), Ty::One(right)) => Ty::One(self.temporal(operator, left, right)?),
            (Ty::Dynamic, _) | (_, Ty::Dynamic) => Ty::Dynamic,
            (Ty::Null, ty) | (ty, _) => ty,
        };
        let place = self.source.place(self.start);
        Ok(Expr {
            kind: ExprKind::Arithmetic(operator, Box::new(self.left), Box::new(self.right), place),
            ty,
        })
    }

    /// Arithmetic with instants and durations (URL Conventions 5.1.1.3).
    fn temporal(&mut self, operator: Arithmetic, left: Type, right: Type) -> Result<Type, Error> {
        // A string stands for a duration, and a day beside an instant for its midnight.
        let left = self.converted(true, left, right)?;
        let right = self.converted(false, right, left)?;
        let expected = match (operator, left) {
            (Arithmetic::Add | Arithmetic::Sub, _) if left == INSTANT && right == DURATION => {
                return Ok(INSTANT);
            }
            (Arithmetic::Sub, _) if left == right && (left == INSTANT || left == DAY) => {
                return Ok(DURATION);
            }
            (Arithmetic::Add | Arithmetic::Sub, _) if left == DAY && right == DURATION => {
                return Ok(DAY);
            }
            (Arithmetic::Add | Arithmetic::Sub, _) if left == DURATION && right == DURATION => {
                return Ok(DURATION);
            }
            (Arithmetic::Mul | Arithmetic::Div | Arithmetic::DivBy, _)
                if left == DURATION && is_number(right) =>
            {
                return Ok(DURATION);
            }
            (Arithmetic::Mul, _) if is_number(left) && right == DURATION => {
                // One order is enough for the evaluator.
                std::mem::swap(&mut self.left, &mut self.right);
                return Ok(DURATION);
            }
            (Arithmetic::Add, _) if is_temporal(left) => "Edm.Duration",
            (Arithmetic::Sub, _) if left == DAY => "Edm.Duration or Edm.Date",
            (Arithmetic::Sub, _) if left == INSTANT => "Edm.Duration or Edm.DateTimeOffset",
            (Arithmetic::Sub, _) if left == DURATION => "Edm.Duration",
            (Arithmetic::Mul | Arithmetic::Div | Arithmetic::DivBy, _) if left == DURATION => {
                "a number"
            }
            _ if is_number(left) => "a number",
            _ => {
                return self.refuse("a number", self.left.ty, self.left_at);
            }
        };
        self.refuse(expected, self.right.ty, self.right_at)
    }

    /// The type of a side once a literal on it is read as what it stands for beside `other`.
    fn converted(&mut self, is_left: bool, ty: Type, other: Type) -> Result<Type, Error> {
        let (side, position) =
            if is_left { (&mut self.left, self.left_at) } else { (&mut self.right, self.right_at) };
        let to = match ty {
            Type::Primitive(Primitive::String) => DURATION,
            _ if ty == DAY && other == INSTANT => INSTANT,
            _ => return Ok(ty),
        };
        if !is_constant(side) {
            return Ok(ty);
        }
        *side = coerce(side.clone(), to, self.source, position)?;
        Ok(to)
    }
}

/// The order of two numbers that are written out: by all their digits, of which neither an `f64` nor a
/// database keeps more than seventeen.
fn order_of_literals(left: &Expr, right: &Expr) -> Option<Ordering> {
    let digits = |expr: &Expr| match &expr.kind {
        ExprKind::Literal(Literal::Number(text)) => Some(text.clone()),
        ExprKind::Literal(Literal::Integer(number)) => Some(number.to_string()),
        _ => None,
    };
    decimal_order(&digits(left)?, &digits(right)?)
}

fn holds(operator: Operator, order: Ordering) -> bool {
    match operator {
        Operator::Eq => order.is_eq(),
        Operator::Ne => order.is_ne(),
        Operator::Lt => order.is_lt(),
        Operator::Le => order.is_le(),
        Operator::Gt => order.is_gt(),
        Operator::Ge => order.is_ge(),
    }
}

/// Whether a number that is written out is among others that are.
fn is_literal_among(value: &Expr, items: &Expr) -> Option<bool> {
    let ExprKind::List(items) = &items.kind else { return None };
    let orders: Option<Vec<Ordering>> =
        items.iter().map(|item| order_of_literals(value, item)).collect();
    orders.map(|orders| orders.iter().any(|order| order.is_eq()))
}

/// Where the first operand of an expression begins.
pub(super) fn start(expr: &ast::Expr) -> usize {
    match &expr.kind {
        ast::ExprKind::Binary(_, left, _) | ast::ExprKind::In(left, _) => start(left),
        ast::ExprKind::And(parts) | ast::ExprKind::Or(parts) => {
            parts.first().map_or(expr.position, start)
        }
        _ => expr.position,
    }
}

fn is_temporal(ty: Type) -> bool {
    ty == DURATION || ty == INSTANT || ty == DAY
}
