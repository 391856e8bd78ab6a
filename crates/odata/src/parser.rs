//! Tokens to syntax trees, by recursive descent, within the limits of one request.
//!
//! White space around tokens is taken leniently: the grammar allows none at some places where
//! clients write it, and its absence never changes a meaning.

mod apply;
mod expression;
mod items;
mod options;
mod path;
mod search;

use std::borrow::Cow;

use crate::ast::{Expr, Options};
use crate::error::{Error, Kind};
use crate::lexer::{Lexer, SpannedToken, Token};
use crate::limits::Limits;
use crate::literal::Literal;
use crate::system_option::SystemOption;

/// Nodes and nesting used so far by one request, kept across its options.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    nodes: usize,
    depth: usize,
    lambdas: usize,
    expands: usize,
    words: usize,
    transformations: usize,
}

/// Reads one option. Once it has begun it always holds the next token.
#[derive(Debug)]
pub(crate) struct Parser<'a> {
    lexer: Lexer<'a>,
    limits: &'a Limits,
    used: Usage,
    next: SpannedToken<'a>,
    /// End of the token before.
    end: usize,
    /// Parentheses with nested options around the place.
    nesting: usize,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(
        option: impl Into<Cow<'static, str>>,
        text: &'a str,
        limits: &'a Limits,
        used: Usage,
    ) -> Self {
        let next = SpannedToken { token: Token::End, start: 0, end: 0 };
        Self { lexer: Lexer::new(option, text), limits, used, next, end: 0, nesting: 0 }
    }

    /// Reads the whole value of a system query option into `options`.
    pub(crate) fn option(
        mut self,
        option: SystemOption,
        options: &mut Options,
    ) -> Result<Usage, Error> {
        self.value(option, 0, options)?;
        self.finish()
    }

    /// Reads the whole text as one expression.
    pub(crate) fn whole_expression(mut self) -> Result<(Expr, Usage), Error> {
        self.resume(0)?;
        let expr = self.expression()?;
        Ok((expr, self.finish()?))
    }

    fn finish(self) -> Result<Usage, Error> {
        match self.next.token {
            Token::End => Ok(self.used),
            _ => Err(self.expected("end")),
        }
    }

    /// Moves to the next token and hands out the present one.
    fn advance(&mut self) -> Result<SpannedToken<'a>, Error> {
        let next = self.lexer.token(self.next.end)?;
        self.end = self.next.end;
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// Begins reading tokens, or goes on behind a part that has none.
    fn resume(&mut self, at: usize) -> Result<(), Error> {
        self.end = at;
        self.next = self.lexer.token(at)?;
        Ok(())
    }

    fn is_symbol(&self, symbol: char) -> bool {
        self.next.token == Token::Symbol(symbol)
    }

    /// Whether the symbol comes next with no white space before it.
    fn is_glued(&self, symbol: char) -> bool {
        self.is_symbol(symbol) && self.next.start == self.end
    }

    fn eat(&mut self, symbol: char) -> Result<bool, Error> {
        let found = self.is_symbol(symbol);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn require(&mut self, symbol: char) -> Result<(), Error> {
        if self.eat(symbol)? { Ok(()) } else { Err(self.expected(format!("'{symbol}'"))) }
    }

    /// The name that comes next.
    fn name(&mut self, expected: &'static str) -> Result<&'a str, Error> {
        let Token::Name(name) = self.next.token else { return Err(self.expected(expected)) };
        self.advance()?;
        Ok(name)
    }

    /// The error that something else should come next.
    fn expected(&self, expected: impl Into<Cow<'static, str>>) -> Error {
        self.lexer.expected(expected, self.next.start)
    }

    fn too_much(&self, what: &'static str, limit: usize) -> Error {
        self.lexer.error(Kind::TooMuch { what, limit }, self.next.start)
    }

    /// The literal that comes next, if one does, not too long.
    fn literal(&mut self) -> Result<Option<Literal>, Error> {
        let Token::Literal(literal) = &self.next.token else { return Ok(None) };
        let literal = literal.clone();
        self.check_length(literal.text())?;
        Ok(Some(literal))
    }

    fn check_length(&self, text: &str) -> Result<(), Error> {
        let limit = self.limits.literal;
        if text.len() > limit { Err(self.too_much("bytes of a literal", limit)) } else { Ok(()) }
    }

    fn count_node(&mut self) -> Result<(), Error> {
        self.used.nodes += 1;
        if self.used.nodes > self.limits.nodes {
            return Err(self.too_much("nodes of expressions", self.limits.nodes));
        }
        Ok(())
    }

    /// Reads something one level deeper.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.used.depth += 1;
        if self.used.depth > self.limits.depth {
            return Err(self.too_much("levels of nesting", self.limits.depth));
        }
        let out = read(self)?;
        self.used.depth -= 1;
        Ok(out)
    }
}

#[cfg(test)]
mod tests;
