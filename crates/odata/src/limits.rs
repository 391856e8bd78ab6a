//! How much of the language one request may use.

use crate::functions::Functions;

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
    /// Nesting of conditions on the items of collections: `any`, `all`, `$filter`, `$count`.
    pub lambdas: usize,
    /// Nesting of `$expand`.
    pub expand_depth: usize,
    /// Keys of `$orderby`.
    pub orderby: usize,
    /// Items of a list, as behind `in`.
    pub in_list: usize,
    /// Largest `$top`.
    pub top: u64,
    /// Items of one `$expand`.
    pub expand_items: usize,
    /// Items of one `$select`.
    pub select_items: usize,
    /// Bytes of the text between the quotes of one literal.
    pub literal: usize,
    /// Words and phrases of one request's searches.
    pub search_words: usize,
    /// Transformations of `$apply`, those inside others counted too.
    pub apply_steps: usize,
    /// Whether values without a name and misspelt names are ignored, as Graph does, and not refused.
    pub ignores_slips: bool,
    /// Functions of the service that expressions may call.
    pub functions: Functions,
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
            expand_items: 20,
            select_items: 200,
            literal: 1024,
            search_words: 64,
            apply_steps: 20,
            ignores_slips: false,
            functions: Functions::default(),
        }
    }
}
