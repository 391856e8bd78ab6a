//! What of a value decides about an expression.
//!
//! Many expressions look at a value through something coarser than it: through a comparison with a literal, or
//! the day that an instant is in. Rows with the same of all these have the same result, so it is evaluated for
//! one of them.

use model::columns::Kind;
use odata::bound::{Expr, ExprKind, Function, Root};
use odata::eval::{Environment, Meter, NoSearch, Program, Scope, Value};
use odata::primitive::{TICKS_PER_DAY, TICKS_PER_SECOND};

use crate::slot::Slot;

/// Literals that a number is compared with at most.
const MOST_MARKS: usize = 16;
/// From here on not all whole numbers are doubles.
const BEYOND: f64 = 9_007_199_254_740_992.0;

/// What of a value decides.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Aspect {
    /// All of it: a text or a boolean.
    Whole,
    /// Where a whole number, an instant or a duration stands among these, which ascend.
    Among(Vec<i64>),
    /// Where another number stands among these, which ascend.
    RealAmong(Vec<f64>),
    /// Which stretch of so many ticks an instant is in.
    Stretch(i64),
}

/// What of which slots decides about an expression; none if it may be all of a number.
pub(crate) fn aspects(expr: &Expr, slots: &[Slot]) -> Option<Vec<(usize, Aspect)>> {
    let mut found = Vec::new();
    note(expr, slots, &mut found)?;
    Some(found)
}

type Found = Vec<(usize, Aspect)>;

fn note(expr: &Expr, slots: &[Slot], found: &mut Found) -> Option<()> {
    let all = |found: &mut Found, parts: &[&Expr]| {
        parts.iter().try_for_each(|part| note(part, slots, found))
    };
    match &expr.kind {
        ExprKind::Literal(_) => Some(()),
        ExprKind::Path(_) => {
            let slot = slot(expr)?;
            let is_whole = matches!(slots[slot].kind, Kind::Text | Kind::Enum(_) | Kind::Bool);
            is_whole.then(|| push(found, slot, Aspect::Whole))
        }
        ExprKind::Compare(_, left, right) => match (number(left, slots), number(right, slots)) {
            (Some(slot), None) => note_marks(slot, &[right], slots, found),
            (None, Some(slot)) => note_marks(slot, &[left], slots, found),
            _ => all(found, &[left, right]),
        },
        ExprKind::In(left, right) => match (number(left, slots), &right.kind) {
            (Some(slot), ExprKind::List(items)) => {
                note_marks(slot, &items.iter().collect::<Vec<_>>(), slots, found)
            }
            _ => all(found, &[left, right]),
        },
        ExprKind::Call(function, arguments) => {
            match (stretch(*function, arguments), arguments.first()) {
                (Some(stretch), Some(at)) if number(at, slots).is_some() => {
                    let slot =
                        slot(at).filter(|slot| matches!(slots[*slot].kind, Kind::Instant))?;
                    push(found, slot, Aspect::Stretch(stretch));
                    Some(())
                }
                _ => all(found, &arguments.iter().collect::<Vec<_>>()),
            }
        }
        ExprKind::Not(operand)
        | ExprKind::Negate(operand, _)
        | ExprKind::Cast(operand, _)
        | ExprKind::IsOf(operand, _) => note(operand, slots, found),
        ExprKind::Arithmetic(_, left, right, _) | ExprKind::Has(left, right) => {
            all(found, &[left, right])
        }
        ExprKind::And(parts) | ExprKind::Or(parts) | ExprKind::List(parts) => {
            all(found, &parts.iter().collect::<Vec<_>>())
        }
        ExprKind::Case(branches) => {
            branches.iter().try_for_each(|(when, then)| all(found, &[when, then]))
        }
    }
}

fn push(found: &mut Found, slot: usize, aspect: Aspect) {
    if !found.iter().any(|(known, its)| *known == slot && *its == aspect) {
        found.push((slot, aspect));
    }
}

/// The slot that an expression is.
fn slot(expr: &Expr) -> Option<usize> {
    match &expr.kind {
        ExprKind::Path(path) => match path.root {
            Root::Value(slot) => Some(slot),
            _ => None,
        },
        _ => None,
    }
}

/// The same, if its values are numbers or times.
fn number(expr: &Expr, slots: &[Slot]) -> Option<usize> {
    let is_number = |slot: &usize| {
        matches!(slots[*slot].kind, Kind::Int | Kind::Real | Kind::Instant | Kind::Duration)
    };
    slot(expr).filter(is_number)
}

