//! `$select` to a bound tree.

use super::scope::{Item, Key};
use super::{Binder, present, structured};
use crate::ast::{self, ItemKind, ItemStep, Options};
use crate::bound::{PathStep, Select, SelectedMember};
use crate::edm::StructuredType;
use crate::error::{Error, Kind};
use crate::lexer::Lexer;
use crate::names;
use crate::system_option::SystemOption;

impl<'a> Binder<'a> {
    pub(super) fn select(
        &self,
        items: &[ast::Item],
        ty: &'static StructuredType,
        item: &Item,
        source: &Lexer<'a>,
    ) -> Result<Select, Error> {
        let mut select = Select::default();
        for written in items {
            let options = written.options.as_deref();
            match written.path.split_first() {
                Some((ItemStep { kind: ItemKind::Name(name), .. }, rest))
                    if item.member(name).is_some() && options.is_none() =>
                {
                    let nested = dynamic(rest, source)?;
                    add(
                        &mut select,
                        SelectedMember { name: name.clone(), property: None, select: nested },
                    );
                }
                Some((first, rest)) if item.keys.is_some() => {
                    let keys = item.keys.as_deref().unwrap_or_default();
                    if first.kind == ItemKind::Star && rest.is_empty() && options.is_none() {
                        select.all = true;
                    } else {
                        add(&mut select, selected_key(&written.path, options, keys, item, source)?);
                    }
                }
                _ => self.select_path(&mut select, &written.path, options, Some(ty), source)?,
            }
        }
        Ok(select)
    }

    /// Adds what a path selects. `ty` is the type at which it starts, if the model knows it.
    fn select_path(
        &self,
        select: &mut Select,
        path: &[ItemStep],
        options: Option<&Options>,
        ty: Option<&'static StructuredType>,
        source: &Lexer<'a>,
    ) -> Result<(), Error> {
        let Some((step, rest)) = path.split_first() else { return Ok(()) };
        let name = match &step.kind {
            ItemKind::Name(name) => name,
            ItemKind::Star if rest.is_empty() && options.is_none() => {
                select.all = true;
                return Ok(());
            }
            _ => return Err(not_built(&step.kind, "$select", source, step.position)),
        };
        let property = match ty {
            Some(ty) => match names::property(ty, name) {
                None if ty.is_open && !name.contains('.') => None,
                None => return Err(self.unknown(name, ty, "$select", source, step.position)),
                found => found,
            },
            None => None,
        };
        let is_navigation = property.is_some_and(|property| property.is_navigation);
        if is_navigation && !(rest.is_empty() && options.is_none()) {
            let what =
                format!("the path '{name}/…' through a navigation property in $select").into();
            return Err(source.error(Kind::NotAllowed { what }, step.position));
        }
        let inner = property.map(|property| structured(property.ty));
        match (inner, rest.first(), options) {
            (Some(None), Some(next), _) => {
                let kind = Kind::UnknownProperty { name: written(&next.kind) };
                return Err(source.error(kind, next.position));
            }
            (Some(None), None, Some(_)) => {
                let what = format!("options for '{name}', which has no properties,").into();
                return Err(source.error(Kind::NotAllowed { what }, step.position));
            }
            _ => {}
        }
        let mut nested = None;
        if !rest.is_empty() {
            let mut inside = Select::default();
            self.select_path(&mut inside, rest, options, inner.flatten(), source)?;
            nested = Some(inside);
        } else if let Some(options) = options {
            nested = Some(self.nested_select(options, inner.flatten(), source, step.position)?);
        }
        add(select, SelectedMember { name: name.clone(), property, select: nested });
        Ok(())
    }

    /// `member($select=…)`, which means the same as paths.
    fn nested_select(
        &self,
        options: &Options,
        ty: Option<&'static StructuredType>,
        source: &Lexer<'a>,
        position: usize,
    ) -> Result<Select, Error> {
        let others = SystemOption::ALL.into_iter().filter(|it| *it != SystemOption::Select);
        let others: Vec<SystemOption> = others.collect();
        let (Some(items), None, []) =
            (&options.select, present(options, &others), options.aliases.as_slice())
        else {
            let what = "options other than $select inside $select".to_owned();
            return Err(source.error(Kind::NotBuilt { what }, position));
        };
        let mut inside = Select::default();
        for item in items {
            self.select_path(&mut inside, &item.path, item.options.as_deref(), ty, source)?;
        }
        Ok(inside)
    }

