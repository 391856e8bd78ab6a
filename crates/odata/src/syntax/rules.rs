//! Rules of the OData ABNF by name, as far as they concern a service that reads.

use crate::ast::Options;
use crate::error::{Error, Kind};
use crate::lexer::{Lexer, Token};
use crate::limits::Limits;
use crate::literal::Literal;
use crate::options::Query;
use crate::parser::{Parser, Usage};
use crate::path;
use crate::percent::{Plus, decode};

/// Whether a text follows a rule of the ABNF, whose name is read without regard to case. The text is
/// a piece of a URL, as it is sent. `None` for rules that a reading service has no use for.
pub fn check(rule: &str, text: &str) -> Option<Result<(), Error>> {
    Some(match rule.to_ascii_lowercase().as_str() {
        "queryoptions" | "systemqueryoption" | "customqueryoption" | "filter" | "expand"
        | "select" | "orderby" | "search" | "compute" | "apply" | "skiptoken" | "deltatoken" => {
            options(text)
        }
        "searchexpr" => options(&format!("$search={text}")),
        "odatarelativeuri" if !text.starts_with('$') => relative(text),
        "resourcepath" => resource_path(text),
        "commonexpr" | "boolcommonexpr" | "isofexpr" | "notexpr" | "propertypathexpr"
        | "firstmemberexpr" => expression(text),
        "anyexpr" | "allexpr" => expression(&format!("items/{text}")),
        "odataidentifier" | "entitysetname" => identifier(text),
        "null" => literal(text, |it| *it == Literal::Null),
        "boolean" => literal(text, |it| matches!(it, Literal::Boolean(_))),
        "guid" => literal(text, |it| matches!(it, Literal::Guid(_))),
        "date" | "dateliteral" => literal(text, |it| matches!(it, Literal::Date(_))),
        "datetimeoffsetliteral" | "datetimeoffsetvalueinurl" => {
            literal(text, |it| matches!(it, Literal::DateTimeOffset(_)))
        }
        "timeofdayliteral" => literal(text, |it| matches!(it, Literal::TimeOfDay(_))),
        "durationliteral" => {
            literal(text, |it| matches!(it, Literal::Duration(_) | Literal::String(_)))
        }
        "enumliteral" => {
            literal(text, |it| matches!(it, Literal::Enum { .. } | Literal::String(_)))
        }
        "stringliteral" => literal(text, |it| matches!(it, Literal::String(_))),
        "binaryliteral" => literal(text, |it| matches!(it, Literal::Binary(_))),
        "sbyteliteral" | "byteliteral" | "int16literal" | "int32literal" | "int64literal" => {
            literal(text, |it| matches!(it, Literal::Integer(_)))
        }
        "decimalliteral" | "doubleliteral" | "singleliteral" => {
            literal(text, |it| matches!(it, Literal::Integer(_) | Literal::Number(_)))
        }
        "primitiveliteral" => literal(text, |_| true),
        geo if geo.starts_with("geography") || geo.starts_with("geometry") => {
            literal(text, |it| matches!(it, Literal::Geo(_)))
        }
        _ => return None,
    })
}

fn options(text: &str) -> Result<(), Error> {
    let limits = Limits::default();
    let texts = Query::parse(text, &limits)?;
    let mut used = Usage::default();
    for (name, text) in &texts.aliases {
        used = Parser::new(format!("@{name}"), text, &limits, used).whole_expression()?.1;
    }
    let mut options = Options::default();
    for (option, text) in &texts.system {
        used = Parser::new(option.name(), text, &limits, used).option(*option, &mut options)?;
    }
    Ok(())
}

fn relative(text: &str) -> Result<(), Error> {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    resource_path(path)?;
    options(query)
}

fn expression(text: &str) -> Result<(), Error> {
    let limits = Limits::default();
    let text = decoded(text)?;
    Parser::new("expression", &text, &limits, Usage::default()).whole_expression().map(drop)
}

