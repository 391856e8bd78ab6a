//! Operators by precedence, and what they stand between (URL Conventions 5.1.1).

use super::Parser;
use crate::ast::{Binary, Expr, ExprKind, Unary};
use crate::error::Error;
use crate::lexer::Token;
use crate::literal::Literal;

/// How tightly `not` and `-` bind: tighter than any binary operator but `has` and `in`.
const UNARY_STRENGTH: u8 = 7;
const PRIMARY_STRENGTH: u8 = 8;

/// Functions that take their arguments by position; anything else with parentheses is a function
/// of the model or a key.
pub(crate) const BUILT_IN: &[&str] = &[
    "callvault.bucket",
    "callvault.ratio",
    "callvault.wilson",
    "cast",
    "ceiling",
    "concat",
    "contains",
    "date",
    "day",
    "endswith",
    "floor",
    "fractionalseconds",
    "geo.distance",
    "geo.intersects",
    "geo.length",
    "hassubsequence",
    "hassubset",
    "hour",
    "indexof",
    "isdefined",
    "isof",
    "length",
    "matchespattern",
    "maxdatetime",
    "mindatetime",
    "minute",
    "month",
    "now",
    "round",
    "second",
    "startswith",
    "substring",
    "time",
    "tolower",
    "totaloffsetminutes",
    "totalseconds",
    "toupper",
    "trim",
    "year",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Infix {
    And,
    Or,
    Binary(Binary),
    In,
}

impl Infix {
    fn from_name(name: &str) -> Option<(Self, u8)> {
        let (operator, strength) = match name.to_ascii_lowercase().as_str() {
            "or" => return Some((Self::Or, 1)),
            "and" => return Some((Self::And, 2)),
            "eq" => (Binary::Eq, 3),
            "ne" => (Binary::Ne, 3),
            "gt" => (Binary::Gt, 4),
            "ge" => (Binary::Ge, 4),
            "lt" => (Binary::Lt, 4),
            "le" => (Binary::Le, 4),
            "add" => (Binary::Add, 5),
            "sub" => (Binary::Sub, 5),
            "mul" => (Binary::Mul, 6),
            "div" => (Binary::Div, 6),
            "divby" => (Binary::DivBy, 6),
            "mod" => (Binary::Mod, 6),
            "has" => (Binary::Has, PRIMARY_STRENGTH),
            "in" => return Some((Self::In, PRIMARY_STRENGTH)),
            _ => return None,
        };
        Some((Self::Binary(operator), strength))
    }
}

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Expr, Error> {
        self.deeper(|parser| parser.binary(0))
    }

    /// Operands joined by operators that bind tighter than `strength`, left to right.
    fn binary(&mut self, strength: u8) -> Result<Expr, Error> {
        let mut left = self.unary()?;
        // The operator that `left` is made of, unless it stands in parentheses.
        let mut last = None;
        let mut length = 0;
        while let Token::Name(name) = self.next.token {
            let Some((operator, own)) = Infix::from_name(name) else { break };
            if own <= strength {
                break;
            }
            let position = self.next.start;
            if position == self.end && !self.is_behind_bracket() {
                return Err(self.expected("space before the operator"));
            }
            self.count_node()?;
            self.advance()?;
            left = self.joined(left, operator, own, last == Some(operator), position)?;
            last = Some(operator);
            // `and` and `or` make a flat list, but other chains make a tree as high as they are long.
            length += usize::from(!matches!(operator, Infix::And | Infix::Or));
            let limit = 2 * self.limits.depth;
            if length > limit {
                return Err(self.too_much("operators in a row", limit));
            }
        }
        Ok(left)
    }

    /// `left`, an operator that was just read, and what comes behind it.
    fn joined(
        &mut self,
        left: Expr,
        operator: Infix,
        strength: u8,
        is_same: bool,
        position: usize,
    ) -> Result<Expr, Error> {
        let right = match operator {
            Infix::In => self.in_list()?,
            _ => self.binary(strength)?,
        };
        let kind = match (operator, left) {
            (Infix::And, Expr { kind: ExprKind::And(mut parts), position }) if is_same => {
                parts.push(right);
                return Ok(Expr { kind: ExprKind::And(parts), position });
            }
            (Infix::Or, Expr { kind: ExprKind::Or(mut parts), position }) if is_same => {
                parts.push(right);
                return Ok(Expr { kind: ExprKind::Or(parts), position });
            }
            (Infix::And, left) => ExprKind::And(vec![left, right]),
            (Infix::Or, left) => ExprKind::Or(vec![left, right]),
            (Infix::Binary(operator), left) => {
                ExprKind::Binary(operator, Box::new(left), Box::new(right))
            }
            (Infix::In, left) => ExprKind::In(Box::new(left), Box::new(right)),
        };
        Ok(Expr { kind, position })
    }

    fn is_behind_bracket(&self) -> bool {
        self.lexer.text()[..self.end].ends_with([')', ']', '}', '\''])
    }

    fn unary(&mut self) -> Result<Expr, Error> {
        let position = self.next.start;
        let operator = match self.next.token {
            Token::Symbol('-') => Unary::Negate,
            Token::Name(name) if name.eq_ignore_ascii_case("not") && self.is_operator()? => {
                Unary::Not
            }
            _ => return self.primary(),
        };
        self.count_node()?;
        self.advance()?;
        let operand = self.deeper(|parser| parser.binary(UNARY_STRENGTH))?;
        Ok(Expr { kind: ExprKind::Unary(operator, Box::new(operand)), position })
    }

    /// Whether the `not` that comes next has an operand and so isn't a property of that name.
    fn is_operator(&self) -> Result<bool, Error> {
        let behind = self.lexer.token(self.next.end)?;
        Ok(match behind.token {
            Token::Name(name) => Infix::from_name(name).is_none(),
            Token::End => false,
            Token::Symbol(symbol) => matches!(symbol, '(' | '-' | '[' | '{'),
            _ => true,
        })
    }

    fn primary(&mut self) -> Result<Expr, Error> {
        let position = self.next.start;
        if let Some(literal) = self.literal()? {
            self.count_node()?;
            self.advance()?;
            return Ok(Expr { kind: ExprKind::Literal(literal), position });
        }
        let kind = match &self.next.token {
            Token::Symbol('(') => {
                self.advance()?;
                let inner = self.expression()?;
                self.require(')')?;
                return Ok(inner);
            }
            Token::Symbol('[') => self.json_array()?,
            Token::Symbol('{') => self.json_object()?,
            Token::Name(name) => {
                let name = *name;
                let lower = name.to_ascii_lowercase();
                if !self.has_parenthesis()? {
                    self.path()?
                } else if lower == "case" {
                    self.case()?
                } else if BUILT_IN.contains(&lower.as_str()) {
                    self.count_node()?;
                    self.advance()?;
                    self.require('(')?;
                    ExprKind::Call(lower, self.arguments()?)
                } else {
                    self.path()?
                }
            }
            Token::Dollar(_) | Token::At(_) => self.path()?,
            _ => return Err(self.expected("expression")),
        };
        Ok(Expr { kind, position })
    }

    /// Whether the name that comes next is followed by an opening parenthesis.
    fn has_parenthesis(&self) -> Result<bool, Error> {
        let behind = self.lexer.token(self.next.end)?;
        Ok(behind.token == Token::Symbol('(') && behind.start == self.next.end)
    }

    /// Arguments by position up to the closing parenthesis.
    fn arguments(&mut self) -> Result<Vec<Expr>, Error> {
        let mut arguments = Vec::new();
        if self.eat(')')? {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression()?);
            if !self.eat(',')? {
                self.require(')')?;
                return Ok(arguments);
            }
        }
    }

    fn case(&mut self) -> Result<ExprKind, Error> {
        self.count_node()?;
        self.advance()?;
        self.require('(')?;
        let mut branches = Vec::new();
        loop {
            let condition = self.expression()?;
            self.require(':')?;
            branches.push((condition, self.expression()?));
            if !self.eat(',')? {
                self.require(')')?;
                return Ok(ExprKind::Case(branches));
            }
        }
    }

    /// What stands right of `in`: literals in parentheses, or any expression that is a collection.
    fn in_list(&mut self) -> Result<Expr, Error> {
        if !self.is_symbol('(') {
            return self.unary();
        }
        let position = self.next.start;
        self.advance()?;
        let mut items = Vec::new();
        if !self.eat(')')? {
            items = self.list_items(')')?;
        }
        if let [single] = items.as_slice()
            && !matches!(single.kind, ExprKind::Literal(_))
        {
            return Ok(items.remove(0));
        }
        let is_plain = |item: &&Expr| {
            !matches!(item.kind, ExprKind::Literal(_) | ExprKind::Alias(_) | ExprKind::List(_))
        };
        if let Some(item) = items.iter().find(is_plain) {
            return Err(self.lexer.expected("literal", item.position));
        }
        Ok(Expr { kind: ExprKind::List(items), position })
    }

    /// Comma-separated items up to `close`, which is read too. Literals are bounded by the length
    /// of the list, not by the number of nodes.
    fn list_items(&mut self, close: char) -> Result<Vec<Expr>, Error> {
        let mut items = Vec::new();
        loop {
            if items.len() == self.limits.in_list {
                return Err(self.too_much("items of a list", self.limits.in_list));
            }
            items.push(self.json_value()?);
            if !self.eat(',')? {
                self.require(close)?;
                return Ok(items);
            }
        }
    }

    fn json_array(&mut self) -> Result<ExprKind, Error> {
        self.count_node()?;
        self.advance()?;
        if self.eat(']')? {
            return Ok(ExprKind::List(Vec::new()));
        }
        self.list_items(']').map(ExprKind::List)
    }

    fn json_object(&mut self) -> Result<ExprKind, Error> {
        self.count_node()?;
        self.advance()?;
        let mut members = Vec::new();
        if self.eat('}')? {
            return Ok(ExprKind::Object(members));
        }
        loop {
            let Token::Json(name) = &self.next.token else {
                return Err(self.expected("name of a member in double quotes"));
            };
            let name = name.clone();
            self.advance()?;
            self.require(':')?;
            members.push((name, self.json_value()?));
            if !self.eat(',')? {
                self.require('}')?;
                return Ok(ExprKind::Object(members));
            }
        }
    }

    /// An item of a list or the value of a member. A literal alone is no node: the list bounds it.
    fn json_value(&mut self) -> Result<Expr, Error> {
        let literal = match (self.literal()?, &self.next.token) {
            (Some(literal), _) => literal,
            (None, Token::Json(text)) => {
                self.check_length(text)?;
                Literal::String(text.clone())
            }
            _ => return self.expression(),
        };
        let behind = self.lexer.token(self.next.end)?;
        if !matches!(behind.token, Token::Symbol(',' | ')' | ']' | '}') | Token::End) {
            return self.expression();
        }
        let position = self.next.start;
        self.advance()?;
        Ok(Expr { kind: ExprKind::Literal(literal), position })
    }
}

#[cfg(test)]
mod tests {
    use super::BUILT_IN;
    use crate::bound::Function;

    #[test]
    fn every_function_is_read_as_a_call() {
        for function in Function::ALL {
            let name = function.name().to_ascii_lowercase();
            assert!(BUILT_IN.contains(&name.as_str()), "{name}");
        }
    }
}
