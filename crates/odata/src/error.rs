//! Why a request can't be read: what, in which option, at which position.

use std::borrow::Cow;
use std::fmt;

use crate::edm::EnumType;
use crate::suggest::nearest;

/// Longest text that a message quotes, in characters.
const QUOTED_CHARS: usize = 160;

/// A request that can't be answered as it stands. `Display` writes the sentence for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    /// What is wrong.
    pub kind: Kind,
    /// Where: `$filter`, `$expand`, `@name`, or `path`.
    pub option: Cow<'static, str>,
    /// Characters before the place in `text`.
    pub position: usize,
    /// The decoded value of the option, or the decoded segment of the path.
    pub text: Box<str>,
    /// The known name that was probably meant.
    pub suggestion: Option<Box<str>>,
}

/// What is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// It doesn't follow the grammar.
    Malformed {
        /// What could stand there.
        expected: Cow<'static, str>,
        /// What stands there; empty at the end.
        found: String,
    },
    /// No such property here.
    UnknownProperty {
        /// The name as sent.
        name: String,
    },
    /// No such type, or it isn't related to the one at hand.
    UnknownType {
        /// The name as sent.
        name: String,
    },
    /// No such function.
    UnknownFunction {
        /// The name as sent.
        name: String,
    },
    /// No such member of an enumeration.
    UnknownMember {
        /// The name as sent.
        name: String,
        /// The enumeration.
        ty: &'static EnumType,
    },
    /// No such value of a parameter.
    UnknownArgument(Box<UnknownArgument>),
    /// No such query option, though the name begins with `$`.
    UnknownOption {
        /// The name as sent.
        name: String,
    },
    /// A value where the name of a query option should stand.
    NamelessOption {
        /// What stands there.
        text: String,
    },
    /// A value or expression of another type than its place asks for.
    TypeMismatch {
        /// Name of the type asked for.
        expected: String,
        /// Name of the type, or the text, that was found.
        found: String,
    },
    /// Longer, deeper or more than is allowed.
    TooMuch {
        /// What is counted.
        what: &'static str,
        /// The most that is allowed.
        limit: usize,
    },
    /// The option stands twice.
    Repeated,
    /// Well-formed, but makes no sense at this place.
    NotAllowed {
        /// What: `the query option '$top' on a single value`.
        what: Cow<'static, str>,
    },
    /// A `$skiptoken` that this service didn't make for this caller.
    BadPageToken,
    /// The standard has it, this service doesn't answer it yet.
    NotBuilt {
        /// What: `the operator 'or' in $filter`.
        what: String,
    },
    /// `$schemaversion` asks for a version of the model that there is not.
    NoSchemaVersion {
        /// The version as sent.
        version: String,
    },
    /// A segment of the path that the model doesn't have at this place.
    NotFound {
        /// The segment, decoded.
        segment: String,
    },
}

/// A value that a parameter cannot have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownArgument {
    /// The parameter.
    pub parameter: &'static str,
    /// The value.
    pub value: String,
    /// The values that it can have.
    pub known: Vec<String>,
}

impl Error {
    /// An error at a byte offset of the decoded `text`.
    pub(crate) fn at(
        kind: Kind,
        option: impl Into<Cow<'static, str>>,
        text: &str,
        byte: usize,
    ) -> Self {
        let position = text.char_indices().take_while(|(offset, _)| *offset < byte).count();
        Self { kind, option: option.into(), position, text: text.into(), suggestion: None }
    }

    /// Adds the candidate that `name` was probably meant to be, if there is one.
    pub(crate) fn suggesting<'c>(
        mut self,
        name: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Self {
        self.suggestion = nearest(name, candidates).map(Into::into);
        self
    }

    fn suggestion(&self) -> String {
        match &self.suggestion {
            None => String::new(),
            Some(text) if text.starts_with('\'') => format!(" Text stands in quotes: {text}."),
            Some(name) => format!(" Did you mean '{name}'?"),
        }
    }

