//! The query language as written: names are text, nothing has a type yet.
//!
//! Positions are byte offsets in the decoded value of the option that holds the node.

use crate::bound::{Extreme, Quantifier, Search};
use crate::literal::Literal;

/// An expression (ABNF `commonExpr`). The position of operands with an operator between them is
/// that of the operator.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) position: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ExprKind {
    Literal(Literal),
    /// `@name`
    Alias(String),
    Path(Path),
    Unary(Unary, Box<Expr>),
    /// Operands joined by `and`, at least two.
    And(Vec<Expr>),
    /// Operands joined by `or`, at least two.
    Or(Vec<Expr>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    /// `item in list`
    In(Box<Expr>, Box<Expr>),
    /// A built-in function, its name in lower case.
    Call(String, Vec<Expr>),
    /// `case(condition:value,…)`
    Case(Vec<(Expr, Expr)>),
    /// `(a,b)` behind `in`, or `[a,b]`.
    List(Vec<Expr>),
    /// `{"name":value}`
    Object(Vec<(String, Expr)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unary {
    Not,
    Negate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    Add,
    Sub,
    Mul,
    Div,
    DivBy,
    Mod,
    Has,
}

impl Binary {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Mul => "mul",
            Self::Div => "div",
            Self::DivBy => "divby",
            Self::Mod => "mod",
            Self::Has => "has",
        }
    }
}

/// A path to a value, a collection, or a condition on one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    pub(crate) root: Root,
    pub(crate) steps: Vec<PathStep>,
}

/// Where a path starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Root {
    /// At the current item, or at a lambda variable when the first step is the name of one.
    Implicit,
    /// `$it`, `$this`, `$these` or `$root`.
    Dollar(String),
    /// At what an alias stands for.
    Alias(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PathStep {
    pub(crate) kind: StepKind,
    pub(crate) position: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum StepKind {
    /// A property, a type cast, or a function without parentheses.
    Name(String),
    /// A function with its arguments, or a collection with a key.
    Call(String, Vec<Argument>),
    /// A key behind something that had parentheses already.
    Key(Vec<Argument>),
    /// `@Namespace.Term`
    Annotation(String),
    /// `$count`, perhaps with options in parentheses.
    Count(Option<Box<Options>>),
    /// `$filter(condition)`
    Filter(Box<Expr>),
    /// `aggregate(…)`
    Aggregate(Vec<Aggregate>),
    /// `any` or `all`.
    Lambda(Quantifier, Option<(String, Box<Expr>)>),
}

/// `name=value`, or a value alone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Argument {
    pub(crate) name: Option<String>,
    pub(crate) value: Expr,
}

/// The system query options of a request or of an expanded property.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Options {
    pub(crate) filter: Option<Expr>,
    pub(crate) select: Option<Vec<Item>>,
    pub(crate) expand: Option<Vec<Item>>,
    pub(crate) orderby: Option<Vec<OrderBy>>,
    pub(crate) compute: Option<Vec<Compute>>,
    pub(crate) search: Option<Search>,
    pub(crate) apply: Option<Vec<Transformation>>,
    pub(crate) top: Option<u64>,
    pub(crate) skip: Option<u64>,
    pub(crate) count: Option<bool>,
    pub(crate) index: Option<i64>,
    pub(crate) levels: Option<Levels>,
    pub(crate) format: Option<String>,
    pub(crate) skiptoken: Option<String>,
    pub(crate) deltatoken: Option<String>,
    pub(crate) schemaversion: Option<String>,
    /// Parameter aliases with the text of their values.
    pub(crate) aliases: Vec<(String, Expr)>,
}

/// How often `$expand` follows a property again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Levels {
    Max,
    Times(u64),
}

/// One of the comma-separated items of `$select` or `$expand`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) path: Vec<ItemStep>,
    pub(crate) options: Option<Box<Options>>,
    pub(crate) position: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ItemStep {
    pub(crate) kind: ItemKind,
    pub(crate) position: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ItemKind {
    /// A property, type or operation.
    Name(String),
    /// `@Namespace.Term`
    Annotation(String),
    /// `*`
    Star,
    /// `Namespace.*`
    AllOperations(String),
    /// `$ref`
    Ref,
    /// `$count`
    Count,
    /// `$value`
    Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OrderBy {
    pub(crate) key: Expr,
    pub(crate) is_descending: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Compute {
    pub(crate) value: Expr,
    pub(crate) alias: String,
    /// Of the alias.
    pub(crate) position: usize,
}

/// A step of `$apply` (ABNF `applyTrafo`).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Transformation {
    pub(crate) kind: TransformationKind,
    pub(crate) position: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TransformationKind {
    Identity,
    Filter(Expr),
    Search(Search),
    Compute(Vec<Compute>),
    OrderBy(Vec<OrderBy>),
    Skip(u64),
    Top(u64),
    Aggregate(Vec<Aggregate>),
    GroupBy(Vec<GroupKey>, Option<Vec<Transformation>>),
    Concat(Vec<Vec<Transformation>>),
    /// `topcount` and its kin, with the amount and the value.
    Extreme(Extreme, Box<Expr>, Box<Expr>),
    /// `join` and `outerjoin`.
    Join(Box<Join>),
    /// One that the standard or a service has and that isn't read.
    Other(String),
}

/// What items are joined with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Join {
    pub(crate) path: Expr,
    pub(crate) alias: Name,
    pub(crate) apply: Option<Vec<Transformation>>,
    /// Items without related ones stay.
    pub(crate) is_outer: bool,
}

/// What `groupby` groups by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum GroupKey {
    Path(Expr),
    /// `rollup(…)`, with whether `$all` stands first.
    Rollup(Vec<Expr>, bool),
    /// `rolluprecursive(…)`, which isn't read.
    Hierarchy,
}

/// A figure of `aggregate`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Aggregate {
    /// A value, a path that ends with `$count`, or the name of a custom aggregate.
    pub(crate) value: Expr,
    /// The name behind `with`.
    pub(crate) method: Option<Name>,
    /// It is aggregated again, behind `from`.
    pub(crate) has_from: bool,
    /// The name behind `as`.
    pub(crate) alias: Option<Name>,
}

/// A name and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) name: String,
    pub(crate) position: usize,
}
