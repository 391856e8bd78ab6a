//! Expressions with types: what `$filter`, `$orderby`, `$compute` and `$apply` calculate.
//!
//! Meaning is by URL Conventions 5.1.1: three-valued logic, comparisons other than `eq` and `ne`
//! with null are false, arithmetic and functions with null are null. Two strings that are both
//! GUIDs are equal without regard to case; text is ordered by its UTF-8 bytes.

use std::ptr;

use super::Search;
use crate::edm::{Primitive, Property, StructuredType, Type};
use crate::functions::Call;
use crate::literal::Literal;

/// An expression and what is known of its type.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What is calculated.
    pub kind: ExprKind,
    /// Type of the result.
    pub ty: Ty,
}

/// What is known of a type before anything is calculated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ty {
    /// A value, perhaps null.
    One(Type),
    /// A collection of values.
    Many(Type),
    /// The literal `null`.
    Null,
    /// Only the value will tell: a dynamic member of an open type.
    Dynamic,
}

/// What an expression calculates.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A value, already of the type that its place asks for. `now()` is bound to one.
    Literal(Literal),
    /// What stands at the end of a path.
    Path(Path),
    /// `not`
    Not(Box<Expr>),
    /// `-`
    Negate(Box<Expr>, Place),
    /// All hold; at least two, none itself an `And`.
    And(Vec<Expr>),
    /// One holds; at least two, none itself an `Or`.
    Or(Vec<Expr>),
    /// A comparison.
    Compare(Operator, Box<Expr>, Box<Expr>),
    /// `has`: an enumeration value has all members of another.
    Has(Box<Expr>, Box<Expr>),
    /// `in` a list of literals, or in a collection.
    In(Box<Expr>, Box<Expr>),
    /// Arithmetic on numbers, durations and instants.
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>, Place),
    /// A canonical function with as many arguments as it takes.
    Call(Function, Vec<Expr>),
    /// `cast(value,type)`
    Cast(Box<Expr>, Type),
    /// `isof(value,type)`
    IsOf(Box<Expr>, Type),
    /// `case(condition:value,…)`: the first value whose condition holds, else null.
    Case(Vec<(Expr, Expr)>),
    /// A collection of values as written.
    List(Vec<Expr>),
}

/// A way from an item to a value, a collection, or a condition on one.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Where it starts.
    pub root: Root,
    /// Step by step.
    pub steps: Vec<PathStep>,
}

/// Where a path starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// At the item at hand (`$this`, or nothing).
    Item,
    /// At the item of the outermost collection (`$it`), where that is another one.
    Outermost,
    /// At the lambda variable of that name.
    Variable(String),
    /// At a value that comes with the item, by its place among such ([`crate::eval::Scope::values`]). No
    /// request can name one: whoever has values of an item without its JSON puts them in place of paths.
    Value(usize),
}

