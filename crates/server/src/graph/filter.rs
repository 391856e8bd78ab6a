//! What the list of callRecords can be asked for: Graph's own two filters.

use odata::bound::{Expr, ExprKind, Operator, Path, PathStep, Quantifier, Root};
use odata::literal::Literal;
use store::Filter;

use super::not_built;
use crate::problem::Problem;

/// The bounds that an expression sets, all of which hold.
pub(super) fn plan(expression: Option<&Expr>, not_before: Option<i64>) -> Result<Filter, Problem> {
    let mut filter = Filter { not_before, ..Filter::default() };
    if let Some(expression) = expression {
        narrow(&mut filter, expression)?;
    }
    Ok(filter)
}

fn narrow(filter: &mut Filter, expression: &Expr) -> Result<(), Problem> {
    match &expression.kind {
        ExprKind::And(parts) => parts.iter().try_for_each(|part| narrow(filter, part)),
        ExprKind::Compare(operator, left, right) => {
            let (path, operator, value) = match &left.kind {
                ExprKind::Literal(_) => (right, operator.mirrored(), left),
                _ => (left, *operator, right),
            };
            match (&path.kind, &value.kind) {
                (ExprKind::Path(path), ExprKind::Literal(Literal::DateTimeOffset(instant)))
                    if is_property(path, &Root::Item, "startDateTime")
                        && !matches!(operator, Operator::Eq | Operator::Ne) =>
                {
                    bound(filter, operator, instant.0);
                    Ok(())
                }
                _ => Err(not_built("this comparison in $filter")),
            }
        }
        ExprKind::Path(Path { root: Root::Item, steps }) => match steps.as_slice() {
            [
                PathStep::Property(property),
                PathStep::Lambda { quantifier: Quantifier::Any, body: Some((variable, body)) },
            ] if property.name == "participants_v2" => participant(filter, variable, body),
            _ => Err(not_built("this condition in $filter")),
        },
        _ => Err(not_built("this condition in $filter")),
    }
}

fn participant(filter: &mut Filter, variable: &str, condition: &Expr) -> Result<(), Problem> {
    if let ExprKind::Compare(Operator::Eq, left, right) = &condition.kind {
        let (path, value) =
            if matches!(left.kind, ExprKind::Literal(_)) { (right, left) } else { (left, right) };
        if let (ExprKind::Path(path), ExprKind::Literal(Literal::String(id))) =
            (&path.kind, &value.kind)
            && is_property(path, &Root::Variable(variable.to_owned()), "id")
        {
            filter.participants.push(model::key(id));
            return Ok(());
        }
    }
    Err(not_built("this condition on participants_v2 in $filter"))
}

fn is_property(path: &Path, root: &Root, name: &str) -> bool {
    path.root == *root
        && matches!(path.steps.as_slice(), [PathStep::Property(property)] if property.name == name)
}

fn bound(filter: &mut Filter, operator: Operator, ticks: i64) {
    let (from, before) = match operator {
        Operator::Gt => (Some(ticks.saturating_add(1)), None),
        Operator::Ge => (Some(ticks), None),
        Operator::Lt => (None, Some(ticks)),
        Operator::Le => (None, Some(ticks.saturating_add(1))),
        Operator::Eq => (Some(ticks), Some(ticks.saturating_add(1))),
        Operator::Ne => (None, None),
    };
    filter.start_from = filter.start_from.max(from);
    filter.start_before = match (filter.start_before, before) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
}
