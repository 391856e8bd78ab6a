//! Expressions with something else in place of their paths.

use super::{Expr, ExprKind, Path, Ty};

/// What takes the place of a path that leads to a type.
type Replace<'r> = &'r mut dyn FnMut(&Path, Ty) -> Option<Expr>;

impl Expr {
    /// The expression with what `replace` gives in place of each path; none if it gives none for one of them.
    /// Conditions inside paths are left to it.
    pub fn with_paths(&self, replace: Replace<'_>) -> Option<Self> {
        let kind = match &self.kind {
            ExprKind::Literal(_) => self.kind.clone(),
            ExprKind::Path(path) => return replace(path, self.ty),
            ExprKind::Not(inner) => ExprKind::Not(one(inner, replace)?),
            ExprKind::Negate(inner, place) => ExprKind::Negate(one(inner, replace)?, *place),
            ExprKind::And(parts) => ExprKind::And(all(parts, replace)?),
            ExprKind::Or(parts) => ExprKind::Or(all(parts, replace)?),
            ExprKind::Compare(operator, left, right) => {
                ExprKind::Compare(*operator, one(left, replace)?, one(right, replace)?)
            }
            ExprKind::Has(left, right) => ExprKind::Has(one(left, replace)?, one(right, replace)?),
            ExprKind::In(left, right) => ExprKind::In(one(left, replace)?, one(right, replace)?),
            ExprKind::Arithmetic(operator, left, right, place) => {
                let (left, right) = (one(left, replace)?, one(right, replace)?);
                ExprKind::Arithmetic(*operator, left, right, *place)
            }
            ExprKind::Call(function, arguments) => {
                ExprKind::Call(*function, all(arguments, replace)?)
            }
            ExprKind::Cast(inner, ty) => ExprKind::Cast(one(inner, replace)?, *ty),
            ExprKind::IsOf(inner, ty) => ExprKind::IsOf(one(inner, replace)?, *ty),
            ExprKind::Case(cases) => {
                let case = |(when, then): &(Self, Self)| {
                    Some((when.with_paths(replace)?, then.with_paths(replace)?))
                };
                ExprKind::Case(cases.iter().map(case).collect::<Option<_>>()?)
            }
            ExprKind::List(items) => ExprKind::List(all(items, replace)?),
        };
        Some(Self { kind, ty: self.ty })
    }
}

fn one(expr: &Expr, replace: Replace<'_>) -> Option<Box<Expr>> {
    expr.with_paths(replace).map(Box::new)
}

fn all(exprs: &[Expr], replace: Replace<'_>) -> Option<Vec<Expr>> {
    exprs.iter().map(|expr| expr.with_paths(replace)).collect()
}
