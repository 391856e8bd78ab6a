//! Preferences (RFC 7240): the `Prefer` header, and `Preference-AppliedPreferences` in answer to it.

use std::fmt::Write;

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use super::Preferences;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What a write is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// 204 and no body.
    Minimal,
    /// The entity.
    Representation,
}

/// Which preferences shaped an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AppliedPreferences {
    /// The page size that was really used.
    pub max_page_size: Option<u32>,
    /// `omit-values=nulls`.
    pub omit_nulls: bool,
    /// `include-unknown-enum-members`.
    pub unknown_enum_members: bool,
    /// `return=…`.
    pub returns: Option<Returns>,
    /// `track-changes`.
    pub track_changes: bool,
}

impl AppliedPreferences {
    /// Adds the header line when there is something to tell.
    pub fn stamp(self, headers: &mut HeaderMap) {
        if self == Self::default() {
            return;
        }
        let mut line = String::new();
        if let Some(size) = self.max_page_size {
            write!(line, "odata.maxpagesize={size}, ").expect("a string takes all text");
        }
        if self.omit_nulls {
            line.push_str("omit-values=nulls, ");
        }
        if self.unknown_enum_members {
            line.push_str("include-unknown-enum-members, ");
        }
        if self.track_changes {
            line.push_str("track-changes, ");
        }
        match self.returns {
            Some(Returns::Minimal) => line.push_str("return=minimal, "),
            Some(Returns::Representation) => line.push_str("return=representation, "),
            None => {}
        }
        let value = HeaderValue::from_str(line.trim_end_matches(", "))
            .expect("names and digits are visible ASCII");
        headers.insert(PREFERENCE_APPLIED, value);
    }
}

/// Reads every preference that is known. Others, and unreadable values, are ignored as RFC 7240
/// section 2 asks; of a repeated one the first counts.
pub(super) fn read(headers: &HeaderMap, into: &mut Preferences) {
    let mut omit_values = None;
    for line in headers.get_all(PREFER) {
        let Ok(line) = line.to_str() else { continue };
        for preference in line.split(',') {
            let preference = preference.split(';').next().unwrap_or_default();
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            let name = name.trim().to_ascii_lowercase();
            let value = value.trim().trim_matches('"');
            // OData 4.01 lets the prefix be left out, 4.0 clients write it.
            match name.strip_prefix("odata.").unwrap_or(&name) {
                "maxpagesize" if into.max_page_size.is_none() => {
                    into.max_page_size = value.parse().ok().filter(|size| *size > 0);
                }
                "omit-values" if omit_values.is_none() => {
                    omit_values = Some(value.eq_ignore_ascii_case("nulls"));
                }
                "track-changes" => into.track_changes = true,
                "include-unknown-enum-members" => into.unknown_enum_members = true,
                "return" if into.returns.is_none() => {
                    into.returns = match value.to_ascii_lowercase().as_str() {
                        "minimal" => Some(Returns::Minimal),
                        "representation" => Some(Returns::Representation),
                        _ => None,
                    };
                }
                _ => {}
            }
        }
    }
    into.omit_nulls = omit_values.unwrap_or(false);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefer(lines: &[&str]) -> Preferences {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(PREFER, line.parse().unwrap());
        }
        Preferences::read(&headers, None).unwrap()
    }

    #[test]
    fn page_sizes_are_read_in_both_spellings() {
        let cases: [(&[&str], Option<u32>); 9] = [
            (&["odata.maxpagesize=10"], Some(10)),
            (&["maxpagesize=10"], Some(10)),
            (&["OData.MaxPageSize = \"7\""], Some(7)),
            (&["respond-async, odata.maxpagesize=3; x=y"], Some(3)),
            (&["odata.maxpagesize=3", "odata.maxpagesize=4"], Some(3)),
            (&["odata.maxpagesize=0"], None),
            (&["odata.maxpagesize=-1"], None),
            (&["odata.maxpagesize=99999999999"], None),
            (&["odata.maxpagesize"], None),
        ];
        for (lines, expected) in cases {
            assert_eq!(prefer(lines).max_page_size, expected, "{lines:?}");
        }
    }

    #[test]
    fn flags_are_read_from_several_lines_and_lists() {
        let read = prefer(&["omit-values=nulls, include-unknown-enum-members", "return=minimal"]);
        assert!(prefer(&["odata.track-changes"]).track_changes && !read.track_changes);
        assert!(read.omit_nulls && read.unknown_enum_members);
        assert_eq!(read.returns, Some(Returns::Minimal));
        assert!(!prefer(&["omit-values=defaults"]).omit_nulls);
        assert!(!prefer(&["wait=10"]).unknown_enum_members);
    }

    #[test]
    fn what_was_applied_is_told_and_nothing_else() {
        let line = |applied: AppliedPreferences| {
            let mut headers = HeaderMap::new();
            applied.stamp(&mut headers);
            headers.get(PREFERENCE_APPLIED).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(line(AppliedPreferences::default()), None);
        let all = AppliedPreferences {
            max_page_size: Some(60),
            omit_nulls: true,
            unknown_enum_members: true,
            returns: Some(Returns::Representation),
            track_changes: true,
        };
        assert_eq!(
            line(all).as_deref(),
            Some(
                "odata.maxpagesize=60, omit-values=nulls, include-unknown-enum-members, \
                 track-changes, return=representation"
            )
        );
    }
}
