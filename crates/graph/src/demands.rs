//! What a condition demands of single members of an item, whatever else it says: by that, less is
//! read. Whoever reads looks at the whole condition all the same.

use odata::bound::{Expr, ExprKind, Operator, PathStep, Root};
use odata::literal::Literal;

/// Gives each `eq` and `ne` of a member of the item itself and a literal that has to be true for the
/// condition to be.
pub(crate) fn each(condition: &Expr, take: &mut dyn FnMut(&'static str, Operator, &Literal)) {
    match &condition.kind {
        ExprKind::And(all) => all.iter().for_each(|part| each(part, take)),
        ExprKind::Compare(operator @ (Operator::Eq | Operator::Ne), left, right) => {
            let sides = member(left).zip(literal(right));
            let sides = sides.or_else(|| member(right).zip(literal(left)));
            if let Some((name, literal)) = sides {
                take(name, *operator, literal);
            }
        }
        _ => {}
    }
}

fn literal(expr: &Expr) -> Option<&Literal> {
    match &expr.kind {
        ExprKind::Literal(literal) => Some(literal),
        _ => None,
    }
}

/// The name of a member of the item itself.
fn member(expr: &Expr) -> Option<&'static str> {
    match &expr.kind {
        ExprKind::Path(path) if path.root == Root::Item => match path.steps.as_slice() {
            [PathStep::Property(property)] => Some(property.name),
            _ => None,
        },
        _ => None,
    }
}
