//! A request with its meaning: names are properties of the model, values have types.
//!
//! Trees are equal when they mean the same; the tables of the model are compared by address.

mod print;

use std::ptr;

use crate::edm::{Operation, Property, StructuredType, Type};
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

/// What the query options of a request, or of an expanded property, ask for.
///
/// `Display` writes the canonical, percent-encoded query, which [`crate::parse_request`] reads back
/// to an equal tree; `$skiptoken` is left out, since it changes from page to page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// Condition that items have to meet.
    pub filter: Option<Expr>,
    /// Members that are asked for; all when there is none.
    pub select: Option<Select>,
    /// Related entities to put inside, each at most once.
    pub expand: Vec<ExpandItem>,
    /// The most items of the whole result.
    pub top: Option<u64>,
    /// The number of all items is asked for.
    pub count: bool,
    /// Where to go on reading, opaque.
    pub skiptoken: Option<String>,
    /// The value of `$format`, as written.
    pub format: Option<String>,
}

impl Query {
    /// The options for an expanded property of that name, if it is expanded.
    pub fn expanded(&self, name: &str) -> Option<&Query> {
        self.expand.iter().find(|item| item.property.name == name).map(|item| &*item.query)
    }
}

/// A condition. Paths start at the item that is looked at.
#[derive(Debug, Clone)]
pub enum Expr {
    /// All of them hold; there are at least two, and none is itself an `And`.
    And(Vec<Expr>),
    /// A property compared with a value of its type.
    Compare {
        /// From the item to the value.
        path: Vec<&'static Property>,
        /// How.
        operator: Operator,
        /// With what.
        value: Literal,
    },
    /// Some item of a collection meets a condition.
    Any {
        /// The collection.
        navigation: &'static Property,
        /// What the request calls an item.
        variable: String,
        /// The condition, its paths starting at an item of the collection.
        body: Box<Expr>,
    },
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `eq`
    Eq,
    /// `ne`
    Ne,
    /// `lt`
    Lt,
    /// `le`
    Le,
    /// `gt`
    Gt,
    /// `ge`
    Ge,
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

/// The members that `$select` asks for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Select {
    /// `*`: every member that isn't a navigation property.
    pub all: bool,
    /// Members by name, each once, in the order of the request.
    pub members: Vec<Selected>,
}

impl Select {
    /// The member, if it is asked for by name.
    pub fn find(&self, name: &str) -> Option<&Selected> {
        self.members.iter().find(|member| member.name == name)
    }
}

/// A member that `$select` names.
#[derive(Debug, Clone)]
pub struct Selected {
    /// Its name on the wire.
    pub name: String,
    /// The property; `None` for a member of an open type that the model doesn't know.
    pub property: Option<&'static Property>,
    /// Members of its value; the whole value when there is none.
    pub select: Option<Select>,
}

/// A navigation property whose entities go inside the answer.
#[derive(Debug, Clone)]
pub struct ExpandItem {
    /// The property.
    pub property: &'static Property,
    /// Options for what is inside.
    pub query: Box<Query>,
}

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.steps == other.steps
    }
}

impl PartialEq for Step {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Singleton { name: a, .. }, Self::Singleton { name: b, .. }) => a == b,
            (Self::Navigation(a), Self::Navigation(b)) | (Self::Property(a), Self::Property(b)) => {
                ptr::eq(*a, *b)
            }
            (Self::Key(a), Self::Key(b)) => a == b,
            (Self::Cast(a), Self::Cast(b)) => ptr::eq(*a, *b),
            (
                Self::Operation { operation: a, arguments: with_a, .. },
                Self::Operation { operation: b, arguments: with_b, .. },
            ) => ptr::eq(*a, *b) && with_a == with_b,
            (Self::Count, Self::Count) | (Self::Ref, Self::Ref) | (Self::Value, Self::Value) => {
                true
            }
            _ => false,
        }
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::And(a), Self::And(b)) => a == b,
            (
                Self::Compare { path: a, operator: how_a, value: with_a },
                Self::Compare { path: b, operator: how_b, value: with_b },
            ) => {
                how_a == how_b
                    && with_a == with_b
                    && a.len() == b.len()
                    && a.iter().zip(b).all(|(a, b)| ptr::eq(*a, *b))
            }
            (
                Self::Any { navigation: a, variable: name_a, body: body_a },
                Self::Any { navigation: b, variable: name_b, body: body_b },
            ) => ptr::eq(*a, *b) && name_a == name_b && body_a == body_b,
            _ => false,
        }
    }
}

impl PartialEq for Selected {
    fn eq(&self, other: &Self) -> bool {
        let is_same = match (self.property, other.property) {
            (Some(a), Some(b)) => ptr::eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        is_same && self.name == other.name && self.select == other.select
    }
}

impl PartialEq for ExpandItem {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.property, other.property) && self.query == other.query
    }
}
