//! Media types: the `Accept` header and the `$format` option.

use http::HeaderMap;
use http::header::{ACCEPT, HeaderValue};
use odata::MetadataLevel;

use super::{Format, MetadataFormat, quality};
use crate::problem::Problem;

/// What the client takes, ranked in thousandths; 0 is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accept {
    json: u16,
    /// The form that goes with `json`.
    format: Format,
    xml: u16,
    text: u16,
}

/// How exactly a media range names a type: a more exact one wins over a higher `q` elsewhere
/// (RFC 9110 section 12.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exactness {
    Anything,
    Group,
    Named,
}

/// The rank of one type while the ranges are read.
#[derive(Clone, Copy)]
struct Rank {
    quality: u16,
    by: Option<Exactness>,
}

impl Rank {
    const NONE: Self = Self { quality: 0, by: None };

    /// Takes over what a range says; of equally exact ones the higher ranked, and of those the
    /// first.
    fn offer(&mut self, quality: u16, by: Exactness) -> bool {
        let wins = self.by < Some(by) || (self.by == Some(by) && self.quality < quality);
        if wins {
            *self = Self { quality, by: Some(by) };
        }
        wins
    }
}

impl Accept {
    /// A client without the header takes anything.
    const ANYTHING: Self = Self {
        json: 1000,
        format: Format { metadata: MetadataLevel::Minimal, ieee754: false },
        xml: 1000,
        text: 1000,
    };

    /// A client that takes JSON alone.
    const JSON: Self = Self { xml: 0, text: 0, ..Self::ANYTHING };

    /// Reads the header. The two lines that nearly all clients send are known by sight.
    pub fn read(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(ACCEPT).iter();
        match (lines.next().map(HeaderValue::as_bytes), lines.next()) {
            (None, _) | (Some(b"*/*"), None) => Self::ANYTHING,
            (Some(b"application/json"), None) => Self::JSON,
            _ => {
                let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
                Self::parse(&lines.collect::<Vec<_>>().join(","))
            }
        }
    }

    /// Reads a list of media ranges. Nothing readable in it counts as an absent header.
    fn parse(list: &str) -> Self {
        let (mut json, mut xml, mut text) = (Rank::NONE, Rank::NONE, Rank::NONE);
        let mut format = Format::default();
        let mut is_empty = true;
        for range in list.split(',').map(str::trim).filter(|range| !range.is_empty()) {
            is_empty = false;
            let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
            let name = name.trim().to_ascii_lowercase();
            let Some((quality, asked)) = read_parameters(parameters) else { continue };
            match name.as_str() {
                "*/*" => {
                    if json.offer(quality, Exactness::Anything) {
                        format = asked;
                    }
                    xml.offer(quality, Exactness::Anything);
                    text.offer(quality, Exactness::Anything);
                }
                "application/*" => {
                    if json.offer(quality, Exactness::Group) {
                        format = asked;
                    }
                    xml.offer(quality, Exactness::Group);
                }
                "text/*" => {
                    text.offer(quality, Exactness::Group);
                }
                "application/json" if json.offer(quality, Exactness::Named) => format = asked,
                "application/xml" => {
                    xml.offer(quality, Exactness::Named);
                }
                "text/plain" => {
                    text.offer(quality, Exactness::Named);
                }
                _ => {}
            }
        }
        if is_empty {
            return Self::ANYTHING;
        }
        Self { json: json.quality, format, xml: xml.quality, text: text.quality }
    }

    /// The form of JSON taken.
    pub(super) fn json(self) -> Option<Format> {
        (self.json > 0).then_some(self.format)
    }

    /// A raw count is text, but clients that ask for JSON everywhere get it too, as from Graph.
    pub(super) fn takes_text(self) -> bool {
        self.text > 0 || self.json > 0
    }

    /// Whether XML is taken.
    pub(super) fn takes_xml(self) -> bool {
        self.xml > 0
    }

