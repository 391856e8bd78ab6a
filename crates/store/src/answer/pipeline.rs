//! Our own evaluator's pipeline for `$apply`, within the budget of a query.

use std::ops::ControlFlow;

use model::rows::RowSet;
use odata::bound::{Apply, Transformation};
use odata::edm::Type;
use odata::eval::{Excess, Pipeline, Sizes};

use crate::query::Budget;
use crate::{Cause, Error};

/// Single values that percentiles and distinct counts may keep.
const MOST_VALUES: usize = 4_000_000;

/// A row that can't be read is no part of a figure.
pub(super) fn left_out(cause: &Cause) -> ControlFlow<()> {
    tracing::error!(%cause, "$apply leaves a row out");
    ControlFlow::Continue(())
}

pub(super) fn pipeline(steps: Vec<Transformation>, set: RowSet) -> Result<Pipeline, Error> {
    Pipeline::new(&Apply { steps }, Type::Structured(set.ty())).map_err(|excess| too_much(&excess))
}

pub(super) fn sizes(budget: &Budget) -> Sizes {
    Sizes { groups: budget.groups, items: budget.groups, values: MOST_VALUES }
}

pub(super) fn too_much(excess: &Excess) -> Error {
    match excess {
        Excess::TooManyGroups(limit)
        | Excess::TooManyItems(limit)
        | Excess::TooManyValues(limit)
        | Excess::TooManyGroupings(limit) => Error::TooManyGroups { limit: *limit },
        Excess::Exhausted(exhausted) => Error::from(*exhausted),
    }
}
