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
pub mod json;
pub mod limits;
pub mod literal;
pub mod page_token;
pub mod percent;
pub mod primitive;

mod ast;
mod binder;
mod lexer;
mod names;
mod options;
mod parser;
mod path;
#[cfg(test)]
mod tests_model;

pub use error::Error;
pub use limits::{Filterable, Limits};

use edm::Model;
use error::Kind;
use parser::{Parser, Used};

/// Reads a request: `path` is the raw path behind the version of the API, `query` the raw text
/// behind the question mark. The service root, `$metadata` and `$batch` are the caller's to know.
pub fn parse_request(
    model: &'static Model,
    path: &str,
    query: &str,
    limits: &Limits,
) -> Result<(bound::Resource, bound::Query), Error> {
    let length = path.len() + query.len();
    if length - options::skiptoken_bytes(query) > limits.url {
        let kind = Kind::TooMuch { what: "bytes", limit: limits.url };
        return Err(Error::at(kind, "url", "", 0));
    }
    let texts = options::Query::parse(query, limits)?;
    let mut used = Used::default();
    let mut aliases = Vec::with_capacity(texts.aliases.len());
    for (name, text) in &texts.aliases {
        let parser = Parser::new(format!("@{name}"), text, limits, used);
        let (value, after) = parser.whole_expression()?;
        aliases.push((name.clone(), value));
        used = after;
    }
    let resource = path::parse(model, path, &aliases)?;
    let mut options = ast::Options::default();
    for (option, text) in &texts.system {
        used = Parser::new(option.name(), text, limits, used).option(*option, &mut options)?;
    }
    let binder = binder::Binder { model, limits, texts: &texts, aliases: &aliases, nodes: 0 };
    let query = binder.query(&resource, &options)?;
    Ok((resource, query))
}

#[cfg(test)]
mod tests;
