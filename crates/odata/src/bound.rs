//! A request with its meaning: names are properties of the model, values have types.
//!
//! Trees are equal when they mean the same; the tables of the model are compared by address.

mod apply;
mod calculated;
mod expr;
mod preserving;
mod print;
mod replacing;
mod uses;

use std::ptr;

pub use apply::{Aggregate, Apply, Extreme, GroupKey, Method, Transformation};
pub use expr::{
    Arithmetic, Expr, ExprKind, Function, Operator, Path, PathStep, Place, Quantifier, Root, Ty,
};
pub use uses::{UndeclaredMember, undeclared_members};

use crate::edm::{Operation, Property, StructuredType, Type};
use crate::functions::Call;
use crate::literal::Literal;

/// What the path of a request addresses.
#[derive(Debug, Clone)]
pub struct Resource {
    /// From the service root on.
    pub steps: Vec<Step>,
    /// Type of the answer, or of each of its items; `None` for an action that answers nothing.
    pub ty: Option<Type>,
    /// The answer is a collection of `ty`.
    pub is_collection: bool,
}

/// A step of a path.
#[derive(Debug, Clone)]
pub enum Step {
    /// A collection of entities that the service root names.
    EntitySet {
        /// Its name.
        name: &'static str,
        /// The type of its entities.
        ty: &'static StructuredType,
    },
    /// An entity that the service root names.
    Singleton {
        /// Its name.
        name: &'static str,
        /// Its type.
        ty: &'static StructuredType,
    },
    /// To related entities.
    Navigation(&'static Property),
    /// To the entity with this key.
    Key(String),
    /// To a value.
    Property(&'static Property),
    /// To instances of a derived type.
    Cast(&'static StructuredType),
    /// A function or action bound to what stands before it.
    Operation {
        /// Which.
        operation: &'static Operation,
        /// The namespace that declares it.
        namespace: &'static str,
        /// The parameters but the binding one, in declared order, with values of their types.
        arguments: Vec<(&'static str, Literal)>,
    },
    /// To the value of a function that expressions call as well.
    Call(Box<Call>),
    /// `/$filter(condition)`: to the items of a collection that meet it.
    Filter(Box<Expr>),
    /// `/$count`
    Count,
    /// `/$ref`
    Ref,
    /// `/$value`
    Value,
}

impl Resource {
    /// The type of the answer, or of its items, if that has properties.
    pub fn structured(&self) -> Option<&'static StructuredType> {
        match self.ty {
            Some(Type::Structured(ty)) => Some(ty),
            _ => None,
        }
    }
}

/// What the query options of a request, or of an expanded property, ask for. They apply in this
/// order: apply, compute, filter and search, count, orderby, skip, top, expand, select.
///
/// `Display` writes the canonical, percent-encoded query, which [`crate::parse_request`] reads back
/// to an equal tree; `$skiptoken` and `$deltatoken` are left out, since they change from page to page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// Transformations that come before everything else; with them items have the members that
    /// the last one gives.
    pub apply: Option<Apply>,
    /// Members to add to each item.
    pub compute: Vec<ComputedMember>,
    /// Condition that items have to meet.
    pub filter: Option<Expr>,
    /// What items have to contain.
    pub search: Option<Search>,
    /// The order of items; items equal by it stay in the order of the collection.
    pub orderby: Vec<OrderKey>,
    /// Items to leave out at the start of the whole result.
    pub skip: Option<u64>,
    /// The most items of the whole result.
    pub top: Option<u64>,
    /// `$count=true`: with the number of all items.
    pub count: bool,
    /// Members to answer with; all when there is none.
    pub select: Option<Select>,
    /// Related entities to put inside, each property at most once for each kind.
    pub expand: Vec<ExpandItem>,
    /// Where to go on reading, opaque.
    pub skiptoken: Option<String>,
    /// Since when changes are asked for, opaque.
    pub deltatoken: Option<String>,
    /// The value of `$format`, as written.
    pub format: Option<String>,
}

/// A member that is calculated: `$compute`, or `compute` of `$apply`.
#[derive(Debug, Clone)]
pub struct ComputedMember {
    /// Its value.
    pub value: Expr,
    /// Its name.
    pub alias: String,
    /// Where its value stands: characters of the decoded option before it.
    pub position: usize,
}

/// By what they mean, wherever they stand.
impl PartialEq for ComputedMember {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value && self.alias == other.alias
    }
}

/// A key of `$orderby`. Null comes before everything else, or last when descending.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderKey {
    /// By what.
    pub value: Expr,
    /// Largest first.
    pub is_descending: bool,
}

