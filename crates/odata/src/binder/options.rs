//! Options of a request, or of an expanded property, in the order in which they apply.

use std::rc::Rc;

use super::expression::single_value;
use super::scope::{Item, Scope};
use super::{Alias, Binder, present};
use crate::ast::{Compute, Options, OrderBy};
use crate::bound::{ComputedMember, Expr, ExprKind, OrderKey, PathStep, Query, Ty};
use crate::edm::{StructuredType, Type};
use crate::error::{Error, Kind};
use crate::lexer::Lexer;
use crate::names;
use crate::system_option::SystemOption;

/// What the options of a request apply to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) ty: Option<&'static StructuredType>,
    pub(super) is_collection: bool,
    /// Only the number of items is answered.
    pub(super) is_count: bool,
    /// Only the addresses are answered.
    pub(super) is_ref: bool,
    /// A value without JSON around it.
    pub(super) is_value: bool,
    /// What a function `delta` gives: changes.
    pub(super) is_delta: bool,
}

/// Options that make sense only for collections.
pub(super) const FOR_COLLECTIONS: [SystemOption; 8] = [
    SystemOption::Filter,
    SystemOption::Search,
    SystemOption::Top,
    SystemOption::Skip,
    SystemOption::Count,
    SystemOption::OrderBy,
    SystemOption::Apply,
    SystemOption::SkipToken,
];
/// Options that a number of items has no use for. Those that it must not be affected by are taken
/// ([`ignore_for_count`]).
const NOT_FOR_COUNTS: [SystemOption; 4] =
    [SystemOption::Count, SystemOption::SkipToken, SystemOption::Select, SystemOption::Compute];
/// Options that say what is shown of an item.
const FOR_MEMBERS: [SystemOption; 3] =
    [SystemOption::Select, SystemOption::Expand, SystemOption::Compute];

impl<'a> Binder<'a> {
    /// Binds options on items as `scope` has them. `around` is the text that holds options in
    /// parentheses.
    pub(super) fn bound_options(
        &mut self,
        options: &Options,
        mut scope: Scope,
        ty: Option<&'static StructuredType>,
        around: Option<&Lexer<'a>>,
    ) -> Result<Query, Error> {
        let before = self.aliases.len();
        if let Some(source) = around {
            self.push_aliases(options, source);
        }
        let text = |binder: &Self, option| around.cloned().unwrap_or_else(|| binder.source(option));
        let mut query = Query {
            search: options.search.clone(),
            skip: options.skip,
            top: options.top,
            count: options.count.unwrap_or_default(),
            skiptoken: options.skiptoken.clone(),
            deltatoken: options.deltatoken.clone(),
            format: options.format.clone(),
            ..Query::default()
        };
        if let Some(steps) = &options.apply {
            let source = text(self, SystemOption::Apply);
            query.apply = Some(self.apply(steps, &mut scope, &source)?);
        }
        if let Some(computed) = &options.compute {
            let source = text(self, SystemOption::Compute);
            query.compute = self.computed(computed, &mut scope, &source)?;
        }
        if let Some(filter) = &options.filter {
            let source = text(self, SystemOption::Filter);
            query.filter = Some(self.condition(filter, &scope, &source)?);
        }
        if let Some(keys) = &options.orderby {
            let source = text(self, SystemOption::OrderBy);
            query.orderby = self.order_keys(keys, &scope, &source)?;
        }
        if let (Some(items), Some(ty)) = (&options.select, ty) {
            let source = text(self, SystemOption::Select);
            query.select = Some(self.select(items, ty, &scope, &source)?);
        }
        if let (Some(items), Some(ty)) = (&options.expand, ty) {
            let source = text(self, SystemOption::Expand);
            query.expand = self.expand(items, ty, &scope, &source)?;
        }
        self.aliases.truncate(before);
        Ok(query)
    }

    /// Makes aliases that stand in parentheses known; how many there were before.
    pub(super) fn push_aliases(&mut self, options: &Options, source: &Lexer<'a>) -> usize {
        let before = self.aliases.len();
        let aliases = options.aliases.iter().map(|(name, value)| Alias {
            name: name.clone(),
            value: Rc::new(value.clone()),
            source: source.clone(),
        });
        self.aliases.extend(aliases);
        before
    }

