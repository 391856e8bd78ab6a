//! The query of a URL, split into options: spelling, repetition, aliases (URL Conventions 5).
//!
//! Names of system query options are read without regard to case and with or without their dollar,
//! as clients write them. A name that begins with `$` and isn't known is an error; any other
//! unknown name is a custom option, which the standard lets a service ignore (Protocol 11.2.1,
//! URL Conventions 5.2). But a shell that has replaced `$filter` by nothing leaves a value without a
//! name, and a slip of the pen a name that differs by a letter: to ignore these would answer another
//! question than the one that was asked, so they are errors.

use std::borrow::Cow;

use crate::error::{Error, Kind};
use crate::limits::Limits;
use crate::percent::{Plus, decode};
use crate::plus::{self, decode_value};
use crate::system_option::SystemOption;

/// A query with its percent-encoding undone.
#[derive(Debug, Default)]
pub(crate) struct Query<'a> {
    pub(crate) system: Vec<(SystemOption, Cow<'a, str>)>,
    /// Names without the at-sign.
    pub(crate) aliases: Vec<(String, Cow<'a, str>)>,
    /// Custom options, their values not decoded: a function may take one for a parameter.
    pub(crate) custom: Vec<(String, &'a str)>,
}

impl<'a> Query<'a> {
    /// Splits the text behind `?`.
    pub(crate) fn parse(query: &'a str, limits: &Limits) -> Result<Self, Error> {
        let mut out = Self::default();
        let plus = plus::of_query(query);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = on_its_line(decoded(name, Plus::Space, "query")?);
            if let Some(alias) = name.strip_prefix('@') {
                let value = decoded(value, plus, name.clone().into_owned())?;
                out.add_alias(alias, value)?;
            } else if let Some(option) = SystemOption::from_name(&name) {
                let value = decoded(value, plus, option.name())?;
                out.add_system(option, value, limits)?;
            } else if name.starts_with('$') {
                let kind = Kind::UnknownOption { name: name.clone().into_owned() };
                let known = SystemOption::ALL.into_iter().map(SystemOption::name);
                let error = Error::at(kind, name.clone().into_owned(), &name, 0);
                return Err(error.suggesting(&name, known));
            } else {
                if !limits.ignores_slips {
                    refuse_slip(&name, pair)?;
                }
                out.custom.push((name.into_owned(), value));
            }
        }
        Ok(out)
    }

    fn add_alias(&mut self, name: &str, value: Cow<'a, str>) -> Result<(), Error> {
        if self.aliases.iter().any(|(known, _)| known == name) {
            return Err(Error::at(Kind::Repeated, format!("@{name}"), &value, 0));
        }
        // Without a value it is null, like one that is not given (URL Conventions 5.3).
        let value = if value.is_empty() { Cow::Borrowed("null") } else { value };
        self.aliases.push((name.to_owned(), value));
        Ok(())
    }

    fn add_system(
        &mut self,
        option: SystemOption,
        value: Cow<'a, str>,
        limits: &Limits,
    ) -> Result<(), Error> {
        if self.system.iter().any(|(known, _)| *known == option) {
            return Err(Error::at(Kind::Repeated, option.name(), &value, 0));
        }
        if option == SystemOption::Filter && value.len() > limits.filter {
            let kind = Kind::TooMuch { what: "bytes", limit: limits.filter };
            return Err(Error::at(kind, option.name(), "", 0));
        }
        self.system.push((option, value));
        Ok(())
    }
}

/// Refuses what stands at the place of a custom option and is none: a value without a name, and a name
/// that is nearly that of a system option.
fn refuse_slip(name: &str, pair: &str) -> Result<(), Error> {
    let is_letter = |letter: char| letter.is_alphanumeric() || "_-.".contains(letter);
    let is_value = !pair.contains('=')
        && (!name.chars().all(is_letter)
            || name.starts_with(|first: char| first.is_ascii_digit())
            || ["true", "false"].contains(&name));
    if name.is_empty() || is_value {
        let text = decode(pair, Plus::Space).unwrap_or_default().into_owned();
        return Err(Error::at(Kind::NamelessOption { text }, "query", pair, 0));
    }
    let Some(meant) = SystemOption::nearly(name) else { return Ok(()) };
    let kind = Kind::UnknownOption { name: name.to_owned() };
    let mut error = Error::at(kind, name.to_owned(), name, 0);
    error.suggestion = Some(meant.name().into());
    Err(error)
}

/// Checks that `$schemaversion`, if a query has it, asks for the version that there is (OData Protocol
/// 11.2.13): for documents, which have no other option.
///
/// # Errors
/// When it asks for another one.
pub fn check_schema_version(query: &str) -> Result<(), Error> {
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let is_it = decode(name, Plus::Space)
            .is_ok_and(|name| SystemOption::from_name(&name) == Some(SystemOption::SchemaVersion));
        let value = decode(value, Plus::Space).unwrap_or(Cow::Borrowed(value));
        if is_it && value != "*" {
            let kind = Kind::NoSchemaVersion { version: value.clone().into_owned() };
            return Err(Error::at(kind, "$schemaversion", &value, 0));
        }
    }
    Ok(())
}

