//! `graph.strict = on`: refuses what Graph itself does not answer, for those who test a client
//! against the real contract. Our own functions stay as they are.

use model::rows::QUALITY;
use odata::bound::{
    ExpandItem, ExpandKind, Expr, ExprKind, Operator, PathStep, Quantifier, Query, Root,
};
use odata::literal::Literal;
use store::RowSet;
use web::problem::Problem;

use crate::target::{Base, Tail, Target};

/// Refuses options and conditions that Graph's pages do not name for the resource.
pub(crate) fn check(target: &Target, query: &Query) -> Result<(), Problem> {
    let (documented, filters): (&[&str], bool) = match &target.base {
        Base::Rows(RowSet::Records) => (&["$select", "$filter"], true),
        Base::Record(record) if record.version.is_none() => (&["$select", "$expand"], false),
        Base::Sessions(_) => (&["$select", "$expand"], false),
        Base::Organizer(_) | Base::Participants(_) | Base::Participant(..) => (&["$select"], false),
        Base::Session(..) | Base::Segments(..) | Base::Segment(..) => {
            (&["$select", "$expand"], false)
        }
        _ => return Ok(()),
    };
    if let Some(option) = used(query).find(|option| !documented.contains(option)) {
        return Err(refused(&format!("The query option '{option}' is"), option));
    }
    if let Some(filter) = &query.filter
        && !(filters && is_documented_filter(filter))
    {
        return Err(refused("This condition is", "$filter"));
    }
    check_selected(query)?;
    if !target.filters.is_empty() || target.tail != Tail::Whole {
        return Err(refused("This path is", "path"));
    }
    query.expand.iter().try_for_each(check_expanded)
}

/// Only members that Graph has may be chosen, each whole.
fn check_selected(query: &Query) -> Result<(), Problem> {
    let Some(select) = &query.select else { return Ok(()) };
    if select.chooses_items() {
        return Err(refused("Options inside $select are", "$select"));
    }
    match select.find(QUALITY) {
        Some(_) => Err(refused(&format!("The member '{QUALITY}' is"), "$select")),
        None => Ok(()),
    }
}

/// Inside an expansion only members and further expansions may be chosen.
fn check_expanded(item: &ExpandItem) -> Result<(), Problem> {
    let segment = match item.kind {
        ExpandKind::Entities => None,
        ExpandKind::Refs => Some("/$ref"),
        ExpandKind::Count => Some("/$count"),
    };
    let option = || used(&item.query).find(|option| !matches!(*option, "$select" | "$expand"));
    if let Some(what) = segment.or_else(option) {
        return Err(refused(&format!("'{what}' inside $expand is"), "$expand"));
    }
    check_selected(&item.query)?;
    item.query.expand.iter().try_for_each(check_expanded)
}

/// Names of the options that a query uses, `$format` and `$skiptoken` apart.
fn used(query: &Query) -> impl Iterator<Item = &'static str> {
    let options = [
        ("$apply", query.apply.is_some()),
        ("$compute", !query.compute.is_empty()),
        ("$count", query.count),
        ("$expand", !query.expand.is_empty()),
        ("$filter", query.filter.is_some()),
        ("$orderby", !query.orderby.is_empty()),
        ("$search", query.search.is_some()),
        ("$select", query.select.is_some()),
        ("$skip", query.skip.is_some()),
        ("$top", query.top.is_some()),
    ];
    options.into_iter().filter_map(|(name, is_used)| is_used.then_some(name))
}

fn refused(what: &str, target: &'static str) -> Problem {
    let message = format!("{what} not supported on this resource (graph.strict is on).");
    Problem::bad_request(message).with_target(target)
}

/// Bounds of `startDateTime`, and one participant, joined by `and`.
fn is_documented_filter(filter: &Expr) -> bool {
    match &filter.kind {
        ExprKind::And(parts) => parts.iter().all(is_documented_filter),
        ExprKind::Compare(operator, left, right) => {
            let is_literal = |side: &Expr| matches!(side.kind, ExprKind::Literal(_));
            let is_bound = [(left, right), (right, left)]
                .into_iter()
                .any(|(path, bound)| names(path) == ["startDateTime"] && is_literal(bound));
            is_bound && !matches!(operator, Operator::Eq | Operator::Ne)
        }
        ExprKind::Path(path) if path.root == Root::Item => match path.steps.as_slice() {
            [
                PathStep::Property(property),
                PathStep::Lambda { quantifier: Quantifier::Any, body: Some((_, condition)) },
            ] => property.name == "participants_v2" && is_id_of(condition),
            _ => false,
        },
        _ => false,
    }
}

fn is_id_of(condition: &Expr) -> bool {
    let ExprKind::Compare(Operator::Eq, left, right) = &condition.kind else { return false };
    names(left) == ["id"] && matches!(right.kind, ExprKind::Literal(Literal::String(_)))
}

/// Names of the properties along a path that has nothing else.
fn names(expr: &Expr) -> Vec<&'static str> {
    let ExprKind::Path(path) = &expr.kind else { return Vec::new() };
    let names: Option<Vec<&str>> = path
        .steps
        .iter()
        .map(|step| match step {
            PathStep::Property(property) => Some(property.name),
            _ => None,
        })
        .collect();
    names.unwrap_or_default()
}
