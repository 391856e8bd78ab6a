//! The residual filter: decides about rows what SQL could not, on their JSON.

use model::rows::RowSet;
use model::search;
use odata::bound::{ComputedMember, Expr, OrderKey, PathStep, Query, Search};
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
    /// Of a row as it is. They come first: what is calculated of a row that is none of the result has no say,
    /// be it that it has no result.
    own: Vec<Program>,
    /// Of a row with its calculated members.
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
        let (calculated, own): (Vec<&Expr>, Vec<&Expr>) =
            conditions.iter().copied().partition(|condition| uses_any(condition, compute));
        let programs = |of: &[&Expr]| of.iter().map(|condition| Program::new(condition)).collect();
        Self {
            ty: set.ty(),
            own: programs(&own),
            conditions: programs(&calculated),
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
        let mut is_chosen = self.own_hold(&node, meter);
        if let (true, Some(members)) = (is_chosen, &self.members) {
            members.compute(&mut node, ty, None, environment(meter));
            is_chosen = all_hold(&self.conditions, &node, self.ty, meter);
        }
        let scope = Scope::new(Item { node: &node, ty }, environment(meter));
        let key = is_chosen.then(|| self.order.key(&scope));
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
        let mut admits = self.own_hold(node, meter);
        if let (true, false, Some(members)) = (admits, self.conditions.is_empty(), &self.members) {
            let mut node = node.clone();
            members.compute(&mut node, Type::Structured(self.ty), None, environment(meter));
            admits = all_hold(&self.conditions, &node, self.ty, meter);
        }
        meter.forget(made);
        meter.check()?;
        Ok(admits)
    }

    /// Whether a row meets the conditions that need no calculated member.
    fn own_hold(&self, node: &Node<'_>, meter: &Meter) -> bool {
        all_hold(&self.own, node, self.ty, meter)
            && self.searches.iter().all(|search| search.matches(node, self.ty))
    }
}

fn all_hold(
    conditions: &[Program],
    node: &Node<'_>,
    ty: &'static StructuredType,
    meter: &Meter,
) -> bool {
    let item = Item { node, ty: Type::Structured(ty) };
    let scope = Scope::new(item, environment(meter));
    conditions.iter().all(|condition| condition.holds(&scope))
}

/// Whether a condition looks at any of the calculated members.
fn uses_any(condition: &Expr, compute: &[ComputedMember]) -> bool {
    condition.any_path(&mut |path| {
        path.steps
            .iter()
            .filter_map(PathStep::name)
            .any(|name| compute.iter().any(|member| member.alias == name))
    })
}
