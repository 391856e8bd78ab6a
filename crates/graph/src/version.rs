//! The versions of Graph's API.

use odata::edm::Model;

/// A version of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ApiVersion {
    /// `/v1.0`
    V1,
    /// `/beta`
    Beta,
}

impl ApiVersion {
    pub(crate) const ALL: [Self; 2] = [Self::V1, Self::Beta];

    /// The path segment.
    pub(crate) fn segment(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }

    /// The version that a path segment names.
    pub(crate) fn of_segment(segment: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.segment().eq_ignore_ascii_case(segment))
    }

    /// The types and names that the version knows.
    pub(crate) fn model(self) -> &'static Model {
        match self {
            Self::V1 => &model::generated::V1_0,
            Self::Beta => &model::generated::BETA,
        }
    }
}
