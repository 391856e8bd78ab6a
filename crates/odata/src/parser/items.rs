//! The items of `$select` and `$expand`.

use super::Parser;
use crate::ast::{Item, ItemKind, ItemStep, Options};
use crate::error::{Error, Kind};
use crate::lexer::Token;

impl Parser<'_> {
    pub(super) fn expand_items(&mut self) -> Result<Vec<Item>, Error> {
        if self.used.expands == self.limits.expand_depth {
            return Err(self.too_much("levels of $expand", self.limits.expand_depth));
        }
        self.used.expands += 1;
        let items = self.items("items of $expand", self.limits.expand_items)?;
        self.used.expands -= 1;
        Ok(items)
    }

    pub(super) fn select_items(&mut self) -> Result<Vec<Item>, Error> {
        self.items("items of $select", self.limits.select_items)
    }

    fn items(&mut self, what: &'static str, limit: usize) -> Result<Vec<Item>, Error> {
        let mut items = Vec::new();
        loop {
            if items.len() == limit {
                return Err(self.too_much(what, limit));
            }
            items.push(self.item()?);
            if !self.eat(',')? {
                return Ok(items);
            }
        }
    }

    fn item(&mut self) -> Result<Item, Error> {
        let position = self.next.start;
        self.count_node()?;
        let mut path = vec![self.item_step()?];
        while self.is_glued('/') {
            self.advance()?;
            self.count_node()?;
            path.push(self.item_step()?);
        }
        let mut options = None;
        if self.is_glued('(') {
            if self.is_parameter_list()? {
                self.parameter_list()?;
            } else {
                let nested = self.nested_options().map_err(|error| of_function(error, &path))?;
                self.check_suffix(&path, &nested)?;
                options = Some(Box::new(nested));
            }
        }
        Ok(Item { path, options, position })
    }

    fn item_step(&mut self) -> Result<ItemStep, Error> {
        let position = self.next.start;
        let kind = match self.next.token {
            Token::Symbol('*') => ItemKind::Star,
            Token::At(name) if name.len() > 1 => ItemKind::Annotation(name[1..].to_owned()),
            Token::Dollar(name) => match name.to_ascii_lowercase().as_str() {
                "$ref" => ItemKind::Ref,
                "$count" => ItemKind::Count,
                "$value" => ItemKind::Value,
                _ => return Err(self.expected("name of a property")),
            },
            Token::Name(name) => {
                self.advance()?;
                if !self.is_glued('.') {
                    return Ok(ItemStep { kind: ItemKind::Name(name.to_owned()), position });
                }
                self.advance()?;
                if !self.is_glued('*') {
                    return Err(self.expected("'*'"));
                }
                ItemKind::AllOperations(name.to_owned())
            }
            _ => return Err(self.expected("name of a property")),
        };
        self.advance()?;
        Ok(ItemStep { kind, position })
    }

    /// Whether the parenthesis that comes next holds names of parameters, which tell overloads of
    /// an operation apart, rather than options.
    fn is_parameter_list(&self) -> Result<bool, Error> {
        let first = self.lexer.token(self.next.end)?;
        if !matches!(first.token, Token::Name(_)) {
            return Ok(false);
        }
        let second = self.lexer.token(first.end)?;
        Ok(matches!(second.token, Token::Symbol(',' | ')')))
    }

    fn parameter_list(&mut self) -> Result<(), Error> {
        self.require('(')?;
        loop {
            self.name("name of a parameter")?;
            if !self.eat(',')? {
                return self.require(')');
            }
        }
    }

    /// Behind `/$ref` and `/$count` fewer options make sense.
    fn check_suffix(&self, path: &[ItemStep], options: &Options) -> Result<(), Error> {
        let Some(last) = path.last() else { return Ok(()) };
        let shapes = options.select.is_some()
            || options.expand.is_some()
            || options.compute.is_some()
            || options.levels.is_some();
        let pages = options.top.is_some()
            || options.skip.is_some()
            || options.orderby.is_some()
            || options.count.is_some();
        let what = match last.kind {
            ItemKind::Ref if shapes => "this option behind '/$ref'",
            ItemKind::Count if shapes || pages => "this option behind '/$count'",
            _ => return Ok(()),
        };
        Err(self.lexer.error(Kind::NotAllowed { what: what.into() }, last.position))
    }
}

/// Who writes a function with its parameters in `$select` means its value, and not options.
fn of_function(error: Error, path: &[ItemStep]) -> Error {
    let Kind::UnknownOption { name } = &error.kind else { return error };
    match path.last().map(|step| &step.kind) {
        Some(ItemKind::Name(function)) if function.contains('.') && !name.starts_with('$') => {
            let meant = format!("$compute={function}({name}=…) as value&$select=value");
            let what = format!("a function with parameters such as '{function}' in $select").into();
            Error { kind: Kind::NotAllowed { what }, suggestion: Some(meant.into()), ..error }
        }
        _ => error,
    }
}
