//! The place of a value in a document as a JSON Pointer (RFC 6901), built only when it is needed.

use std::fmt;

/// A chain of steps from a value up to the document's root. Lives on the stack of the walk, so
/// that walking a sound document costs nothing.
#[derive(Debug, Clone, Copy)]
pub enum Pointer<'a> {
    /// The whole document.
    Root,
    /// A member of the object at the place behind.
    Member(&'a Pointer<'a>, &'a str),
    /// An item of the array at the place behind.
    Item(&'a Pointer<'a>, usize),
}

impl fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(parent, name) => {
                write!(f, "{parent}/{}", name.replace('~', "~0").replace('/', "~1"))
            }
            Self::Item(parent, index) => write!(f, "{parent}/{index}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pointer;

    #[test]
    fn steps_are_escaped() {
        let (root, sessions) = (Pointer::Root, "sessions");
        let array = Pointer::Member(&root, sessions);
        let item = Pointer::Item(&array, 3);
        assert_eq!(Pointer::Member(&item, "a/b~c").to_string(), "/sessions/3/a~1b~0c");
        assert_eq!(root.to_string(), "");
    }
}
