//! The OData language and data formats, knowing nothing of calls, tables or HTTP.
//!
//! Pure: no I/O, no async, no SQL, no status codes. What there is to know of a particular service
//! comes in as [`edm`] tables.

pub mod bound;
pub mod canonical;
pub mod context;
pub mod csdl;
pub mod edm;
pub mod error;
pub mod eval;
pub mod functions;
pub mod json;
pub mod key;
pub mod limits;
pub mod literal;
pub mod multipart;
pub mod page_token;
pub mod percent;
pub mod plus;
pub mod primitive;
pub mod syntax;

mod ast;
mod binder;
mod lexer;
mod metadata_level;
mod names;
mod options;
mod parser;
mod path;
mod suggest;
mod system_option;
#[cfg(test)]
mod tests_model;
mod version;

pub use error::Error;
pub use limits::Limits;
pub use metadata_level::MetadataLevel;
pub use version::ODataVersion;

use std::rc::Rc;

pub use options::check_schema_version;
pub use path::misspelt;
pub use suggest::nearest;

use binder::{Alias, Binder};
use edm::Model;
use error::Kind;
use lexer::Lexer;
use parser::{Parser, Usage};
use primitive::DateTimeOffset;

/// Reads a request: `path` is the raw path behind the version of the API, `query` the raw text
/// behind the question mark, `now` the instant that `now()` stands for in it. The service root,
/// `$metadata`, `$batch` and `$query` are the caller's to know.
pub fn parse_request(
    model: &'static Model,
    path: &str,
    query: &str,
    limits: &Limits,
    now: DateTimeOffset,
) -> Result<(bound::Resource, bound::Query), Error> {
    let length = path.len() + query.len();
    if length - options::token_bytes(query) > limits.url {
        let kind = Kind::TooMuch { what: "bytes", limit: limits.url };
        return Err(Error::at(kind, "url", "", 0));
    }
    let texts = options::Query::parse(query, limits)?;
    let mut used = Usage::default();
    let mut aliases = Vec::with_capacity(texts.aliases.len());
    for (name, text) in &texts.aliases {
        let option = format!("@{name}");
        let parser = Parser::new(option.clone(), text, limits, used);
        let (value, after) = parser.whole_expression()?;
        let source = Lexer::new(option, text);
        aliases.push(Alias { name: name.clone(), value: Rc::new(value), source });
        used = after;
    }
    let segments = path::split(path)?;
    let mut binder = Binder {
        model,
        limits,
        now,
        texts: &texts,
        aliases,
        following: Vec::new(),
        nodes: 0,
        depth: 0,
    };
    let resource = path::parse(&mut binder, &segments)?;
    let mut options = ast::Options::default();
    for (option, text) in &texts.system {
        used = Parser::new(option.name(), text, limits, used).option(*option, &mut options)?;
    }
    let query = binder.query(&resource, &options)?;
    Ok((resource, query))
}

#[cfg(test)]
mod tests;
