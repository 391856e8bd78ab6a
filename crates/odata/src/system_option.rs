//! The names of system query options (URL Conventions 5).

use crate::suggest;

/// The options that the standard defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SystemOption {
    Filter,
    Select,
    Expand,
    OrderBy,
    Top,
    Skip,
    Count,
    Search,
    Compute,
    Apply,
    Format,
    SchemaVersion,
    SkipToken,
    DeltaToken,
    Levels,
    Index,
}

impl SystemOption {
    pub(crate) const ALL: [Self; 16] = [
        Self::Filter,
        Self::Select,
        Self::Expand,
        Self::OrderBy,
        Self::Top,
        Self::Skip,
        Self::Count,
        Self::Search,
        Self::Compute,
        Self::Apply,
        Self::Format,
        Self::SchemaVersion,
        Self::SkipToken,
        Self::DeltaToken,
        Self::Levels,
        Self::Index,
    ];

    /// The name as the standard writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Filter => "$filter",
            Self::Select => "$select",
            Self::Expand => "$expand",
            Self::OrderBy => "$orderby",
            Self::Top => "$top",
            Self::Skip => "$skip",
            Self::Count => "$count",
            Self::Search => "$search",
            Self::Compute => "$compute",
            Self::Apply => "$apply",
            Self::Format => "$format",
            Self::SchemaVersion => "$schemaversion",
            Self::SkipToken => "$skiptoken",
            Self::DeltaToken => "$deltatoken",
            Self::Levels => "$levels",
            Self::Index => "$index",
        }
    }

    /// The option whose name was probably meant by one that has no dollar: one letter too many, too few,
    /// replaced or swapped; in a name of three or four letters, where much is near, only a swap.
    pub(crate) fn nearly(name: &str) -> Option<Self> {
        // These stand in the parentheses of another one.
        let may_stand_here = |option: &Self| !matches!(option, Self::Levels | Self::Index);
        let sorted = |name: &str| {
            let mut letters: Vec<char> = name.to_ascii_lowercase().chars().collect();
            letters.sort_unstable();
            letters
        };
        let is_long_enough = |bare: &str| bare.len() > 4 || sorted(bare) == sorted(name);
        let known = Self::ALL.into_iter().filter(may_stand_here).map(|option| &option.name()[1..]);
        let meant = suggest::within(1, name, known.filter(|bare| is_long_enough(bare)))?;
        Self::from_name(meant)
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let bare = name.strip_prefix('$').unwrap_or(name);
        Self::ALL.into_iter().find(|option| option.name()[1..].eq_ignore_ascii_case(bare))
    }
}