    /// The form of the model's description; a tie goes to XML, the form of OData 4.0.
    pub(super) fn metadata_document(self) -> Option<MetadataFormat> {
        match (self.xml, self.json) {
            (0, 0) => None,
            (xml, json) if json > xml => Some(MetadataFormat::Json),
            _ => Some(MetadataFormat::Xml),
        }
    }
}

/// `q` and the form that the parameters of a JSON range ask for. `None` when they ask for a form
/// that isn't there (`metadata=verbose`, or any parameter that is not known), so that the range does not
/// count. What stands behind `q` is no parameter of the type.
fn read_parameters(parameters: &str) -> Option<(u16, Format)> {
    let mut format = Format::default();
    for parameter in parameters.split(';').filter(|parameter| !parameter.trim().is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => return Some((quality(value), format)),
            // 4.01 allows the names without the prefix.
            "odata.metadata" | "metadata" => format.metadata = level(value)?,
            "ieee754compatible" => format.ieee754 = flag(value)?,
            // How numbers with an exponent are written is the form of the stored ones.
            "odata.streaming" | "streaming" | "exponentialdecimals" if flag(value).is_some() => {}
            "charset" => {}
            _ => return None,
        }
    }
    Some((1000, format))
}

fn flag(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn level(text: &str) -> Option<MetadataLevel> {
    match text.to_ascii_lowercase().as_str() {
        "none" => Some(MetadataLevel::None),
        "minimal" => Some(MetadataLevel::Minimal),
        "full" => Some(MetadataLevel::Full),
        _ => None,
    }
}

/// What the `$format` option of a raw query asks for, which then replaces the header (OData
/// Protocol section 11.2.12): a media type, or `json` or `xml`.
pub(super) fn format_option(query: &str) -> Result<Option<Accept>, Problem> {
    if !contains_format(query.as_bytes()) {
        return Ok(None);
    }
    let mut found = None;
    for option in query.split('&') {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let name = decode(name)?;
        if !name.strip_prefix('$').unwrap_or(&name).eq_ignore_ascii_case("format") {
            continue;
        }
        if found.is_some() {
            return Err(Problem::bad_request("$format is given twice.").with_target("$format"));
        }
        let value = decode(value)?;
        let accept = match value.trim().to_ascii_lowercase().as_str() {
            "json" => Accept::parse("application/json"),
            "xml" => Accept::parse("application/xml"),
            _ => Accept::parse(&value),
        };
        if value.trim().is_empty() || (accept.json, accept.xml, accept.text) == (0, 0, 0) {
            return Err(Problem::not_acceptable("$format asks for an unknown format.")
                .with_target("$format"));
        }
        found = Some(accept);
    }
    Ok(found)
}

fn decode(text: &str) -> Result<std::borrow::Cow<'_, str>, Problem> {
    odata::percent::decode(text, odata::percent::Plus::Literal).map_err(|position| {
        Problem::bad_request(format!("Bad percent-encoding at position {position} of the query."))
    })
}