    /// Names what was probably meant, or else what there is.
    fn unknown_member(&self, f: &mut fmt::Formatter<'_>, name: &str, ty: &EnumType) -> fmt::Result {
        let (name, text) = (shortened(name), shortened(&self.text));
        write!(
            f,
            "Unknown member '{name}' of {} at position {} in '{text}'.",
            ty.name, self.position
        )?;
        match self.suggestion().as_str() {
            "" => write!(f, " Its members: {}.", ty.listed()),
            meant => f.write_str(meant),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let option = shortened(&self.option);
        match &self.kind {
            Kind::Malformed { expected, found } if found.is_empty() => {
                write!(f, "{} expected", capitalised(&shortened(expected)))?;
            }
            Kind::Malformed { expected, found } => {
                let (expected, found) = (capitalised(&shortened(expected)), shortened(found));
                write!(f, "{expected} expected but found '{found}'")?;
            }
            Kind::UnknownProperty { name } => write!(f, "Unknown property '{}'", shortened(name))?,
            Kind::UnknownType { name } => write!(f, "Unknown type '{}'", shortened(name))?,
            Kind::UnknownFunction { name } => write!(f, "Unknown function '{}'", shortened(name))?,
            Kind::UnknownMember { name, ty } => return self.unknown_member(f, name, ty),
            Kind::UnknownArgument(unknown) => {
                let UnknownArgument { parameter, value, known } = &**unknown;
                let (value, suggestion) = (shortened(value), self.suggestion());
                let known = known.join(", ");
                let (position, text) = (self.position, shortened(&self.text));
                return write!(
                    f,
                    "Unknown {parameter} '{value}' at position {position} in '{text}'.{suggestion} Known: \
                     {known}."
                );
            }
            Kind::UnknownOption { name } => {
                let suggestion = self.suggestion();
                let name = shortened(name);
                return write!(f, "The query option '{name}' is not known.{suggestion}");
            }
            Kind::NamelessOption { text } => {
                let text = shortened(text);
                return write!(
                    f,
                    "The query has a value without the name of its option: '{text}'. In a shell, put \
                     options in single quotes: '$filter=...'."
                );
            }
            Kind::TypeMismatch { expected, found } => {
                let (expected, found) = (shortened(expected), shortened(found));
                write!(f, "Type mismatch: {expected} expected but found {found}")?;
            }
            Kind::TooMuch { what, limit } => {
                return write!(f, "Too much in '{option}': {what}, at most {limit}.");
            }
            Kind::Repeated => {
                return write!(f, "The query option '{option}' is given more than once.");
            }
            Kind::NotAllowed { what } => {
                let (what, suggestion) = (capitalised(&shortened(what)), self.suggestion());
                return write!(f, "{what} is not allowed here.{suggestion}");
            }
            Kind::BadPageToken => {
                return write!(f, "The value of '{option}' is not valid for this request.");
            }
            Kind::NotBuilt { what } => {
                return write!(f, "{} is not supported yet.", capitalised(&shortened(what)));
            }
            Kind::NoSchemaVersion { version } => {
                let version = shortened(version);
                return write!(f, "There is no version '{version}' of the schema, only '*'.");
            }
            Kind::NotFound { segment } => {
                let suggestion = self.suggestion();
                let segment = shortened(segment);
                return write!(f, "Resource not found for the segment '{segment}'.{suggestion}");
            }
        }
        let suggestion = self.suggestion();
        write!(f, " at position {} in '{}'.{suggestion}", self.position, shortened(&self.text))
    }
}

/// The text, or the front of a long one.
fn shortened(text: &str) -> Cow<'_, str> {
    if text.chars().count() <= QUOTED_CHARS {
        return Cow::Borrowed(text);
    }
    text.chars().take(QUOTED_CHARS).chain(['…']).collect()
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_the_place_in_characters() {
        let kind = Kind::UnknownProperty { name: "foo".into() };
        let error = Error::at(kind, "$filter", "é eq foo", 6);
        assert_eq!(error.to_string(), "Unknown property 'foo' at position 5 in 'é eq foo'.");
    }

    #[test]
    fn a_long_text_is_quoted_in_part() {
        let kind = Kind::Malformed { expected: "expression".into(), found: String::new() };
        let message = Error::at(kind, "$filter", &"ß".repeat(1000), 0).to_string();
        assert!(message.starts_with("Expression expected at position 0 in 'ß"), "{message}");
        assert!(message.chars().count() < 220, "{message}");
    }

    #[test]
    fn what_is_not_built_is_named() {
        let kind = Kind::NotBuilt { what: "the operator 'or' in $filter".into() };
        let error = Error::at(kind, "$filter", "a or b", 2);
        assert_eq!(error.to_string(), "The operator 'or' in $filter is not supported yet.");
    }
}
