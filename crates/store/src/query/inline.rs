//! Puts what calculated members stand for in place of their names.
//!
//! Members that use each other twice double what they stand for, so that a few of them are
//! millions of nodes. Beyond a bound the name stays, and our own evaluator, which calculates each member
//! once, decides in place of SQL.

use std::borrow::Cow;

use odata::bound::{ComputedMember, Expr, ExprKind, OrderKey, Path, PathStep, Root};

/// Nodes that an expression may come to.
const MOST_NODES: usize = 2_000;

/// Calculated members by their names.
#[derive(Debug, Default)]
pub(crate) struct Members {
    definitions: Vec<Definition>,
}

/// What a name stands for.
#[derive(Debug)]
struct Definition {
    name: String,
    value: Expr,
    nodes: usize,
}

impl Members {
    /// Adds members, each of which may use those before it.
    pub(crate) fn add(&mut self, computed: &[ComputedMember]) {
        for ComputedMember { value, alias, .. } in computed {
            let nodes = self.nodes(value);
            let value = (nodes <= MOST_NODES).then(|| self.replace(value));
            self.definitions.retain(|known| known.name != *alias);
            self.definitions.extend(value.map(|value| Definition {
                name: alias.clone(),
                value,
                nodes,
            }));
        }
    }

    /// Keys of an order with members replaced.
    pub(crate) fn inline_order<'e>(&self, keys: &'e [OrderKey]) -> Cow<'e, [OrderKey]> {
        if self.definitions.is_empty() {
            return Cow::Borrowed(keys);
        }
        let inline = |key: &OrderKey| OrderKey {
            value: self.inline(&key.value).into_owned(),
            is_descending: key.is_descending,
        };
        keys.iter().map(inline).collect()
    }

    /// The expression with members replaced, unless it would become too large. Those that stand in
    /// conditions on other items stay: there the item means something else.
    pub(crate) fn inline<'e>(&self, expr: &'e Expr) -> Cow<'e, Expr> {
        if self.definitions.is_empty() || self.nodes(expr) > MOST_NODES {
            return Cow::Borrowed(expr);
        }
        Cow::Owned(self.replace(expr))
    }

    /// Nodes of the expression with members replaced.
    fn nodes(&self, expr: &Expr) -> usize {
        let all = |parts: &[Expr]| parts.iter().map(|part| self.nodes(part)).sum::<usize>();
        let inside = match &expr.kind {
            ExprKind::Literal(_) => 0,
            ExprKind::Path(path) => match self.find(path) {
                Some(known) => return known.nodes,
                None => path.steps.iter().map(|step| self.nodes_of_step(step)).sum(),
            },
            ExprKind::Not(inner)
            | ExprKind::Negate(inner, _)
            | ExprKind::Cast(inner, _)
            | ExprKind::IsOf(inner, _) => self.nodes(inner),
            ExprKind::Compare(_, left, right)
            | ExprKind::Has(left, right)
            | ExprKind::In(left, right)
            | ExprKind::Arithmetic(_, left, right, _) => self.nodes(left) + self.nodes(right),
            ExprKind::And(parts) | ExprKind::Or(parts) | ExprKind::List(parts) => all(parts),
            ExprKind::Call(_, arguments) => all(arguments),
            ExprKind::Case(cases) => {
                cases.iter().map(|(when, then)| self.nodes(when) + self.nodes(then)).sum()
            }
        };
        1 + inside
    }

    fn nodes_of_step(&self, step: &PathStep) -> usize {
        match step {
            PathStep::Lambda { body: Some((_, body)), .. } => self.nodes(body),
            _ => 1,
        }
    }

    fn replace(&self, expr: &Expr) -> Expr {
        let replaced = expr.with_paths(&mut |path, ty| {
            Some(match self.find(path) {
                Some(known) => known.value.clone(),
                None => Expr { kind: ExprKind::Path(self.inline_path(path)), ty },
            })
        });
        replaced.expect("there is something for every path")
    }

    fn find(&self, path: &Path) -> Option<&Definition> {
        let (Root::Item, [PathStep::Member(name)]) = (&path.root, path.steps.as_slice()) else {
            return None;
        };
        self.definitions.iter().find(|known| known.name == *name)
    }

    fn inline_path(&self, path: &Path) -> Path {
        let step = |step: &PathStep| match step {
            PathStep::Lambda { quantifier, body: Some((name, body)) } => PathStep::Lambda {
                quantifier: *quantifier,
                body: Some((name.clone(), Box::new(self.replace(body)))),
            },
            other => other.clone(),
        };
        Path { root: path.root.clone(), steps: path.steps.iter().map(step).collect() }
    }
}
