//! `$apply`: transformations with slashes between them (OData Extension for Data Aggregation 4.0,
//! section 3).

use super::Parser;
use super::expression::BUILT_IN;
use crate::ast::{
    Aggregate, Expr, ExprKind, GroupKey, Join, Name, Path, PathStep, Root, StepKind,
    Transformation, TransformationKind,
};
use crate::bound::Extreme;
use crate::error::Error;
use crate::lexer::Token;
use crate::literal::Literal;

/// Transformations that are known by name only.
const OTHERS: [&str; 6] = ["addnested", "ancestors", "descendants", "expand", "nest", "traverse"];

/// The transformations that can stand in `$apply`.
pub(crate) const TRANSFORMATIONS: [&str; 18] = [
    "aggregate",
    "bottomcount",
    "bottompercent",
    "bottomsum",
    "compute",
    "concat",
    "filter",
    "groupby",
    "identity",
    "join",
    "orderby",
    "outerjoin",
    "search",
    "skip",
    "top",
    "topcount",
    "toppercent",
    "topsum",
];

const EXTREMES: [Extreme; 6] = [
    Extreme::TopCount,
    Extreme::BottomCount,
    Extreme::TopSum,
    Extreme::BottomSum,
    Extreme::TopPercent,
    Extreme::BottomPercent,
];