/// Bytes of the values of `$skiptoken` and `$deltatoken` in a query, which do not count against the length
/// of a URL.
pub(crate) fn token_bytes(query: &str) -> usize {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, _)| {
            decode(name, Plus::Space).is_ok_and(|name| {
                let option = SystemOption::from_name(&name);
                matches!(option, Some(SystemOption::SkipToken | SystemOption::DeltaToken))
            })
        })
        .map(|(_, value)| value.len())
        .sum()
}

/// A name without the break of a line before it, and the blanks behind that: options that are posted stand on
/// lines of their own, with the `&` at the end of one or at the start of the next.
fn on_its_line(name: Cow<'_, str>) -> Cow<'_, str> {
    if name.starts_with(['\r', '\n']) { name.trim().to_owned().into() } else { name }
}

fn decoded(
    text: &str,
    plus: Plus,
    option: impl Into<Cow<'static, str>>,
) -> Result<Cow<'_, str>, Error> {
    decode_value(text, plus).map_err(|byte| {
        let expected = "percent-encoded UTF-8".into();
        Error::at(Kind::Malformed { expected, found: String::new() }, option, text, byte)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<Query<'_>, Kind> {
        Query::parse(query, &Limits::default()).map_err(|error| error.kind)
    }

    #[test]
    fn names_are_read_as_clients_write_them() {
        for name in ["$expand", "%24expand", "expand", "Expand", "$EXPAND"] {
            let query = format!("{name}=sessions%28%24expand%3Dsegments%29");
            let parsed = parse(&query).unwrap();
            assert_eq!(parsed.system.len(), 1, "{name}");
            assert_eq!(parsed.system[0].0, SystemOption::Expand);
            assert_eq!(parsed.system[0].1, "sessions($expand=segments)");
        }
        assert_eq!(
            parse("%24orderby=startDateTime+desc").unwrap().system[0].1,
            "startDateTime desc"
        );
    }

    #[test]
    fn options_may_stand_on_lines_of_their_own() {
        for query in ["$top=1&\n  $skip=2", "$top=1\r\n&$skip=2\n", "$top=1&%0A$skip=2"] {
            let names: Vec<_> =
                parse(query).unwrap().system.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, [SystemOption::Top, SystemOption::Skip], "{query:?}");
        }
    }

    #[test]
    fn an_option_may_stand_once() {
        assert_eq!(parse("$top=1&top=2").unwrap_err(), Kind::Repeated);
        assert_eq!(parse("@p=1&@p=2").unwrap_err(), Kind::Repeated);
        assert_eq!(parse("@p=&@p=2").unwrap_err(), Kind::Repeated);
        assert_eq!(parse("a=1&a=2").unwrap().system.len(), 0);
    }

    #[test]
    fn unknown_names_are_refused_only_with_a_dollar() {
        assert_eq!(parse("$foo=1").unwrap_err(), Kind::UnknownOption { name: "$foo".into() });
        assert!(parse("foo=1&&bar&b-a.z_1&_=17").unwrap().system.is_empty());
    }

    #[test]
    fn a_value_without_a_name_is_refused() {
        for query in [
            "=x",
            "=",
            "version%20gt%201",
            "version+gt+1",
            "a=1&sessions(x)",
            "id,type",
            "5",
            "true",
        ] {
            let found = parse(query).unwrap_err();
            assert!(matches!(found, Kind::NamelessOption { .. }), "{query}: {found:?}");
        }
    }

    #[test]
    fn a_name_that_is_nearly_that_of_a_system_option_is_refused_with_that() {
        let limits = Limits::default();
        for (name, meant) in [
            ("filtr", "$filter"),
            ("fliter", "$filter"),
            ("Filtr", "$filter"),
            ("filters", "$filter"),
            ("selct", "$select"),
            ("expnad", "$expand"),
            ("oderby", "$orderby"),
            ("order_by", "$orderby"),
            ("coutn", "$count"),
            ("serach", "$search"),
            ("tpo", "$top"),
            ("sikp", "$skip"),
            ("skiptokn", "$skiptoken"),
        ] {
            let query = format!("a=1&{name}=x");
            let error = Query::parse(&query, &limits).unwrap_err();
            assert_eq!(error.suggestion.as_deref(), Some(meant), "{name}");
        }
        for name in [
            "to",
            "tip",
            "stop",
            "country",
            "research",
            "level",
            "indexes",
            "custom",
            "api-version",
        ] {
            assert!(parse(&format!("{name}=x")).is_ok(), "{name}");
        }
        let limits = Limits { ignores_slips: true, ..limits };
        for query in ["filtr=x", "=x", "version%20gt%201"] {
            assert!(Query::parse(query, &limits).unwrap().system.is_empty(), "{query}");
        }
    }

    #[test]
    fn broken_encoding_is_refused() {
        assert!(matches!(parse("$filter=%zz").unwrap_err(), Kind::Malformed { .. }));
        assert!(matches!(parse("$filter=%ff").unwrap_err(), Kind::Malformed { .. }));
        assert!(matches!(parse("%f=1").unwrap_err(), Kind::Malformed { .. }));
    }

    #[test]
    fn a_long_filter_is_refused_and_a_long_page_token_is_not_counted() {
        let long = format!("$filter={}", "a".repeat(5000));
        assert!(matches!(parse(&long).unwrap_err(), Kind::TooMuch { .. }));
        assert_eq!(token_bytes("$top=1&%24skiptoken=abcd&x=1"), 4);
    }
}
