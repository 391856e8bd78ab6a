//! Functions of a service that expressions call on an item: declared in the model, known to the service.

use std::fmt;
use std::ptr;
use std::sync::Arc;

use crate::edm::{Operation, StructuredType};
use crate::error::UnknownArgument;
use crate::json::Node;
use crate::literal::Literal;

/// Knows what calls of a service's functions stand for.
pub trait ItemFunctions: fmt::Debug + Send + Sync {
    /// What a call stands for; `None` if expressions can't call the function.
    ///
    /// # Errors
    /// When an argument has a value that the function does not know.
    fn resolve(&self, invocation: &Invocation<'_>) -> Result<Option<Meaning>, UnknownArgument>;
}

/// A call of a function that the model declares.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'a> {
    /// The namespace that declares the function.
    pub namespace: &'static str,
    /// The function.
    pub operation: &'static Operation,
    /// The type of what it is called on.
    pub on: &'static StructuredType,
    /// The arguments that are given, by the names of their parameters.
    pub arguments: &'a [(&'static str, Literal)],
}

/// What a call stands for.
#[derive(Debug, Clone)]
pub enum Meaning {
    /// A member of that name, which the item has anyway.
    Member(&'static str),
    /// Something to calculate.
    Function(Arc<dyn ItemFunction>),
}

/// A function with its arguments.
pub trait ItemFunction: fmt::Debug + Send + Sync {
    /// Steps that calculating the value for an item takes, as an evaluation counts them.
    fn steps(&self, item: &Node<'_>) -> u64;

    /// The value for an item.
    fn value(&self, item: &Node<'_>) -> Node<'static>;
}

/// The functions of a service; by default it has none.
#[derive(Debug, Clone, Default)]
pub struct Functions(Option<Arc<dyn ItemFunctions>>);

impl Functions {
    /// Those that `known` knows.
    pub fn new(known: Arc<dyn ItemFunctions>) -> Self {
        Self(Some(known))
    }

    /// See [`ItemFunctions::resolve`].
    pub(crate) fn resolve(
        &self,
        invocation: &Invocation<'_>,
    ) -> Result<Option<Meaning>, UnknownArgument> {
        self.0.as_ref().map_or(Ok(None), |known| known.resolve(invocation))
    }
}

/// A call of a function on an item. Two are the same if function and arguments are.
#[derive(Debug, Clone)]
pub struct Call {
    /// The namespace that declares the function.
    pub namespace: &'static str,
    /// As it is declared.
    pub operation: &'static Operation,
    /// The arguments that are given.
    pub arguments: Vec<(&'static str, Literal)>,
    /// What calculates the value.
    pub function: Arc<dyn ItemFunction>,
}

impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.operation, other.operation) && self.arguments == other.arguments
    }
}

impl fmt::Display for Call {
    /// As in an expression, not percent-encoded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}(", self.namespace, self.operation.name)?;
        for (index, (name, value)) in self.arguments.iter().enumerate() {
            write!(f, "{}{name}={value}", if index > 0 { "," } else { "" })?;
        }
        f.write_str(")")
    }
}
