//! JSON text as a tree that borrows from the input and keeps every number and string as written.
//!
//! A general JSON value type would turn `0.10` into `0.1` and lose what it does not model; a call
//! record must come out digit for digit as it went in, so numbers stay text and strings stay
//! escaped. A member name twice in one object is an error, since one of the two would be lost.
//! [`Scanner`] reads a value at a time, so that the items of a long array can be taken one by one.

mod pointer;
mod scanner;
mod text;
mod write;

use std::borrow::Cow;

pub use pointer::Pointer;
pub use scanner::Scanner;
pub use text::Text;
pub use write::{push_member, push_string, push_text, write_members, write_node};

/// Deepest nesting of what comes in (RFC 8259 section 9 lets a reader set limits). An answer puts less
/// than 16 levels around it (a batch, a list, the row of a log, the place of a computed member), and so
/// stays within the 64 that readers take which know no better.
pub const MAX_DEPTH: usize = 48;

/// Deepest nesting of text of our own. An earlier version took 64 levels.
const OWN_DEPTH: usize = 64 + 32;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Node<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as written.
    Number(Cow<'a, str>),
    /// A string.
    String(Text<'a>),
    /// An array.
    Array(Vec<Node<'a>>),
    /// An object, in the order of its members.
    Object(Vec<Member<'a>>),
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Member<'a> {
    /// The name.
    pub name: Text<'a>,
    /// The value.
    pub value: Node<'a>,
}

/// A JSON text, told from other text by its type: it may be copied into an answer as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(String);

impl Json {
    /// The text of a value.
    pub fn of(node: &Node<'_>) -> Self {
        let mut out = Vec::new();
        write_node(&mut out, node);
        Self::from_written(out)
    }

    /// What the functions of this module have written.
    pub fn from_written(bytes: Vec<u8>) -> Self {
        Self(String::from_utf8(bytes).expect("JSON is written from text"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> Node<'a> {
    /// Reads a whole text that we made or kept: one value and white space around it.
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        Scanner::new(text).whole()
    }

    /// Reads a text that comes from somebody else, within limits: of depth, and of values for its
    /// length, since a value of two bytes takes thirty times that here.
    pub fn parse_foreign(text: &'a str) -> Result<Self, Error> {
        Scanner::foreign(text).whole()
    }

    /// A string.
    pub fn text(value: &str) -> Node<'static> {
        Node::String(Text::of(value))
    }

    /// An object with these members, whose names need no escapes.
    pub fn object(members: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        let member = |(name, value)| Member { name: Text::plain(name), value };
        Self::Object(members.into_iter().map(member).collect())
    }

    /// The member of that name, if this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Node<'a>> {
        match self {
            Self::Object(members) => {
                members.iter().find(|member| member.name.is(name)).map(|member| &member.value)
            }
            _ => None,
        }
    }

    /// Like [`Node::get`], to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Node<'a>> {
        match self {
            Self::Object(members) => members
                .iter_mut()
                .find(|member| member.name.is(name))
                .map(|member| &mut member.value),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_text(&self) -> Option<&Text<'a>> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The items of an array.
    pub fn as_array(&self) -> Option<&[Node<'a>]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members of an object.
    pub fn as_object(&self) -> Option<&[Member<'a>]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Node<'static> {
        match self {
            Self::Null => Node::Null,
            Self::Bool(value) => Node::Bool(value),
            Self::Number(text) => Node::Number(Cow::Owned(text.into_owned())),
            Self::String(text) => Node::String(text.into_owned()),
            Self::Array(items) => Node::Array(items.into_iter().map(Node::into_owned).collect()),
            Self::Object(members) => Node::Object(
                members
                    .into_iter()
                    .map(|member| Member {
                        name: member.name.into_owned(),
                        value: member.value.into_owned(),
                    })
                    .collect(),
            ),
        }
    }

    /// The word for this kind of value in error messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// Text that is not JSON, or not JSON that can be kept whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {line}, column {column}")]
pub struct Error {
    /// What is wrong.
    pub message: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Byte offset in the text.
    pub offset: usize,
}

impl Error {
    /// The same for a text that begins on this line of a larger one.
    #[must_use]
    pub fn from_line(self, line: u64) -> Self {
        let before = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
        Self { line: self.line.saturating_add(before), ..self }
    }
}

/// The names and places that a JSON Pointer leads through (RFC 6901, section 4).
pub fn pointer_tokens(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"))
}

#[cfg(test)]
mod tests;