    /// Binds computed members and adds them to the item, each visible to those behind it.
    pub(super) fn computed(
        &mut self,
        computed: &[Compute],
        scope: &mut Scope,
        source: &Lexer<'a>,
    ) -> Result<Vec<ComputedMember>, Error> {
        let mut out = Vec::with_capacity(computed.len());
        for Compute { value, alias, position } in computed {
            let bound = self.expression(value, scope, source)?;
            let bound =
                if is_made(&bound) { bound } else { single_value(bound, source, value.position)? };
            refuse_taken(&scope.item, alias, source, *position)?;
            scope.item.members.push((alias.clone(), bound.ty));
            let position = source.place(value.position).position;
            out.push(ComputedMember { value: bound, alias: alias.clone(), position });
        }
        Ok(out)
    }

    pub(super) fn order_keys(
        &mut self,
        keys: &[OrderBy],
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Vec<OrderKey>, Error> {
        keys.iter()
            .map(|OrderBy { key, is_descending }| {
                let value = self.single(key, scope, source)?;
                Ok(OrderKey { value, is_descending: *is_descending })
            })
            .collect()
    }

    /// Options that make no sense for what is addressed.
    pub(super) fn refuse_misplaced(&self, target: Target, options: &Options) -> Result<(), Error> {
        let refuse = |option: SystemOption, place: &str| {
            let what = format!("the query option '{}' {place}", option.name());
            Err(self.source(option).error(Kind::NotAllowed { what: what.into() }, 0))
        };
        if options.levels.is_some() {
            return refuse(SystemOption::Levels, "outside $expand");
        }
        if options.index.is_some() {
            return refuse(SystemOption::Index, "in a request that reads");
        }
        if let Some(version) = options.schemaversion.as_ref().filter(|version| *version != "*") {
            let kind = Kind::NoSchemaVersion { version: version.clone() };
            return Err(self.source(SystemOption::SchemaVersion).error(kind, 0));
        }
        if options.deltatoken.is_some() && !target.is_delta {
            let what = "the query option '$deltatoken'".to_owned();
            return Err(self.source(SystemOption::DeltaToken).error(Kind::NotBuilt { what }, 0));
        }
        let misplaced = |options_of: &[SystemOption], is_refused: bool| {
            if is_refused { present(options, options_of) } else { None }
        };
        let is_single = !target.is_collection;
        if let Some(option) = misplaced(&FOR_COLLECTIONS, is_single || target.is_value) {
            return refuse(option, "on a single value");
        }
        if let Some(option) = misplaced(&NOT_FOR_COUNTS, target.is_count) {
            return refuse(option, "behind '/$count'");
        }
        let of_refs = [SystemOption::Apply];
        if let Some(option) =
            misplaced(&FOR_MEMBERS, target.is_ref).or(misplaced(&of_refs, target.is_ref))
        {
            return refuse(option, "behind '/$ref'");
        }
        if let Some(option) = misplaced(&FOR_MEMBERS, target.ty.is_none()) {
            return refuse(option, "on a value without properties");
        }
        Ok(())
    }
}

/// Whether it is a complex value that the service makes: of a function, or of a member with a namespace.
fn is_made(bound: &Expr) -> bool {
    let (Ty::One(Type::Structured(_)), ExprKind::Path(path)) = (bound.ty, &bound.kind) else {
        return false;
    };
    match path.steps.last() {
        Some(PathStep::Call(_)) => true,
        Some(PathStep::Property(property)) => property.name.contains('.'),
        _ => false,
    }
}

/// `/$count` counts all items: it is not affected by `$top`, `$skip`, `$orderby` and `$expand` (OData Protocol
/// 11.2.10), which have been checked by then.
pub(super) fn ignore_for_count(query: &mut Query) {
    query.orderby.clear();
    query.expand.clear();
    (query.top, query.skip) = (None, None);
}

/// Refuses a name for a calculated member that the item has already.
pub(super) fn refuse_taken(
    item: &Item,
    name: &str,
    source: &Lexer<'_>,
    position: usize,
) -> Result<(), Error> {
    let is_property = match item.ty {
        // Once items are aggregated, only the names of what they are grouped by are taken.
        Ty::One(Type::Structured(ty)) if item.keys.is_none() => names::property(ty, name).is_some(),
        _ => item
            .keys
            .iter()
            .flatten()
            .any(|key| key.first_name().is_some_and(|first| first == name)),
    };
    if is_property || item.member(name).is_some() {
        let what = format!("the name '{name}', which another member has,").into();
        return Err(source.error(Kind::NotAllowed { what }, position));
    }
    Ok(())
}
