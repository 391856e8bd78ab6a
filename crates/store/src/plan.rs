//! What a list or a count asks for, bound to keys and bounds, and what answering it costs.

use model::TenantId;

/// Which current records; all conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// `startDateTime ge` this, in ticks. (`gt t` is `ge t + 1`: ticks are integers.)
    pub start_from: Option<i64>,
    /// `startDateTime lt` this, in ticks. (`le t` is `lt t + 1`.)
    pub start_before: Option<i64>,
    /// Keys of ids of `participants_v2`; all of them take part.
    pub participants: Vec<Vec<u8>>,
    /// Records that started before this instant are treated as if they were not there.
    pub not_before: Option<i64>,
}

/// A page of a list, in the order of `startDateTime` descending, then `id` ascending by bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// Which records.
    pub filter: Filter,
    /// `startDateTime` and `id` of the last record of the page before.
    pub after: Option<(i64, String)>,
    /// How many at most.
    pub limit: usize,
}

/// What a query costs, which decides where it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// No more than what it answers.
    Bounded,
    /// As much as there is to look through.
    Scan,
}

impl Filter {
    /// What counting costs: every match is looked at.
    pub fn count_cost(&self) -> Cost {
        Cost::Scan
    }
}

impl ListQuery {
    /// What reading the page costs. An index leads to the records of one participant; whether
    /// another one takes part too is probed for each.
    pub fn cost(&self) -> Cost {
        if self.filter.participants.len() < 2 { Cost::Bounded } else { Cost::Scan }
    }
}

/// A [`ListQuery`] or a count, with what its conditions come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) tenant_key: i64,
    /// First instant that `startDateTime` may have.
    pub(crate) from: Option<i64>,
    /// Last instant that `startDateTime` may have.
    pub(crate) until: Option<i64>,
    pub(crate) participants: Vec<Vec<u8>>,
    /// At this instant, only ids behind this one.
    pub(crate) after: Option<(i64, String)>,
    pub(crate) limit: Option<usize>,
}

impl Plan {
    pub(crate) fn list(tenant_key: i64, query: &ListQuery) -> Self {
        let mut plan = Self::count(tenant_key, &query.filter);
        if let Some((start, id)) = &query.after
            && plan.until.is_none_or(|until| until >= *start)
        {
            plan.until = Some(*start);
            plan.after = Some((*start, id.clone()));
        }
        plan.limit = Some(query.limit);
        plan
    }

    pub(crate) fn count(tenant_key: i64, filter: &Filter) -> Self {
        Self {
            tenant_key,
            from: filter.start_from.max(filter.not_before),
            until: filter.start_before.map(|before| before.saturating_sub(1)),
            participants: filter.participants.clone(),
            after: None,
            limit: None,
        }
    }
}

/// The tenant of a plan is a number that only the store knows.
pub(crate) type TenantKeys = std::collections::HashMap<TenantId, i64>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_retention_view_only_ever_narrows_a_filter() {
        let filter =
            |from, not_before| Filter { start_from: from, not_before, ..Filter::default() };
        assert_eq!(Plan::count(1, &filter(Some(5), Some(9))).from, Some(9));
        assert_eq!(Plan::count(1, &filter(Some(9), Some(5))).from, Some(9));
        assert_eq!(Plan::count(1, &filter(None, Some(5))).from, Some(5));
        assert_eq!(Plan::count(1, &filter(None, None)).from, None);
    }

    #[test]
    fn a_page_goes_on_behind_the_last_record() {
        let query = ListQuery {
            filter: Filter { start_before: Some(100), ..Filter::default() },
            after: Some((50, "b".to_owned())),
            limit: 60,
        };
        let plan = Plan::list(1, &query);
        assert_eq!((plan.until, plan.after), (Some(50), Some((50, "b".to_owned()))));
    }

    #[test]
    fn a_page_that_ended_above_the_bounds_starts_at_their_first_record() {
        let query = ListQuery {
            filter: Filter { start_before: Some(40), ..Filter::default() },
            after: Some((50, "b".to_owned())),
            limit: 60,
        };
        let plan = Plan::list(1, &query);
        assert_eq!((plan.until, plan.after), (Some(39), None));
    }
}