impl Parser<'_> {
    pub(super) fn transformations(&mut self) -> Result<Vec<Transformation>, Error> {
        self.deeper(|parser| {
            let mut steps = Vec::new();
            loop {
                steps.push(parser.transformation()?);
                if !parser.eat('/')? {
                    return Ok(steps);
                }
            }
        })
    }

    fn transformation(&mut self) -> Result<Transformation, Error> {
        let position = self.next.start;
        self.count_node()?;
        self.used.transformations += 1;
        if self.used.transformations > self.limits.apply_steps {
            return Err(self.too_much("transformations", self.limits.apply_steps));
        }
        let Token::Name(written) = self.next.token else {
            return Err(self.expected("transformation"));
        };
        let lower = written.to_ascii_lowercase();
        let name = lower.as_str();
        if name == "identity" {
            self.advance()?;
            return Ok(Transformation { kind: TransformationKind::Identity, position });
        }
        let is_known = TRANSFORMATIONS.contains(&name) || OTHERS.contains(&name);
        if !is_known && !name.contains('.') {
            return Err(self.expected("transformation").suggesting(written, TRANSFORMATIONS));
        }
        self.advance()?;
        if name == "search" {
            return self.search_transformation(position);
        }
        if !is_known || OTHERS.contains(&name) {
            self.skip_parentheses()?;
            let kind = TransformationKind::Other(written.to_owned());
            return Ok(Transformation { kind, position });
        }
        self.require('(')?;
        let kind = self.transformation_named(name)?;
        self.require(')')?;
        Ok(Transformation { kind, position })
    }

    /// What stands in the parentheses of a transformation.
    fn transformation_named(&mut self, name: &str) -> Result<TransformationKind, Error> {
        Ok(match name {
            "filter" => TransformationKind::Filter(self.expression()?),
            "compute" => TransformationKind::Compute(self.compute()?),
            "orderby" => TransformationKind::OrderBy(self.order_by()?),
            "skip" => TransformationKind::Skip(self.amount()?),
            "top" => TransformationKind::Top(self.amount()?),
            "aggregate" => TransformationKind::Aggregate(self.figures(true)?),
            "groupby" => self.group_by()?,
            "join" | "outerjoin" => TransformationKind::Join(Box::new(Join {
                path: self.expression()?,
                alias: self
                    .named_behind("as", "name of the related item")?
                    .ok_or_else(|| self.expected("'as'"))?,
                apply: if self.eat(',')? { Some(self.transformations()?) } else { None },
                is_outer: name == "outerjoin",
            })),
            "concat" => {
                let mut chains = vec![self.transformations()?];
                self.require(',')?;
                chains.push(self.transformations()?);
                while self.eat(',')? {
                    chains.push(self.transformations()?);
                }
                TransformationKind::Concat(chains)
            }
            _ => {
                let Some(extreme) = EXTREMES.into_iter().find(|it| it.name() == name) else {
                    return Err(self.expected("transformation"));
                };
                let amount = self.expression()?;
                self.require(',')?;
                let by = self.expression()?;
                TransformationKind::Extreme(extreme, Box::new(amount), Box::new(by))
            }
        })
    }

    /// `search(…)`, whose inside has words where others have names.
    fn search_transformation(&mut self, position: usize) -> Result<Transformation, Error> {
        if !self.is_symbol('(') {
            return Err(self.expected("'('"));
        }
        self.nesting += 1;
        let search = self.search(self.next.end)?;
        self.nesting -= 1;
        self.require(')')?;
        Ok(Transformation { kind: TransformationKind::Search(search), position })
    }

    fn amount(&mut self) -> Result<u64, Error> {
        let Token::Literal(Literal::Integer(number)) = self.next.token else {
            return Err(self.expected("whole number"));
        };
        let number = u64::try_from(number).map_err(|_| self.expected("number from 0"))?;
        self.advance()?;
        Ok(number)
    }

    /// The figures of `aggregate`, which have names unless they stand in an expression.
    pub(super) fn figures(&mut self, are_named: bool) -> Result<Vec<Aggregate>, Error> {
        let mut figures = Vec::new();
        loop {
            figures.push(self.figure(are_named)?);
            if !self.eat(',')? {
                return Ok(figures);
            }
        }
    }

    fn figure(&mut self, is_named: bool) -> Result<Aggregate, Error> {
        let value = match self.related_figures()? {
            Some(related) => related,
            None => self.expression()?,
        };
        if is_count(&value) && self.is_word("with") {
            return Err(self.expected("'as'"));
        }
        let mut method = self.named_behind("with", "aggregation method")?;
        let mut has_from = false;
        while self.eat_word("from")? {
            has_from = true;
            loop {
                self.expression()?;
                if !self.eat(',')? {
                    break;
                }
            }
            let with = self.named_behind("with", "aggregation method")?;
            method = method.or(with);
        }
        let alias = self.named_behind("as", "name of the figure")?;
        // Only a custom aggregate may keep its own name.
        if is_named && alias.is_none() && !has_from && (method.is_some() || is_count(&value)) {
            return Err(self.expected("'as'"));
        }
        Ok(Aggregate { value, method, has_from, alias })
    }

    /// `sessions(…)`: figures of what is related to the items (Data Aggregation 3.2.1.2), of which
    /// only the name is read.
    fn related_figures(&mut self) -> Result<Option<Expr>, Error> {
        let position = self.next.start;
        let Token::Name(name) = self.next.token else { return Ok(None) };
        let lower = name.to_ascii_lowercase();
        let behind = self.lexer.token(self.next.end)?;
        let is_call = behind.token == Token::Symbol('(') && behind.start == self.next.end;
        if !is_call || lower == "case" || BUILT_IN.contains(&lower.as_str()) {
            return Ok(None);
        }
        self.advance()?;
        self.skip_parentheses()?;
        if !matches!(self.next.token, Token::Symbol(',' | ')')) {
            self.resume(position)?;
            return Ok(None);
        }
        let step = PathStep { kind: StepKind::Call(name.to_owned(), Vec::new()), position };
        let path = Path { root: Root::Implicit, steps: vec![step] };
        Ok(Some(Expr { kind: ExprKind::Path(path), position }))
    }

    /// The name behind a word, if that word comes next.
    fn named_behind(&mut self, word: &str, expected: &'static str) -> Result<Option<Name>, Error> {
        if !self.eat_word(word)? {
            return Ok(None);
        }
        let position = self.next.start;
        let name = self.name(expected)?.to_owned();
        Ok(Some(Name { name, position }))
    }

    fn eat_word(&mut self, word: &str) -> Result<bool, Error> {
        let found = self.is_word(word);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    /// Whether that word comes next, in any case.
    fn is_word(&self, word: &str) -> bool {
        matches!(self.next.token, Token::Name(name) if name.eq_ignore_ascii_case(word))
    }

    fn group_by(&mut self) -> Result<TransformationKind, Error> {
        self.require('(')?;
        let mut keys = Vec::new();
        loop {
            keys.push(self.group_key()?);
            if !self.eat(',')? {
                break;
            }
        }
        self.require(')')?;
        let apply = if self.eat(',')? { Some(self.transformations()?) } else { None };
        Ok(TransformationKind::GroupBy(keys, apply))
    }

    fn group_key(&mut self) -> Result<GroupKey, Error> {
        let is_rollup =
            self.is_word("rollup") && self.lexer.token(self.next.end)?.token == Token::Symbol('(');
        if self.is_word("rolluprecursive") {
            self.advance()?;
            self.skip_parentheses()?;
            return Ok(GroupKey::Hierarchy);
        }
        if !is_rollup {
            return Ok(GroupKey::Path(self.expression()?));
        }
        self.advance()?;
        self.require('(')?;
        let all =
            matches!(self.next.token, Token::Dollar(name) if name.eq_ignore_ascii_case("$all"));
        let mut paths = Vec::new();
        if all {
            self.advance()?;
            self.require(',')?;
        }
        loop {
            paths.push(self.expression()?);
            if !self.eat(',')? {
                break;
            }
        }
        self.require(')')?;
        Ok(GroupKey::Rollup(paths, all))
    }

    /// Moves behind parentheses and whatever stands in them; quoted text may hold any character.
    fn skip_parentheses(&mut self) -> Result<(), Error> {
        if !self.is_symbol('(') {
            return Err(self.expected("'('"));
        }
        let from = self.next.end;
        let rest = self.lexer.text().get(from..).unwrap_or_default();
        let mut depth = 0_usize;
        let mut is_quoted = false;
        let close = rest.find(|c: char| {
            is_quoted ^= c == '\'';
            match c {
                '(' if !is_quoted => depth += 1,
                ')' if !is_quoted && depth == 0 => return true,
                ')' if !is_quoted => depth -= 1,
                _ => {}
            }
            false
        });
        match close {
            Some(close) => self.resume(from + close + 1),
            None => Err(self.lexer.expected("')'", self.lexer.text().len())),
        }
    }
}

/// Whether a value is `$count`, or a path with that at its end.
fn is_count(value: &Expr) -> bool {
    let ExprKind::Path(path) = &value.kind else { return false };
    matches!(path.steps.last(), Some(PathStep { kind: StepKind::Count(_), .. }))
}
