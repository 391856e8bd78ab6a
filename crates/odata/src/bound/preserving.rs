//! `$apply` that keeps items as they are, brought into the options that mean the same.
//!
//! A chain of `filter`, `search`, `compute`, `orderby`, `skip` and `top` gives items of the collection
//! itself (Data Aggregation 4.0, section 3.1.1: structure-preserving), so that whatever stands behind it
//! may go on to what is related to them. As options the chain is answered like every other list.

use super::{Apply, Expr, Query, Search, Transformation};

impl Query {
    /// The query with a condition that its path sets: on what comes into `$apply` (OData URL Conventions
    /// 4.12), otherwise together with `$filter`.
    #[must_use]
    pub fn narrowed(mut self, condition: Expr) -> Self {
        match &mut self.apply {
            Some(apply) => apply.steps.insert(0, Transformation::Filter(condition)),
            None => {
                self.filter = Some(match self.filter.take() {
                    Some(filter) => condition.and(filter),
                    None => condition,
                });
            }
        }
        self
    }

    /// The query without `$apply` if options can say the same as it; otherwise as it is. With `/$count`
    /// behind the path, and with `$count`, all items count that `$apply` gives, but options count also
    /// those that `$skip` and `$top` leave out.
    #[must_use]
    pub fn with_options_for_apply(self, is_counted: bool) -> Self {
        let Some(apply) = &self.apply else { return self };
        options_for(apply, &self, is_counted || self.count).unwrap_or(self)
    }
}

/// The options that mean the same as a chain with the options of a query behind it. None when a step
/// makes other items, or when an option would have to apply later than options do.
fn options_for(apply: &Apply, behind: &Query, is_counted: bool) -> Option<Query> {
    let mut query = Query {
        select: behind.select.clone(),
        expand: behind.expand.clone(),
        skiptoken: behind.skiptoken.clone(),
        deltatoken: None,
        format: behind.format.clone(),
        ..Query::default()
    };
    for step in &apply.steps {
        // Words are looked for in what is stored, not in calculated members.
        if matches!(step, Transformation::Search(_)) && !query.compute.is_empty() {
            return None;
        }
        add(&mut query, step.clone())?;
    }
    let is_cut = query.skip.is_some() || query.top.is_some();
    if is_cut && is_counted {
        return None;
    }
    query.count = behind.count;
    let options = [
        (!behind.compute.is_empty()).then(|| Transformation::Compute(behind.compute.clone())),
        behind.filter.clone().map(Transformation::Filter),
        behind.search.clone().map(Transformation::Search),
        (!behind.orderby.is_empty()).then(|| Transformation::OrderBy(behind.orderby.clone())),
        behind.skip.map(Transformation::Skip),
        behind.top.map(Transformation::Top),
    ];
    for step in options.into_iter().flatten() {
        add(&mut query, step)?;
    }
    Some(query)
}

fn add(query: &mut Query, step: Transformation) -> Option<()> {
    let is_cut = query.skip.is_some() || query.top.is_some();
    match step {
        Transformation::Identity => {}
        Transformation::Compute(members) => query.compute.extend(members),
        Transformation::Filter(condition) if !is_cut => {
            query.filter = Some(match query.filter.take() {
                Some(filter) => filter.and(condition),
                None => condition,
            });
        }
        Transformation::Search(search) if !is_cut => {
            query.search = Some(match query.search.take() {
                Some(first) => Search::And(Box::new(first), Box::new(search)),
                None => search,
            });
        }
        // Items that are equal by the new order stay in the one before.
        Transformation::OrderBy(keys) if !is_cut => {
            query.orderby = [keys, std::mem::take(&mut query.orderby)].concat();
        }
        Transformation::Skip(count) => {
            query.skip = Some(query.skip.unwrap_or(0).saturating_add(count));
            query.top = query.top.map(|top| top.saturating_sub(count));
        }
        Transformation::Top(count) => {
            query.top = Some(query.top.map_or(count, |top| top.min(count)));
        }
        _ => return None,
    }
    Some(())
}
