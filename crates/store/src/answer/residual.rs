//! The residual filter: decides about rows what SQL could not, on their JSON.

use model::rows::RowSet;
use model::search;
use odata::bound::{ComputedMember, Expr, OrderKey, Query, Search};
use odata::edm::{StructuredType, Type};
use odata::eval::{Exhausted, Item, Key, Meter, Order, Program, Scope, Sieve};
use odata::json::Node;

use super::evaluation::{environment, load};
use super::parts::{Parts, parts};
use crate::Error;

/// Conditions on JSON, ready for use.
#[derive(Debug)]
pub(super) struct ResidualFilter {
    ty: &'static StructuredType,
    conditions: Vec<Program>,
    searches: Vec<search::Query>,
    members: Option<Sieve>,
    order: Order,
    /// What of a row has to be read for it.
    pub(super) parts: Parts,
}

impl ResidualFilter {
    /// `order`: the keys that a row is to be sorted by.
    pub(super) fn new(
        set: RowSet,
        compute: &[ComputedMember],
        conditions: &[&Expr],
        searches: &[&Search],
        order: &[OrderKey],
    ) -> Self {
        let members = (!compute.is_empty())
            .then(|| Sieve::new(&Query { compute: compute.to_vec(), ..Query::default() }));
        let computed = compute.iter().map(|member| &member.value);
        let keys = order.iter().map(|key| &key.value);
        let all: Vec<&Expr> = conditions.iter().copied().chain(computed).chain(keys).collect();
        Self {
            ty: set.ty(),
            conditions: conditions.iter().map(|condition| Program::new(condition)).collect(),
            searches: searches.iter().map(|search| search::Query::new(search)).collect(),
            members,
            order: Order::new(order),
            parts: if searches.is_empty() { parts(&all) } else { parts(&all).and(Parts::SEARCHED) },
        }
    }

    /// One condition on rows of a set.
    pub(super) fn of_condition(set: RowSet, condition: &Expr) -> Self {
        Self::new(set, &[], &[condition], &[], &[])
    }

    /// The key of a row by which it is sorted, if it meets the conditions.
    ///
    /// # Errors
    /// [`Error::Exhausted`] and [`Error::Deadline`], and when the text is no JSON.
    pub(super) fn key(&self, text: &[u8], meter: &Meter) -> Result<Option<Key>, Error> {
        let mut node = load(text, meter)?;
        let ty = Type::Structured(self.ty);
        let made = meter.made();
        if let Some(members) = &self.members {
            members.compute(&mut node, ty, None, environment(meter));
        }
        let scope = Scope::new(Item { node: &node, ty }, environment(meter));
        let key = self.holds(&node, meter).then(|| self.order.key(&scope));
        meter.forget(made);
        meter.check()?;
        Ok(key)
    }

    /// The key of a row of which nothing can be read.
    pub(super) fn key_of_nothing(&self) -> Key {
        let item = Item { node: &Node::Object(Vec::new()), ty: Type::Structured(self.ty) };
        // Of nothing, no key takes long.
        self.order.key(&Scope::new(item, environment(&Meter::unlimited())))
    }

    /// Whether a row meets the conditions.
    ///
    /// # Errors
    /// What of the meter is exhausted.
    pub(super) fn admits(&self, node: &Node<'_>, meter: &Meter) -> Result<bool, Exhausted> {
        let made = meter.made();
        let admits = match &self.members {
            Some(members) if !self.conditions.is_empty() => {
                let mut node = node.clone();
                let ty = Type::Structured(self.ty);
                members.compute(&mut node, ty, None, environment(meter));
                self.holds(&node, meter)
            }
            _ => self.holds(node, meter),
        };
        meter.forget(made);
        meter.check()?;
        Ok(admits)
    }

    /// Whether a row that has its calculated members meets the conditions.
    fn holds(&self, node: &Node<'_>, meter: &Meter) -> bool {
        let item = Item { node, ty: Type::Structured(self.ty) };
        let scope = Scope::new(item, environment(meter));
        self.conditions.iter().all(|condition| condition.holds(&scope))
            && self.searches.iter().all(|search| search.matches(node, self.ty))
    }
}
