//! What form of an answer the client asks for: `Accept`, `$format`, `Prefer`, `OData-Version`.
//!
//! All of it is read once into [`Preferences`], plain data that the resources ask.

mod accept;
mod prefer;

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

pub use accept::Accept;
pub use prefer::{AppliedPreferences, Returns};

use odata::{MetadataLevel, ODataVersion};

use crate::problem::Problem;

/// A form of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Format {
    /// How much control information.
    pub metadata: MetadataLevel,
    /// `Edm.Int64` and `Edm.Decimal` as strings.
    pub ieee754: bool,
}

/// A form of the model's description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataFormat {
    /// CSDL XML.
    Xml,
    /// CSDL JSON.
    Json,
}

/// Everything that the client asks of the form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preferences {
    /// Media types, ranked.
    pub accept: Accept,
    /// Largest page, at least 1; not yet held against the limit of the resource.
    pub max_page_size: Option<u32>,
    /// Leave out null, "" and [].
    pub omit_nulls: bool,
    /// Name the members of an evolvable enumeration that lie beyond `unknownFutureValue`.
    pub unknown_enum_members: bool,
    /// Whether a write is answered with the entity.
    pub returns: Option<Returns>,
    /// Wants to be able to ask for changes later.
    pub track_changes: bool,
    /// The version of the protocol that is written.
    pub version: ODataVersion,
    /// The client takes 4.0 and nothing later.
    takes_only_v4: bool,
}

impl Preferences {
    /// Reads the headers and the `$format` of the raw query.
    pub fn read(headers: &HeaderMap, query: Option<&str>) -> Result<Self, Problem> {
        check_versions(headers)?;
        let accept = match query.map(accept::format_option).transpose()?.flatten() {
            Some(format) => format,
            None => Accept::read(headers),
        };
        let mut preferences = Self {
            accept,
            max_page_size: None,
            omit_nulls: false,
            unknown_enum_members: false,
            returns: None,
            track_changes: false,
            version: version(headers),
            takes_only_v4: headers.contains_key(ODATA_MAX_VERSION)
                && version(headers) == ODataVersion::V4,
        };
        prefer::read(headers, &mut preferences);
        Ok(preferences)
    }

    /// The form of JSON asked for; 406 when none is accepted.
    pub fn json(&self) -> Result<Format, Problem> {
        self.accept.json().ok_or_else(|| unacceptable("application/json"))
    }

    /// Whether plain text is accepted, as `$count` is written; 406 when not.
    pub fn text(&self) -> Result<(), Problem> {
        if self.accept.takes_text() { Ok(()) } else { Err(unacceptable("text/plain")) }
    }

    /// The form of `$metadata` asked for: XML unless JSON, which 4.0 does not know, is ranked higher.
    pub fn metadata_document(&self) -> Result<MetadataFormat, Problem> {
        if self.takes_only_v4 {
            let is_taken = self.accept.takes_xml().then_some(MetadataFormat::Xml);
            return is_taken.ok_or_else(|| unacceptable("application/xml in OData 4.0"));
        }
        self.accept
            .metadata_document()
            .ok_or_else(|| unacceptable("application/xml or application/json"))
    }
}

fn unacceptable(forms: &str) -> Problem {
    Problem::not_acceptable(format!(
        "None of the requested formats is available: the resource is served as {forms}."
    ))
}

const ODATA_VERSION: HeaderName = HeaderName::from_static("odata-version");
const ODATA_MAX_VERSION: HeaderName = HeaderName::from_static("odata-maxversion");

/// The version that is written: 4.0 unless the client says that it takes a later one (OData Protocol
/// section 8.2.7).
pub(crate) fn version(headers: &HeaderMap) -> ODataVersion {
    match headers.get(ODATA_MAX_VERSION).and_then(most) {
        Some(most) if most >= 4.01 => ODataVersion::V401,
        _ => ODataVersion::V4,
    }
}

fn most(value: &HeaderValue) -> Option<f64> {
    value.to_str().ok()?.trim().parse().ok()
}

/// We write 4.0 or 4.01 (OData Protocol sections 8.2.6 and 8.2.7): a request must be 4.0 or 4.01, and the
/// client must take at least 4.0.
fn check_versions(headers: &HeaderMap) -> Result<(), Problem> {
    if let Some(version) = headers.get(ODATA_VERSION)
        && !matches!(version.as_bytes(), b"4.0" | b"4.01")
    {
        return Err(
            Problem::bad_request("OData-Version must be 4.0 or 4.01.").with_target("OData-Version")
        );
    }
    if let Some(value) = headers.get(ODATA_MAX_VERSION)
        && !most(value).is_some_and(|most| most >= 4.0)
    {
        return Err(Problem::bad_request("OData-MaxVersion must be 4.0 or higher.")
            .with_target("OData-MaxVersion"));
    }
    Ok(())
}

/// The value of parameter `q` in thousandths (RFC 9110 section 12.4.2). An unreadable one counts
/// as 1, as if it were absent.
pub fn quality(text: &str) -> u16 {
    match text.trim().parse::<f32>() {
        Ok(q) if (0.0..=1.0).contains(&q) => (q * 1000.0).round() as u16,
        _ => 1000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odata_versions_below_4_are_refused() {
        let cases = [
            (ODATA_VERSION, "4.0", true),
            (ODATA_VERSION, "4.01", true),
            (ODATA_VERSION, "3.0", false),
            (ODATA_VERSION, "x", false),
            (ODATA_MAX_VERSION, "4.0", true),
            (ODATA_MAX_VERSION, "4.01", true),
            (ODATA_MAX_VERSION, "5.0", true),
            (ODATA_MAX_VERSION, "3.0", false),
            (ODATA_MAX_VERSION, "", false),
        ];
        for (name, value, accepted) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(name.clone(), HeaderValue::from_static(value));
            let read = Preferences::read(&headers, None);
            assert_eq!(read.is_ok(), accepted, "{name}: {value}");
        }
    }

    #[test]
    fn format_overrides_accept() {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::ACCEPT, HeaderValue::from_static("text/html"));
        assert!(Preferences::read(&headers, None).unwrap().json().is_err());
        let read = Preferences::read(&headers, Some("$top=1&$format=json")).unwrap();
        assert_eq!(read.json().unwrap(), Format::default());
    }
}