/// A step of a path.
#[derive(Debug, Clone)]
pub enum PathStep {
    /// To a declared or known dynamic member. Behind a collection (only in aggregates): of each.
    Property(&'static Property),
    /// To a member that only the item knows: of an open type, computed, or aggregated.
    Member(String),
    /// To the value of a function of the service for what was reached. Behind a collection (only in
    /// aggregates): for each.
    Call(Box<Call>),
    /// To the same value if it is of this type, else to null; of a collection, those that are.
    Cast(&'static StructuredType),
    /// To the items of a collection that meet a condition, whose `Root::Item` they are.
    Filter(Box<Expr>),
    /// To the item of a collection of entities with this key.
    Key(String),
    /// To the number of items, of those that meet filter and search.
    Count {
        /// Condition whose `Root::Item` is the item.
        filter: Option<Box<Expr>>,
        /// What the item has to contain.
        search: Option<Search>,
    },
    /// To whether any or all items meet a condition; `any()` without one: whether there are items.
    Lambda {
        /// Which of the two.
        quantifier: Quantifier,
        /// The name of an item in the condition, and the condition.
        body: Option<(String, Box<Expr>)>,
    },
}

/// `any` or `all`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the standard's")]
pub enum Quantifier {
    Any,
    All,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the standard's")]
pub enum Operator {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// An arithmetic operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the standard's")]
pub enum Arithmetic {
    Add,
    Sub,
    Mul,
    /// Between whole numbers: without remainder, rounded towards zero.
    Div,
    /// Never a whole-number division.
    DivBy,
    Mod,
}

/// A canonical function (URL Conventions 5.1.1.5 to 5.1.1.12), or one of ours. `now` is bound to its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the standard's")]
pub enum Function {
    Concat,
    Contains,
    EndsWith,
    IndexOf,
    Length,
    StartsWith,
    /// Two or three arguments; of a string, in characters, or of a collection.
    Substring,
    HasSubset,
    HasSubsequence,
    /// Whether an item still has the member at the end of a path (Data Aggregation 4.0, 3.1.2).
    IsDefined,
    MatchesPattern,
    ToLower,
    ToUpper,
    Trim,
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    FractionalSeconds,
    Date,
    Time,
    TotalOffsetMinutes,
    TotalSeconds,
    MinDateTime,
    MaxDateTime,
    Ceiling,
    Floor,
    Round,
    /// `callvault.bucket(instant,size[,offset])`: when the stretch of time began that an instant is in.
    Bucket,
    /// `callvault.ratio(k,n)`: k of n.
    Ratio,
    /// `callvault.wilson(k,n)`: at least so much of all, as k of n tell.
    Wilson,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 33] = [
        Self::Concat,
        Self::Contains,
        Self::EndsWith,
        Self::IndexOf,
        Self::Length,
        Self::StartsWith,
        Self::Substring,
        Self::HasSubset,
        Self::HasSubsequence,
        Self::IsDefined,
        Self::MatchesPattern,
        Self::ToLower,
        Self::ToUpper,
        Self::Trim,
        Self::Year,
        Self::Month,
        Self::Day,
        Self::Hour,
        Self::Minute,
        Self::Second,
        Self::FractionalSeconds,
        Self::Date,
        Self::Time,
        Self::TotalOffsetMinutes,
        Self::TotalSeconds,
        Self::MinDateTime,
        Self::MaxDateTime,
        Self::Ceiling,
        Self::Floor,
        Self::Round,
        Self::Bucket,
        Self::Ratio,
        Self::Wilson,
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Concat => "concat",
            Self::Contains => "contains",
            Self::EndsWith => "endswith",
            Self::IndexOf => "indexof",
            Self::Length => "length",
            Self::StartsWith => "startswith",
            Self::Substring => "substring",
            Self::HasSubset => "hassubset",
            Self::HasSubsequence => "hassubsequence",
            Self::IsDefined => "isdefined",
            Self::MatchesPattern => "matchesPattern",
            Self::ToLower => "tolower",
            Self::ToUpper => "toupper",
            Self::Trim => "trim",
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
            Self::FractionalSeconds => "fractionalseconds",
            Self::Date => "date",
            Self::Time => "time",
            Self::TotalOffsetMinutes => "totaloffsetminutes",
            Self::TotalSeconds => "totalseconds",
            Self::MinDateTime => "mindatetime",
            Self::MaxDateTime => "maxdatetime",
            Self::Ceiling => "ceiling",
            Self::Floor => "floor",
            Self::Round => "round",
            Self::Bucket => "callvault.bucket",
            Self::Ratio => "callvault.ratio",
            Self::Wilson => "callvault.wilson",
        }
    }
}

impl Operator {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Gt => "gt",
            Self::Ge => "ge",
        }
    }

    /// The one that means the same with the sides swapped.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Eq | Self::Ne => self,
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
        }
    }
}

/// Where an expression stands in the request. Expressions mean the same wherever they stand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    /// The option, or `@` for the value of an alias.
    pub option: &'static str,
    /// Characters of its decoded value before the expression.
    pub position: usize,
}

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Place {}

impl Arithmetic {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Mul => "mul",
            Self::Div => "div",
            Self::DivBy => "divby",
            Self::Mod => "mod",
        }
    }
}

impl Expr {
    /// Both conditions.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut parts = Vec::new();
        for side in [self, other] {
            match side.kind {
                ExprKind::And(inner) => parts.extend(inner),
                _ => parts.push(side),
            }
        }
        Self { kind: ExprKind::And(parts), ty: Ty::One(Type::Primitive(Primitive::Boolean)) }
    }
}

impl Path {
    /// The properties along a path from the item that has nothing else on it.
    pub fn properties(&self) -> Option<Vec<&'static Property>> {
        if self.root != Root::Item {
            return None;
        }
        self.steps
            .iter()
            .map(|step| match step {
                PathStep::Property(property) => Some(*property),
                _ => None,
            })
            .collect()
    }
}

impl PartialEq for PathStep {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Property(a), Self::Property(b)) => ptr::eq(*a, *b),
            (Self::Member(a), Self::Member(b)) | (Self::Key(a), Self::Key(b)) => a == b,
            (Self::Cast(a), Self::Cast(b)) => ptr::eq(*a, *b),
            (Self::Call(a), Self::Call(b)) => a == b,
            (Self::Filter(a), Self::Filter(b)) => a == b,
            (
                Self::Count { filter: a, search: search_a },
                Self::Count { filter: b, search: search_b },
            ) => a == b && search_a == search_b,
            (
                Self::Lambda { quantifier: a, body: body_a },
                Self::Lambda { quantifier: b, body: body_b },
            ) => a == b && body_a == body_b,
            _ => false,
        }
    }
}
