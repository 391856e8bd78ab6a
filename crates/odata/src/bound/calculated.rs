//! The types of members that a query makes: calculated ones, and figures.

use super::{Aggregate, Apply, ComputedMember, Expr, Method, Query, Transformation, Ty};
use crate::edm::{Primitive, Type};

impl Query {
    /// The type of a calculated member or a figure of that name, as far as the query tells it.
    pub fn calculated(&self, name: &str) -> Option<Type> {
        let applied = || self.apply.as_ref().and_then(|apply| apply.calculated(name));
        of_members(&self.compute, name).or_else(applied)
    }
}

impl Apply {
    fn calculated(&self, name: &str) -> Option<Type> {
        self.steps.iter().rev().find_map(|step| match step {
            Transformation::Compute(members) => of_members(members, name),
            Transformation::Aggregate(figures) => {
                figures.iter().find(|figure| figure.alias == name).and_then(of_figure)
            }
            Transformation::GroupBy { apply, .. } => apply.as_ref()?.calculated(name),
            Transformation::Concat(chains) => {
                chains.iter().find_map(|chain| chain.calculated(name))
            }
            _ => None,
        })
    }
}

fn of_members(members: &[ComputedMember], name: &str) -> Option<Type> {
    members.iter().find(|member| member.alias == name).and_then(|member| single(&member.value))
}

fn of_figure(figure: &Aggregate) -> Option<Type> {
    match (figure.method, &figure.value) {
        (Method::Count | Method::CountDistinct, _) | (_, None) => {
            Some(Type::Primitive(Primitive::Int64))
        }
        (Method::Sum | Method::Min | Method::Max, Some(value)) => single(value),
        (Method::Average | Method::Percentile(_), Some(_)) => None,
    }
}

fn single(value: &Expr) -> Option<Type> {
    match value.ty {
        Ty::One(ty) | Ty::Many(ty) => Some(ty),
        Ty::Null | Ty::Dynamic => None,
    }
}
