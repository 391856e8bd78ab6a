//! `$apply`: transformations of a collection, one behind the other (OData Extension for Data
//! Aggregation 4.0, section 3).

use super::{ComputedMember, Expr, OrderKey, Path, Place, Search};

/// A chain of transformations.
#[derive(Debug, Clone, PartialEq)]
pub struct Apply {
    /// In the order in which they run.
    pub steps: Vec<Transformation>,
}

/// From a collection to a collection. Expressions start at an item of what comes in.
#[derive(Debug, Clone, PartialEq)]
pub enum Transformation {
    /// The collection itself.
    Identity,
    /// Items that meet a condition.
    Filter(Expr),
    /// Items that contain words.
    Search(Search),
    /// The items with more members.
    Compute(Vec<ComputedMember>),
    /// The items in another order.
    OrderBy(Vec<OrderKey>),
    /// The items behind the first so many.
    Skip(u64),
    /// The first so many items.
    Top(u64),
    /// One item with figures of all.
    Aggregate(Vec<Aggregate>),
    /// An item for each combination of values, or what `apply` makes of each group.
    GroupBy {
        /// What is grouped by.
        keys: Vec<GroupKey>,
        /// What each group becomes; the values of the keys are added to each item of it.
        apply: Option<Apply>,
    },
    /// The results of several chains, one behind the other.
    Concat(Vec<Apply>),
    /// The items with each of what is related to them, one item for each pair (Data Aggregation 4.0,
    /// section 3.4).
    Join {
        /// To a collection.
        path: Expr,
        /// The name of the member that has the related item.
        alias: String,
        /// What becomes of the collection of an item first.
        apply: Option<Apply>,
        /// An item without related ones stays, and the member is null.
        is_outer: bool,
    },
    /// The items that come first by a value.
    Extreme {
        /// How many, and from which end.
        kind: Extreme,
        /// How many, how much in all, or per cent.
        amount: Expr,
        /// By which value.
        by: Expr,
    },
}

/// A key of `groupby`.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupKey {
    /// The value at the end of a path.
    Path(Path),
    /// `rollup(…)`: groups by all of the paths, by all but the last, and so on; with `$all` first
    /// also of everything.
    Rollup {
        /// From the coarsest to the finest.
        paths: Vec<Path>,
        /// Everything is a group as well.
        all: bool,
    },
}

/// A figure of a collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Of which values; `None` counts the items. A path through collections gives the values of
    /// all their items.
    pub value: Option<Expr>,
    /// How the values become one.
    pub method: Method,
    /// The name of the figure.
    pub alias: String,
    /// Where its value stands.
    pub place: Place,
}

/// How values become one; nulls are left out, and of no values the result is null (0 for counts).
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names are the standard's")]
pub enum Method {
    Sum,
    Min,
    Max,
    Average,
    CountDistinct,
    /// `$count`, of the items or of the values.
    Count,
    /// `callvault.percentileN`, `callvault.median`: the value below which a share (0 to 1) of the
    /// values lies, interpolated between neighbours (SQL's `percentile_cont`).
    Percentile(f64),
}

/// `topcount` and its kin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the standard's")]
pub enum Extreme {
    TopCount,
    BottomCount,
    TopSum,
    BottomSum,
    TopPercent,
    BottomPercent,
}

impl Extreme {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::TopCount => "topcount",
            Self::BottomCount => "bottomcount",
            Self::TopSum => "topsum",
            Self::BottomSum => "bottomsum",
            Self::TopPercent => "toppercent",
            Self::BottomPercent => "bottompercent",
        }
    }
}
