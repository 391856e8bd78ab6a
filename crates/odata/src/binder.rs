//! Syntax trees to bound trees: names become properties, values get types, and what isn't answered
//! yet is told apart from what makes no sense.

mod check;
mod filter;
mod items;
mod types;

use crate::ast::{Expr, Options};
use crate::bound::{Query, Resource, Step};
use crate::edm::{Model, StructuredType, Type};
use crate::error::{Error, Kind};
use crate::lexer::Lexer;
use crate::limits::Limits;
use crate::options::{self, SystemOption};
use check::Scope;
use types::Static;

/// Binds the options of one request.
pub(crate) struct Binder<'a> {
    pub(crate) model: &'static Model,
    pub(crate) limits: &'a Limits,
    /// The decoded options, for messages.
    pub(crate) texts: &'a options::Query<'a>,
    pub(crate) aliases: &'a [(String, Expr)],
    /// Nodes visited, aliases followed.
    pub(crate) nodes: usize,
}

/// What options apply to.
#[derive(Debug, Clone, Copy)]
struct Target {
    ty: Option<&'static StructuredType>,
    is_collection: bool,
    /// Only the number of items is asked for.
    is_count: bool,
}

impl<'a> Binder<'a> {
    pub(crate) fn query(mut self, resource: &Resource, options: &Options) -> Result<Query, Error> {
        let is_count = matches!(resource.steps.last(), Some(Step::Count));
        let target = Target {
            ty: resource.structured(),
            is_collection: resource.is_collection || is_count,
            is_count,
        };
        self.refuse_misplaced(target, options)?;
        let item = resource.ty.map_or(Static::Unknown, Static::one);
        let scope = Scope::new(item);
        let filter = match &options.filter {
            Some(filter) => Some(self.filter(filter, &scope, target.ty)?),
            None => None,
        };
        self.refuse_unbuilt(options, &scope)?;
        let select = match (&options.select, target.ty) {
            (Some(items), Some(ty)) => {
                Some(self.select(items, ty, &self.source(SystemOption::Select))?)
            }
            _ => None,
        };
        let expand = match (&options.expand, target.ty) {
            (Some(items), Some(ty)) => {
                self.expand(items, ty, &scope, &self.source(SystemOption::Expand))?
            }
            _ => Vec::new(),
        };
        Ok(Query {
            filter,
            select,
            expand,
            top: options.top,
            count: options.count.unwrap_or_default(),
            skiptoken: options.skiptoken.clone(),
            format: options.format.clone(),
            ..Query::default()
        })
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

    /// Options that make no sense for what is addressed.
    fn refuse_misplaced(&self, target: Target, options: &Options) -> Result<(), Error> {
        let refuse = |option: SystemOption, place: &str| {
            let what = format!("the query option '{}' {place}", option.name());
            Err(self.source(option).error(Kind::NotAllowed { what: what.into() }, 0))
        };
        if options.levels.is_some() {
            return refuse(SystemOption::Levels, "outside $expand");
        }
        let for_collections = present(
            options,
            &[
                SystemOption::Filter,
                SystemOption::Search,
                SystemOption::Top,
                SystemOption::Skip,
                SystemOption::Count,
                SystemOption::OrderBy,
                SystemOption::Apply,
                SystemOption::Index,
                SystemOption::SkipToken,
            ],
        );
        if let (Some(option), false) = (for_collections, target.is_collection) {
            return refuse(option, "on a single value");
        }
        let for_items = present(
            options,
            &[
                SystemOption::Top,
                SystemOption::Skip,
                SystemOption::Count,
                SystemOption::OrderBy,
                SystemOption::Select,
                SystemOption::Expand,
                SystemOption::Compute,
                SystemOption::SkipToken,
            ],
        );
        if let (Some(option), true) = (for_items, target.is_count) {
            return refuse(option, "behind '/$count'");
        }
        let for_entities = present(options, &[SystemOption::Select, SystemOption::Expand]);
        match (for_entities, target.ty) {
            (Some(option), None) => refuse(option, "on a value without properties"),
            _ => Ok(()),
        }
    }

    /// Options that the standard has and this service doesn't answer yet, their names checked.
    fn refuse_unbuilt(&mut self, options: &Options, scope: &Scope) -> Result<(), Error> {
        for key in options.orderby.iter().flatten() {
            self.check(&key.key, scope, &self.source(SystemOption::OrderBy))?;
        }
        for computed in options.compute.iter().flatten() {
            self.check(&computed.value, scope, &self.source(SystemOption::Compute))?;
        }
        let unbuilt = present(
            options,
            &[
                SystemOption::OrderBy,
                SystemOption::Compute,
                SystemOption::Search,
                SystemOption::Apply,
                SystemOption::Skip,
                SystemOption::Index,
                SystemOption::DeltaToken,
                SystemOption::SchemaVersion,
            ],
        );
        match unbuilt {
            Some(option) => {
                let what = format!("the query option '{}'", option.name());
                Err(self.source(option).error(Kind::NotBuilt { what }, 0))
            }
            None => Ok(()),
        }
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

    /// What an alias stands for, with the text for messages about it.
    fn alias(
        &self,
        name: &str,
        source: &Lexer<'_>,
        position: usize,
    ) -> Result<(&'a Expr, Lexer<'a>), Error> {
        let Some((_, expr)) = self.aliases.iter().find(|(known, _)| known == name) else {
            return Err(source.expected(format!("value for the alias '@{name}'"), position));
        };
        let text = self
            .texts
            .aliases
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, text)| text.as_ref());
        Ok((expr, Lexer::new(format!("@{name}"), text)))
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
