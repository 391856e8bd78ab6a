//! What the list of callRecords can be asked for: Graph's own two filters.

use odata::bound::{Expr, ExprKind, Operator, PathStep};
use odata::limits::Filterable;
use odata::literal::Literal;
use store::Filter;

use super::not_built;
use crate::problem::Problem;

/// What `$filter` can compare.
pub(super) static FILTERABLE: &[Filterable] = &[
    Filterable {
        ty: "microsoft.graph.callRecords.callRecord",
        path: &["startDateTime"],
        operators: &[Operator::Lt, Operator::Le, Operator::Gt, Operator::Ge],
    },
    Filterable {
        ty: "microsoft.graph.callRecords.callRecord",
        path: &["participants_v2", "id"],
        operators: &[Operator::Eq],
    },
];

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
        ExprKind::Compare(operator, _, value) => match &value.kind {
            ExprKind::Literal(Literal::DateTimeOffset(instant)) => {
                bound(filter, *operator, instant.0);
                Ok(())
            }
            _ => Err(not_built("this comparison in $filter")),
        },
        ExprKind::Path(path) => match path.steps.last() {
            Some(PathStep::Lambda { body: Some((_, body)), .. }) => participant(filter, body),
            _ => Err(not_built("this condition in $filter")),
        },
        _ => Err(not_built("this condition in $filter")),
    }
}

fn participant(filter: &mut Filter, condition: &Expr) -> Result<(), Problem> {
    if let ExprKind::Compare(Operator::Eq, _, value) = &condition.kind
        && let ExprKind::Literal(Literal::String(id)) = &value.kind
    {
        filter.participants.push(model::key(id));
        return Ok(());
    }
    Err(not_built("this condition on participants_v2 in $filter"))
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
