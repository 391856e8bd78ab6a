//! Canonical functions, and ours: which arguments each takes, and what it gives (URL Conventions 5.1.1.5
//! to 5.1.1.12).

use super::Binder;
use super::expression::truth;
use super::scope::Scope;
use super::types::{coerce, coerce_items, fits, is_constant, is_number, mismatch};
use crate::ast;
use crate::bound::{Expr, ExprKind, Function, PathStep, Root, Ty};
use crate::edm::{Primitive, Type};
use crate::error::{Error, Kind};
use crate::eval::{BadPattern, check_pattern};
use crate::lexer::Lexer;
use crate::literal::{Literal, type_name};
use crate::primitive::{DateTimeOffset, TICKS_PER_DAY};

/// What an argument has to be.
#[derive(Debug, Clone, Copy)]
enum Argument {
    /// A value of one of these types.
    Value(&'static [Primitive]),
    /// A collection of values.
    Items,
}

/// What comes out.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    Value(Primitive),
    /// What the first argument is.
    First,
}

/// One way of calling a function.
#[derive(Debug)]
struct Signature {
    arguments: &'static [Argument],
    outcome: Outcome,
}

const TEXT: Argument = Argument::Value(&[Primitive::String]);
const WHOLE: Argument = Argument::Value(&[Primitive::Int64, Primitive::Int32]);
const NUMBER: Argument = Argument::Value(&[
    Primitive::Decimal,
    Primitive::Double,
    Primitive::Single,
    Primitive::Int64,
    Primitive::Int32,
]);
const INSTANT: Argument = Argument::Value(&[Primitive::DateTimeOffset]);
const DAY: Argument = Argument::Value(&[Primitive::DateTimeOffset, Primitive::Date]);
const CLOCK: Argument = Argument::Value(&[Primitive::DateTimeOffset, Primitive::TimeOfDay]);
const DURATION: Argument = Argument::Value(&[Primitive::Duration]);
const ITEMS: Argument = Argument::Items;

const fn giving(arguments: &'static [Argument], outcome: Primitive) -> Signature {
    Signature { arguments, outcome: Outcome::Value(outcome) }
}

const fn giving_first(arguments: &'static [Argument]) -> Signature {
    Signature { arguments, outcome: Outcome::First }
}

const TEXT_TEST: &[Signature] = &[giving(&[TEXT, TEXT], Primitive::Boolean)];
const TEXT_OR_ITEMS_TEST: &[Signature] =
    &[giving(&[TEXT, TEXT], Primitive::Boolean), giving(&[ITEMS, ITEMS], Primitive::Boolean)];
const TEXT_TO_TEXT: &[Signature] = &[giving(&[TEXT], Primitive::String)];
const DAY_PART: &[Signature] = &[giving(&[DAY], Primitive::Int32)];
const CLOCK_PART: &[Signature] = &[giving(&[CLOCK], Primitive::Int32)];
const CONCAT: &[Signature] = &[giving_first(&[TEXT, TEXT]), giving_first(&[ITEMS, ITEMS])];
const INDEX_OF: &[Signature] =
    &[giving(&[TEXT, TEXT], Primitive::Int32), giving(&[ITEMS, ITEMS], Primitive::Int32)];
const LENGTH: &[Signature] =
    &[giving(&[TEXT], Primitive::Int32), giving(&[ITEMS], Primitive::Int32)];