/// What `$search` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// A word; with `*` at its end, what words begin with.
    Word(String),
    /// Words one behind the other.
    Phrase(String),
    /// Not that.
    Not(Box<Search>),
    /// Both.
    And(Box<Search>, Box<Search>),
    /// One of the two.
    Or(Box<Search>, Box<Search>),
}

impl Query {
    /// The options for an expanded property of that name, if it is expanded.
    pub fn expanded(&self, name: &str) -> Option<&Query> {
        let is_shown =
            |item: &&ExpandItem| item.property.name == name && item.kind != ExpandKind::Count;
        self.expand.iter().find(is_shown).map(|item| &*item.query)
    }
}

/// The members that `$select` asks for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Select {
    /// `*`: every member that isn't a navigation property.
    pub all: bool,
    /// Members by name, each once, in the order of the request.
    pub members: Vec<SelectedMember>,
}

impl Select {
    /// The member, if it is selected by name.
    pub fn find(&self, name: &str) -> Option<&SelectedMember> {
        self.members.iter().find(|member| member.name == name)
    }

    /// The member, if it is selected by name of values of this type.
    pub fn find_of(&self, name: &str, ty: &StructuredType) -> Option<&SelectedMember> {
        let is_meant = |member: &&SelectedMember| {
            member.name == name && member.cast.is_none_or(|cast| ty.is_a(cast))
        };
        self.members.iter().find(is_meant)
    }

    /// Whether items of collections are chosen, at any depth.
    pub fn chooses_items(&self) -> bool {
        self.members.iter().any(|member| {
            member.options.is_some() || member.select.as_ref().is_some_and(Self::chooses_items)
        })
    }
}

/// A member that `$select` names.
#[derive(Debug, Clone, Default)]
pub struct SelectedMember {
    /// Its name on the wire.
    pub name: String,
    /// The property; `None` for a member of an open type that the model doesn't know.
    pub property: Option<&'static Property>,
    /// Members of its value; the whole value when there is none.
    pub select: Option<Select>,
    /// The type that a value must be of to show the member; none: any.
    pub cast: Option<&'static StructuredType>,
    /// Which items of its value, a collection, and in which order; `select` stands beside.
    pub options: Option<Box<Query>>,
}

/// A navigation property whose entities go inside the answer.
#[derive(Debug, Clone)]
pub struct ExpandItem {
    /// The property.
    pub property: &'static Property,
    /// What of the entities goes inside.
    pub kind: ExpandKind,
    /// Options for what is inside.
    pub query: Box<Query>,
}

/// How expanded entities are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpandKind {
    /// As they are.
    Entities,
    /// `/$ref`: by their addresses.
    Refs,
    /// `/$count`: only how many there are.
    Count,
}

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.steps == other.steps
    }
}

impl PartialEq for Step {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::EntitySet { name: a, .. }, Self::EntitySet { name: b, .. })
            | (Self::Singleton { name: a, .. }, Self::Singleton { name: b, .. }) => a == b,
            (Self::Navigation(a), Self::Navigation(b)) | (Self::Property(a), Self::Property(b)) => {
                ptr::eq(*a, *b)
            }
            (Self::Key(a), Self::Key(b)) => a == b,
            (Self::Cast(a), Self::Cast(b)) => ptr::eq(*a, *b),
            (
                Self::Operation { operation: a, arguments: with_a, .. },
                Self::Operation { operation: b, arguments: with_b, .. },
            ) => ptr::eq(*a, *b) && with_a == with_b,
            (Self::Call(a), Self::Call(b)) => a == b,
            (Self::Filter(a), Self::Filter(b)) => a == b,
            (Self::Count, Self::Count) | (Self::Ref, Self::Ref) | (Self::Value, Self::Value) => {
                true
            }
            _ => false,
        }
    }
}

impl PartialEq for SelectedMember {
    fn eq(&self, other: &Self) -> bool {
        let is_same = match (self.property, other.property) {
            (Some(a), Some(b)) => ptr::eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        let is_same_type = match (self.cast, other.cast) {
            (Some(a), Some(b)) => ptr::eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        is_same
            && is_same_type
            && self.name == other.name
            && self.select == other.select
            && self.options == other.options
    }
}

impl PartialEq for ExpandItem {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.property, other.property)
            && self.kind == other.kind
            && self.query == other.query
    }
}
