//! Paths inside expressions: properties, casts, functions, keys, counts and lambdas.

use super::Parser;
use crate::ast::{Argument, ExprKind, Path, PathStep, Root, StepKind};
use crate::bound::Quantifier;
use crate::error::Error;
use crate::lexer::Token;

impl Parser<'_> {
    /// A path, or an alias that stands alone.
    pub(super) fn path(&mut self) -> Result<ExprKind, Error> {
        self.count_node()?;
        let mut steps = Vec::new();
        let root = match self.next.token {
            Token::Dollar(name) => match name.to_ascii_lowercase().as_str() {
                root @ ("$it" | "$this" | "$these" | "$root") => {
                    let root = Root::Dollar(root.to_owned());
                    self.advance()?;
                    root
                }
                "$count" => {
                    steps.push(self.step()?);
                    Root::Implicit
                }
                _ => return Err(self.expected("expression")),
            },
            Token::At(name) if !name.contains(['.', '#']) => {
                let alias = self.alias(name)?;
                if !self.is_glued('/') {
                    return Ok(ExprKind::Alias(alias));
                }
                Root::Alias(alias)
            }
            Token::Name(name) if is_behind_path(name) && self.is_followed_by_parenthesis()? => {
                return Err(self.expected("path before 'any', 'all' or 'aggregate'"));
            }
            _ => {
                steps.push(self.step()?);
                Root::Implicit
            }
        };
        loop {
            if self.is_glued('(') {
                let position = self.next.start;
                self.advance()?;
                let kind = StepKind::Key(self.named_arguments()?);
                steps.push(PathStep { kind, position });
            } else if self.is_glued('/') {
                self.advance()?;
                self.count_node()?;
                steps.push(self.step()?);
            } else {
                return Ok(ExprKind::Path(Path { root, steps }));
            }
        }
    }

    fn alias(&mut self, name: &str) -> Result<String, Error> {
        if name.len() < 2 {
            return Err(self.expected("name of a parameter alias"));
        }
        self.advance()?;
        Ok(name[1..].to_owned())
    }

    fn is_followed_by_parenthesis(&self) -> Result<bool, Error> {
        Ok(self.lexer.token(self.next.end)?.token == Token::Symbol('('))
    }

    fn step(&mut self) -> Result<PathStep, Error> {
        let position = self.next.start;
        let kind = match self.next.token {
            Token::Dollar(name) if name.eq_ignore_ascii_case("$count") => {
                self.advance()?;
                if self.is_glued('(') {
                    let options = self.on_items(Self::nested_options)?;
                    StepKind::Count(Some(Box::new(options)))
                } else {
                    StepKind::Count(None)
                }
            }
            Token::Dollar(name) if name.eq_ignore_ascii_case("$filter") => {
                self.advance()?;
                self.require('(')?;
                let condition = self.on_items(Self::expression)?;
                self.require(')')?;
                StepKind::Filter(Box::new(condition))
            }
            Token::At(name) if name.len() > 1 => {
                self.advance()?;
                StepKind::Annotation(name[1..].to_owned())
            }
            Token::Name(name) => {
                self.advance()?;
                if !self.is_glued('(') {
                    StepKind::Name(name.to_owned())
                } else if name.eq_ignore_ascii_case("any") {
                    self.lambda(Quantifier::Any)?
                } else if name.eq_ignore_ascii_case("all") {
                    self.lambda(Quantifier::All)?
                } else if name.eq_ignore_ascii_case("aggregate") {
                    self.require('(')?;
                    let figures = self.figures(false)?;
                    self.require(')')?;
                    StepKind::Aggregate(figures)
                } else {
                    self.advance()?;
                    StepKind::Call(name.to_owned(), self.named_arguments()?)
                }
            }
            _ => return Err(self.expected("name")),
        };
        Ok(PathStep { kind, position })
    }

    fn lambda(&mut self, quantifier: Quantifier) -> Result<StepKind, Error> {
        self.require('(')?;
        if quantifier == Quantifier::Any && self.eat(')')? {
            return Ok(StepKind::Lambda(quantifier, None));
        }
        let variable = self.name("variable")?.to_owned();
        self.require(':')?;
        let body = self.on_items(Self::expression)?;
        self.require(')')?;
        Ok(StepKind::Lambda(quantifier, Some((variable, Box::new(body)))))
    }

    /// Reads a condition on the items of a collection, of which only so many stand inside others.
    fn on_items<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.used.lambdas == self.limits.lambdas {
            return Err(self.too_much("levels of conditions on items", self.limits.lambdas));
        }
        self.used.lambdas += 1;
        let out = read(self)?;
        self.used.lambdas -= 1;
        Ok(out)
    }

    /// Arguments up to the closing parenthesis, each with or without a name.
    fn named_arguments(&mut self) -> Result<Vec<Argument>, Error> {
        let mut arguments = Vec::new();
        if self.eat(')')? {
            return Ok(arguments);
        }
        loop {
            let mut name = None;
            if let Token::Name(candidate) = self.next.token
                && self.lexer.token(self.next.end)?.token == Token::Symbol('=')
            {
                self.advance()?;
                self.advance()?;
                name = Some(candidate.to_owned());
            }
            arguments.push(Argument { name, value: self.expression()? });
            if !self.eat(',')? {
                self.require(')')?;
                return Ok(arguments);
            }
        }
    }
}

/// Whether a word with parentheses needs a path in front.
fn is_behind_path(name: &str) -> bool {
    ["any", "all", "aggregate"].iter().any(|word| name.eq_ignore_ascii_case(word))
}
