//! Which calls a condition can be met by, as far as the store has an index for that.

use odata::bound::{Expr, Operator};
use odata::literal::Literal;
use store::CallScope;

use crate::demands;

/// The calls that can meet a condition.
pub(super) fn of(condition: Option<&Expr>) -> CallScope {
    let mut scope = CallScope::default();
    if let Some(condition) = condition {
        demands::each(condition, &mut |name, operator, literal| {
            compare(&mut scope, name, operator, literal);
        });
    }
    scope
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