    /// The error for a name that is no property of `ty`.
    pub(super) fn unknown(
        &self,
        name: &str,
        ty: &'static StructuredType,
        option: &str,
        source: &Lexer<'_>,
        position: usize,
    ) -> Error {
        if names::derived(self.model, ty, name).is_some() {
            let what = format!("a type cast in {option}");
            return source.error(Kind::NotBuilt { what }, position);
        }
        let mut operations = names::operations(self.model, name);
        if operations.any(|(_, operation)| names::is_bound_to(operation, ty, false)) {
            let what = format!("an operation in {option}");
            return source.error(Kind::NotBuilt { what }, position);
        }
        if name.contains('.') {
            return source.error(Kind::UnknownType { name: name.to_owned() }, position);
        }
        let kind = Kind::UnknownProperty { name: name.to_owned() };
        source.error(kind, position).suggesting(name, names::property_names(ty))
    }
}

/// Adds a member once; the whole of it wins over parts of it.
fn add(select: &mut Select, new: SelectedMember) {
    let Some(known) = select.members.iter_mut().find(|member| member.name == new.name) else {
        select.members.push(new);
        return;
    };
    match (&mut known.select, new.select) {
        (Some(known), Some(new)) => {
            known.all |= new.all;
            for member in new.members {
                add(known, member);
            }
        }
        (known, _) => *known = None,
    }
}

/// What a path selects of a value that only the item knows.
fn dynamic(path: &[ItemStep], source: &Lexer<'_>) -> Result<Option<Select>, Error> {
    let Some((step, rest)) = path.split_first() else { return Ok(None) };
    let ItemKind::Name(name) = &step.kind else {
        return Err(not_built(&step.kind, "$select", source, step.position));
    };
    let inner =
        SelectedMember { name: name.clone(), property: None, select: dynamic(rest, source)? };
    Ok(Some(Select { all: false, members: vec![inner] }))
}

/// What a path selects of an item that was grouped: it has to lead to a key or a part of the way.
fn selected_key(
    path: &[ItemStep],
    options: Option<&Options>,
    keys: &[Key],
    item: &Item,
    source: &Lexer<'_>,
) -> Result<SelectedMember, Error> {
    let mut fitting: Vec<&Key> = keys.iter().collect();
    for (depth, step) in path.iter().enumerate() {
        let ItemKind::Name(name) = &step.kind else {
            return Err(not_built(&step.kind, "$select", source, step.position));
        };
        fitting.retain(|key| key.names().nth(depth) == Some(name));
        if fitting.is_empty() {
            let names = keys.iter().filter_map(Key::first_name);
            let known = names.chain(item.members.iter().map(|(name, _)| name.as_str()));
            let kind = Kind::UnknownProperty { name: name.clone() };
            return Err(source.error(kind, step.position).suggesting(name, known));
        }
    }
    let (Some(key), None) = (fitting.first(), options) else {
        let what = "options in $select of grouped items".to_owned();
        let position = path.first().map_or(0, |step| step.position);
        return Err(source.error(Kind::NotBuilt { what }, position));
    };
    let members = key.steps.iter().filter_map(|step| match step {
        PathStep::Property(property) => Some((property.name.to_owned(), Some(*property))),
        PathStep::Member(name) => Some((name.clone(), None)),
        _ => None,
    });
    let members: Vec<_> = members.take(path.len()).collect();
    let nested =
        members.into_iter().rev().fold(None, |select: Option<SelectedMember>, (name, property)| {
            let select = select.map(|inner| Select { all: false, members: vec![inner] });
            Some(SelectedMember { name, property, select })
        });
    nested.ok_or_else(|| source.expected("name of a property", 0))
}

/// A step of an item as it is written.
pub(super) fn written(kind: &ItemKind) -> String {
    match kind {
        ItemKind::Name(name) => name.clone(),
        ItemKind::Annotation(name) => format!("@{name}"),
        ItemKind::Star => "*".to_owned(),
        ItemKind::AllOperations(name) => format!("{name}.*"),
        ItemKind::Ref => "$ref".to_owned(),
        ItemKind::Count => "$count".to_owned(),
        ItemKind::Value => "$value".to_owned(),
    }
}

pub(super) fn not_built(
    kind: &ItemKind,
    option: &str,
    source: &Lexer<'_>,
    position: usize,
) -> Error {
    let what = match kind {
        ItemKind::Name(_) => format!("a path in {option}"),
        other => format!("'{}' in {option}", written(other)),
    };
    source.error(Kind::NotBuilt { what }, position)
}
