//! What names mean at one place of a request: the item at hand, the variables around.

use std::borrow::Cow;

use crate::bound::{PathStep, Ty};

/// What an item looks like.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) ty: Ty,
    /// Members that it has besides those of its type: computed and aggregated ones.
    pub(super) members: Vec<(String, Ty)>,
    /// After an aggregation: the only paths of its type that it still has.
    pub(super) keys: Option<Vec<Key>>,
    /// Aggregated items stand among others.
    pub(super) is_mixed: bool,
}

/// A path that an aggregation has grouped by.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub(super) steps: Vec<PathStep>,
    pub(super) ty: Ty,
}

impl Item {
    pub(super) fn of(ty: Ty) -> Self {
        Self { ty, members: Vec::new(), keys: None, is_mixed: false }
    }

    pub(super) fn member(&self, name: &str) -> Option<Ty> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, ty)| *ty)
    }
}

/// The places at which paths can start.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// The item that a condition looks at.
    pub(super) item: Item,
    /// The item of the outermost collection, `$it`, where that is another one.
    pub(super) outermost: Option<Item>,
    /// Lambda variables, the innermost last.
    variables: Vec<(String, Ty)>,
    /// A path goes through collections, to the values of all their items.
    pub(super) flattens: bool,
}

impl Scope {
    pub(super) fn new(item: Item) -> Self {
        Self { item, outermost: None, variables: Vec::new(), flattens: false }
    }

    /// The scope of a condition on another item.
    pub(super) fn inside(&self, item: Item) -> Self {
        let outermost = Some(self.outermost.as_ref().unwrap_or(&self.item).clone());
        Self { item, outermost, variables: self.variables.clone(), flattens: false }
    }

    pub(super) fn with_variable(&self, name: &str, ty: Ty) -> Self {
        let mut scope = self.clone();
        scope.variables.push((name.to_owned(), ty));
        scope.flattens = false;
        scope
    }

    pub(super) fn variable(&self, name: &str) -> Option<Ty> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, ty)| *ty)
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|(name, _)| name.as_str())
    }
}

impl Key {
    /// The name of the member that holds it.
    pub(super) fn first_name(&self) -> Option<Cow<'_, str>> {
        self.names().next()
    }

    /// The names of the members on the way to it.
    pub(super) fn names(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.steps.iter().filter_map(|step| match step {
            PathStep::Property(property) => Some(Cow::Borrowed(property.name)),
            PathStep::Member(name) => Some(Cow::Borrowed(name.as_str())),
            PathStep::Call(call) => Some(Cow::Owned(call.to_string())),
            _ => None,
        })
    }
}
