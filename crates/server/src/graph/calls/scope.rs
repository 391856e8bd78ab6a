//! Which calls a condition can be met by, as far as the store has an index for that. Whoever reads
//! them looks at the whole condition all the same.

use odata::bound::{Expr, ExprKind, Operator, PathStep, Root};
use odata::literal::Literal;
use store::CallScope;

/// The calls that can meet a condition.
pub(super) fn of(condition: Option<&Expr>) -> CallScope {
    let mut scope = CallScope::default();
    if let Some(condition) = condition {
        narrow(&mut scope, condition);
    }
    scope
}

fn narrow(scope: &mut CallScope, condition: &Expr) {
    match &condition.kind {
        ExprKind::And(all) => all.iter().for_each(|part| narrow(scope, part)),
        ExprKind::Compare(operator, left, right) => {
            if let (Some(name), ExprKind::Literal(literal)) = (member(left), &right.kind) {
                compare(scope, name, *operator, literal);
            }
        }
        _ => {}
    }
}

fn compare(scope: &mut CallScope, name: &str, operator: Operator, literal: &Literal) {
    match (name, operator, literal) {
        ("callChainId", Operator::Eq, Literal::String(id) | Literal::Guid(id)) => {
            scope.chain = Some(model::key(id));
        }
        ("state", Operator::Eq, Literal::Enum { members, .. } | Literal::String(members)) => {
            let open = ["establishing", "established", "terminating"];
            scope.open_only |= open.contains(&members.as_str());
        }
        ("state", Operator::Ne, Literal::Enum { members, .. } | Literal::String(members)) => {
            scope.open_only |= members == "terminated";
        }
        _ => {}
    }
}

/// The name of a member of the call itself.
fn member(expr: &Expr) -> Option<&'static str> {
    match &expr.kind {
        ExprKind::Path(path) if path.root == Root::Item => match path.steps.as_slice() {
            [PathStep::Property(property)] => Some(property.name),
            _ => None,
        },
        _ => None,
    }
}