const SUBSTRING: &[Signature] = &[
    giving_first(&[TEXT, WHOLE]),
    giving_first(&[TEXT, WHOLE, WHOLE]),
    giving_first(&[ITEMS, WHOLE]),
    giving_first(&[ITEMS, WHOLE, WHOLE]),
];
const ITEMS_TEST: &[Signature] = &[giving(&[ITEMS, ITEMS], Primitive::Boolean)];
const CLOCK_FRACTION: &[Signature] = &[giving(&[CLOCK], Primitive::Decimal)];
const TO_DAY: &[Signature] = &[giving(&[INSTANT], Primitive::Date)];
const TO_TIME: &[Signature] = &[giving(&[INSTANT], Primitive::TimeOfDay)];
const OFFSET: &[Signature] = &[giving(&[INSTANT], Primitive::Int32)];
const SECONDS: &[Signature] = &[giving(&[DURATION], Primitive::Decimal)];
const NUMBER_TO_NUMBER: &[Signature] = &[giving_first(&[NUMBER])];
const TO_BUCKET: &[Signature] = &[
    giving(&[INSTANT, DURATION], Primitive::DateTimeOffset),
    giving(&[INSTANT, DURATION, DURATION], Primitive::DateTimeOffset),
];
const SHARE: &[Signature] = &[giving(&[NUMBER, NUMBER], Primitive::Double)];
/// Bound by itself: its argument is no value.
const PATH_TEST: &[Signature] = &[];
const NO_ARGUMENTS: &[Signature] = &[giving(&[], Primitive::DateTimeOffset)];

/// The ways of calling a function.
fn signatures(function: Function) -> &'static [Signature] {
    match function {
        Function::Concat => CONCAT,
        Function::Contains | Function::EndsWith | Function::StartsWith => TEXT_OR_ITEMS_TEST,
        Function::IndexOf => INDEX_OF,
        Function::Length => LENGTH,
        Function::Substring => SUBSTRING,
        Function::HasSubset | Function::HasSubsequence => ITEMS_TEST,
        Function::IsDefined => PATH_TEST,
        Function::MatchesPattern => TEXT_TEST,
        Function::ToLower | Function::ToUpper | Function::Trim => TEXT_TO_TEXT,
        Function::Year | Function::Month | Function::Day => DAY_PART,
        Function::Hour | Function::Minute | Function::Second => CLOCK_PART,
        Function::FractionalSeconds => CLOCK_FRACTION,
        Function::Date => TO_DAY,
        Function::Time => TO_TIME,
        Function::TotalOffsetMinutes => OFFSET,
        Function::TotalSeconds => SECONDS,
        Function::MinDateTime | Function::MaxDateTime => NO_ARGUMENTS,
        Function::Ceiling | Function::Floor | Function::Round => NUMBER_TO_NUMBER,
        Function::Bucket => TO_BUCKET,
        Function::Ratio | Function::Wilson => SHARE,
    }
}

/// Names of functions that can be called, for suggestions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let others = ["any", "all", "case", "cast", "isof", "now"];
    Function::ALL.into_iter().map(Function::name).chain(others)
}

