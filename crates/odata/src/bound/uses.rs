//! What a bound query uses: a walk over every path in it, however deep.
//!
//! The trees are asked, never their printed form, in which the text of a literal looks like a name.

use super::{
    Aggregate, Apply, ComputedMember, Expr, ExprKind, GroupKey, Path, PathStep, Query, Root,
    Select, Transformation,
};

/// Says whether a path is one to look for.
type Test<'t> = dyn FnMut(&Path) -> bool + 't;

impl Query {
    /// Whether `test` holds for any path of any option, expanded properties and conditions inside
    /// paths included. Stops at the first that it holds for.
    pub fn any_path(&self, test: &mut Test<'_>) -> bool {
        self.apply.as_ref().is_some_and(|apply| apply.any_path(test))
            || self.compute.iter().any(|member| member.value.any_path(test))
            || self.filter.as_ref().is_some_and(|filter| filter.any_path(test))
            || self.orderby.iter().any(|key| key.value.any_path(test))
            || self.select.as_ref().is_some_and(|select| select.any_path(test))
            || self.expand.iter().any(|item| item.query.any_path(test))
    }

    /// Whether any path starts at the item of the outermost collection (`$it`).
    pub fn uses_outermost(&self) -> bool {
        self.any_path(&mut |path| path.root == Root::Outermost)
    }

    /// Whether any path, `$select` or `$expand` names this member, at any depth.
    pub fn uses_member(&self, name: &str) -> bool {
        self.any_path(&mut |path| path.steps.iter().any(|step| step.name() == Some(name)))
            || self.names_member(name)
    }

    /// Whether `$select` or `$expand` names the member, at any depth.
    fn names_member(&self, name: &str) -> bool {
        self.select.as_ref().is_some_and(|select| select.names(name))
            || self
                .expand
                .iter()
                .any(|item| item.property.name == name || item.query.names_member(name))
    }
}

impl Select {
    fn any_path(&self, test: &mut Test<'_>) -> bool {
        self.members.iter().any(|member| {
            member.options.as_ref().is_some_and(|options| options.any_path(test))
                || member.select.as_ref().is_some_and(|select| select.any_path(test))
        })
    }

    fn names(&self, name: &str) -> bool {
        self.members.iter().any(|member| {
            member.name == name || member.select.as_ref().is_some_and(|inner| inner.names(name))
        })
    }
}

impl Expr {
    /// Whether `test` holds for any path of the expression, conditions inside paths included. Stops
    /// at the first that it holds for.
    pub fn any_path(&self, test: &mut Test<'_>) -> bool {
        match &self.kind {
            ExprKind::Literal(_) => false,
            ExprKind::Path(path) => path.any_path(test),
            ExprKind::Not(operand)
            | ExprKind::Negate(operand)
            | ExprKind::Cast(operand, _)
            | ExprKind::IsOf(operand, _) => operand.any_path(test),
            ExprKind::Compare(_, left, right)
            | ExprKind::Arithmetic(_, left, right, _)
            | ExprKind::Has(left, right)
            | ExprKind::In(left, right) => left.any_path(test) || right.any_path(test),
            ExprKind::And(parts)
            | ExprKind::Or(parts)
            | ExprKind::List(parts)
            | ExprKind::Call(_, parts) => parts.iter().any(|part| part.any_path(test)),
            ExprKind::Case(branches) => branches
                .iter()
                .any(|(condition, value)| condition.any_path(test) || value.any_path(test)),
        }
    }
}

impl Path {
    /// The path itself, then those in the conditions on it.
    fn any_path(&self, test: &mut Test<'_>) -> bool {
        test(self)
            || self.steps.iter().any(|step| {
                step.condition().is_some_and(|condition| condition.any_path(&mut *test))
            })
    }
}

impl PathStep {
    /// The name of the member that the step goes to.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Property(property) => Some(property.name),
            Self::Member(name) => Some(name),
            _ => None,
        }
    }

    /// The condition that the step sets on items.
    fn condition(&self) -> Option<&Expr> {
        match self {
            Self::Filter(condition)
            | Self::Count { filter: Some(condition), .. }
            | Self::Lambda { body: Some((_, condition)), .. } => Some(condition),
            _ => None,
        }
    }
}

impl Apply {
    fn any_path(&self, test: &mut Test<'_>) -> bool {
        self.steps.iter().any(|step| step.any_path(test))
    }
}

impl Transformation {
    fn any_path(&self, test: &mut Test<'_>) -> bool {
        match self {
            Self::Identity | Self::Search(_) | Self::Skip(_) | Self::Top(_) => false,
            Self::Filter(condition) => condition.any_path(test),
            Self::Compute(members) => {
                members.iter().any(|ComputedMember { value, .. }| value.any_path(test))
            }
            Self::OrderBy(keys) => keys.iter().any(|key| key.value.any_path(test)),
            Self::Aggregate(figures) => {
                let mut values =
                    figures.iter().filter_map(|Aggregate { value, .. }| value.as_ref());
                values.any(|value| value.any_path(test))
            }
            Self::GroupBy { keys, apply } => {
                keys.iter().any(|key| key.any_path(test))
                    || apply.as_ref().is_some_and(|apply| apply.any_path(test))
            }
            Self::Concat(chains) => chains.iter().any(|chain| chain.any_path(test)),
            Self::Extreme { amount, by, .. } => amount.any_path(test) || by.any_path(test),
        }
    }
}

impl GroupKey {
    fn any_path(&self, test: &mut Test<'_>) -> bool {
        match self {
            Self::Path(path) => path.any_path(test),
            Self::Rollup { paths, .. } => paths.iter().any(|path| path.any_path(test)),
        }
    }
}
