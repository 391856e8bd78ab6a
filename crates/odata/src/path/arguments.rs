//! What stands in the parentheses of a path segment: arguments of an operation, or a key.

use crate::ast::ExprKind;
use crate::binder::Alias;
use crate::edm::{Operation, Parameter, StructuredType};
use crate::error::{Error, Kind};
use crate::lexer::{Lexer, Token};
use crate::literal::{Literal, type_name};
use crate::names;
use crate::percent::{Plus, decode};

/// Reads the arguments of an operation; `text` is what stands in its parentheses, if it has any.
///
/// The comma between two arguments may be missing: one widely used URI template library drops it.
/// A parameter that isn't given may be an alias of the same name, with the at-sign or, where no system
/// option is meant, without (URL Conventions 5.3.2).
pub(super) fn parse(
    operation: &'static Operation,
    text: Option<&str>,
    (aliases, custom): (&[Alias<'_>], &[(String, &str)]),
) -> Result<Vec<(&'static str, Literal)>, Error> {
    let parameters = &operation.parameters[usize::from(operation.is_bound)..];
    if operation.is_action {
        return match text {
            None | Some("") => Ok(Vec::new()),
            Some(text) => Err(Lexer::new("path", text).expected("')'", 0)),
        };
    }
    let lexer = Lexer::new("path", text.unwrap_or_default());
    let mut given = read(&lexer, parameters, aliases)?;
    let mut arguments = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        let end = lexer.text().len();
        let value = if let Some(at) = given.iter().position(|(name, _)| *name == parameter.name) {
            given.swap_remove(at).1
        } else if aliases.iter().any(|alias| alias.name == parameter.name) {
            let value =
                alias(parameter.name, aliases).ok_or_else(|| expression_expected(&lexer, end))?;
            typed(&lexer, parameter, value, end)?
        } else if let Some((_, text)) = custom.iter().find(|(name, _)| name == parameter.name) {
            implicit(parameter, text)?
        } else if parameter.is_optional {
            continue;
        } else {
            return Err(lexer.expected(format!("parameter '{}'", parameter.name), end));
        };
        arguments.push((parameter.name, value));
    }
    Ok(arguments)
}

/// The value of a custom query option that has a parameter's name.
fn implicit(parameter: &Parameter, text: &str) -> Result<Literal, Error> {
    let text = decode(text, Plus::Space).unwrap_or_default();
    let lexer = Lexer::new(parameter.name, &text);
    let value = lexer.token(0)?;
    let Token::Literal(literal) = value.token else {
        return Err(lexer.expected("value", value.start));
    };
    match lexer.token(value.end)?.token {
        Token::End => typed(&lexer, parameter, literal, value.start),
        _ => Err(lexer.expected("end", value.end)),
    }
}

/// The arguments as written, in their order.
fn read(
    lexer: &Lexer<'_>,
    parameters: &'static [Parameter],
    aliases: &[Alias<'_>],
) -> Result<Vec<(&'static str, Literal)>, Error> {
    let mut given: Vec<(&'static str, Literal)> = Vec::new();
    let mut next = lexer.token(0)?;
    while next.token != Token::End {
        let start = next.start;
        let parameter = match next.token {
            Token::Name(name) => parameters.iter().find(|parameter| parameter.name == name),
            _ => None,
        };
        let Some(parameter) = parameter else {
            let error = lexer.expected("name of a parameter", start);
            return Err(match next.token {
                Token::Name(name) => error.suggesting(name, parameters.iter().map(|it| it.name)),
                _ => error,
            });
        };
        if given.iter().any(|(name, _)| *name == parameter.name) {
            let mut error = lexer.error(Kind::Repeated, start);
            error.option = parameter.name.into();
            return Err(error);
        }
        let equals = lexer.token(next.end)?;
        if equals.token != Token::Symbol('=') {
            return Err(lexer.expected("'='", equals.start));
        }
        let value = lexer.token(equals.end)?;
        let literal = resolved(&value.token, aliases)
            .ok_or_else(|| expression_expected(lexer, value.start))?;
        given.push((parameter.name, typed(lexer, parameter, literal, value.start)?));
        next = lexer.token(value.end)?;
        if next.token == Token::Symbol(',') {
            next = lexer.token(next.end)?;
            if next.token == Token::End {
                return Err(lexer.expected("name of a parameter", next.start));
            }
        }
    }
    Ok(given)
}

/// Reads a key: a value, or the key property's name, `=` and a value.
pub(super) fn parse_key(
    ty: &'static StructuredType,
    text: &str,
    aliases: &[Alias<'_>],
) -> Result<String, Error> {
    let lexer = Lexer::new("path", text);
    let mut value = lexer.token(0)?;
    if let Token::Name(name) = value.token {
        let equals = lexer.token(value.end)?;
        if equals.token == Token::Symbol('=') {
            if names::key(ty).is_none_or(|key| key.name != name) {
                let kind = Kind::UnknownProperty { name: name.to_owned() };
                let known = names::key(ty).map(|key| key.name);
                return Err(lexer.error(kind, value.start).suggesting(name, known));
            }
            value = lexer.token(equals.end)?;
        }
    }
    let key = match resolved(&value.token, aliases) {
        Some(Literal::String(key) | Literal::Guid(key)) => key,
        Some(Literal::Integer(key)) => key.to_string(),
        _ => return Err(lexer.expected("key", value.start)),
    };
    let behind = lexer.token(value.end)?;
    match behind.token {
        Token::End => Ok(key),
        _ => Err(lexer.expected("')'", behind.start)),
    }
}

/// The value of a literal, or of an alias that stands for one.
fn resolved(token: &Token<'_>, aliases: &[Alias<'_>]) -> Option<Literal> {
    match token {
        Token::Literal(literal) => Some(literal.clone()),
        // An alias without a value is null (URL Conventions 5.3.1).
        Token::At(name) if aliases.iter().all(|alias| alias.name != name[1..]) => {
            Some(Literal::Null)
        }
        Token::At(name) => alias(&name[1..], aliases),
        _ => None,
    }
}

fn alias(name: &str, aliases: &[Alias<'_>]) -> Option<Literal> {
    match &aliases.iter().find(|alias| alias.name == name)?.value.kind {
        ExprKind::Literal(literal) => Some(literal.clone()),
        _ => None,
    }
}

fn typed(
    lexer: &Lexer<'_>,
    parameter: &Parameter,
    value: Literal,
    at: usize,
) -> Result<Literal, Error> {
    let found = value.type_name().to_owned();
    let is_null = value == Literal::Null;
    value.into_type(&parameter.ty).filter(|_| parameter.is_nullable || !is_null).ok_or_else(|| {
        let expected = type_name(&parameter.ty).to_owned();
        lexer.error(Kind::TypeMismatch { expected, found }, at)
    })
}

/// Graph's own sentence for an empty argument doesn't quote what it found.
fn expression_expected(lexer: &Lexer<'_>, at: usize) -> Error {
    let mut error = lexer.expected("expression", at);
    if let Kind::Malformed { found, .. } = &mut error.kind {
        found.clear();
    }
    error
}