impl<'a> Binder<'a> {
    /// Binds a call of a built-in function; `name` is in lower case.
    pub(super) fn call(
        &mut self,
        name: &str,
        written: &[ast::Expr],
        position: usize,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Expr, Error> {
        match name {
            "cast" | "isof" => return self.type_function(name, written, position, scope, source),
            "isdefined" => return self.is_defined(written, position, scope, source),
            "now" if written.is_empty() => return Ok(instant(self.now)),
            "now" => return Err(wrong_count(name, &[0], written, source, position)),
            _ => {}
        }
        let function = Function::ALL.into_iter().find(|it| it.name().eq_ignore_ascii_case(name));
        let Some(function) = function else {
            let what = format!("the function '{name}'");
            return Err(source.error(Kind::NotBuilt { what }, position));
        };
        let all = signatures(function);
        let mut fitting = all.iter().filter(|it| it.arguments.len() == written.len()).peekable();
        if fitting.peek().is_none() {
            let counts: Vec<usize> = all.iter().map(|it| it.arguments.len()).collect();
            return Err(wrong_count(function.name(), &counts, written, source, position));
        }
        let mut arguments = Vec::with_capacity(written.len());
        for argument in written {
            arguments.push(self.expression(argument, scope, source)?);
        }
        // Overloads differ in whether they take collections, which any argument tells.
        let has_items = arguments.iter().any(|it| matches!(it.ty, Ty::Many(_)));
        let takes_items =
            |it: &&Signature| it.arguments.iter().any(|it| matches!(it, Argument::Items));
        let Some(signature) =
            fitting.clone().find(|it| takes_items(it) == has_items).or_else(|| fitting.next())
        else {
            return Err(source.expected("function", position));
        };
        let arguments = typed(arguments, signature, written, source)?;
        if let (Function::MatchesPattern, [_, pattern]) = (function, arguments.as_slice()) {
            self.pattern(pattern, written[1].position, source)?;
        }
        if let (Function::Substring, [_, _, length]) = (function, arguments.as_slice()) {
            refuse_negative(length, written[2].position, source)?;
        }
        if let (Function::Bucket, [_, size, ..]) = (function, arguments.as_slice()) {
            check_size(size, written[1].position, source)?;
        }
        Ok(finished(function, arguments, signature))
    }

    /// `isdefined(path)`: true of what every item at hand has; else the items tell.
    fn is_defined(
        &mut self,
        written: &[ast::Expr],
        position: usize,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Expr, Error> {
        let [argument] = written else {
            return Err(wrong_count("isdefined", &[1], written, source, position));
        };
        let mut before = scope.clone();
        before.item.keys = None;
        let mut bound = self.expression(argument, &before, source)?;
        let ExprKind::Path(path) = &mut bound.kind else {
            return Err(mismatch("a path to a property", bound.ty, source, argument.position));
        };
        let is_aggregated = scope.item.keys.is_some() || scope.item.is_mixed;
        if is_aggregated {
            PathStep::go_by_names(&mut path.steps);
        }
        Ok(truth(if is_aggregated && path.root == Root::Item {
            ExprKind::Call(Function::IsDefined, vec![bound])
        } else {
            ExprKind::Literal(Literal::Boolean(true))
        }))
    }

    /// Checks a pattern, whose cost is that of many other nodes.
    fn pattern(
        &mut self,
        pattern: &Expr,
        position: usize,
        source: &Lexer<'_>,
    ) -> Result<(), Error> {
        for _ in 0..PATTERN_NODES {
            self.count_node(source, position)?;
        }
        let ExprKind::Literal(Literal::String(text)) = &pattern.kind else { return Ok(()) };
        check_pattern(text).map_err(|wrong| match wrong {
            BadPattern::Malformed => {
                let expected = "regular expression".into();
                source.error(Kind::Malformed { expected, found: text.clone() }, position)
            }
            BadPattern::TooLarge(limit) => {
                let what = "bytes of a compiled regular expression";
                source.error(Kind::TooMuch { what, limit }, position)
            }
        })
    }
}

/// Refuses a literal length below zero, which no part of a text has.
fn refuse_negative(length: &Expr, position: usize, source: &Lexer<'_>) -> Result<(), Error> {
    match &length.kind {
        ExprKind::Literal(Literal::Integer(length)) if *length < 0 => {
            let expected = "length that is not negative".into();
            Err(source.error(Kind::Malformed { expected, found: length.to_string() }, position))
        }
        _ => Ok(()),
    }
}

/// The longest stretch of time that instants are put into.
const LONGEST_BUCKET: i64 = 366 * TICKS_PER_DAY;

/// Refuses a size that is no literal, is not above zero, lies between two ticks, or is longer than a year.
fn check_size(size: &Expr, position: usize, source: &Lexer<'_>) -> Result<(), Error> {
    let found = match &size.kind {
        ExprKind::Literal(Literal::Duration(length)) => {
            if !length.is_between() && (1..=LONGEST_BUCKET).contains(&length.ticks) {
                return Ok(());
            }
            size.to_string()
        }
        _ => size.to_string(),
    };
    let expected = "literal of a duration above zero, of 366 days at most".into();
    Err(source.error(Kind::Malformed { expected, found }, position))
}

/// What a pattern counts among the nodes of a request, since compiling it may take a millisecond.
const PATTERN_NODES: usize = 9;

fn finished(function: Function, arguments: Vec<Expr>, signature: &Signature) -> Expr {
    let ty = match (signature.outcome, arguments.first()) {
        (Outcome::Value(ty), _) => Ty::One(Type::Primitive(ty)),
        (Outcome::First, Some(first)) => match (first.ty, signature.arguments.first()) {
            (ty @ (Ty::One(_) | Ty::Many(_)), _) => ty,
            (_, Some(Argument::Value([ty, ..]))) => Ty::One(Type::Primitive(*ty)),
            (ty, _) => ty,
        },
        (Outcome::First, None) => Ty::Null,
    };
    match function {
        Function::MinDateTime => instant(DateTimeOffset(EARLIEST)),
        Function::MaxDateTime => instant(DateTimeOffset(LATEST)),
        _ => Expr { kind: ExprKind::Call(function, arguments), ty },
    }
}

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.9999999Z, which every client can represent.
const EARLIEST: i64 = -621_355_968_000_000_000;
const LATEST: i64 = 2_534_023_007_999_999_999;

fn instant(at: DateTimeOffset) -> Expr {
    let ty = Ty::One(Type::Primitive(Primitive::DateTimeOffset));
    Expr { kind: ExprKind::Literal(Literal::DateTimeOffset(at.into())), ty }
}

/// Arguments with the types that the signature asks for.
fn typed(
    arguments: Vec<Expr>,
    signature: &Signature,
    written: &[ast::Expr],
    source: &Lexer<'_>,
) -> Result<Vec<Expr>, Error> {
    let collections = || arguments.iter().filter(|it| matches!(it.ty, Ty::Many(_)));
    let firm = collections().find(|it| !matches!(it.kind, ExprKind::List(_)));
    let items = match firm.or_else(|| collections().next()).map(|it| it.ty) {
        Some(Ty::Many(ty)) => Some(ty),
        _ => None,
    };
    arguments
        .into_iter()
        .zip(signature.arguments)
        .zip(written)
        .map(|((value, wanted), written)| match wanted {
            Argument::Value(types) => one_of(value, types, source, written.position),
            Argument::Items => match (value.ty, items) {
                (Ty::Many(Type::Structured(_) | Type::Undeclared(_)), _) => {
                    Err(mismatch("a collection of values", value.ty, source, written.position))
                }
                (Ty::Many(_), Some(ty)) => coerce_items(value, ty, source, written.position),
                (Ty::Null | Ty::Dynamic, _) => Ok(value),
                (found, _) => Err(mismatch("a collection", found, source, written.position)),
            },
        })
        .collect()
}

/// A value of one of the types.
fn one_of(
    value: Expr,
    types: &[Primitive],
    source: &Lexer<'_>,
    position: usize,
) -> Result<Expr, Error> {
    let types = || types.iter().map(|ty| Type::Primitive(*ty));
    // A number that is no whole one does not become one by its place.
    let exact = types().find(|ty| value.ty == Ty::One(*ty));
    let is_fitting = |ty: &Type| match value.ty {
        Ty::One(found) => found == *ty,
        found => fits(found, *ty),
    };
    if exact.is_some() || types().any(|ty| is_fitting(&ty)) {
        return Ok(value);
    }
    if is_constant(&value) {
        let is_number = matches!(value.ty, Ty::One(ty) if is_number(ty));
        let converted = types().find_map(|ty| coerce(value.clone(), ty, source, position).ok());
        if let (Some(converted), false) = (converted, is_number) {
            return Ok(converted);
        }
    }
    let names: Vec<&str> = types().map(|ty| type_name(&ty)).collect();
    let expected = if names.len() > 2 { "a number".to_owned() } else { names.join(" or ") };
    Err(mismatch(expected, value.ty, source, position))
}

fn wrong_count(
    name: &str,
    counts: &[usize],
    written: &[ast::Expr],
    source: &Lexer<'_>,
    position: usize,
) -> Error {
    let mut counts = counts.to_vec();
    counts.sort_unstable();
    counts.dedup();
    let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
    let expected = match counts.as_slice() {
        [one] if one == "1" => format!("1 argument for '{name}'"),
        _ => format!("{} arguments for '{name}'", counts.join(" or ")),
    };
    let found = written.len().to_string();
    source.error(Kind::Malformed { expected: expected.into(), found }, position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_time_are_those_of_the_standard() {
        assert_eq!(DateTimeOffset(EARLIEST).to_string(), "0001-01-01T00:00:00Z");
        assert_eq!(DateTimeOffset(LATEST).to_string(), "9999-12-31T23:59:59.9999999Z");
    }
}