/// Notes that the value of a slot is compared with literals.
fn note_marks(slot: usize, literals: &[&Expr], slots: &[Slot], found: &mut Found) -> Option<()> {
    let kind = slots[slot].kind;
    let is_known = |(known, aspect): &(usize, Aspect)| {
        *known == slot && matches!(aspect, Aspect::Among(_) | Aspect::RealAmong(_))
    };
    let at = found.iter().position(is_known).unwrap_or_else(|| {
        let is_real = matches!(kind, Kind::Real);
        let none = if is_real { Aspect::RealAmong(Vec::new()) } else { Aspect::Among(Vec::new()) };
        found.push((slot, none));
        found.len() - 1
    });
    let aspect = &mut found[at].1;
    for literal in literals {
        let ExprKind::Literal(_) = literal.kind else { return None };
        let value = value(literal);
        match aspect {
            Aspect::Among(marks) => marks.extend(whole_marks(kind, &value)?),
            Aspect::RealAmong(marks) => marks.extend(real_marks(&value)?),
            Aspect::Whole | Aspect::Stretch(_) => return None,
        }
    }
    match aspect {
        Aspect::Among(marks) => {
            marks.sort_unstable();
            marks.dedup();
            (marks.len() <= MOST_MARKS).then_some(())
        }
        Aspect::RealAmong(marks) => {
            marks.sort_unstable_by(f64::total_cmp);
            marks.dedup();
            (marks.len() <= MOST_MARKS).then_some(())
        }
        Aspect::Whole | Aspect::Stretch(_) => None,
    }
}

/// Whole numbers that a literal stands at or between.
fn whole_marks(kind: Kind, literal: &Value<'_>) -> Option<Vec<i64>> {
    Some(match (kind, literal) {
        (_, Value::Null) => Vec::new(),
        (Kind::Int, Value::Int(number)) => vec![*number],
        (Kind::Int, Value::Double(number)) if number.abs() < BEYOND => {
            vec![number.floor() as i64, number.ceil() as i64]
        }
        (Kind::Duration, Value::Duration(length)) => {
            vec![length.ticks, length.ticks.checked_add(1)?]
        }
        (Kind::Instant, Value::Instant(moment)) => {
            vec![moment.at.ticks, moment.at.ticks.checked_add(1)?]
        }
        _ => return None,
    })
}

/// Numbers that a literal stands at.
fn real_marks(literal: &Value<'_>) -> Option<Vec<f64>> {
    Some(match literal {
        Value::Null => Vec::new(),
        Value::Double(number) if !number.is_nan() => vec![*number],
        Value::Int(number) if (*number as f64).abs() < BEYOND => vec![*number as f64],
        _ => return None,
    })
}

/// Ticks of the stretches, counted from 1970, within each of which a function of an instant is the same.
fn stretch(function: Function, arguments: &[Expr]) -> Option<i64> {
    match (function, arguments) {
        (Function::Date | Function::Year | Function::Month | Function::Day, [_]) => {
            Some(TICKS_PER_DAY)
        }
        (Function::Hour, [_]) => Some(3_600 * TICKS_PER_SECOND),
        (Function::Minute, [_]) => Some(60 * TICKS_PER_SECOND),
        (Function::Second, [_]) => Some(TICKS_PER_SECOND),
        (Function::Bucket, [_, lengths @ ..]) => {
            let ticks = lengths.iter().map(|length| match (&length.kind, value(length)) {
                (ExprKind::Literal(_), Value::Duration(length)) if length.rest == 0 => {
                    Some(length.ticks)
                }
                _ => None,
            });
            let ticks = ticks.collect::<Option<Vec<_>>>()?;
            let common = ticks.into_iter().fold(0, divisor);
            (common > 0).then_some(common)
        }
        _ => None,
    }
}

/// The greatest common divisor; 0 if there is none that counts.
fn divisor(one: i64, other: i64) -> i64 {
    match other {
        0 => one.saturating_abs(),
        other => divisor(other, one.wrapping_rem(other)),
    }
}

/// The value of a literal.
fn value(literal: &Expr) -> Value<'static> {
    if !matches!(literal.kind, ExprKind::Literal(_)) {
        return Value::Null;
    }
    let (program, meter) = (Program::new(literal), Meter::unlimited());
    let environment = Environment { searcher: &NoSearch, meter: &meter };
    program.value(&Scope::of_values(&[], environment)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_that_both_lengths_are_made_of_are_the_longest() {
        assert_eq!(divisor(divisor(0, 60), 0), 60);
        assert_eq!(divisor(divisor(0, 60), -25), 5);
        assert_eq!(divisor(divisor(0, i64::MIN), -1), 1);
    }
}
