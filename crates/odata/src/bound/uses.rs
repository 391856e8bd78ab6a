//! What a bound query uses: a walk over every path in it, however deep.
//!
//! The trees are asked, never their printed form, in which the text of a literal looks like a name.

use super::{
    Aggregate, Apply, ComputedMember, Expr, ExprKind, Function, GroupKey, Path, PathStep, Query,
    Resource, Root, Select, Step, Transformation, Ty,
};
use crate::edm::Type;
use crate::literal::Literal;

/// What an expression is made of, but for its operators.
enum Leaf<'e> {
    Path(&'e Path),
    Literal(&'e Literal, Ty),
    Call(Function),
}

/// Says whether a leaf is one to look for.
type Test<'t> = dyn FnMut(Leaf<'_>) -> bool + 't;

/// A member that an enumeration does not declare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndeclaredMember {
    /// As written.
    pub name: String,
    /// The enumeration.
    pub ty: &'static str,
}

/// The members that a request names of enumerations to which members may be added at any time, and that
/// are not declared: what is stored may have them, or nothing ever will.
pub fn undeclared_members(resource: &Resource, query: &Query) -> Vec<UndeclaredMember> {
    let mut found: Vec<UndeclaredMember> = Vec::new();
    let mut note = |leaf: Leaf<'_>| {
        if let Leaf::Literal(Literal::Enum { members, .. }, Ty::One(Type::Enum(ty))) = leaf
            && ty.members.iter().all(|(name, _)| name != members)
        {
            let member = UndeclaredMember { name: members.clone(), ty: ty.name };
            if !found.contains(&member) {
                found.push(member);
            }
        }
        false
    };
    for step in &resource.steps {
        if let Step::Filter(condition) = step {
            condition.any(&mut note);
        }
    }
    query.any(&mut note);
    found
}

impl Query {
    /// Whether `test` holds for any path of any option, expanded properties and conditions inside
    /// paths included. Stops at the first that it holds for.
    pub fn any_path(&self, test: &mut dyn FnMut(&Path) -> bool) -> bool {
        self.any(&mut |leaf| matches!(leaf, Leaf::Path(path) if test(path)))
    }

    fn any(&self, test: &mut Test<'_>) -> bool {
        self.apply.as_ref().is_some_and(|apply| apply.any(test))
            || self.compute.iter().any(|member| member.value.any(test))
            || self.filter.as_ref().is_some_and(|filter| filter.any(test))
            || self.orderby.iter().any(|key| key.value.any(test))
            || self.select.as_ref().is_some_and(|select| select.any(test))
            || self.expand.iter().any(|item| item.query.any(test))
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
    fn any(&self, test: &mut Test<'_>) -> bool {
        self.members.iter().any(|member| {
            member.options.as_ref().is_some_and(|options| options.any(test))
                || member.select.as_ref().is_some_and(|select| select.any(test))
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
    pub fn any_path(&self, test: &mut dyn FnMut(&Path) -> bool) -> bool {
        self.any(&mut |leaf| matches!(leaf, Leaf::Path(path) if test(path)))
    }

    /// Whether the function is called anywhere in the expression.
    pub fn calls(&self, function: Function) -> bool {
        self.any(&mut |leaf| matches!(leaf, Leaf::Call(called) if called == function))
    }

    fn any(&self, test: &mut Test<'_>) -> bool {
        match &self.kind {
            ExprKind::Literal(literal) => test(Leaf::Literal(literal, self.ty)),
            ExprKind::Path(path) => path.any(test),
            ExprKind::Not(operand)
            | ExprKind::Negate(operand, _)
            | ExprKind::Cast(operand, _)
            | ExprKind::IsOf(operand, _) => operand.any(test),
            ExprKind::Compare(_, left, right)
            | ExprKind::Arithmetic(_, left, right, _)
            | ExprKind::Has(left, right)
            | ExprKind::In(left, right) => left.any(test) || right.any(test),
            ExprKind::And(parts) | ExprKind::Or(parts) | ExprKind::List(parts) => {
                parts.iter().any(|part| part.any(test))
            }
            ExprKind::Call(function, arguments) => {
                test(Leaf::Call(*function)) || arguments.iter().any(|part| part.any(test))
            }
            ExprKind::Case(branches) => {
                branches.iter().any(|(condition, value)| condition.any(test) || value.any(test))
            }
        }
    }
}

impl Path {
    /// The path itself, then those in the conditions on it.
    fn any(&self, test: &mut Test<'_>) -> bool {
        test(Leaf::Path(self))
            || self
                .steps
                .iter()
                .any(|step| step.condition().is_some_and(|condition| condition.any(&mut *test)))
    }
}

impl PathStep {
    /// Of steps through groups: these have the values of functions as members.
    pub(crate) fn go_by_names(steps: &mut [Self]) {
        for step in steps {
            if let Self::Call(call) = step {
                *step = Self::Member(call.to_string());
            }
        }
    }

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
    fn any(&self, test: &mut Test<'_>) -> bool {
        self.steps.iter().any(|step| step.any(test))
    }
}

impl Transformation {
    fn any(&self, test: &mut Test<'_>) -> bool {
        match self {
            Self::Identity | Self::Search(_) | Self::Skip(_) | Self::Top(_) => false,
            Self::Filter(condition) => condition.any(test),
            Self::Compute(members) => {
                members.iter().any(|ComputedMember { value, .. }| value.any(test))
            }
            Self::OrderBy(keys) => keys.iter().any(|key| key.value.any(test)),
            Self::Aggregate(figures) => {
                let mut values =
                    figures.iter().filter_map(|Aggregate { value, .. }| value.as_ref());
                values.any(|value| value.any(test))
            }
            Self::GroupBy { keys, apply } => {
                keys.iter().any(|key| key.any(test))
                    || apply.as_ref().is_some_and(|apply| apply.any(test))
            }
            Self::Concat(chains) => chains.iter().any(|chain| chain.any(test)),
            Self::Join { path, apply, .. } => {
                path.any(test) || apply.as_ref().is_some_and(|apply| apply.any(test))
            }
            Self::Extreme { amount, by, .. } => amount.any(test) || by.any(test),
        }
    }
}

impl GroupKey {
    fn any(&self, test: &mut Test<'_>) -> bool {
        match self {
            Self::Path(path) => path.any(test),
            Self::Rollup { paths, .. } => paths.iter().any(|path| path.any(test)),
        }
    }
}
