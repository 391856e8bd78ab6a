//! Text to tokens, one at a time and only when the parser asks.
//!
//! The language is ambiguous for a lexer that knows no context (`2012-09-03` is a date, `a1b2…` may
//! be a GUID or a name, a `(` opens a group, a call or a list), so a token is what stands here at
//! its longest, and the parser decides what it means.

mod scan;

use std::borrow::Cow;

use crate::bound::Place;
use crate::error::{Error, Kind};
use crate::literal::Literal;

/// What stands between words and means nothing else: the blank and the tab of the grammar (`RWS`), and the
/// breaks of lines, since long queries are written on several. Inside of quotes each stands for itself.
pub(crate) const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Nothing more.
    End,
    /// One of `( ) , / : ; = * - [ ] { } .`
    Symbol(char),
    /// An identifier, or several with dots between them.
    Name(&'a str),
    /// `$it`, `$count` and the like, with the dollar.
    Dollar(&'a str),
    /// `@alias`, or an annotation `@Namespace.Term#Qualifier`, with the at-sign.
    At(&'a str),
    /// A value.
    Literal(Literal),
    /// A JSON string, its escapes undone.
    Json(String),
}

/// A token with the bytes that it takes.
#[derive(Debug, Clone)]
pub(crate) struct SpannedToken<'a> {
    pub(crate) token: Token<'a>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Reads tokens from one decoded option.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    option: Cow<'static, str>,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(option: impl Into<Cow<'static, str>>, text: &'a str) -> Self {
        Self { text, option: option.into() }
    }

    /// The place at a byte offset of the option.
    pub(crate) fn place(&self, byte: usize) -> Place {
        let position = self.text.char_indices().take_while(|(at, _)| *at < byte).count();
        let option = match self.option {
            Cow::Borrowed(name) => name,
            Cow::Owned(_) => "@",
        };
        Place { option, position }
    }

    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// An error of any kind at a byte offset.
    pub(crate) fn error(&self, kind: Kind, byte: usize) -> Error {
        Error::at(kind, self.option.clone(), self.text, byte)
    }

    /// An error that says what should stand at a byte offset; what does is quoted.
    pub(crate) fn expected(&self, expected: impl Into<Cow<'static, str>>, byte: usize) -> Error {
        let rest = self.text.get(byte..).unwrap_or_default();
        let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '@');
        let found = match rest.chars().next() {
            Some(c) if word(c) => rest.chars().take_while(|c| word(*c)).take(40).collect(),
            Some(c) => c.to_string(),
            None => String::new(),
        };
        self.error(Kind::Malformed { expected: expected.into(), found }, byte)
    }

    /// The token at or behind `from`, white space skipped.
    pub(crate) fn token(&self, from: usize) -> Result<SpannedToken<'a>, Error> {
        let rest = self.text.get(from..).unwrap_or_default();
        let start = from + (rest.len() - rest.trim_start_matches(SPACE).len());
        let rest = &self.text[start.min(self.text.len())..];
        let Some(first) = rest.chars().next() else {
            return Ok(SpannedToken { token: Token::End, start, end: start });
        };
        let (token, length) = match first {
            '(' | ')' | ',' | '/' | ':' | ';' | '=' | '*' | '[' | ']' | '{' | '}' | '.' => {
                (Token::Symbol(first), 1)
            }
            '\'' => {
                let (text, length) = self.quoted(rest, start)?;
                (Token::Literal(Literal::String(text)), length)
            }
            '"' => {
                let (text, length) = scan::json_string(rest)
                    .ok_or_else(|| self.expected("JSON string that ends with '\"'", start))?;
                (Token::Json(text), length)
            }
            '$' => {
                let length = 1 + scan::identifier(&rest[1..]);
                (Token::Dollar(&rest[..length]), length)
            }
            '@' => {
                let length = scan::annotation(rest);
                (Token::At(&rest[..length]), length)
            }
            '-' | '+' | '0'..='9' => self.number(rest, start)?,
            _ => self.word(rest, start)?,
        };
        Ok(SpannedToken { token, start, end: start + length })
    }

    /// A string in single quotes, a doubled one inside standing for one; with the bytes it takes.
    fn quoted(&self, rest: &str, start: usize) -> Result<(String, usize), Error> {
        scan::quoted(rest).ok_or_else(|| self.expected("string that ends with a quote", start))
    }

    fn number(&self, rest: &'a str, start: usize) -> Result<(Token<'a>, usize), Error> {
        if let Some((length, literal)) = scan::temporal(rest) {
            let literal = literal
                .ok_or_else(|| self.expected("date, or date and time with offset", start))?;
            return Ok((Token::Literal(literal), length));
        }
        if let Some(length) = scan::guid(rest) {
            return Ok((Token::Literal(Literal::Guid(rest[..length].to_owned())), length));
        }
        if let Some((length, literal)) = scan::number(rest) {
            return Ok((Token::Literal(literal), length));
        }
        if rest.starts_with('-') {
            return Ok((Token::Symbol('-'), 1));
        }
        Err(self.expected("expression", start))
    }

    fn word(&self, rest: &'a str, start: usize) -> Result<(Token<'a>, usize), Error> {
        if let Some(length) = scan::guid(rest) {
            return Ok((Token::Literal(Literal::Guid(rest[..length].to_owned())), length));
        }
        let length = scan::qualified_name(rest);
        if length == 0 {
            return Err(self.expected("expression", start));
        }
        let name = &rest[..length];
        let behind = &rest[length..];
        if behind.starts_with('\'') {
            let (text, quoted) = self.quoted(behind, start + length)?;
            let literal = scan::prefixed(name, text)
                .ok_or_else(|| self.expected(format!("valid {name} literal"), start))?;
            return Ok((Token::Literal(literal), length + quoted));
        }
        let literal = match name {
            "null" => Some(Literal::Null),
            "INF" | "NaN" => Some(Literal::Number(name.to_owned())),
            _ if name.eq_ignore_ascii_case("true") => Some(Literal::Boolean(true)),
            _ if name.eq_ignore_ascii_case("false") => Some(Literal::Boolean(false)),
            _ => None,
        };
        Ok((literal.map_or(Token::Name(name), Token::Literal), length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let lexer = Lexer::new("$filter", text);
        let mut at = 0;
        let mut out = Vec::new();
        loop {
            let next = match lexer.token(at) {
                Ok(next) => next,
                Err(error) => {
                    out.push(format!("error at {}", error.position));
                    return out;
                }
            };
            at = next.end;
            out.push(match next.token {
                Token::End => return out,
                Token::Symbol(symbol) => symbol.to_string(),
                Token::Name(name) => format!("name {name}"),
                Token::Dollar(name) | Token::At(name) => name.to_owned(),
                Token::Literal(literal) => format!("{} {literal}", literal.type_name()),
                Token::Json(text) => format!("json {text}"),
            });
        }
    }

    #[test]
    fn each_way_of_writing_a_value_is_told_apart() {
        let cases: &[(&str, &str)] = &[
            ("null", "null null"),
            ("tRUe", "Edm.Boolean true"),
            ("-5", "Edm.Int64 -5"),
            ("+42", "Edm.Int64 42"),
            ("9223372036854775808", "Edm.Decimal 9223372036854775808"),
            ("3.14e-1", "Edm.Decimal 3.14e-1"),
            ("-INF", "Edm.Decimal -INF"),
            ("NaN", "Edm.Decimal NaN"),
            ("'O''Neil'", "Edm.String 'O''Neil'"),
            (
                "01234567-89ab-cdef-0123-456789abcdef",
                "Edm.Guid 01234567-89ab-cdef-0123-456789abcdef",
            ),
            (
                "Abcdef12-89ab-cdef-0123-456789abcdef",
                "Edm.Guid Abcdef12-89ab-cdef-0123-456789abcdef",
            ),
            ("2012-09-03", "Edm.Date 2012-09-03"),
            ("-10000-04-01", "Edm.Date -10000-04-01"),
            ("2012-09-03T23:59+01:00", "Edm.DateTimeOffset 2012-09-03T23:59:00+01:00"),
            ("2025-05-01T00:00:00.000Z", "Edm.DateTimeOffset 2025-05-01T00:00:00Z"),
            ("11:22:33.4444", "Edm.TimeOfDay 11:22:33.4444"),
            ("duration'P6DT23H59M59.9999S'", "Edm.Duration duration'P6DT23H59M59.9999S'"),
            ("Sales.Pattern'Solid,Yellow'", "Sales.Pattern Sales.Pattern'Solid,Yellow'"),
            ("binary'Zg'", "Edm.Binary binary'Zg'"),
            (
                "geography'SRID=0;Point(142.1 64.1)'",
                "Edm.Geography geography'SRID=0;Point(142.1 64.1)'",
            ),
        ];
        for (text, expect) in cases {
            assert_eq!(tokens(text), [*expect], "{text}");
        }
    }

    #[test]
    fn tokens_stand_without_space_between_them() {
        assert_eq!(
            tokens("a/b.c eq(-Price,$it/@x.y#z)"),
            [
                "name a",
                "/",
                "name b.c",
                "name eq",
                "(",
                "-",
                "name Price",
                ",",
                "$it",
                "/",
                "@x.y#z",
                ")"
            ]
        );
        assert_eq!(tokens("Model.*"), ["name Model", ".", "*"]);
        assert_eq!(
            tokens("2019-11-01T00:00:00+00:00toDateTime=2019-12-01toDateTime"),
            [
                "Edm.DateTimeOffset 2019-11-01T00:00:00Z",
                "name toDateTime",
                "=",
                "Edm.Date 2019-12-01",
                "name toDateTime"
            ]
        );
    }

    #[test]
    fn a_break_of_a_line_is_a_blank_but_inside_of_quotes() {
        assert_eq!(tokens("a\r\n  eq\n'b\n'"), ["name a", "name eq", "Edm.String 'b\n'"]);
        assert_eq!(tokens("a\n"), ["name a"]);
    }

    #[test]
    fn json_strings_lose_their_escapes() {
        assert_eq!(tokens(r#""a\"b\u00fc\ud83d\ude00""#), ["json a\"bü😀"]);
        assert_eq!(tokens("["), ["["]);
        assert_eq!(tokens(r#""open"#), ["error at 0"]);
        assert_eq!(tokens(r#""\q""#), ["error at 0"]);
    }

    #[test]
    fn malformed_values_are_refused_at_their_place() {
        for text in [
            "'open",
            "2012-13-03",
            "2012-09-03T24:00Z",
            "2012-09-03T10:00",
            "duration'x'",
            "#",
            "+",
        ] {
            assert_eq!(tokens(text), ["error at 0"], "{text}");
        }
        assert_eq!(tokens("a \u{7}"), ["name a", "error at 2"]);
    }
}