/// A quick look, so that queries without the option pay nothing. A name with encoded letters
/// (`%66ormat`) passes unseen; no client writes it.
fn contains_format(query: &[u8]) -> bool {
    query.windows(6).any(|window| window.eq_ignore_ascii_case(b"format"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(metadata: MetadataLevel, ieee754: bool) -> Format {
        Format { metadata, ieee754 }
    }

    #[test]
    fn accept_gives_the_form_of_json() {
        use MetadataLevel::{Full, Minimal, None as No};
        let cases = [
            ("", Some(json(Minimal, false))),
            ("*/*", Some(json(Minimal, false))),
            ("application/json", Some(json(Minimal, false))),
            ("Application/JSON; charset=utf-8", Some(json(Minimal, false))),
            ("application/*", Some(json(Minimal, false))),
            ("application/json;odata.metadata=none", Some(json(No, false))),
            ("application/json; odata.metadata = full", Some(json(Full, false))),
            ("application/json;odata.metadata=\"full\"", Some(json(Full, false))),
            ("application/json;metadata=full", Some(json(Full, false))),
            ("application/json;IEEE754Compatible=true", Some(json(Minimal, true))),
            ("application/json;odata.metadata=none;IEEE754Compatible=true", Some(json(No, true))),
            ("application/json;odata.metadata=verbose", None),
            ("application/json;foo=bar", None),
            ("application/json;foo=bar, */*;q=0.1", Some(json(Minimal, false))),
            ("application/json;foo=bar, application/json;q=0.1", Some(json(Minimal, false))),
            ("application/json;odata.streaming=true;charset=utf-8;", Some(json(Minimal, false))),
            ("application/json;q=0.5;foo=bar", Some(json(Minimal, false))),
            ("application/json;IEEE754Compatible=perhaps", None),
            (
                "application/json;odata.metadata=verbose, application/json;q=0.5",
                Some(json(Minimal, false)),
            ),
            ("text/html", None),
            ("application/xml", None),
            ("application/json;q=0", None),
            ("*/*, application/json;q=0", None),
            (
                "application/json;q=0.2, application/json;odata.metadata=none;q=0.9",
                Some(json(No, false)),
            ),
            ("application/json;odata.metadata=full, */*", Some(json(Full, false))),
            ("text/html, */*;q=0.1", Some(json(Minimal, false))),
            (",,", Some(json(Minimal, false))),
        ];
        for (header, expected) in cases {
            assert_eq!(Accept::parse(header).json(), expected, "{header}");
        }
    }

    #[test]
    fn metadata_is_xml_unless_json_is_ranked_higher() {
        let cases = [
            ("", Some(MetadataFormat::Xml)),
            ("*/*", Some(MetadataFormat::Xml)),
            ("application/xml", Some(MetadataFormat::Xml)),
            ("application/json", Some(MetadataFormat::Json)),
            ("application/xml, application/json", Some(MetadataFormat::Xml)),
            ("application/xml;q=0.4, application/json;q=0.5", Some(MetadataFormat::Json)),
            ("text/plain", None),
        ];
        for (header, expected) in cases {
            assert_eq!(Accept::parse(header).metadata_document(), expected, "{header}");
        }
    }

    #[test]
    fn a_count_is_text_for_those_who_take_text_or_json() {
        let cases = [
            ("text/plain", true),
            ("application/json", true),
            ("*/*", true),
            ("image/png", false),
            ("application/xml", false),
        ];
        for (header, expected) in cases {
            assert_eq!(Accept::parse(header).takes_text(), expected, "{header}");
        }
    }

    #[test]
    fn several_lines_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, "text/html".parse().unwrap());
        headers.append(ACCEPT, "application/json;odata.metadata=none".parse().unwrap());
        assert_eq!(Accept::read(&headers).json(), Some(json(MetadataLevel::None, false)));
    }

    #[test]
    fn the_common_spellings_read_as_the_parser_reads_them() {
        assert_eq!(Accept::JSON, Accept::parse("application/json"));
        assert_eq!(Accept::ANYTHING, Accept::parse("*/*"));
    }

    #[test]
    fn format_option_takes_short_names_and_media_types() {
        use MetadataLevel::{Full, Minimal};
        let cases = [
            ("$format=json", Ok(Some(json(Minimal, false)))),
            ("%24FORMAT=JSON", Ok(Some(json(Minimal, false)))),
            ("format=application/json;odata.metadata=full", Ok(Some(json(Full, false)))),
            ("$format=application%2Fjson%3Bodata.metadata%3Dfull", Ok(Some(json(Full, false)))),
            ("$format=xml", Ok(None)),
            ("$format=atom", Err(())),
            ("$format=", Err(())),
            ("$format=json&$format=json", Err(())),
            ("$filter=format", Err(())),
        ];
        for (query, expected) in cases {
            let read = match format_option(query) {
                Ok(Some(accept)) => Ok(accept.json()),
                // No such option in the query; told apart from `xml`, which has no JSON.
                Ok(None) => Err(()),
                Err(_) => Err(()),
            };
            assert_eq!(read, expected, "{query}");
        }
        assert!(matches!(format_option("$filter=format"), Ok(None)));
    }
}