/// A path as far as it can be read without a model: which name is what is not known, and any
/// segment but the first may be a key.
fn resource_path(text: &str) -> Result<(), Error> {
    let segments = path::split(text)?;
    let mut is_end = false;
    for (index, segment) in segments.iter().enumerate() {
        let refuse = || {
            let kind = Kind::NotFound { segment: segment.clone().into_owned() };
            Err(Error::at(kind, "path", segment, 0))
        };
        if is_end {
            return refuse();
        }
        if let Some(condition) = segment.strip_prefix(path::FILTER) {
            let close = path::closing(condition);
            let Some(close) = close.filter(|_| index > 0) else { return refuse() };
            expression(&condition[..close])?;
            continue;
        }
        if segment.starts_with('$') {
            is_end = matches!(&**segment, "$count" | "$ref" | "$value" | "$query");
            if !(is_end || *segment == "$each") || index == 0 {
                return refuse();
            }
            // A POST to `/$query` may ask for any of them.
            is_end &= segments.get(index + 1).is_none_or(|next| *next != "$query");
            continue;
        }
        let Some((name, groups)) = path::split_groups(segment) else {
            if index == 0 {
                return refuse();
            }
            continue;
        };
        if index == 0 {
            identifier(name)?;
        }
        if identifier(name).is_ok() || !groups.is_empty() {
            for group in groups {
                arguments(group)?;
            }
        }
    }
    Ok(())
}

/// Arguments or keys: values, each with or without a name.
fn arguments(text: &str) -> Result<(), Error> {
    let lexer = Lexer::new("path", text);
    let mut next = lexer.token(0)?;
    while next.token != Token::End {
        if matches!(next.token, Token::Name(_)) {
            let equals = lexer.token(next.end)?;
            if equals.token != Token::Symbol('=') {
                return Err(lexer.expected("'='", equals.start));
            }
            next = lexer.token(equals.end)?;
        }
        if !matches!(next.token, Token::Literal(_) | Token::At(_)) {
            return Err(lexer.expected("value", next.start));
        }
        next = lexer.token(next.end)?;
        match next.token {
            Token::Symbol(',') => next = lexer.token(next.end)?,
            Token::End => {}
            _ => return Err(lexer.expected("','", next.start)),
        }
    }
    Ok(())
}

fn identifier(text: &str) -> Result<(), Error> {
    let lexer = Lexer::new("name", text);
    match lexer.token(0)? {
        name if name.token == Token::Name(text) && !text.contains('.') => Ok(()),
        _ => Err(lexer.expected("name", 0)),
    }
}

fn literal(text: &str, is_fitting: impl Fn(&Literal) -> bool) -> Result<(), Error> {
    let text = decoded(text)?;
    let lexer = Lexer::new("literal", &text);
    let found = lexer.token(0)?;
    match &found.token {
        Token::Literal(literal) if is_fitting(literal) && found.end == text.len() => Ok(()),
        _ => Err(lexer.expected("value", found.start)),
    }
}

fn decoded(text: &str) -> Result<std::borrow::Cow<'_, str>, Error> {
    decode(text, Plus::Literal).map_err(|byte| {
        let expected = "percent-encoded UTF-8".into();
        Error::at(Kind::Malformed { expected, found: String::new() }, "text", text, byte)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_from_those_that_break_a_rule() {
        for (rule, text, is_right) in [
            ("filter", "$filter=a%20eq%201", true),
            ("FILTER", "$filter=a eq", false),
            ("queryOptions", "$top=5&custom=1&@p=a/b", true),
            ("queryOptions", "$top=x", false),
            ("commonExpr", "a/b add 5", true),
            ("boolCommonExpr", "not", true),
            ("boolCommonExpr", "(a", false),
            ("anyExpr", "any(x:x/b)", true),
            ("date", "2025-05-01", true),
            ("date", "2025-13-01", false),
            ("guid", "2025-05-01", false),
            ("int32Literal", "%2B5", true),
            ("stringLiteral", "'O''Neil'", true),
            ("stringLiteral", "'O'Neil'", false),
            ("odataIdentifier", "a.b", false),
            ("resourcePath", "Things('a')/b/$count", true),
            ("resourcePath", "Things/$count/b", false),
            ("resourcePath", "Things(A=1,B=@b)/$filter(c eq 'd/e')/f/$ref", true),
            ("resourcePath", "Things(A=wrong)", false),
            ("resourcePath", ".Things", false),
            ("odataRelativeUri", "Things?$filter=a", true),
            ("odataRelativeUri", "Things?$fliter=a", false),
        ] {
            let found = check(rule, text).expect("a rule that is read");
            assert_eq!(found.is_ok(), is_right, "{rule}: {text}: {found:?}");
        }
        assert!(check("header", "x").is_none());
        assert!(check("odataRelativeUri", "$metadata").is_none());
    }
}
