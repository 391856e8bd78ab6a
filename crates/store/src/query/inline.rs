//! Puts what calculated members stand for in place of their names.

use odata::bound::{Computed, Expr, ExprKind, OrderKey, Path, PathStep, Root};

/// Calculated members by their names.
#[derive(Debug, Default)]
pub(crate) struct Members {
    known: Vec<(String, Expr)>,
}

impl Members {
    /// Adds members, each of which may use those before it.
    pub(crate) fn add(&mut self, computed: &[Computed]) {
        for Computed { value, alias } in computed {
            let value = self.inline(value);
            self.known.retain(|(known, _)| known != alias);
            self.known.push((alias.clone(), value));
        }
    }

    /// Keys of an order with members replaced.
    pub(crate) fn inline_order(&self, keys: &[OrderKey]) -> Vec<OrderKey> {
        let inline = |key: &OrderKey| OrderKey {
            value: self.inline(&key.value),
            is_descending: key.is_descending,
        };
        keys.iter().map(inline).collect()
    }

    /// The expression with members replaced. Those that stand in conditions on other items stay:
    /// there the item means something else.
    pub(crate) fn inline(&self, expr: &Expr) -> Expr {
        if self.known.is_empty() {
            return expr.clone();
        }
        let one = |inner: &Expr| Box::new(self.inline(inner));
        let all = |parts: &[Expr]| parts.iter().map(|part| self.inline(part)).collect::<Vec<_>>();
        let kind = match &expr.kind {
            ExprKind::Literal(_) => expr.kind.clone(),
            ExprKind::Path(path) => match self.find(path) {
                Some(value) => return value.clone(),
                None => ExprKind::Path(self.inline_path(path)),
            },
            ExprKind::Not(inner) => ExprKind::Not(one(inner)),
            ExprKind::Negate(inner) => ExprKind::Negate(one(inner)),
            ExprKind::And(parts) => ExprKind::And(all(parts)),
            ExprKind::Or(parts) => ExprKind::Or(all(parts)),
            ExprKind::Compare(operator, left, right) => {
                ExprKind::Compare(*operator, one(left), one(right))
            }
            ExprKind::Has(left, right) => ExprKind::Has(one(left), one(right)),
            ExprKind::In(left, right) => ExprKind::In(one(left), one(right)),
            ExprKind::Arithmetic(operator, left, right) => {
                ExprKind::Arithmetic(*operator, one(left), one(right))
            }
            ExprKind::Call(function, arguments) => ExprKind::Call(*function, all(arguments)),
            ExprKind::Cast(inner, ty) => ExprKind::Cast(one(inner), *ty),
            ExprKind::IsOf(inner, ty) => ExprKind::IsOf(one(inner), *ty),
            ExprKind::Case(cases) => {
                let case = |(condition, value): &(Expr, Expr)| {
                    (self.inline(condition), self.inline(value))
                };
                ExprKind::Case(cases.iter().map(case).collect())
            }
            ExprKind::List(items) => ExprKind::List(all(items)),
        };
        Expr { kind, ty: expr.ty }
    }

    fn find(&self, path: &Path) -> Option<&Expr> {
        let (Root::Item, [PathStep::Member(name)]) = (&path.root, path.steps.as_slice()) else {
            return None;
        };
        self.known.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn inline_path(&self, path: &Path) -> Path {
        let step = |step: &PathStep| match step {
            PathStep::Lambda { quantifier, body: Some((name, body)) } => PathStep::Lambda {
                quantifier: *quantifier,
                body: Some((name.clone(), Box::new(self.inline(body)))),
            },
            other => other.clone(),
        };
        Path { root: path.root.clone(), steps: path.steps.iter().map(step).collect() }
    }
}
