//! Syntax trees to bound trees: names become properties, values get types, and what isn't answered
//! yet is told apart from what makes no sense.

mod alternatives;
mod apply;
mod call;
mod casts;
mod expand;
mod expression;
mod functions;
mod operators;
mod options;
mod path;
mod scope;
mod select;
mod types;

use std::rc::Rc;

use crate::ast::{Expr, Options};
use crate::bound::{self, Query, Resource, Step, Ty};
use crate::edm::{Model, StructuredType, Type};
use crate::error::{Error, Kind};
use crate::lexer::Lexer;
use crate::limits::Limits;
use crate::options as query_options;
use crate::primitive::DateTimeOffset;
use crate::system_option::SystemOption;
use options::{Target, ignore_for_count};
use scope::{Item, Scope};

/// Binds the parts of one request.
#[derive(Debug)]
pub(crate) struct Binder<'a> {
    pub(crate) model: &'static Model,
    pub(crate) limits: &'a Limits,
    /// What `now()` gives.
    pub(crate) now: DateTimeOffset,
    /// The decoded options, for messages.
    pub(crate) texts: &'a query_options::Query<'a>,
    /// Those of the request first, those of options in parentheses behind them while they last.
    pub(crate) aliases: Vec<Alias<'a>>,
    /// Values of the aliases around the expression that is bound.
    pub(crate) following: Vec<Rc<Expr>>,
    /// Nodes visited, aliases followed.
    pub(crate) nodes: usize,
    /// Expressions around the one that is bound.
    pub(crate) depth: usize,
}

/// A parameter alias.
#[derive(Debug, Clone)]
pub(crate) struct Alias<'a> {
    /// Without the at-sign.
    pub(crate) name: String,
    pub(crate) value: Rc<Expr>,
    /// The text that holds it, for messages.
    pub(crate) source: Lexer<'a>,
}

impl<'a> Binder<'a> {
    pub(crate) fn query(&mut self, resource: &Resource, options: &Options) -> Result<Query, Error> {
        let last = resource.steps.last();
        let is_count = matches!(last, Some(Step::Count));
        let target = Target {
            ty: resource.structured(),
            is_collection: resource.is_collection || is_count,
            is_count,
            is_ref: matches!(last, Some(Step::Ref)),
            is_value: matches!(last, Some(Step::Value)),
            is_delta: matches!(last, Some(Step::Operation { operation, .. }) if operation.name == "delta"),
        };
        self.refuse_misplaced(target, options)?;
        let item = resource.ty.map_or(Ty::Dynamic, Ty::One);
        let mut query = self.bound_options(options, Scope::new(Item::of(item)), target.ty, None)?;
        if target.is_count {
            ignore_for_count(&mut query);
        }
        Ok(query)
    }

    /// A condition in the path of a request, on items of type `ty`.
    pub(crate) fn path_condition(
        &mut self,
        expr: &Expr,
        ty: Type,
        source: &Lexer<'a>,
    ) -> Result<bound::Expr, Error> {
        self.condition(expr, &Scope::new(Item::of(Ty::One(ty))), source)
    }

    /// The text of an option of the request, for messages.
    fn source(&self, option: SystemOption) -> Lexer<'a> {
        let text = self
            .texts
            .system
            .iter()
            .find(|(known, _)| *known == option)
            .map_or("", |(_, text)| text.as_ref());
        Lexer::new(option.name(), text)
    }

    fn count_node(&mut self, source: &Lexer<'_>, position: usize) -> Result<(), Error> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            let limit = self.limits.nodes;
            return Err(
                source.error(Kind::TooMuch { what: "nodes of expressions", limit }, position)
            );
        }
        Ok(())
    }

    fn alias(&self, name: &str) -> Option<Alias<'a>> {
        self.aliases.iter().rev().find(|alias| alias.name == name).cloned()
    }
}

/// The first of `wanted` that is given.
fn present(options: &Options, wanted: &[SystemOption]) -> Option<SystemOption> {
    wanted.iter().copied().find(|option| match option {
        SystemOption::Filter => options.filter.is_some(),
        SystemOption::Select => options.select.is_some(),
        SystemOption::Expand => options.expand.is_some(),
        SystemOption::OrderBy => options.orderby.is_some(),
        SystemOption::Top => options.top.is_some(),
        SystemOption::Skip => options.skip.is_some(),
        SystemOption::Count => options.count.is_some(),
        SystemOption::Search => options.search.is_some(),
        SystemOption::Compute => options.compute.is_some(),
        SystemOption::Apply => options.apply.is_some(),
        SystemOption::Format => options.format.is_some(),
        SystemOption::SchemaVersion => options.schemaversion.is_some(),
        SystemOption::SkipToken => options.skiptoken.is_some(),
        SystemOption::DeltaToken => options.deltatoken.is_some(),
        SystemOption::Levels => options.levels.is_some(),
        SystemOption::Index => options.index.is_some(),
    })
}

/// The structured type of a single or repeated value, if it has properties.
fn structured(ty: Type) -> Option<&'static StructuredType> {
    match ty {
        Type::Structured(ty) => Some(ty),
        _ => None,
    }
}
