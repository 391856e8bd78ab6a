//! How much of the language one request may use, and how much of it is answered.

use crate::bound::Operator;

/// Bounds that keep the cost of reading a request small and stated.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of path and query as sent, the value of `$skiptoken` not counted, since the service
    /// itself makes it longer than the query that it stands for.
    pub url: usize,
    /// Bytes of `$filter`, decoded.
    pub filter: usize,
    /// Nodes of all expressions of one request; what an alias stands for counts at each use.
    pub nodes: usize,
    /// Nesting of groups, arguments, lists and lambdas.
    pub depth: usize,
    /// Nesting of `any` and `all`.
    pub lambdas: usize,
    /// Nesting of `$expand`.
    pub expand_depth: usize,
    /// Keys of `$orderby`.
    pub orderby: usize,
    /// Items of a list, as behind `in`.
    pub in_list: usize,
    /// Largest `$top`.
    pub top: u64,
    /// What can be compared in `$filter`; anything else that is well-formed is not built yet.
    pub filterable: &'static [Filterable],
}

/// A property that `$filter` answers.
#[derive(Debug, Clone, Copy)]
pub struct Filterable {
    /// Qualified name of the type at which the path starts.
    pub ty: &'static str,
    /// Names of the properties on the way; a collection-valued navigation property on it means
    /// `any`.
    pub path: &'static [&'static str],
    /// Operators that are answered.
    pub operators: &'static [Operator],
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            url: 8 * 1024,
            filter: 4 * 1024,
            nodes: 200,
            depth: 32,
            lambdas: 5,
            expand_depth: 4,
            orderby: 8,
            in_list: 200,
            top: i32::MAX as u64,
            filterable: &[],
        }
    }
}
