//! The value of each system query option, and options nested in parentheses.

use super::Parser;
use crate::ast::{Compute, Levels, Options, OrderBy};
use crate::error::{Error, Kind};
use crate::lexer::Token;
use crate::system_option::SystemOption;

impl<'a> Parser<'a> {
    /// Reads the value that begins at byte `at`; the next token then is what follows it.
    pub(super) fn value(
        &mut self,
        option: SystemOption,
        at: usize,
        options: &mut Options,
    ) -> Result<(), Error> {
        match option {
            SystemOption::Filter => {
                self.resume(at)?;
                options.filter = Some(self.expression()?);
            }
            SystemOption::Select => {
                self.resume(at)?;
                options.select = Some(self.select_items()?);
            }
            SystemOption::Expand => {
                self.resume(at)?;
                options.expand = Some(self.expand_items()?);
            }
            SystemOption::OrderBy => {
                self.resume(at)?;
                options.orderby = Some(self.order_by()?);
            }
            SystemOption::Compute => {
                self.resume(at)?;
                options.compute = Some(self.compute()?);
            }
            SystemOption::Search => options.search = Some(self.search(at)?),
            SystemOption::Apply => {
                self.resume(at)?;
                options.apply = Some(self.transformations()?);
            }
            SystemOption::Top => options.top = Some(self.whole_number(at, self.limits.top)?),
            SystemOption::Skip => options.skip = Some(self.whole_number(at, i64::MAX as u64)?),
            SystemOption::Count => {
                options.count = Some(match self.raw(at)? {
                    text if text.eq_ignore_ascii_case("true") => true,
                    text if text.eq_ignore_ascii_case("false") => false,
                    _ => return Err(self.lexer.expected("'true' or 'false'", at)),
                });
            }
            SystemOption::Index => {
                let number = self.raw(at)?.parse();
                options.index = Some(number.map_err(|_| self.lexer.expected("whole number", at))?);
            }
            SystemOption::Levels => {
                let text = self.lexer.text().get(at..).unwrap_or_default();
                let is_max = text.get(..3).is_some_and(|max| max.eq_ignore_ascii_case("max"));
                if text.starts_with('0') {
                    return Err(self.lexer.expected("number greater than 0, or 'max'", at));
                }
                options.levels = Some(if is_max {
                    self.resume(at + 3)?;
                    Levels::Max
                } else {
                    Levels::Times(self.whole_number(at, i64::MAX as u64)?)
                });
            }
            SystemOption::Format => options.format = Some(self.text(at)?),
            SystemOption::SkipToken => options.skiptoken = Some(self.text(at)?),
            SystemOption::DeltaToken => options.deltatoken = Some(self.text(at)?),
            SystemOption::SchemaVersion => options.schemaversion = Some(self.text(at)?),
        }
        Ok(())
    }

    /// Options in parentheses, the opening one coming next.
    pub(super) fn nested_options(&mut self) -> Result<Options, Error> {
        self.deeper(|parser| {
            parser.require('(')?;
            parser.nesting += 1;
            let mut options = Options::default();
            let mut seen = Vec::new();
            loop {
                parser.nested_option(&mut options, &mut seen)?;
                if !parser.eat(';')? {
                    break;
                }
            }
            parser.require(')')?;
            parser.nesting -= 1;
            Ok(options)
        })
    }

    fn nested_option(
        &mut self,
        options: &mut Options,
        seen: &mut Vec<SystemOption>,
    ) -> Result<(), Error> {
        let (Token::Dollar(name) | Token::Name(name) | Token::At(name)) = self.next.token else {
            return Err(self.expected("query option"));
        };
        let start = self.next.start;
        let is_alias = matches!(self.next.token, Token::At(_));
        self.advance()?;
        if !self.is_symbol('=') {
            return Err(self.expected("'='"));
        }
        let at = self.next.end;
        if is_alias {
            self.resume(at)?;
            let value = self.expression()?;
            options.aliases.push((name[1..].to_owned(), value));
            return Ok(());
        }
        let Some(option) = SystemOption::from_name(name) else {
            let known = SystemOption::ALL.into_iter().map(SystemOption::name);
            let kind = Kind::UnknownOption { name: name.to_owned() };
            return Err(self.lexer.error(kind, start).suggesting(name, known));
        };
        if seen.contains(&option) {
            let mut error = self.lexer.error(Kind::Repeated, start);
            error.option = option.name().into();
            return Err(error);
        }
        seen.push(option);
        self.value(option, at, options)
    }

    pub(super) fn order_by(&mut self) -> Result<Vec<OrderBy>, Error> {
        let mut keys = Vec::new();
        loop {
            if keys.len() == self.limits.orderby {
                return Err(self.too_much("keys", self.limits.orderby));
            }
            let key = self.expression()?;
            let is_descending = match self.next.token {
                Token::Name(name) if name.eq_ignore_ascii_case("desc") => true,
                Token::Name(name) if name.eq_ignore_ascii_case("asc") => false,
                _ => {
                    keys.push(OrderBy { key, is_descending: false });
                    if self.eat(',')? {
                        continue;
                    }
                    return Ok(keys);
                }
            };
            self.advance()?;
            keys.push(OrderBy { key, is_descending });
            if !self.eat(',')? {
                return Ok(keys);
            }
        }
    }

    pub(super) fn compute(&mut self) -> Result<Vec<Compute>, Error> {
        let mut computed = Vec::new();
        loop {
            let value = self.expression()?;
            match self.next.token {
                Token::Name(name) if name.eq_ignore_ascii_case("as") => self.advance()?,
                _ => return Err(self.expected("'as'")),
            };
            let position = self.next.start;
            let alias = self.name("name of the computed property")?.to_owned();
            computed.push(Compute { value, alias, position });
            if !self.eat(',')? {
                return Ok(computed);
            }
        }
    }

    fn whole_number(&mut self, at: usize, limit: u64) -> Result<u64, Error> {
        let text = self.raw(at)?;
        let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|number| is_digits && *number <= limit)
            .ok_or_else(|| self.lexer.expected(format!("number from 0 to {limit}"), at))
    }

    fn text(&mut self, at: usize) -> Result<String, Error> {
        let text = self.raw(at)?;
        if text.is_empty() {
            return Err(self.lexer.expected("value", at));
        }
        Ok(text.to_owned())
    }

    /// The text up to the end of the option, white space around it cut.
    fn raw(&mut self, at: usize) -> Result<&'a str, Error> {
        let rest = self.lexer.text().get(at..).unwrap_or_default();
        let length = match self.nesting {
            0 => rest.len(),
            _ => rest.find([';', ')']).unwrap_or(rest.len()),
        };
        self.resume(at + length)?;
        Ok(rest[..length].trim())
    }
}
